"""Receptive fields against brute force; patches and pictures to which channels answer."""

import keras
import numpy as np
import pytest
from inspection_samples import residual_network, subject_of
from keras import layers

from layerwise.inspection.hierarchy import busiest, chosen_steps, picture_input
from layerwise.inspection.patches import cut, find_peaks
from layerwise.inspection.receptive_fields import convolutions, receptive_field
from layerwise.inspection.visualisation import visualise
from layerwise.tasks import ImageClassification

SAME, VALID = {"padding": "same"}, {"padding": "valid"}
STACKS = {
    "valid": [layers.Conv2D(2, 3, **VALID), layers.Conv2D(2, 5, **VALID)],
    "same": [layers.Conv2D(2, 3, **SAME), layers.MaxPooling2D(2), layers.Conv2D(2, 3, **SAME)],
    "strides": [layers.Conv2D(2, 3, strides=2, **SAME), layers.Conv2D(2, (5, 3), strides=(2, 1), **SAME)],
    "dilated": [layers.Conv2D(2, 3, dilation_rate=2, **SAME), layers.AveragePooling2D(3, strides=2, **SAME)],
    "even": [layers.Conv2D(2, 4, **SAME), layers.MaxPooling2D(2, **SAME), layers.DepthwiseConv2D(2, **SAME)],
    "padded": [layers.ZeroPadding2D(((2, 1), (0, 3))), layers.SeparableConv2D(2, 3), layers.Cropping2D(1)],
}


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize("name", STACKS)
def test_a_place_sees_the_pixels_that_change_it(name, size):
    stack = [layer.__class__.from_config(layer.get_config()) for layer in STACKS[name]]
    inputs = x = keras.Input((size, size, 1), name="picture")
    for layer in stack:
        x = layer(x)
    model = keras.Model(inputs, x)
    for variable in model.weights:
        # Positive weights, so that no change is lost in a sum.
        variable.assign(np.full(variable.shape, 0.5))
    subject = subject_of(model)
    vertical, horizontal = receptive_field(subject, stack[-1].name)
    # A maximum follows one pixel only when that one is the greatest, so each is made so in turn.
    ground = keras.ops.convert_to_numpy(model(np.zeros([1, size, size, 1])))[0, ..., 0]
    changed = np.zeros([size * size, size, size, 1])
    changed.reshape(size * size, -1)[np.arange(size * size), np.arange(size * size)] = 1.0
    outputs = keras.ops.convert_to_numpy(model(changed))[..., 0]
    sees = (np.abs(outputs - ground) > 1e-6).reshape(size, size, *ground.shape)
    rows, columns = ground.shape
    for row in range(rows):
        for column in range(columns):
            seen = np.argwhere(sees[:, :, row, column])
            for reach, place, found in ((vertical, row, seen[:, 0]), (horizontal, column, seen[:, 1])):
                expected = max(reach.low + place * reach.jump, 0), min(reach.high + place * reach.jump, size - 1)
                assert (found.min(), found.max()) == expected if not _has_gaps(stack) else _within(found, expected)


def _has_gaps(stack):
    return any(getattr(layer, "dilation_rate", (1, 1)) not in (1, (1, 1)) for layer in stack)


def _within(found, expected):
    """At a border the outermost taps of a dilated kernel may lie outside, and those that lie inside see less."""
    return expected[0] <= found.min() <= expected[0] + 1 and expected[1] - 1 <= found.max() <= expected[1]


def test_branches_see_what_the_widest_of_them_does():
    subject = subject_of(residual_network())
    vertical, _ = receptive_field(subject, "skip")
    assert (vertical.size, vertical.jump) == (7, 2)  # the 3 x 3 after a stride of 2 beside the 1 x 1


class Mirror(layers.Layer):
    """Changes pictures in training only."""

    is_pointwise = True

    def call(self, x, training=False):
        return keras.ops.flip(x, 1) if training else x


def test_what_is_enlarged_again_sees_what_the_smaller_one_does():
    inputs = keras.Input((16, 16, 1), name="picture")
    first = layers.Conv2D(2, 3, padding="same", name="first")(Mirror()(inputs))
    small = layers.Conv2D(2, 3, padding="same", name="small")(layers.MaxPooling2D()(first))
    joined = layers.Concatenate()([layers.UpSampling2D()(small), first])
    model = keras.Model(inputs, layers.Conv2D(1, 1, name="last")(joined))
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 0.5))
    subject = subject_of(model)
    assert receptive_field(subject, "first")[0].size == 3
    for reach in receptive_field(subject, "last"):
        assert reach.jump == 1
        seen = set()
        for row in range(16):
            changed = np.zeros((16, 16, 16, 1))
            changed[np.arange(16), np.arange(16), 8] = 1
            outputs = keras.ops.convert_to_numpy(model(changed))[:, row, 8, 0]
            found = np.flatnonzero(
                np.abs(outputs - keras.ops.convert_to_numpy(model(changed * 0))[0, row, 8, 0]) > 1e-6
            )
            assert row + reach.low <= found.min()
            assert found.max() <= row + reach.high
            seen |= {int(found.min()) - row, int(found.max()) - row}
        # No wider than it must be.
        assert (min(seen), max(seen)) == (reach.low, reach.high)


