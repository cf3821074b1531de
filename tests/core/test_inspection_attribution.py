"""Attributions: against finite differences, exact values, a planted object, and the sanity checks of Adebayo et al.
2018 (arXiv:1810.03292)."""

import keras
import numpy as np
import pytest
from inspection_samples import LENGTH, Opinions, Sounds, opinion_network, residual_network, subject_of
from keras import layers
from scipy.stats import spearmanr

from layerwise.inspection.grad_cam import enlarged, feature_map, grad_cam
from layerwise.inspection.integrated_gradients import baseline_points, integrated_gradients
from layerwise.inspection.integrated_gradients import look as integrated_look
from layerwise.inspection.occlusion import look as occlusion_look
from layerwise.inspection.occlusion import occlusion
from layerwise.inspection.probes import Probe, Site, find_sites
from layerwise.inspection.saliency import look as saliency_look
from layerwise.inspection.saliency import saliency
from layerwise.plots import BarPlot, Heatmap, Pictures, Text, Tokens
from layerwise.registry import Registry
from layerwise.runner import NetworkRunner
from layerwise.specs import resolve
from layerwise.tasks import Column, ImageClassification, TabularClassification
from layerwise.versions import VersionStore

PICTURES = ImageClassification(labels=("a", "b", "c"), size=(12, 12), channels=1)


def shown(look, inputs, **settings):
    """The plots that a look shows."""
    return list(look.show(inputs, look.settings(**settings)))


@pytest.fixture
def residual():
    subject = subject_of(residual_network(), PICTURES)
    random = np.random.default_rng(3)
    return subject, {"picture": random.integers(0, 255, (1, 12, 12, 1)).astype("uint8")}


def test_saliency_is_the_slope_that_finite_differences_find(residual):
    subject, batch = residual
    found = saliency(Probe(subject, find_sites(subject)), batch, 1)["picture"]
    image = batch["picture"].astype("float64")
    for row, column in ((0, 0), (3, 7), (11, 5)):
        step = np.zeros_like(image)
        step[0, row, column, 0] = 4.0
        ends = np.concatenate([image + step, image - step]).astype("float32")
        low, high = subject.forward({"picture": ends})[::-1, 1].astype("float64")
        assert found[row, column, 0] == pytest.approx(abs(high - low) / 8, rel=0.02, abs=1e-7)


def test_smoothgrad_averages_over_noisy_copies(residual):
    subject, batch = residual
    probe = Probe(subject, find_sites(subject))
    plain = saliency(probe, batch, 1)["picture"]
    smooth = saliency(probe, batch, 1, copies=20, noise=0.1)["picture"]
    assert not np.allclose(plain, smooth)
    np.testing.assert_array_equal(smooth, saliency(probe, batch, 1, copies=20, noise=0.1)["picture"])
    nearly = saliency(probe, batch, 1, copies=20, noise=1e-6)["picture"]
    np.testing.assert_allclose(nearly, plain, rtol=1e-2, atol=1e-7)


def test_integrated_gradients_of_a_linear_network_are_weight_times_difference():
    keras.utils.set_random_seed(0)
    subject = subject_of(keras.Sequential([keras.Input((4,)), layers.Dense(3, name="only")]))
    kernel = keras.ops.convert_to_numpy(subject.model.layers[0].kernel)
    inputs, start = np.array([[1.0, -2.0, 0.5, 3.0]], "float32"), np.array([[0.5, 0.5, 0.5, 0.5]], "float32")
    name = subject.input_names[0]
    probe = Probe(subject, find_sites(subject))
    found = integrated_gradients(probe, {name: inputs}, {name: start}, 2)
    np.testing.assert_allclose(found.contributions[name], kernel[:, 2] * (inputs - start)[0], rtol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_integrated_gradients_are_complete(residual, seed):
    subject, _ = residual
    probe = Probe(subject, find_sites(subject))
    random = np.random.default_rng(seed)
    batch = {"picture": random.integers(0, 255, (1, 12, 12, 1)).astype("uint8")}
    for target in range(3):
        found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch), target)
        difference = found.score - found.baseline_score
        assert found.total == pytest.approx(difference, rel=0.01)
        assert found.score == pytest.approx(float(subject.forward(batch)[0, target]), abs=1e-5)


