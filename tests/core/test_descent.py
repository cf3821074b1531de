"""The optimizers in NumPy, against Keras' and against numbers computed by hand."""

import dataclasses

import keras
import numpy as np
import pytest

from layerwise.from_scratch.descent import OPTIMIZERS, SGD, Adam, Momentum, RMSProp

IN_KERAS = {
    "sgd": (SGD(), keras.optimizers.SGD, {}),
    "momentum": (Momentum(), keras.optimizers.SGD, {"momentum": 0.9}),
    "nesterov": (Momentum(nesterov=True), keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSProp(), keras.optimizers.RMSprop, {}),
    "adam": (Adam(), keras.optimizers.Adam, {}),
    "adamw": (Adam(weight_decay=0.004), keras.optimizers.AdamW, {}),
}


def in_float32(number):
    """Keras rounds its settings to float32 even where the parameters are float64."""
    return float(np.float32(number))


@pytest.mark.parametrize("changed", [{}, {"momentum": 0.99, "rho": 0.5, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}])
@pytest.mark.parametrize("name", IN_KERAS)
def test_a_path_is_that_of_keras(name, changed):
    # The gradient of a long valley with a bend: each step depends on where the one before led.
    def gradient(w):
        return np.array([[0.2, 1.0], [3.0, 0.5]]) * w + 0.3 * np.sin(3 * w)

    rule, in_keras, options = IN_KERAS[name]
    values = {**dataclasses.asdict(rule), **{k: v for k, v in changed.items() if hasattr(rule, k)}}
    values |= {key: in_float32(value) for key, value in values.items() if key != "nesterov"}
    rate = in_float32(0.03)
    optimizer = in_keras(
        rate, **{**options, **{key: values[key] for key in values if key != "weight_decay" or values[key]}}
    )
    rule = dataclasses.replace(rule, **values)
    w = np.array([[4.0, -2.0], [1.0, 0.0]])
    memory = rule.start(w)
    variable = keras.Variable(w, dtype="float64")
    optimizer.build([variable])
    for _ in range(200):
        optimizer.apply([keras.ops.convert_to_tensor(gradient(np.asarray(variable)), dtype="float64")])
        w, memory = rule.step(w, gradient(w), memory, rate)
    np.testing.assert_allclose(w, np.asarray(variable), atol=1e-6)
    assert memory.num_steps == 200


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_usual_settings_are_those_of_keras(name):
    rule, in_keras, options = IN_KERAS[name]
    assert OPTIMIZERS[name] == rule
    config = in_keras(**options).get_config()
    assert dataclasses.asdict(rule) == {key: config[key] or 0.0 for key in dataclasses.asdict(rule)}


def test_adams_first_step_has_the_size_of_the_learning_rate():
    rule = Adam(epsilon=0)
    w, memory = rule.step(np.zeros(3), np.array([1e-6, -5.0, 200.0]), rule.start(np.zeros(3)), 0.1)
    np.testing.assert_allclose(w, [-0.1, 0.1, -0.1])
    np.testing.assert_allclose(memory.slots[0], [1e-7, -0.5, 20.0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_changes_nothing_that_it_was_given(name):
    rule, w, gradient = OPTIMIZERS[name], np.ones(2), np.ones(2)
    memory = rule.start(w)
    assert len(memory.slots) == len(rule.slots)
    first = rule.step(w, gradient, memory, 0.5)
    again = rule.step(w, gradient, memory, 0.5)
    assert w.tolist() == gradient.tolist() == [1, 1]
    assert all(not slot.any() for slot in memory.slots)
    np.testing.assert_array_equal(first[0], again[0])
