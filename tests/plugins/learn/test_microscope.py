"""The backprop microscope: numbers by hand, automatic differentiation, and explanations that give what they explain."""

import math
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.activations import ACTIVATIONS
from layerwise.errors import InputError, LayerwiseError, SpecError
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.losses import LOSSES
from layerwise_learn.microscope import PRESETS, Place, Problem, explain, sum_of
from layerwise_learn.microscope.presets import by_hand

needs_autodiff = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the oracle is TensorFlow's automatic differentiation"
)


def value_of(problem, name, *index):
    return explain(problem, Place(name=name, index=index)).value


def test_two_two_one_by_hand():
    """Computed with pencil and paper: x = (1, 2), target 1, squared error, learning rate 0.1."""
    problem = by_hand()
    expected = [
        ("forward", "a_0", (0, 0), 1),
        ("forward", "a_0", (0, 1), 2),
        ("forward", "z_1", (0, 0), 0.6),  # 0.1 * 1 + 0.2 * 2 + 0.1
        ("forward", "z_1", (0, 1), -0.3),  # 0.3 * 1 - 0.4 * 2 + 0.2
        ("forward", "a_1", (0, 0), 0.6),
        ("forward", "a_1", (0, 1), 0),  # ReLU
        ("forward", "z_2", (0, 0), 0.5),  # 0.5 * 0.6 - 1 * 0 + 0.2
        ("forward", "output", (0, 0), 0.5),
        ("loss", "targets", (0, 0), 1),
        ("loss", "losses", (0,), 0.25),  # (0.5 - 1)^2
        ("loss", "loss", (), 0.25),
        ("backward", "dL/doutput", (0, 0), -1),  # 2 (0.5 - 1)
        ("backward", "dL/dz_2", (0, 0), -1),
        ("backward", "dL/dW_2", (0, 0), -0.6),
        ("backward", "dL/dW_2", (1, 0), 0),
        ("backward", "dL/db_2", (0,), -1),
        ("backward", "dL/da_1", (0, 0), -0.5),
        ("backward", "dL/da_1", (0, 1), 1),
        ("backward", "dL/dz_1", (0, 0), -0.5),
        ("backward", "dL/dz_1", (0, 1), 0),
        ("backward", "dL/dW_1", (0, 0), -0.5),
        ("backward", "dL/dW_1", (0, 1), 0),
        ("backward", "dL/dW_1", (1, 0), -1),
        ("backward", "dL/dW_1", (1, 1), 0),
        ("backward", "dL/db_1", (0,), -0.5),
        ("backward", "dL/db_1", (1,), 0),
        ("backward", "dL/da_0", (0, 0), -0.05),
        ("backward", "dL/da_0", (0, 1), -0.1),
        ("update", "W_1 after", (0, 0), 0.15),  # 0.1 - 0.1 * (-0.5)
        ("update", "W_1 after", (0, 1), 0.3),
        ("update", "W_1 after", (1, 0), 0.3),
        ("update", "W_1 after", (1, 1), -0.4),
        ("update", "b_1 after", (0,), 0.15),
        ("update", "b_1 after", (1,), 0.2),
        ("update", "W_2 after", (0, 0), 0.56),
        ("update", "W_2 after", (1, 0), -1),
        ("update", "b_2 after", (0,), 0.3),
    ]
    found = list(problem.places())
    assert [(step, place.name, place.index) for step, place, _ in found] == [row[:3] for row in expected]
    for (_, place, value), (*_, by_pencil) in zip(found, expected, strict=True):
        assert value == pytest.approx(by_pencil, abs=1e-12), place
        assert explain(problem, place).value == value
    # a_1 = (0.15 + 0.6 + 0.15, 0), output = 0.56 * 0.9 + 0.3 = 0.804: the loss falls from 0.25 to 0.196^2.
    assert value_of(problem.next(), "loss") == pytest.approx(0.196**2)


@pytest.mark.parametrize(
    ("name", "index", "latex"),
    [
        ("z_1", (0, 0), r"z^{(1)}_{1} = 0.1 \cdot 1 + 0.2 \cdot 2 + 0.1 = 0.6"),
        ("a_1", (0, 1), r"a^{(1)}_{2} = f(-0.3) = 0"),
        ("losses", (0,), r"L_{1} = (0.5 - 1)^2 = 0.25"),
        ("dL/dW_1", (1, 0), r"\frac{\partial L}{\partial w^{(1)}_{2,1}} = (-0.5) \cdot 2 = -1"),
        ("W_1 after", (1, 0), r"w^{(1)}_{2,1}\text{ after} = 0.2 - 0.1 \cdot (-1) = 0.3"),
    ],
)
def test_formulas_with_the_numbers_put_in(name, index, latex):
    formulas = {formula.label: formula.latex for formula in explain(by_hand(), Place(name=name, index=index)).formulas}
    assert formulas["With the numbers"] == latex


