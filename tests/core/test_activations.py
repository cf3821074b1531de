"""Values and derivatives of the activations, against Keras, TensorFlow's derivatives and difference quotients."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from layerwise.activations import ACTIVATIONS, erf

SMOOTH = np.concatenate([np.linspace(-6, 6, 60), [-700, -40, 40, 700]])
KINKS = np.array([0.0, -0.0])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares with TensorFlow")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_derivative_equal_those_of_keras_on_tensorflow(name):
    points = np.concatenate([SMOOTH, KINKS])
    x = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras.activations.get(name)(x)
    # TensorFlow has the slope of leaky ReLU and the square root in GELU in float32 in every dtype.
    rtol, atol = (1e-6, 1e-8) if name in ("leaky_relu", "gelu") else (1e-12, 1e-15)
    np.testing.assert_allclose(ACTIVATIONS[name].function(points), y, rtol=rtol, atol=atol)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(points), tape.gradient(y, x), rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_equals_the_difference_quotient(name):
    function, step = ACTIVATIONS[name].function, 1e-6
    quotient = (function(SMOOTH + step) - function(SMOOTH - step)) / (2 * step)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(SMOOTH), quotient, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_number_overflows(name):
    with np.errstate(over="raise", invalid="raise"):
        for part in (ACTIVATIONS[name].function, ACTIVATIONS[name].derivative):
            assert np.isfinite(part(np.array([-1e4, 1e4]))).all()


def test_erf_equals_that_of_the_standard_library_in_every_shape():
    for x in (0.3, [], np.linspace(-7, 7, 2001), np.full((2, 3, 4), -1.5)):
        expected = np.vectorize(math.erf, otypes=[float])(x) if np.size(x) else np.asarray(x, float)
        np.testing.assert_allclose(erf(np.asarray(x, float)), expected, rtol=1e-14)


def test_names_are_those_of_keras():
    for name, activation in ACTIVATIONS.items():
        assert activation.name == name
        assert keras.activations.get(name).__name__ == name
        assert activation.title
        assert activation.formula
        assert keras.initializers.get(activation.initializer)
