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


def foreign(*layers):
    return keras.Sequential([keras.Input((3, 4)), *layers])


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
        (lambda: keras.Sequential([keras.layers.Dense(2)]), "are no chain"),
    ],
)
def test_a_keras_model_without_a_twin_is_refused(build, text):
    with pytest.raises(SpecError, match=text):
        DenseNetwork.from_keras(build())