def test_the_chain_rule_factor_by_factor():
    explanation = explain(by_hand(), Place(name="dL/dW_1", index=(1, 0)))
    formulas = {formula.label: formula.latex for formula in explanation.formulas}
    assert formulas["The chain rule, factor by factor"] == (
        r"\frac{\partial L}{\partial w^{(1)}_{2,1}} = \frac{\partial L}{\partial a^{(1)}_{1}} \cdot "
        r"\frac{\partial a^{(1)}_{1}}{\partial z^{(1)}_{1}} \cdot "
        r"\frac{\partial z^{(1)}_{1}}{\partial w^{(1)}_{2,1}}"
    )
    # dL/da = -0.5, the slope of ReLU at 0.6 is 1, the input is 2.
    assert [[part.value for part in product] for product in explanation.chain] == [[-0.5, 1, 2]]
    names = {(place.name, place.index) for place in explanation.sources}
    assert names == {("dL/dz_1", (0, 0)), ("a_0", (0, 1))}


@st.composite
def problems(draw, outputs=("linear", "softmax", "sigmoid", "tanh", "gelu")):
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    output_activation = draw(st.sampled_from(outputs if loss == "squared_error" else outputs[:3]))
    if loss == "cross_entropy" and output_activation != "sigmoid":
        sizes[-1] = max(2, sizes[-1])
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 6))
    if loss == "squared_error":
        targets = generator.normal(size=(count, sizes[-1]))
    elif output_activation == "sigmoid":
        targets = generator.integers(0, 2, (count, sizes[-1])).astype(float)
    else:
        targets = generator.integers(sizes[-1], size=count)
    network = DenseNetwork(
        weights=[generator.normal(size=pair) * 1.5 / math.sqrt(pair[0]) for pair in pairwise(sizes)],
        biases=[0.5 * generator.normal(size=size) for size in sizes[1:]],
        activations=[draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in sizes[1:-1]],
        output_activation=output_activation,
    )
    rate = draw(st.sampled_from([0.01, 0.3, 1.0]))
    inputs = generator.normal(size=(count, sizes[0]))
    return Problem(network=network, inputs=inputs, targets=targets, loss=loss, learning_rate=rate)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_the_terms_of_every_number_give_the_number(problem):
    known = {(place.name, place.index) for _, place, _ in problem.places()}
    for step, place, value in problem.places():
        explanation = explain(problem, place)
        assert (explanation.step, explanation.value) == (step, value)
        assert explanation.recombined() == pytest.approx(value, rel=1e-9, abs=1e-12), place
        if explanation.chain:
            assert sum_of(explanation.chain) == pytest.approx(value, rel=1e-9, abs=1e-12), place
        # What it was made from is a number of its own, or a weight before the update.
        for source in explanation.sources:
            assert (source.name, source.index) in known or source.name.endswith("before"), source


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_numbers_are_made_from_earlier_ones(problem):
    order = {(place.name, place.index): position for position, (_, place, _) in enumerate(problem.places())}
    for _, place, _ in problem.places():
        for source in explain(problem, place).sources:
            assert order.get((source.name, source.index), -1) < order[place.name, place.index]


def autodiff(problem):
    """The gradients of TensorFlow, by the names of `layerwise.from_scratch.backprop`, with Keras' own activations and
    losses."""
    network, parameters = problem.network, {}
    with tf.GradientTape() as tape:
        x = tf.constant(problem.inputs, tf.float64)
        for layer in range(1, network.depth + 1):
            w = parameters[f"W_{layer}"] = tf.Variable(network.weights[layer - 1])
            b = parameters[f"b_{layer}"] = tf.Variable(network.biases[layer - 1])
            z = x @ w + b
            name = (*network.activations, network.output_activation)[layer - 1]
            x = keras.activations.get(name)(z)
        targets = tf.constant(problem.targets)
        if problem.loss == "squared_error":
            loss = tf.reduce_mean(tf.square(x - targets))
        elif network.output_activation == "sigmoid":
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=z)
            loss = tf.reduce_mean(tf.reduce_sum(losses, axis=1))
        else:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=z))
    gradients = tape.gradient(loss, parameters)
    return float(loss), {f"dL/d{name}": gradient.numpy() for name, gradient in gradients.items()}


