"""The steps of a network are the calls of its layers, and what they give is what sub-models of Keras give."""

import keras
import numpy as np
import pytest
from inspection_samples import opinion_network, residual_network, subject_of
from keras import layers

from layerwise.errors import InputError, LayerwiseError
from layerwise.inspection.activations import look as activations_look
from layerwise.inspection.graph import look as layers_look
from layerwise.inspection.steps import run, steps_of
from layerwise.plots import Graph
from layerwise.tasks import ImageClassification

PICTURES = ImageClassification(labels=("a", "b", "c"), size=(12, 12), channels=1)


def pictures(count=3, size=12):
    return np.random.default_rng(0).integers(0, 255, (count, size, size, 1)).astype("uint8")


def test_steps_name_the_calls_of_shared_layers_and_of_networks_within():
    steps = steps_of(residual_network())
    assert {step.name for step in steps} == {
        *("scale", "flip", "entry", "block/deeper", "block/norm", "shared", "shared:2", "skip"),
        *("dropout", "average", "logits"),
    }
    by_name = {step.name: step for step in steps}
    assert by_name["scale"].sources == ("picture",)
    assert by_name["block/deeper"].sources == ("entry",)
    assert {by_name["shared"].sources, by_name["shared:2"].sources} == {("entry",), ("block/norm",)}
    assert set(by_name["skip"].sources) == {"shared", "shared:2"}
    assert by_name["entry"].shape == (None, 6, 6, 4)


def test_each_step_comes_after_what_it_needs():
    known = {"picture"}
    for step in steps_of(residual_network()):
        assert known.issuperset(step.sources)
        known.add(step.name)


def test_the_forward_pass_is_that_of_the_model_outside_of_training():
    model = residual_network()
    expected = keras.ops.convert_to_numpy(model(pictures(), training=False))
    found = keras.ops.convert_to_numpy(run(model, {"picture": pictures()}))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_activations_are_the_outputs_of_sub_models():
    model = residual_network()
    subject = subject_of(model, PICTURES)
    found = subject.activations({"picture": pictures()}, ["entry", "skip", "block/norm"])
    for name in ("entry", "skip"):
        expected = keras.Model(model.inputs, model.get_layer(name).output)(pictures(), training=False)
        np.testing.assert_allclose(found[name], keras.ops.convert_to_numpy(expected), atol=1e-6)
    block = model.get_layer("block")(found["entry"], training=False)
    np.testing.assert_allclose(found["block/norm"], keras.ops.convert_to_numpy(block), atol=1e-6)


def test_a_mask_is_passed_on():
    model = opinion_network()
    ids = np.array([[1, 3, 5, 0, 0, 0]], "int32")
    expected = keras.ops.convert_to_numpy(model(ids, training=False))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(run(model, {"ids": ids})), expected, atol=1e-6)
    unmasked = keras.ops.convert_to_numpy(opinion_network(mask=False)(ids))
    assert np.abs(unmasked - expected).max() > 1e-3


def test_a_mask_reaches_a_network_within():
    ids = keras.Input((6,), dtype="int32", name="ids")
    words = keras.Input((None, 4))
    inner = keras.Model(words, layers.GlobalAveragePooling1D()(layers.Dense(3)(words)), name="inner")
    model = keras.Model(ids, inner(layers.Embedding(6, 4, mask_zero=True, name="embedding")(ids)))
    batch = np.array([[1, 3, 5, 0, 0, 0]], "int32")
    expected = keras.ops.convert_to_numpy(model(batch))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(run(model, {"ids": batch})), expected, atol=1e-6)
    assert [step.name for step in steps_of(model) if step.name.startswith("inner/dense")]


def test_several_inputs_are_taken_by_name():
    first, second = keras.Input((3,), name="one"), keras.Input((2,), name="two")
    outputs = layers.Dense(3)(layers.Concatenate()([second, first]))
    for model in (keras.Model([first, second], outputs), keras.Model({"b": first, "a": second}, outputs)):
        names = ("one", "two") if isinstance(model.input, list) else ("b", "a")
        batch = {names[0]: np.ones([2, 3], "float32"), names[1]: np.zeros([2, 2], "float32")}
        expected = keras.ops.convert_to_numpy(model(batch))
        np.testing.assert_allclose(keras.ops.convert_to_numpy(run(model, batch)), expected, atol=1e-6)


def test_a_sequential_model_has_steps():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="only")])
    assert [step.name for step in steps_of(model)] == ["only"]


def test_a_model_without_a_graph_says_what_to_do():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(LayerwiseError, match=r"inspectable\(\)"):
        steps_of(Own())


def test_a_network_that_takes_something_else_says_so():
    subject = subject_of(residual_network(), PICTURES)
    with pytest.raises(InputError, match=r"picture \[12, 12, 1\]"):
        subject.batch(pictures(size=10))


def test_what_each_layer_makes_of_an_input_is_drawn():
    subject = subject_of(residual_network(), PICTURES)
    look = activations_look(subject)
    picture = pictures(1)[0, ..., 0]
    *_, average, logits = look.show({"image": picture}, look.settings())
    assert list(average.labels) == ["1", "2", "3", "4"]
    assert list(logits.labels) == ["a", "b", "c"]
    batch = {"picture": picture[None, ..., None]}
    np.testing.assert_allclose(logits.values, subject.forward(batch)[0], atol=1e-6)
    (channels,) = look.show({"image": picture}, look.settings(layer="entry"))
    values = subject.activations(batch, ["entry"])["entry"][0]
    first = int(channels.pictures[0].caption.removeprefix("channel ")) - 1
    assert first == np.abs(values).mean(axis=(0, 1)).argmax()
    # One scale for all channels: black is the least value of any of them, or 0.
    expected = (values[..., first] - values.min()) / (values.max() - values.min())
    np.testing.assert_allclose(channels.pictures[0].pixels, expected, atol=1e-5)


def test_of_each_layer_those_that_only_training_needs_are_left_out_and_seen_when_they_are_asked_for():
    subject = subject_of(residual_network(), PICTURES)
    look, inputs = activations_look(subject), {"image": pictures(1)[0, ..., 0]}
    drawn = [plot.title.partition(",")[0] for plot in look.show(inputs, look.settings())]
    assert drawn == [step.name for step in subject.steps if step.name not in ("flip", "dropout")]
    (flip,) = look.show(inputs, look.settings(layer="flip"))
    (scale,) = look.show(inputs, look.settings(layer="scale"))
    np.testing.assert_array_equal(flip.pictures[0].pixels, scale.pictures[0].pixels)


def test_the_layers_are_drawn_with_shapes_and_parameters():
    text, graph = layers_look(subject_of(residual_network(), PICTURES)).show(None, None)
    assert isinstance(graph, Graph)
    nodes = {node.name: node for node in graph.nodes}
    assert nodes["picture"].lines == ("input", "12 × 12 × 1")
    assert nodes["entry"].lines == ("Conv2D", "6 × 6 × 4", "40 parameters", "activation tanh")
    assert sum("shared" in line for node in graph.nodes for line in node.lines) == 1
    # 40 + 20 + 148 + 16 + 15, of which the two running statistics of 4 numbers are not trained
    assert "239 parameters" in text.text
    assert "231 of which" in text.text
