"""The four steps in NumPy against automatic differentiation of the same network."""

import math
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.activations import ACTIVATIONS
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.losses import LOSSES
from layerwise.networks import dense_network

needs_autodiff = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the oracle is TensorFlow's automatic differentiation"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network and a batch, in a form that hypothesis can print and shrink."""

    options: dict
    kind: str
    batch: int
    class_numbers: bool
    seed: int

    def build(self):
        """The network in Keras with random weights, inputs, and targets that the loss is defined for."""
        random = np.random.default_rng(self.seed)
        model = dense_network(**self.options, dtype="float64")
        model.set_weights([random.normal(size=w.shape) / math.sqrt(w.shape[0]) for w in model.get_weights()])
        inputs = random.normal(size=(self.batch, *self.options["input_shape"]))
        outputs = self.options["output_units"]
        if self.kind == "squared_error" or self.options["output_activation"] == "sigmoid":
            return model, inputs, random.uniform(size=(self.batch, outputs))
        if self.class_numbers:
            return model, inputs, random.integers(outputs, size=self.batch)
        return model, inputs, random.dirichlet(np.ones(outputs), self.batch)


@st.composite
def cases(draw):
    hidden_units = tuple(draw(st.lists(st.integers(1, 9), max_size=4)))
    kind = draw(st.sampled_from(sorted(LOSSES)))
    options = {
        "input_shape": tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))),
        "hidden_units": hidden_units,
        # Cross-entropy needs two classes.
        "output_units": draw(st.integers(2 if kind == "cross_entropy" else 1, 5)),
        "activation": tuple(draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in hidden_units),
        "output_activation": draw(st.sampled_from(["linear", "softmax", "sigmoid"])),
        "scale": draw(st.sampled_from([1.0, 0.5])),
        "dropout": draw(st.sampled_from([0.0, 0.3])),
    }
    batch, class_numbers, seed = draw(st.integers(1, 6)), draw(st.booleans()), draw(st.integers(0, 2**32 - 1))
    return Case(options=options, kind=kind, batch=batch, class_numbers=class_numbers, seed=seed)


def tensorflow_loss(kind, output_activation, z, output, targets):
    if kind == "squared_error":
        return tf.reduce_mean(keras.losses.mean_squared_error(targets, output))
    if output_activation == "sigmoid":
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=z)
        return tf.reduce_mean(tf.reduce_sum(losses, axis=1))
    if targets.ndim == 1:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=z))
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=z))


def autodiff(model, inputs, targets, kind):
    """Every value and gradient that TensorFlow computes, by the names of `layerwise.from_scratch.backprop`."""
    values, parameters = {}, {}
    hidden, last = model.layers[1:-1], model.layers[-1]  # without the layer "input"
    with tf.GradientTape(persistent=True) as tape:
        x = tf.constant(inputs)
        while hidden and hidden[0].name in ("scale", "flatten"):
            x = hidden.pop(0)(x)
        tape.watch(x)
        values["a_0"], depth = x, 1
        for layer in hidden:
            x = layer(x, training=False) if layer.name.startswith("dropout") else layer(x)
            part, _, number = layer.name.partition("_")
            if part == "dense":
                values[f"z_{number}"] = x
                parameters[f"W_{number}"], parameters[f"b_{number}"] = layer.kernel.value, layer.bias.value
                depth = int(number) + 1
            elif part == "activation":
                values[f"a_{number}"] = x
        parameters[f"W_{depth}"], parameters[f"b_{depth}"] = last.kernel.value, last.bias.value
        z = values[f"z_{depth}"] = x @ last.kernel.value + last.bias.value
        # An identity of its own, so that a linear output and z are two values with two gradients.
        output = values["output"] = tf.identity(last.activation(z))
        loss = tensorflow_loss(kind, last.activation.__name__, z, output, targets)
    sources = {**values, **parameters}
    if kind == "cross_entropy":
        del sources["output"]  # no step on the way to the loss, which is computed from z
    gradients = {f"dL/d{name}": tape.gradient(loss, source) for name, source in sources.items()}
    return {**values, "loss": loss, **gradients}


def assert_equals_autodiff(model, inputs, targets, kind):
    step = DenseNetwork.from_keras(model).step(inputs, targets, loss=kind, learning_rate=0.1)
    expected = autodiff(model, inputs, targets, kind)
    found = {name: value for _, name, value in step.values()}
    assert {*step.forward, "loss", *step.backward} == set(expected)
    # TensorFlow has the slope of leaky ReLU and the square root in GELU in float32 in every dtype.
    used = {layer.activation.__name__ for layer in model.layers if layer.name.startswith("activation")}
    rtol, atol = (1e-6, 1e-7) if used & {"leaky_relu", "gelu"} else (1e-9, 1e-12)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)
    np.testing.assert_allclose(found["output"], model(inputs), rtol=rtol, atol=atol)


@pytest.mark.slow
@needs_autodiff
@settings(max_examples=120, deadline=None, derandomize=True)
@given(cases())
def test_every_value_and_gradient_equals_automatic_differentiation(case):
    model, inputs, targets = case.build()
    assert_equals_autodiff(model, inputs, targets, case.kind)


@needs_autodiff
@pytest.mark.parametrize("kind", sorted(LOSSES))
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_with_both_losses(name, kind):
    """What the property test meets by chance, once for certain."""
    options = {"input_shape": (4,), "hidden_units": (5, 6), "output_units": 3, "output_activation": "linear"}
    case = Case(options={**options, "activation": name}, kind=kind, batch=7, class_numbers=True, seed=4)
    model, inputs, targets = case.build()
    assert_equals_autodiff(model, inputs, targets, kind)
