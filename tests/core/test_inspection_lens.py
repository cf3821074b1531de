"""The logit lens says what a network would say that ended earlier."""

import keras
import numpy as np
from inspection_samples import LENGTH, WORDS, Opinions, subject_of
from keras import layers

from layerwise.inspection.lens import lens, look, sums_of
from layerwise.plots import Heatmap, Table

LABELS = ("bad", "good", "unsure")


def network(depth=3, *, is_pooled=False, is_side_path=False):
    """Blocks that add to what they are given, and an opinion after each word; one of all words if `is_pooled`."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((LENGTH,), dtype="int32", name="text")
    x = layers.Embedding(len(WORDS), 8, name="words")(inputs)
    if is_side_path:
        # Sums of another path, as those of an encoder are for a decoder.
        y = x + layers.Dense(8, name="side")(x)
        x = layers.Dense(8, name="joined")(layers.Concatenate()([x, y]))
    for number in range(1, depth + 1):
        x = x + layers.Dense(8, activation="tanh", name=f"dense_{number}")(layers.LayerNormalization()(x))
    x = layers.GlobalAveragePooling1D()(x) if is_pooled else x
    x = layers.Dense(3, name="opinion")(layers.LayerNormalization(name="last")(x))
    return keras.Model(inputs, x, name="residual")


def same_beginning(model, shorter):
    """Give a shorter network the weights of another."""
    for layer in shorter.layers:
        if layer.weights and not layer.name.startswith("layer_normalization"):
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return shorter


def test_each_row_is_what_a_network_says_that_ends_there():
    model = network()
    subject = subject_of(model, Opinions(labels=LABELS))
    batch = subject.encode({"text": "a very good film"})
    sums = sums_of(subject)
    assert [step.sources[-1] for step in sums] == ["dense_1", "dense_2", "dense_3"]
    found = lens(subject, batch, sums)
    assert found.shape == (3, LENGTH, 3)
    for depth in (1, 2, 3):
        expected = same_beginning(model, network(depth))(batch["text"])
        np.testing.assert_allclose(found[depth - 1], keras.ops.convert_to_numpy(expected)[0], atol=1e-6)


def test_it_is_shown_for_the_words_of_the_text():
    subject = subject_of(network(), Opinions(labels=LABELS))
    _, chances, said = look(subject).show({"text": "a very good film"}, None)
    assert isinstance(chances, Heatmap)
    assert isinstance(said, Table)
    assert list(said.columns[1:4]) == ["a ", "very ", "good "]
    expected = keras.ops.convert_to_numpy(
        keras.ops.softmax(subject.model(subject.encode({"text": "a very good film"})["text"]))
    )[0]
    np.testing.assert_allclose(chances.values[-1], expected.max(axis=-1), atol=1e-6)
    assert said.rows[-1][3] == f"{LABELS[expected[2].argmax()]} {expected[2].max():.0%}"


def test_only_the_path_to_the_output_counts():
    subject = subject_of(network(2, is_side_path=True), Opinions(labels=LABELS))
    assert [step.sources[-1] for step in sums_of(subject)] == ["dense_1", "dense_2"]


def test_other_networks_have_no_such_look():
    for model in (network(is_pooled=True), network(1)):
        assert look(subject_of(model, Opinions(labels=LABELS))) is None
