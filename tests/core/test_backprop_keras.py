"""Which models of Keras have a twin in NumPy."""

import keras
import numpy as np
import pytest

from layerwise.errors import SpecError
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.networks import dense_network


def test_a_sequential_model_of_keras():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, activation="gelu"), keras.layers.Dense(2, activation="softmax")]
    )
    network = DenseNetwork.from_keras(model)
    assert network.activations == ("gelu",)
    assert network.output_activation == "softmax"
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    np.testing.assert_allclose(network.forward(x)["output"], model(x), rtol=1e-5)


@pytest.mark.parametrize("activation", [("tanh", "relu", "gelu"), "selu"])
def test_a_twin_computes_what_the_network_does(activation):
    model = dense_network(
        (2, 3), (5, 4, 6), output_units=2, activation=activation, output_activation="sigmoid", scale=0.5, dropout=0.3
    )
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    network = DenseNetwork.from_keras(model)
    assert network.activations == ((activation,) * 3 if activation == "selu" else activation)
    assert (network.output_activation, network.scale) == ("sigmoid", 0.5)
    x = random.normal(size=(7, 2, 3)).astype("float32")
    np.testing.assert_allclose(network.forward(x)["output"], model(x), rtol=1e-5, atol=1e-6)


def test_inputs_that_are_scaled_twice_are_scaled_by_the_product():
    rescaling = keras.layers.Rescaling
    model = keras.Sequential([keras.Input((2,)), rescaling(0.5), rescaling(0.25), keras.layers.Dense(1)])
    network = DenseNetwork.from_keras(model)
    assert (network.scale, network.activations, network.output_activation) == (0.125, (), "linear")


def foreign(*layers):
    return keras.Sequential([keras.Input((3, 4)), *layers])


def dense_behind(layer):
    """A network of two layers with activations, and `layer` between the two."""
    dense = keras.layers.Dense
    return keras.Sequential([keras.Input((3,)), dense(4, "tanh"), layer, dense(2, "softmax")])


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: dense_network((3,), (4,), output_units=2, normalization="batch"), "'dense_1' has no twin"),
        (lambda: dense_network((3,), (4,), output_units=2, normalization="layer"), "'norm_1'.*LayerNormalization"),
        (lambda: dense_network((3,), (4,), output_units=2, skip_connections=True), "are no chain.*skip"),
        (lambda: foreign(keras.layers.Conv1D(2, 2)), "no twin in NumPy.*Conv1D"),
        (lambda: foreign(keras.layers.Dense(2)), "no twin in NumPy.*Dense"),
        (lambda: foreign(keras.layers.Flatten(), keras.layers.Dense(2, "mish")), "output_activation.*mish"),
        (
            lambda: foreign(keras.layers.Flatten(), keras.layers.Dense(2, "softmax"), keras.layers.Dense(2)),
            "activation is not known.*softmax",
        ),
        (lambda: foreign(keras.layers.Flatten()), "no dense network"),
        (lambda: foreign(keras.layers.Rescaling(2.0, offset=1.0)), "no twin in NumPy.*Rescaling"),
        (lambda: dense_behind(keras.layers.Rescaling(2.0)), "no twin in NumPy.*Rescaling"),
        (lambda: dense_behind(keras.layers.Activation("relu")), "no twin in NumPy.*Activation"),
        (lambda: keras.Sequential([keras.layers.Dense(2)]), "are no chain"),
    ],
)
def test_a_keras_model_without_a_twin_is_refused(build, text):
    with pytest.raises(SpecError, match=text):
        DenseNetwork.from_keras(build())