def test_what_is_not_known_may_see_everything():
    inputs = keras.Input((8, 8, 1), name="picture")
    squeezed = layers.Dense(4)(layers.GlobalAveragePooling2D()(inputs))
    x = layers.Multiply(name="gated")(
        [layers.Conv2D(4, 3, padding="same")(inputs), layers.Reshape((1, 1, 4))(squeezed)]
    )
    model = keras.Model(inputs, layers.Conv2D(2, 3, name="after")(x))
    subject = subject_of(model)
    assert receptive_field(subject, "after") is None
    assert receptive_field(subject, "gated") is None


@pytest.fixture
def detector():
    """A network whose first layer was made by hand: a channel for a horizontal and one for a vertical edge."""
    inputs = keras.Input((12, 12, 1), name="picture")
    edges = layers.Conv2D(2, 3, padding="same", activation="relu", name="edges")
    x = layers.Conv2D(3, 3, padding="same", activation="relu", name="later")(layers.MaxPooling2D()(edges(inputs)))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    kernel = np.zeros([3, 3, 1, 2], "float32")
    kernel[0, :, 0, 0], kernel[2, :, 0, 0] = 1, -1  # light above dark
    kernel[:, 0, 0, 1], kernel[:, 2, 0, 1] = 1, -1  # light left of dark
    edges.set_weights([kernel, np.zeros(2)])
    return subject_of(model, ImageClassification(labels=("a", "b"), size=(12, 12), channels=1))


def test_the_patches_are_those_that_a_channel_answers_to_most(detector):
    random = np.random.default_rng(0)
    pictures = random.random((120, 12, 12, 1), "float32") * 0.2
    pictures[77, 4:7, 5:8] = [[[1.0]] * 3, [[0.5]] * 3, [[0.0]] * 3]  # the edge that channel 0 looks for
    *_, (done, peaks) = find_peaks(detector, {"picture": pictures}, convolutions(detector))
    assert done == 120
    (best, row, column), *others = peaks["edges"].top(0, 4)
    assert (best, row, column) == (77, 5, 6)
    assert len({example for example, _, _ in others} | {77}) == 4
    patch = cut(pictures[best], receptive_field(detector, "edges"), row, column)
    np.testing.assert_array_equal(patch[..., 0], pictures[77, 4:7, 5:8, 0])
    values = detector.activations({"picture": pictures}, ["edges"])["edges"]
    np.testing.assert_allclose(peaks["edges"].values, values.max(axis=(1, 2)), rtol=1e-5)


def test_a_patch_at_the_border_is_cut_off(detector):
    picture = np.arange(144.0).reshape(12, 12, 1)
    field = receptive_field(detector, "edges")
    np.testing.assert_array_equal(cut(picture, field, 0, 11)[..., 0], picture[:2, 10:, 0])
    assert cut(picture, None, 3, 3) is picture


def test_the_busiest_channels_answer_to_some_and_not_to_all():
    maxima = np.array([[5.0, 0.0, 1.0, 0.0], [5.1, 0.0, 4.0, 0.5], [5.0, 0.0, 1.0, 0.0]])
    assert busiest(maxima, 2).tolist() == [2, 3]


def test_gradient_ascent_makes_the_pictures_that_the_channels_look_for(detector):
    chosen = [("edges", detector.step("edges"), np.array([0, 1]))]
    runs = [list(visualise(detector, "picture", chosen, smoothness=0.5, steps=64)) for _ in range(2)]
    assert [step for step, _ in runs[0]] == [16, 32, 48, 64]
    np.testing.assert_array_equal(runs[0][-1][1], runs[1][-1][1])
    first, last = (pictures for _, pictures in (runs[0][0], runs[0][-1]))
    assert last.shape == (2, 12, 12, 1)
    assert 0 <= last.min() < last.max() <= 1

    def answers(pictures):
        found = detector.activations({"picture": pictures.astype("float32")}, ["edges"])["edges"]
        return np.sqrt((found[[0, 1], :, :, [0, 1]] ** 2).mean(axis=(1, 2)))

    noise = np.random.default_rng(0).random((2, 12, 12, 1))
    assert (answers(last) > answers(first)).all()
    assert (answers(last) > 1.3 * answers(noise)).all()
    horizontal, vertical = last[..., 0]
    # Stripes across the direction of each edge.
    assert np.abs(np.diff(horizontal, axis=0)).mean() > 2 * np.abs(np.diff(horizontal, axis=1)).mean()
    assert np.abs(np.diff(vertical, axis=1)).mean() > 2 * np.abs(np.diff(vertical, axis=0)).mean()


def test_early_middle_and_deep_layers_are_side_by_side():
    keras.utils.set_random_seed(0)
    stack = [layers.Conv2D(2, 3, name=f"conv_{number}") for number in range(1, 6)]
    model = keras.Sequential([keras.Input((12, 12, 3)), *stack, layers.Flatten(), layers.Dense(2)])
    subject = subject_of(model, ImageClassification(labels=("a", "b"), size=(12, 12)))
    titles = [title for title, _ in chosen_steps(subject, "early, middle, deep")]
    assert titles == ["early: conv_1", "middle: conv_3", "deep: conv_5"]
    assert picture_input(subject) == subject.input_names[0]


def test_a_network_without_convolutions_has_no_hierarchy_of_features():
    model = keras.Sequential([keras.Input((12, 12, 1)), layers.Flatten(), layers.Dense(2)])
    assert picture_input(subject_of(model, ImageClassification(labels=("a", "b"), size=(12, 12), channels=1))) is None