def test_a_step_of_the_score_is_found_and_looked_at_closely():
    # Nearly all of the difference lies within a hundredth of the line.
    inputs = keras.Input((2,), name="pair")
    steep = layers.Dense(1, activation="tanh", name="steep")
    model = keras.Model(inputs, steep(inputs))
    steep.set_weights([np.array([[400.0], [0.0]]), np.array([-243.0])])
    subject = subject_of(model)
    found = integrated_gradients(
        Probe(subject, find_sites(subject)), {"pair": np.ones([1, 2], "float32")}, {"pair": np.zeros([1, 2])}, 0
    )
    assert found.total == pytest.approx(2.0, rel=0.01)
    np.testing.assert_allclose(found.contributions["pair"], [2.0, 0.0], atol=0.02)
    assert found.num_gradients < 600


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """The shipped network, and the encoded examples that come with it."""
    home = tmp_path_factory.mktemp("home")
    spec = Registry(home).snapshot().model("vision/fashion")
    model = NetworkRunner(VersionStore(home).get(spec, "conv", "shipped"), spec).model
    subject = subject_of(model, spec.task)
    return subject, [subject.encode(example.inputs) for example in resolve(spec.examples)()]


@pytest.mark.slow
def test_integrated_gradients_of_the_shipped_network_are_complete(fashion):
    subject, batches = fashion
    probe = Probe(subject, find_sites(subject))
    for batch in batches[::4]:
        target = int(subject.forward(batch)[0].argmax())
        for baseline in ("black", "white"):
            found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch, baseline), target)
            assert found.total == pytest.approx(found.score - found.baseline_score, rel=0.01)


@pytest.mark.slow
def test_random_weights_change_the_maps(fashion):
    """Adebayo et al. 2018, model parameter randomisation: a map that stays alike would show the picture, not the
    network."""
    subject, batches = fashion
    image, layer = subject.input_names[0], feature_map(subject, subject.step("convolution_3_2")).name
    random = keras.models.clone_model(subject.model)
    other = subject_of(random, subject.task)

    def maps_of(of):
        probe, coarse = Probe(of, find_sites(of)), Probe(of, [Site(image, layer)])

        def maps(batch, target):
            start = baseline_points(of, probe, batch)
            return {
                "saliency": saliency(probe, batch, target)[image],
                "integrated": integrated_gradients(probe, batch, start, target).contributions[image],
                "grad-cam": grad_cam(coarse, batch, target),
            }

        return maps

    trained, untrained = maps_of(subject), maps_of(other)
    correlations = {}
    for batch in batches[::4]:
        target = int(subject.forward(batch)[0].argmax())
        # Where the picture is black nothing contributes, whatever the weights are.
        is_seen = batch[image][0].ravel() > 0
        first, second = trained(batch, target), untrained(batch, target)
        for name, heat in first.items():
            chosen = is_seen if heat.size == is_seen.size else slice(None)
            correlation = spearmanr(heat.ravel()[chosen], second[name].ravel()[chosen]).statistic
            # A map that is nowhere positive is as different as can be.
            correlations.setdefault(name, []).append(np.nan_to_num(correlation))
    means = {name: round(float(np.mean(values)), 3) for name, values in correlations.items()}
    assert max(map(abs, means.values())) < 0.3, means


