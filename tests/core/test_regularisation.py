"""Dropout and penalties in NumPy, against Keras and its automatic differentiation."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.regularisation import dropout_masks, penalty, penalty_gradient
from layerwise.networks import dense_network

needs_autodiff = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the oracle is TensorFlow's automatic differentiation"
)
cross_entropy: Any = keras.losses.binary_crossentropy
OPTIONS = {"output_units": 1, "activation": ("tanh", "selu"), "output_activation": "sigmoid", "dtype": "float64"}


def network_of(weights, biases, activation="tanh"):
    return DenseNetwork(weights=weights, biases=biases, activations=[activation])


@needs_autodiff
def test_gradient_with_dropout_and_penalties_is_that_of_autodiff():
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    l1, l2 = 0.01, 0.02
    model: Any = dense_network((3,), (5, 4), l1=l1, l2=l2, **OPTIONS)
    inputs, targets = random.normal(size=(7, 3)), random.integers(0, 2, (7, 1)).astype("float64")
    network = DenseNetwork.from_keras(model)
    masks = dropout_masks(network, 7, 0.3, random)
    with tf.GradientTape() as tape:
        x: Any = tf.constant(inputs)
        drops = iter(masks)
        for layer in model.layers[1:]:
            x = layer(x)
            if layer.name.startswith("activation"):
                mask = next(drops)
                x = mask.factor * x + mask.shift
        loss: Any = tf.math.reduce_mean(cross_entropy(targets, x)) + sum(model.losses)
    expected: Any = tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    forward = network.forward(inputs, masks)
    measured = network.loss(forward, targets, "cross_entropy")
    found = network.backward(forward, measured).gradient + penalty_gradient(network, l1=l1, l2=l2)
    assert measured.value + penalty(network, l1=l1, l2=l2) == pytest.approx(float(loss), abs=1e-6)
    np.testing.assert_allclose(found, np.concatenate([np.ravel(part) for part in expected]), atol=1e-6)


@pytest.mark.parametrize(("activation", "layer"), [("tanh", keras.layers.Dropout), ("selu", keras.layers.AlphaDropout)])
def test_a_mask_does_what_keras_does(activation, layer):
    network = network_of([np.ones((1, 400)), np.ones((400, 1))], [np.zeros(400), np.zeros(1)], activation)
    outputs = np.random.default_rng(1).normal(size=(50, 400))
    (mask,) = dropout_masks(network, 50, 0.25, np.random.default_rng(2))
    values = np.asarray(layer(0.25, seed=0, dtype="float64")(outputs, training=True))
    # What Keras kept follows outputs along a line; what it dropped is one number.
    is_dropped = mask.factor == 0
    dropped = np.isclose(values, mask.shift[is_dropped][0], atol=1e-6)
    factor, shift = mask.factor[~is_dropped][0], mask.shift[~is_dropped][0]
    np.testing.assert_allclose(values[~dropped], factor * outputs[~dropped] + shift, atol=1e-5)
    for share in (dropped.mean(), is_dropped.mean()):
        assert share == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("activation", ["relu", "selu"])
def test_dropout_keeps_the_mean(activation):
    network = network_of([np.ones((1, 2000)), np.ones((2000, 1))], [np.zeros(2000), np.zeros(1)], activation)
    outputs = np.random.default_rng(0).normal(size=(100, 2000))
    (mask,) = dropout_masks(network, 100, 0.4, np.random.default_rng(0))
    after = mask.factor * outputs + mask.shift
    assert after.mean() == pytest.approx(0, abs=0.01)
    if activation == "selu":
        assert after.var() == pytest.approx(1, abs=0.01)


def test_without_a_rate_nothing_is_dropped():
    network = network_of([[[1.0]], [[2.0]]], [[0.0], [0.0]])
    assert dropout_masks(network, 3, 0.0, np.random.default_rng(0)) == []
