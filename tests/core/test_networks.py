"""Dense networks: their layers, sizes and initial weights, and what is refused."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from layerwise.activations import ACTIVATIONS
from layerwise.errors import SpecError
from layerwise.networks import dense_network


def layer_names(model):
    return [layer.name for layer in model.layers]


def layer_kinds(model):
    return {layer.name: type(layer).__name__ for layer in model.layers}


def test_importing_the_modules_imports_no_framework():
    code = (
        "import sys, layerwise.networks, layerwise.from_scratch.backprop;"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_layers_of_a_plain_network():
    model = dense_network((4, 3), (5, 2), output_units=3)
    assert layer_names(model) == [
        "input",
        "flatten",
        "dense_1",
        "activation_1",
        "dense_2",
        "activation_2",
        "output",
    ]
    assert model.output_shape == (None, 3)
    # (12 + 1) * 5 + (5 + 1) * 2 + (2 + 1) * 3
    assert model.count_params() == 65 + 12 + 9


def test_no_hidden_layer_is_a_linear_model():
    model = dense_network((4,), (), output_units=2)
    assert layer_names(model) == ["input", "output"]
    kernel, bias = model.get_weights()
    x = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(model(x), x @ kernel + bias, rtol=1e-5)


def test_layers_of_a_full_network():
    model = dense_network(
        (4,),
        (6, 6),
        output_units=3,
        activation=("relu", "selu"),
        normalization="batch",
        dropout=0.5,
        skip_connections=True,
        scale=0.5,
    )
    assert layer_kinds(model) == {
        "input": "InputLayer",
        "scale": "Rescaling",
        "dense_1": "Dense",
        "norm_1": "BatchNormalization",
        "activation_1": "Activation",
        "dropout_1": "Dropout",
        "projection_1": "Dense",
        "skip_1": "Add",
        "dense_2": "Dense",
        "norm_2": "BatchNormalization",
        "activation_2": "Activation",
        "dropout_2": "AlphaDropout",
        "skip_2": "Add",
        "output": "Dense",
    }
    # Kernels without biases, four numbers a unit of each normalization, a projection, the output with biases.
    assert model.count_params() == 4 * 6 + 6 * 6 + 2 * (4 * 6) + 4 * 6 + (6 + 1) * 3


def test_layer_normalization_keeps_the_biases():
    model = dense_network((4,), (6,), output_units=1, normalization="layer")
    assert layer_kinds(model)["norm_1"] == "LayerNormalization"
    assert model.count_params() == (4 + 1) * 6 + 2 * 6 + (6 + 1)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    normal = keras.Model(model.input, model.get_layer("norm_1").output)(x)
    np.testing.assert_allclose(np.mean(normal, axis=1), 0, atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    model = dense_network((5,), (4, 3), output_units=2, activation=name)
    x = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")
    w1, b1, w2, b2, w3, b3 = model.get_weights()
    function = ACTIVATIONS[name].function
    expected = function(function(x @ w1 + b1) @ w2 + b2) @ w3 + b3
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_initial_kernel_has_the_spread_that_suits_the_activation(name):
    keras.utils.set_random_seed(1)
    model = dense_network((400,), (300,), output_units=200, activation=name)
    variance = {"he_normal": 2 / 400, "glorot_uniform": 2 / (400 + 300), "lecun_normal": 1 / 400}
    kernel, bias = model.get_layer("dense_1").get_weights()
    assert np.std(kernel) == pytest.approx(math.sqrt(variance[ACTIVATIONS[name].initializer]), rel=0.02)
    assert np.mean(kernel) == pytest.approx(0, abs=1e-3)
    assert not bias.any()
    assert np.std(model.get_layer("output").get_weights()[0]) == pytest.approx(math.sqrt(2 / (300 + 200)), rel=0.02)


@pytest.mark.parametrize("name", ["relu", "selu"])
def test_suited_initial_weights_keep_a_signal_alive_through_twenty_layers(name):
    keras.utils.set_random_seed(2)
    x = np.random.default_rng(0).normal(size=(64, 128)).astype("float32")

    def last_hidden(**options):
        model = dense_network((128,), (128,) * 20, output_units=1, activation=name, **options)
        return np.std(keras.Model(model.input, model.get_layer("activation_20").output)(x))

    assert 0.2 < last_hidden() < 5
    assert last_hidden(initializer="random_normal") < 0.01


def test_a_named_initializer_is_used_for_all_kernels():
    model = dense_network((3,), (4,), output_units=2, initializer="ones", skip_connections=True)
    for name in ("dense_1", "projection_1", "output"):
        assert (model.get_layer(name).get_weights()[0] == 1).all()


def test_layers_of_equal_shape_start_with_different_weights():
    model = dense_network((4,), (4, 4), output_units=4, initializer="he_normal")
    kernels = [model.get_layer(name).get_weights()[0] for name in ("dense_1", "dense_2", "output")]
    assert not np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[1], kernels[2])


def test_the_same_seed_gives_the_same_weights():
    def weights(seed):
        keras.utils.set_random_seed(seed)
        return dense_network((5,), (4, 3), output_units=2, dropout=0.1, skip_connections=True).get_weights()

    for first, second in zip(weights(7), weights(7), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(weights(7)[0], weights(8)[0])


def test_a_skip_connection_adds_the_input():
    model = dense_network((3,), (3, 2), output_units=2, skip_connections=True)
    for name in ("dense_1", "dense_2"):
        layer = model.get_layer(name)
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    projection = model.get_layer("projection_2").get_weights()
    assert len(projection) == 1
    assert "projection_1" not in layer_names(model)
    kernel, bias = model.get_layer("output").get_weights()
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(model(x), x @ projection[0] @ kernel + bias, rtol=1e-4, atol=1e-6)


def test_penalties_are_on_all_kernels_and_no_bias():
    model = dense_network((3,), (2,), output_units=1, l1=0.1, l2=0.01)
    model.set_weights([np.full_like(weight, -2) for weight in model.get_weights()])
    # 6 + 2 numbers in kernels, each 0.1 * |-2| + 0.01 * (-2)^2
    assert sum(float(loss) for loss in model.losses) == pytest.approx(8 * (0.2 + 0.04))


@pytest.mark.parametrize("activation", ["relu", "selu"])
def test_dropout_acts_in_training_only(activation):
    keras.utils.set_random_seed(0)
    model = dense_network((20,), (400,), output_units=1, activation=activation, dropout=0.25)
    hidden = keras.Model(model.input, [model.get_layer(name).output for name in ("activation_1", "dropout_1")])
    x = np.random.default_rng(0).normal(size=(50, 20)).astype("float32")
    before, after = hidden(x, training=False)
    np.testing.assert_array_equal(before, after)
    before, after = (np.asarray(value) for value in hidden(x, training=True))
    # Dropout scales what it keeps by 1 / (1 - rate); alpha dropout sets the rest to one value, the most frequent.
    values, counts = np.unique(after, return_counts=True)
    dropped = counts[np.argmax(counts)] / after.size
    assert dropped - np.mean(before == 0) * 0.75 == pytest.approx(0.25, abs=0.02)
    assert (values[np.argmax(counts)] == 0) == (activation == "relu")
    assert np.mean(after) == pytest.approx(np.mean(before), abs=0.05)


def test_output_activations():
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    softmax = np.asarray(dense_network((4,), (3,), output_units=5, output_activation="softmax")(x))
    np.testing.assert_allclose(softmax.sum(axis=1), 1, rtol=1e-5)
    sigmoid = np.asarray(dense_network((4,), (3,), output_units=5, output_activation="sigmoid")(100 * x))
    assert ((sigmoid >= 0) & (sigmoid <= 1)).all()
    linear = np.asarray(dense_network((4,), (3,), output_units=5, output_activation="linear")(100 * x))
    assert np.abs(linear).max() > 1


def test_pixels_are_scaled():
    model = dense_network((2,), (), output_units=2, scale=1 / 255)
    model.set_weights([np.eye(2), np.zeros(2)])
    np.testing.assert_allclose(model(np.array([[255, 51]], dtype="uint8")), [[1, 0.2]], rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has float64 only where it was switched on")
def test_float64():
    wide = dense_network((3,), (4,), output_units=2, dtype="float64", normalization="layer", skip_connections=True)
    assert {weight.dtype for weight in wide.weights} == {"float64"}
    assert keras.backend.standardize_dtype(wide(np.zeros((1, 3))).dtype) == "float64"


def test_a_mixed_policy_ends_in_float32():
    mixed = dense_network((3,), (4,), output_units=2, dtype="mixed_bfloat16")
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    assert mixed.get_layer("activation_1").output.dtype == "bfloat16"
    assert mixed.output.dtype == "float32"


def test_the_current_policy_of_keras_is_the_default():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = dense_network((3,), (4,), output_units=2)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("dense_1").compute_dtype == "bfloat16"
    assert model.output.dtype == "float32"


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_the_architecture_survives_json_and_has_no_code_in_it(normalization):
    model = dense_network(
        (3, 2),
        (5, 5, 4),
        output_units=2,
        activation=("gelu", "selu", "leaky_relu"),
        output_activation="softmax",
        normalization=normalization,
        dropout=0.1,
        l2=0.01,
        skip_connections=True,
        scale=2.0,
    )
    twin = keras.models.model_from_json(model.to_json())
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    np.testing.assert_array_equal(model(x), twin(x))
    assert layer_names(twin) == layer_names(model)
    assert "Lambda" not in model.to_json()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"input_shape": ()}, "input_shape is empty"),
        ({"input_shape": (None, 3)}, "input_shape is not usable"),
        ({"input_shape": 784}, "input_shape is not usable"),
        ({"hidden_units": (5, 0)}, "hidden_units is not usable.*Received: 0"),
        ({"hidden_units": (5, -3)}, "hidden_units is not usable.*Received: -3"),
        ({"hidden_units": (5, 2.5)}, "hidden_units is not usable.*Received: 2.5"),
        ({"hidden_units": (True,)}, "hidden_units is not usable"),
        ({"hidden_units": "64"}, "hidden_units is not usable"),
        ({"output_units": 0}, "output_units is not usable"),
        ({"activation": "rellu"}, "activation is not known.*did you mean relu"),
        ({"activation": "ReLU"}, "activation is not known.*did you mean relu"),
        ({"activation": "softmax"}, "activation is not known"),
        ({"activation": ("relu",)}, r"activation does not fit hidden_units.*\(2\)"),
        ({"activation": ("relu", "thanh")}, "activation is not known.*did you mean tanh"),
        ({"activation": None}, "activation does not fit"),
        ({"hidden_units": (), "activation": "rellu"}, "activation is not known"),
        ({"output_activation": "soft-max"}, "output_activation is not known.*did you mean softmax"),
        ({"initializer": "he"}, "initializer is not known"),
        ({"normalization": "batch_norm"}, "normalization is not known.*did you mean batch"),
        ({"dropout": 1.0}, "dropout is out of range"),
        ({"dropout": -0.1}, "dropout is out of range"),
        ({"dropout": "0.5"}, "dropout is out of range"),
        ({"l1": -1.0}, "l1 is out of range"),
        ({"l2": math.nan}, "l2 is out of range"),
        ({"scale": 0}, "scale is out of range"),
        ({"scale": math.inf}, "scale is out of range"),
        ({"dtype": "float33"}, "dtype is not known"),
        ({"dtype": "int32"}, "dtype is not known"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(values, text):
    good = {"input_shape": (4,), "hidden_units": (5, 3), "output_units": 2}
    with pytest.raises(SpecError, match=text):
        dense_network(**(good | values))