@pytest.fixture(scope="module")
def finder():
    """A network that was trained to say whether a small cross is somewhere in a noisy picture."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    pictures, targets, _ = crosses(random, 600)
    relu = {"activation": "relu", "padding": "same"}
    model = keras.Sequential(
        [
            keras.Input((24, 24, 1), name="picture"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, **relu, name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, **relu, name="second"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2, name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    history = model.fit(pictures, targets, epochs=12, batch_size=50, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
    return subject_of(model, ImageClassification(labels=("nothing", "cross"), size=(24, 24), channels=1))


def crosses(random, count):
    """Noise in which a bright cross is planted or not, and where: [count, 24, 24, 1], [count], [count, 2]."""
    pictures = random.integers(0, 110, (count, 24, 24, 1)).astype("uint8")
    targets, places = np.arange(count) % 2, random.integers(3, 21, (count, 2))
    for picture, (row, column) in zip(pictures[1::2], places[1::2], strict=True):
        picture[row, column - 2 : column + 3] = picture[row - 2 : row + 3, column] = 220
    return pictures, targets, places


@pytest.mark.slow
def test_grad_cam_and_occlusion_find_the_planted_object(finder):
    pictures, _, places = crosses(np.random.default_rng(1), 20)
    layer = feature_map(finder, finder.step("second")).name
    probe = Probe(finder, [Site("picture", layer)])
    hits = {"grad-cam": 0, "occlusion": 0}
    for picture, (row, column) in zip(pictures[1::2], places[1::2], strict=True):
        batch = {"picture": picture[None]}
        heats = {
            "grad-cam": enlarged(grad_cam(probe, batch, 1), (24, 24)),
            "occlusion": occlusion(finder, batch, "picture", 1)[..., 0],
        }
        for name, heat in heats.items():
            found = np.unravel_index(heat.argmax(), heat.shape)
            hits[name] += abs(found[0] - row) <= 4 and abs(found[1] - column) <= 4
    assert hits["grad-cam"] >= 9, hits
    assert hits["occlusion"] >= 8, hits


def test_ids_are_explained_at_their_embedding_and_padding_is_not_shown():
    subject = subject_of(opinion_network(), Opinions())
    assert find_sites(subject) == [Site("ids", "embedding")]
    probe = Probe(subject, find_sites(subject))
    batch = subject.encode({"text": "a very good film"})
    found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch), 1)
    assert found.score == pytest.approx(float(subject.forward(batch)[0, 1]), abs=1e-5)
    assert found.total == pytest.approx(found.score - found.baseline_score, rel=0.01)
    assert not found.contributions["embedding"][4:].any()  # masked
    text, tokens = shown(integrated_look(subject), {"text": "a very good film"}, target="good")
    assert isinstance(tokens, Tokens)
    assert "".join(tokens.tokens) == "a very good film "
    assert tokens.weights.sum() == pytest.approx(found.total, rel=1e-3)
    assert "score of good" in text.text


def test_ids_as_one_hot_codes_are_explained_where_they_become_numbers():
    ids = keras.Input((LENGTH,), dtype="int32", name="ids")
    codes = layers.CategoryEncoding(6, output_mode="one_hot")(layers.Reshape((LENGTH, 1))(ids))
    subject = subject_of(keras.Model(ids, layers.Dense(2)(layers.Flatten()(codes))), Opinions())
    (site,) = find_sites(subject)
    assert site.step
    assert subject.step(site.step).kind == "CategoryEncoding"
    probe = Probe(subject, [site])
    batch = subject.encode({"text": "a bad film"})
    found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch), 0)
    assert found.contributions[site.key].shape[0] == LENGTH
    assert found.total == pytest.approx(found.score - found.baseline_score, rel=0.01)


def threshold_network():
    """A network through whose first layer no gradient passes."""
    inputs = keras.Input((4,), name="values")
    steps = keras.ops.cast(inputs > 0.5, "float32")
    return keras.Model(inputs, layers.Dense(3, name="logits")(steps))


@pytest.mark.parametrize("look", [integrated_look, saliency_look])
def test_where_no_gradient_passes_parts_are_covered_instead(look):
    subject = subject_of(threshold_network())
    kernel = keras.ops.convert_to_numpy(subject.model.get_layer("logits").kernel)
    text, bars = shown(look(subject), {"values": [1.0, 0.0, 1.0, 0.0]}, target="low")
    assert "No gradient" in text.text
    assert isinstance(bars, BarPlot)
    np.testing.assert_allclose(bars.values, kernel[:, 0] * [1, 0, 1, 0], atol=1e-5)


def test_occlusion_of_a_picture_is_the_mean_fall_of_the_windows_that_cover_a_place():
    inputs = keras.Input((6, 6, 1), name="picture")
    dense = layers.Dense(2, use_bias=False)
    subject = subject_of(
        keras.Model(inputs, dense(layers.Flatten()(inputs))),
        ImageClassification(labels=("a", "b"), size=(6, 6), channels=1),
    )
    picture = np.zeros([1, 6, 6, 1], "float32")
    picture[0, 2, 3] = 1
    kernel = keras.ops.convert_to_numpy(dense.kernel)[:, 0].reshape(6, 6)
    heat = occlusion(subject, {"picture": picture}, "picture", 0, window=1 / 6)[..., 0]
    np.testing.assert_allclose(heat, kernel * picture[0, ..., 0], atol=1e-6)


def test_each_column_of_a_table_has_a_bar():
    columns = (
        Column(name="age", kind="number", mean=40.0, deviation=10.0),
        Column(name="colour", kind="choice", choices=("blue", "red")),
    )
    task = TabularClassification(labels=("no", "yes"), columns=columns)
    keras.utils.set_random_seed(0)
    subject = subject_of(keras.Sequential([keras.Input((4,)), layers.Dense(2)]), task)
    kernel = keras.ops.convert_to_numpy(subject.model.layers[0].kernel)[:, 1]
    row = {"row": {"age": 50, "colour": "red"}}
    for look in (integrated_look, occlusion_look):
        _, bars = shown(look(subject), row, target="yes")
        assert list(bars.labels) == ["age", "colour"]
        np.testing.assert_allclose(bars.values, [kernel[0], kernel[2]], rtol=1e-4)


def test_a_waveform_is_explained_over_time_and_frequency():
    sound = keras.Input((64,), name="sound")
    frames = layers.STFTSpectrogram(mode="magnitude", frame_length=16, frame_step=8, fft_length=16)(
        layers.Reshape((64, 1))(sound)
    )
    outputs = layers.Dense(3)(layers.GlobalAveragePooling1D()(layers.Dense(4, activation="relu")(frames)))
    subject = subject_of(keras.Model(sound, outputs), Sounds())
    (site,) = find_sites(subject)
    assert subject.step(str(site.step)).kind == "STFTSpectrogram"
    wave = np.sin(np.arange(64) * np.pi / 4)
    _, plane = shown(integrated_look(subject), {"sound": wave})
    assert isinstance(plane, Heatmap)
    assert plane.values.shape == subject.step(str(site.step)).shape[:0:-1]
    assert (plane.x_label, plane.y_label) == ("time", "frequency band")
    # A tone of an eighth of the sampling rate is in band 2 of the 8, and by the window in its neighbours.
    bands = np.abs(plane.values).sum(axis=1)
    assert bands[1:4].sum() > 0.9 * bands.sum()


@pytest.mark.parametrize("is_turned", [False, True])
def test_time_is_along_the_width_whichever_way_the_network_has_it(is_turned):
    sound = keras.Input((64,), name="sound")
    mel = layers.MelSpectrogram(
        fft_length=16, sequence_stride=4, sampling_rate=64, num_mel_bins=5, min_freq=0, max_freq=32
    )
    plane = mel(sound)
    plane = layers.Permute((2, 1))(plane) if is_turned else plane
    subject = subject_of(keras.Model(sound, layers.Dense(3)(layers.Flatten()(plane))), Sounds())
    _, drawn = shown(saliency_look(subject), {"sound": np.sin(np.arange(64.0))})
    assert drawn.values.shape == (5, 17)
    assert drawn.y_range == (0, 5)


def test_a_waveform_without_such_a_layer_is_explained_sample_by_sample():
    sound = keras.Input((64,), name="sound")
    subject = subject_of(keras.Model(sound, layers.Dense(3)(sound)), Sounds())
    assert find_sites(subject) == [Site("sound")]


@pytest.mark.slow
def test_networks_of_16_bits_and_with_memory_are_explained():
    ids = keras.Input((LENGTH,), dtype="int32", name="ids")
    half = {"dtype": "mixed_bfloat16"}
    words = layers.Embedding(6, 5, mask_zero=True, name="embedding", **half)(ids)
    states, last, _ = layers.LSTM(4, return_sequences=True, return_state=True, name="memory", **half)(words)
    both = layers.Bidirectional(layers.GRU(3, **half), **half)(states)
    outputs = layers.Dense(2, dtype="float32")(layers.Concatenate(**half)([both, last]))
    subject = subject_of(keras.Model(ids, outputs), Opinions())
    for site in ("embedding", "memory"):
        probe = Probe(subject, [Site("ids", site)])
        batch = subject.encode({"text": "a very good film"})
        scores, gradients = probe.gradients(probe.points(batch), batch, 1)
        assert scores[0] == pytest.approx(float(subject.forward(batch)[0, 1]), abs=1e-2)
        assert gradients[site].any()


def test_every_input_of_several_is_explained():
    picture, values = keras.Input((8, 8, 1), name="picture"), keras.Input((2,), name="values")
    joined = layers.Concatenate()([layers.Flatten()(picture), values])
    subject = subject_of(keras.Model([picture, values], layers.Dense(1)(joined)))
    random = np.random.default_rng(0)
    batch = {"picture": random.random((1, 8, 8, 1), "float32"), "values": random.random((1, 2), "float32")}
    probe = Probe(subject, find_sites(subject))
    found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch), 0)
    assert {name: array.shape for name, array in found.contributions.items()} == {"picture": (8, 8, 1), "values": (2,)}
    assert found.total == pytest.approx(found.score - found.baseline_score, rel=1e-3)


def test_a_picture_is_shown_with_its_heat():
    subject = subject_of(residual_network(), PICTURES)
    picture = np.random.default_rng(0).integers(0, 255, (12, 12)).astype("uint8")
    for make in (saliency_look, integrated_look, occlusion_look):
        text, pictures = shown(make(subject), {"image": picture}, target="b")
        assert isinstance(text, Text)
        assert isinstance(pictures, Pictures)
        assert pictures.pictures[1].heat.shape == (12, 12)