@pytest.mark.slow
@needs_autodiff
@settings(max_examples=200, deadline=None, derandomize=True)
@given(problems())
def test_gradients_of_200_networks_equal_automatic_differentiation(problem):
    loss, expected = autodiff(problem)
    explained = {
        (place.name, place.index): explain(problem, place).recombined()
        for step, place, _ in problem.places()
        if step in ("loss", "backward")
    }
    assert explained["loss", ()] == pytest.approx(loss, abs=1e-5)
    for name, gradient in expected.items():
        for index in np.ndindex(gradient.shape):
            assert explained[name, index] == pytest.approx(gradient[index], rel=1e-5, abs=1e-5), (name, index)


@needs_autodiff
@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_with_both_losses(name, loss):
    """What the property test meets by chance, once for certain."""
    generator = np.random.default_rng(5)
    network = DenseNetwork(
        weights=[generator.normal(size=pair) for pair in pairwise([3, 4, 2])],
        biases=[generator.normal(size=size) for size in (4, 2)],
        activations=[name],
        output_activation="softmax",
    )
    targets = np.array([0, 1]) if loss == "cross_entropy" else np.eye(2)
    inputs = generator.normal(size=(2, 3))
    problem = Problem(network=network, inputs=inputs, targets=targets, loss=loss, learning_rate=0.1)
    _, expected = autodiff(problem)
    for gradient_name, gradient in expected.items():
        for index in np.ndindex(gradient.shape):
            explanation = explain(problem, Place(name=gradient_name, index=index))
            assert explanation.recombined() == pytest.approx(gradient[index], abs=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_explained_written_and_read(name):
    _, make = PRESETS[name]
    problem = make()
    again = Problem.from_json(problem.to_json())
    assert again.to_json() == problem.to_json()
    assert value_of(problem.next(), "loss") < value_of(problem, "loss")
    assert all(explain(problem, place).formulas for _, place, _ in problem.places())


def test_steps_with_new_weights_lower_the_loss():
    problem = PRESETS["exclusive-or"][1]()
    losses = []
    for _ in range(200):
        losses.append(problem.step.loss.value)
        problem = problem.next()
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"weights": [[[1.0]]]}, "no dense network"),
        ({"weights": "abc"}, "cannot be read"),
        ({"inputs": [["one", 2]]}, "cannot be read"),
        ({"inputs": [[1.0]]}, "inputs do not fit"),
        ({"targets": [[1.0, 2.0]]}, "targets do not fit"),
        ({"loss": "hinge"}, "loss is not known"),
        ({"learning_rate": 0}, "learning rate"),
        ({"learning_rate": "fast"}, "cannot be read"),
        ({"activations": ["step"]}, "activation is not known"),
        ({"inputs": [[math.inf, 0]]}, "beyond"),
        ({"inputs": []}, "inputs do not fit"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(change, text):
    with pytest.raises(LayerwiseError, match=text):
        Problem.from_json({**by_hand().to_json(), **change})


def test_a_part_is_missing():
    parts = by_hand().to_json()
    del parts["loss"]
    with pytest.raises(InputError, match="cannot be read"):
        Problem.from_json(parts)
    with pytest.raises(InputError, match="cannot be read"):
        Problem.from_json(None)


def test_large_networks_and_batches():
    network = DenseNetwork(
        weights=[np.ones((2, 17)), np.ones((17, 1))], biases=[np.zeros(17), [0.0]], activations=["relu"]
    )
    with pytest.raises(SpecError, match="too large"):
        Problem(network=network, inputs=[[1, 2]], targets=[[1]], loss="squared_error", learning_rate=0.1)
    parts = {**by_hand().to_json(), "inputs": [[1.0, 2.0]] * 100, "targets": [1.0] * 100}
    assert len(Problem.from_json(parts).inputs) == 16


@pytest.mark.parametrize("place", [("z_1", (0, 2)), ("z_1", (0,)), ("z_3", (0, 0)), ("loss", (0,)), ("z_1", (-1, 0))])
def test_no_such_number(place):
    with pytest.raises(InputError, match="no such number"):
        explain(by_hand(), Place(name=place[0], index=place[1]))


def test_divergence_is_said():
    problem = by_hand()
    parts = {**problem.to_json(), "activations": ["linear"], "learning_rate": 1e200}
    problem = Problem.from_json(parts)
    with pytest.raises(InputError, match="smaller learning rate"):
        problem.next().next()
