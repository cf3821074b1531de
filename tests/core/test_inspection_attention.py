"""Attention maps are what the layers computed, wherever in the network they are."""

import keras
import numpy as np
import pytest
from inspection_samples import LENGTH, WORDS, Opinions, subject_of
from keras import layers

from layerwise.inspection.attention import attention_layers, attention_scores
from layerwise.inspection.attention import look as attention_look


class Block(keras.layers.Layer):
    """A block of a transformer as plugins write it: a layer that keeps its attention to itself."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attend = layers.MultiHeadAttention(2, 4, name="attend")
        self.norm = layers.LayerNormalization()

    def build(self, shape):
        self.attend.build(shape, shape)
        self.norm.build(shape)

    def call(self, x):
        return self.norm(x + self.attend(x, x))


class Looking(keras.layers.Layer):
    """A layer of a plugin that says itself where it looks: everywhere alike."""

    def call(self, x):
        return x

    def attention_scores(self, x):
        return keras.ops.ones((x.shape[0], 1, x.shape[1], x.shape[1])) / x.shape[1]


@pytest.fixture(params=["plain", "block"])
def subject(request):
    keras.utils.set_random_seed(0)
    ids = keras.Input((LENGTH,), dtype="int32", name="ids")
    x = layers.Embedding(len(WORDS), 8, mask_zero=request.param == "plain", name="embedding")(ids)
    if request.param == "plain":
        x = layers.Add()([x, layers.MultiHeadAttention(2, 4, name="attend")(x, x)])
    else:
        x = Block(name="block")(x)
    x = Looking(name="looking")(x)
    return subject_of(keras.Model(ids, layers.Dense(2)(layers.GlobalAveragePooling1D()(x))), Opinions())


def test_the_scores_are_those_of_the_layer(subject):
    assert set(attention_layers(subject.model)) == {"attend", "looking"}
    batch = subject.encode({"text": "a very good film"})
    (found,) = attention_scores(subject, batch, ["attend"])["attend"]
    embedded = subject.activations(batch, ["embedding"])["embedding"]
    layer = attention_layers(subject.model)["attend"]
    is_masked = subject.model.get_layer("embedding").mask_zero
    mask = {"query_mask": batch["ids"] != 0, "value_mask": batch["ids"] != 0} if is_masked else {}
    _, expected = layer(embedded, embedded, return_attention_scores=True, **mask)
    # What padding looks at is of no account, and masked in another way.
    np.testing.assert_allclose(found[:, :, :4], keras.ops.convert_to_numpy(expected)[:, :, :4], atol=1e-6)
    np.testing.assert_allclose(found[:, :, :4].sum(axis=-1), 1, atol=1e-5)
    if is_masked:
        assert found[:, :, :4, 4:].max() < 1e-6


def test_nothing_of_the_recording_stays_behind(subject):
    batch = subject.encode({"text": "a very good film"})
    layer = attention_layers(subject.model)["attend"]
    before = subject.forward(batch)
    attention_scores(subject, batch, ["attend"])
    assert "call" not in vars(layer)
    np.testing.assert_array_equal(subject.forward(batch), before)


def test_the_maps_have_a_title_for_each_head_and_the_words_beside_them(subject):
    look = attention_look(subject)
    assert look is not None
    _, row = look.show({"text": "a good film"}, look.settings(layer="attend"))
    assert [plot.title for plot in row.plots] == ["mean of all heads", "head 1", "head 2"]
    assert row.plots[0].row_labels == ("a ", "good ", "film ", "", "", "")
    assert row.plots[0].values.shape == (LENGTH, LENGTH)
    np.testing.assert_allclose(row.plots[0].values, (row.plots[1].values + row.plots[2].values) / 2, atol=1e-6)


def test_a_layer_of_a_plugin_can_say_where_it_looks(subject):
    look = attention_look(subject)
    text, row = look.show({"text": "a good film"}, look.settings(layer="looking"))
    assert text.text.startswith("6 places")
    np.testing.assert_allclose(row.plots[0].values, 1 / LENGTH, atol=1e-6)


def test_a_network_without_attention_has_no_such_look():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    assert attention_look(subject_of(model)) is None
