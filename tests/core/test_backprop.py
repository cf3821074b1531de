"""The four steps in NumPy, against numbers computed by hand and difference quotients; test_backprop_autodiff.py has the
comparison with automatic differentiation."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError, SpecError
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.losses import LOSSES
from layerwise.from_scratch.regularisation import Mask

BY_HAND = DenseNetwork(
    weights=[np.array([[0.1, 0.3], [0.2, -0.4]]), np.array([[0.5], [-1.0]])],
    biases=[np.array([0.1, 0.2]), np.array([0.2])],
    activations=("relu",),
)


def network_of(sizes, activation="tanh", output_activation="linear", seed=0):
    random = np.random.default_rng(seed)
    return DenseNetwork(
        weights=[random.normal(size=pair) / math.sqrt(pair[0]) for pair in pairwise(sizes)],
        biases=[0.1 * random.normal(size=size) for size in sizes[1:]],
        activations=(activation,) * (len(sizes) - 2),
        output_activation=output_activation,
    )


def test_two_two_one_by_hand():
    # z_1 = (0.1 + 0.4 + 0.1, 0.3 - 0.8 + 0.2); ReLU silences the second unit; the output misses 1 by half.
    step = BY_HAND.step([[1.0, 2.0]], [[1.0]], loss="squared_error", learning_rate=0.1)
    expected = [
        ("forward", "a_0", [[1, 2]]),
        ("forward", "z_1", [[0.6, -0.3]]),
        ("forward", "a_1", [[0.6, 0]]),
        ("forward", "z_2", [[0.5]]),
        ("forward", "output", [[0.5]]),
        ("loss", "targets", [[1]]),
        ("loss", "losses", [0.25]),
        ("loss", "loss", 0.25),
        ("backward", "dL/doutput", [[-1]]),
        ("backward", "dL/dz_2", [[-1]]),
        ("backward", "dL/dW_2", [[-0.6], [0]]),
        ("backward", "dL/db_2", [-1]),
        ("backward", "dL/da_1", [[-0.5, 1]]),
        ("backward", "dL/dz_1", [[-0.5, 0]]),
        ("backward", "dL/dW_1", [[-0.5, 0], [-1, 0]]),
        ("backward", "dL/db_1", [-0.5, 0]),
        ("backward", "dL/da_0", [[-0.05, -0.1]]),
        ("update", "W_1 before", [[0.1, 0.3], [0.2, -0.4]]),
        ("update", "W_1 change", [[0.05, 0], [0.1, 0]]),
        ("update", "W_1 after", [[0.15, 0.3], [0.3, -0.4]]),
        ("update", "b_1 before", [0.1, 0.2]),
        ("update", "b_1 change", [0.05, 0]),
        ("update", "b_1 after", [0.15, 0.2]),
        ("update", "W_2 before", [[0.5], [-1]]),
        ("update", "W_2 change", [[0.06], [0]]),
        ("update", "W_2 after", [[0.56], [-1]]),
        ("update", "b_2 before", [0.2]),
        ("update", "b_2 change", [0.1]),
        ("update", "b_2 after", [0.3]),
    ]
    found = list(step.values())
    assert [(part, name) for part, name, _ in found] == [(part, name) for part, name, _ in expected]
    for (_, name, value), (_, _, by_hand) in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, by_hand, atol=1e-12, err_msg=name)
    # a_1 = (0.15 + 0.6 + 0.15, 0), output = 0.9 * 0.56 + 0.3 = 0.804
    after = step.update.network
    assert after.loss(after.forward([[1, 2]]), [[1]], "squared_error").value == pytest.approx(0.196**2)
    assert BY_HAND.forward([[1, 2]])["output"] == pytest.approx(0.5)


def test_cross_entropy_by_hand():
    logits = DenseNetwork(weights=[np.eye(2)], biases=[np.zeros(2)])
    forward = logits.forward([[math.log(3), 0], [0, 0]])
    loss = logits.loss(forward, [0, 1], "cross_entropy")
    np.testing.assert_allclose(loss["probabilities"], [[0.75, 0.25], [0.5, 0.5]])
    np.testing.assert_allclose(loss["losses"], [math.log(4 / 3), math.log(2)])
    assert loss.value == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    np.testing.assert_allclose(logits.backward(forward, loss)["dL/dz_1"], [[-0.125, 0.125], [0.25, -0.25]])

    one = DenseNetwork(weights=[[[1.0]]], biases=[[0.0]], output_activation="sigmoid")
    forward = one.forward([[math.log(3)], [0]])
    loss = one.loss(forward, [1, 0], "cross_entropy")
    np.testing.assert_allclose(loss["losses"], [math.log(4 / 3), math.log(2)])
    np.testing.assert_allclose(one.backward(forward, loss)["dL/dz_1"], [[-0.125], [0.25]])


def test_each_example_has_a_loss_over_all_outputs():
    linear = DenseNetwork(weights=[np.eye(2)], biases=[np.zeros(2)])
    squared = linear.loss(linear.forward([[1, 2], [3, 5]]), [[0, 0], [1, 1]], "squared_error")
    np.testing.assert_allclose(squared["losses"], [(1 + 4) / 2, (4 + 16) / 2])
    assert (squared.value, squared.kind) == (6.25, "squared_error")
    assert squared["targets"].dtype == np.float64

    forward = linear.forward([[math.log(3), 0], [0, 0]])
    shares = linear.loss(forward, [[0.25, 0.75], [1, 0]], "cross_entropy")
    np.testing.assert_allclose(shares["losses"], [math.log(4) - 0.25 * math.log(3), math.log(2)])
    np.testing.assert_array_equal(linear.loss(forward, [1, 0], "cross_entropy")["targets"], [[0, 1], [1, 0]])
    softmax = dataclasses.replace(linear, output_activation="softmax")
    np.testing.assert_allclose(
        softmax.loss(softmax.forward(forward["a_0"]), [0, 1], "cross_entropy")["losses"], [math.log(4 / 3), math.log(2)]
    )

    sigmoid = dataclasses.replace(linear, output_activation="sigmoid")
    forward = sigmoid.forward([[math.log(3), 0], [math.log(3), -math.log(3)]])
    both = sigmoid.loss(forward, [[1, 0], [0, 0.5]], "cross_entropy")
    np.testing.assert_allclose(
        both["losses"], [math.log(4 / 3) + math.log(2), math.log(4) + math.log(4) - 0.5 * math.log(3)]
    )
    np.testing.assert_allclose(both["probabilities"], [[0.75, 0.5], [0.75, 0.25]])


def test_a_dropped_unit_by_hand():
    # a_1 = 2 * (3, 4) * (1, 0) + (0, 1) = (6, 1); output = 6 + 10 * 1.
    network = DenseNetwork(weights=[[[3.0, 4.0]], [[1.0], [10.0]]], biases=[[0.0, 0.0], [0.0]], activations=["relu"])
    mask = Mask(factor=np.array([[2.0, 0.0]]), shift=np.array([[0.0, 1.0]]))
    forward = network.forward([[1.0]], [mask])
    assert forward["output"].item() == 16
    backward = network.backward(forward, network.loss(forward, [[15.5]], "squared_error"))
    np.testing.assert_allclose(backward["dL/dW_1"], [[2, 0]])
    np.testing.assert_allclose(backward.gradient, [2, 0, 2, 0, 6, 1, 1])


def test_parameters_are_one_vector():
    network = DenseNetwork(weights=[[[1, 2], [3, 4]], [[5], [6]]], biases=[[7, 8], [9]], activations=["tanh"])
    assert network.parameters.tolist() == [1, 2, 3, 4, 7, 8, 5, 6, 9]
    doubled = network.with_parameters(2 * network.parameters)
    assert doubled.weights[0].tolist() == [[2, 4], [6, 8]]
    assert doubled.biases[1].tolist() == [18]
    assert (doubled.activations, doubled.output_activation) == (("tanh",), "linear")
    with pytest.raises(SpecError, match="a vector of 9 numbers"):
        network.with_parameters(np.zeros(8))


@pytest.mark.parametrize("output_activation", ["linear", "softmax", "sigmoid", "tanh", "gelu"])
def test_gradients_equal_difference_quotients(output_activation):
    network = network_of((3, 4, 2), "silu", output_activation, seed=5)
    random = np.random.default_rng(6)
    inputs, targets = random.normal(size=(5, 3)), random.uniform(size=(5, 2))

    def loss_of(weights, biases):
        changed = DenseNetwork(
            weights=weights, biases=biases, activations=network.activations, output_activation=output_activation
        )
        return changed.loss(changed.forward(inputs), targets, "squared_error").value

    forward = network.forward(inputs)
    backward = network.backward(forward, network.loss(forward, targets, "squared_error"))
    for letter in "Wb":
        for layer in range(network.depth):
            quotient = np.zeros_like((network.weights if letter == "W" else network.biases)[layer])
            for index in np.ndindex(quotient.shape):
                losses = []
                for change in (1e-6, -1e-6):
                    arrays = {"W": [w.copy() for w in network.weights], "b": [b.copy() for b in network.biases]}
                    arrays[letter][layer][index] += change
                    losses.append(loss_of(arrays["W"], arrays["b"]))
                quotient[index] = (losses[0] - losses[1]) / 2e-6
            np.testing.assert_allclose(backward[f"dL/d{letter}_{layer + 1}"], quotient, atol=1e-8)


def test_each_hidden_layer_has_an_activation_and_a_mask_of_its_own():
    # Sizes differ too, so that nothing of one layer fits another.
    network = dataclasses.replace(network_of((2, 3, 4, 1), seed=7), activations=("softplus", "tanh"))
    random = np.random.default_rng(8)
    masks = [Mask(factor=random.uniform(1, 2, (5, size)), shift=random.normal(size=(5, size))) for size in (3, 4)]
    inputs, targets = random.normal(size=(5, 2)), random.normal(size=(5, 1))

    def forward_of(parameters):
        return network.with_parameters(parameters).forward(inputs, masks)

    forward = network.forward(inputs, masks)
    hidden = masks[0].factor * np.log1p(np.exp(inputs @ network.weights[0] + network.biases[0])) + masks[0].shift
    hidden = masks[1].factor * np.tanh(hidden @ network.weights[1] + network.biases[1]) + masks[1].shift
    np.testing.assert_allclose(forward["output"], hidden @ network.weights[2] + network.biases[2])
    backward = network.backward(forward, network.loss(forward, targets, "squared_error"))
    for index, change in enumerate(1e-6 * np.eye(len(network.parameters))):
        losses = [
            network.loss(forward_of(network.parameters + sign * change), targets, "squared_error").value
            for sign in (1, -1)
        ]
        assert backward.gradient[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-8)


def test_everything_is_computed_in_float64():
    """Numbers in float32, as Keras has them, are only read."""
    weights, inputs = np.float32([[0.1]]), np.float32([[0.3]])
    forward = DenseNetwork(weights=[weights], biases=[np.float32([0.2])], scale=0.1).forward(inputs)
    exact = 0.1 * float(inputs[0, 0])
    assert forward["a_0"].tolist() == [[exact]]
    assert forward["output"].tolist() == [[exact * float(weights[0, 0]) + float(np.float32(0.2))]]
    assert {value.dtype for value in forward.values()} == {np.dtype("float64")}
    whole = DenseNetwork(weights=[np.ones((2, 1), int)], biases=[[0]])
    assert whole.weights[0].dtype == np.float64


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 8), min_size=2, max_size=5).filter(lambda sizes: sizes[-1] > 1),
    activation=st.sampled_from(["tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "linear"]),
    kind=st.sampled_from(sorted(LOSSES)),
    seed=st.integers(0, 1000),
)
def test_an_update_lowers_the_loss_by_what_the_gradient_promises(sizes, activation, kind, seed):
    network = network_of(sizes, activation, seed=seed)
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(4, sizes[0]))
    targets = np.eye(sizes[-1])[random.integers(sizes[-1], size=4)]
    rate = 1e-4
    step = network.step(inputs, targets, loss=kind, learning_rate=rate)
    after = step.update.network
    change = after.loss(after.forward(inputs), targets, kind).value - step.loss.value
    squares = sum(np.sum(value**2) for name, value in step.backward.items() if name[3:5] in ("dW", "db"))
    assert change < 0
    assert change == pytest.approx(-rate * squares, rel=0.05)


def test_the_four_steps_learn_exclusive_or():
    network = network_of((2, 8, 1), "tanh", "sigmoid", seed=1)
    inputs, targets = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    for _ in range(500):
        step = network.step(inputs, targets, loss="cross_entropy", learning_rate=1.0)
        network = step.update.network
    forward = network.forward(inputs)
    np.testing.assert_array_equal(np.round(forward["output"][:, 0]), targets)
    assert network.loss(forward, targets, "cross_entropy").value < 0.05


def test_large_logits_do_not_overflow():
    network = DenseNetwork(weights=[np.eye(3)], biases=[np.zeros(3)])
    with np.errstate(all="raise", under="ignore"):
        step = network.step([[1e4, -1e4, 0]], [1], loss="cross_entropy", learning_rate=1)
    assert step.loss.value == pytest.approx(2e4)
    np.testing.assert_allclose(step.backward["dL/dz_1"], [[1, -1, 0]])
    # Nor does one example with large logits take the small ones from another.
    beside = network.loss(network.forward([[1e4, -1e4, 0], [0, 0, 0]]), [0, 1], "cross_entropy")
    np.testing.assert_allclose(beside["losses"], [0, math.log(3)])


def test_nothing_of_a_network_changes():
    weight = np.ones((1, 1))
    network = DenseNetwork(weights=[weight], biases=[np.zeros(1)])
    weight[0, 0] = 5
    network.step([[1.0]], [[0.0]], loss="squared_error", learning_rate=1.0)
    assert network.weights[0].tolist() == [[1.0]]
    with pytest.raises(ValueError, match="read-only"):
        network.weights[0][0, 0] = 2


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"weights": [], "biases": []}, "no dense network"),
        ({"biases": [np.zeros(2)]}, "no dense network"),
        ({"biases": [np.zeros(3), np.zeros(1)]}, "no dense network"),
        ({"weights": [np.zeros((2, 2)), np.zeros((3, 1))]}, "no dense network"),
        ({"weights": [np.zeros(2), np.zeros((2, 1))]}, "no dense network"),
        ({"activations": ()}, "activations does not fit"),
        ({"activations": ("softmax",)}, "activation is not known"),
        ({"output_activation": "softmaxx"}, "output_activation is not known"),
    ],
)
def test_what_is_no_network_is_refused(values, text):
    good = {"weights": BY_HAND.weights, "biases": BY_HAND.biases, "activations": ("relu",)}
    with pytest.raises(SpecError, match=text):
        DenseNetwork(**(good | values))


@pytest.mark.parametrize("inputs", [[[1, 2, 3]], [1, 2], 3, [], np.zeros((0, 2))])
def test_inputs_that_do_not_fit_are_refused(inputs):
    with pytest.raises(InputError, match="example of 2 numbers"):
        BY_HAND.forward(inputs)


@pytest.mark.parametrize(
    ("targets", "kind", "text"),
    [
        ([[0, 1]], "squared_error", "do not fit the output"),
        ([0, 1], "squared_error", "do not fit the output"),
        ([0], "cross_entropy", "2 class numbers"),
        ([0, 3], "cross_entropy", "from 0 to 2"),
        ([-1, 0], "cross_entropy", "from 0 to 2"),
        ([0.0, 1.0], "cross_entropy", "do not fit the output"),
        ([[1, 1, 0], [0, 0, 1]], "cross_entropy", "sum 1"),
        ([[2, -1, 0], [0, 0, 1]], "cross_entropy", "sum 1"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets, kind, text):
    network = network_of((2, 3))
    with pytest.raises(InputError, match=text):
        network.loss(network.forward([[1, 2], [3, 4]]), targets, kind)


def test_losses_that_are_not_defined_are_refused():
    forward = BY_HAND.forward([[1, 2]])
    with pytest.raises(SpecError, match=r"not defined.*linear, 1 units"):
        BY_HAND.loss(forward, [0], "cross_entropy")
    with pytest.raises(SpecError, match=r"loss is not known.*cross_entropy, squared_error"):
        BY_HAND.loss(forward, [0], "hinge")
    tanh = network_of((2, 3), output_activation="tanh")
    with pytest.raises(SpecError, match=r"not defined.*tanh"):
        tanh.loss(tanh.forward([[1, 2]]), [0], "cross_entropy")
    sigmoid = network_of((2, 3), output_activation="sigmoid")
    with pytest.raises(InputError, match="from 0 to 1"):
        sigmoid.loss(sigmoid.forward([[1, 2]]), [[0, 1, 2]], "cross_entropy")
