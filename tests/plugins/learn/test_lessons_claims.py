"""What the lessons claim, computed in another way."""

from functools import reduce
from itertools import product

import numpy as np
import pytest

from layerwise.activations import ACTIVATIONS
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.plots import Formula, LinePlot, Row, Table, Text
from layerwise_learn.depth.targets import exact_sawtooth, sawtooth
from layerwise_learn.experiments import (
    activations,
    applications,
    architecture,
    backpropagation,
    computation,
    depth,
    epochs_and_overfitting,
    gradient_descent,
    learning_rate,
    loss,
    neuron,
    regularisation,
    surface,
)
from layerwise_learn.experiments.networks import random_network, small_network
from layerwise_learn.lessons.activations import CollapseSettings, DeadSettings, SaturationSettings, ShapeSettings
from layerwise_learn.lessons.applications import AgentSettings
from layerwise_learn.lessons.backpropagation import WEIGHTS, ChainSettings
from layerwise_learn.lessons.computation import CostSettings
from layerwise_learn.lessons.depth import ParitySettings, SawtoothSettings
from layerwise_learn.lessons.epochs_and_overfitting import OverfitSettings
from layerwise_learn.lessons.learning_rate import FourSettings
from layerwise_learn.lessons.loss import LossBatchSettings
from layerwise_learn.lessons.neuron import ArithmeticSettings, GateSettings, LineSettings
from layerwise_learn.lessons.regularisation import RegularisationSettings


def plots_of(shown, kind):
    for plot in shown:
        if isinstance(plot, Row):
            yield from plots_of(plot.plots, kind)
        elif isinstance(plot, kind):
            yield plot


def test_the_arithmetic_of_a_neuron():
    shown = neuron.arithmetic(ArithmeticSettings(x1=2, x2=-1, w1=0.5, w2=3, b=1, activation="relu"))
    formulas = [formula.latex for formula in plots_of(shown, Formula)]
    assert formulas[0].endswith(r"= 0.5 \cdot 2 + 3 \cdot (-1) + 1 = -1")
    assert formulas[2] == "a = f(z) = f(-1) = 0"


def test_one_neuron_can_and_or_nand_and_not_xor():
    values = np.linspace(-3, 3, 13)
    best = dict.fromkeys(neuron.GATES, 0)
    for w1, w2, b in product(values, values, values):
        answers = neuron.CORNERS @ [w1, w2] + b > 0
        for gate, wanted in neuron.GATES.items():
            best[gate] = max(best[gate], int(np.sum(answers == wanted)))
    assert best == {"and": 4, "or": 4, "nand": 4, "xor": 3}


def test_the_line_counts_what_is_right():
    (row,) = neuron.line(LineSettings(gate="and", w1=1, w2=1, b=-1.5))
    heat, table = row.plots
    assert table.title == "4 of 4 points are right"
    (zero,) = (line for line in heat.lines if line.label)
    np.testing.assert_allclose(zero.x + zero.y, 1.5)


def test_a_hidden_layer_learns_xor_and_a_single_neuron_does_not():
    alone, helped = (
        neuron.learn(GateSettings(gate="xor", hidden_units=units, num_steps=1000))[0].plots for units in (0, 4)
    )
    assert "4 of 4" not in alone[0].title
    assert alone[1].lines[0].y[-1] == pytest.approx(np.log(2), abs=1e-3)
    assert "4 of 4" in helped[0].title


def test_every_activation_is_drawn_with_its_derivative():
    *_, overview = activations.shapes(ShapeSettings())
    drawn = {plot.title: plot for plot in overview.plots}
    assert set(drawn) == {activation.title for activation in ACTIVATIONS.values()}
    for activation in ACTIVATIONS.values():
        function, slope = drawn[activation.title].lines
        x = function.x[np.abs(function.x) > 0.06]  # not at the kinks
        numeric = (activation.function(x + 1e-6) - activation.function(x - 1e-6)) / 2e-6
        np.testing.assert_allclose(np.interp(x, slope.x, slope.y), numeric, atol=1e-6)


def test_a_deep_linear_network_is_one_matrix_and_one_with_relu_is_not():
    settings = CollapseSettings(num_layers=8, width=10, seed=3)
    table = next(plots_of(activations.collapse(settings), Table))
    (_, linear), (_, bent) = table.rows
    assert float(linear) < 1e-12
    assert float(bent) > 0.1
    network = random_network([3, 10, 10, 2], "linear", seed=0)
    x = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(network.forward(x)["output"], x @ reduce(np.matmul, network.weights), atol=1e-12)


def test_the_gradient_vanishes_through_sigmoids_and_not_through_relus():
    def ratio(name):
        plot = next(plots_of(activations.saturation(SaturationSettings(activation=name, num_layers=20)), LinePlot))
        return plot.lines[0].y[0] / plot.lines[0].y[-1]

    assert ratio("sigmoid") < 1e-9
    assert 0.01 < ratio("relu") < 100


@pytest.mark.parametrize(("name", "are_dead"), [("relu", True), ("leaky_relu", False), ("gelu", False)])
def test_a_negative_bias_kills_units_of_relu_only(name, are_dead):
    plot = next(plots_of(activations.dead_units(DeadSettings(activation=name, bias=-4)), LinePlot))
    assert (plot.lines[0].y[0] > 0) == are_dead


def test_parameters_are_counted_as_keras_counts_them():
    assert architecture.count_parameters([784, 128, 64, 10]) == 109_386
    network = random_network([3, 4, 4, 2], seed=0)
    assert architecture.count_parameters([3, 4, 4, 2]) == network.parameters.size


def test_no_line_is_better_than_the_smallest_loss_that_is_named():
    formula = next(plots_of(loss.batch(LossBatchSettings()), Formula))
    named = float(formula.latex.split("possible: ")[1].split(")")[0])
    found = [
        float(
            next(plots_of(loss.batch(LossBatchSettings(slope=w, shift=b)), Formula)).latex.split("^2 = ")[1].split()[0]
        )
        for w, b in product(np.linspace(0, 2, 11), np.linspace(-0.5, 1.5, 11))
    ]
    assert named - 1e-3 <= min(found) < 1.3 * named


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_chain_of_slopes_is_the_gradient_and_nudging_agrees(weight, activation):
    inputs, targets = backpropagation.NUDGED
    network = small_network(backpropagation.SIZES, activation, seed=1)
    step = network.step(inputs, targets, loss="squared_error", learning_rate=0.1)
    settings = ChainSettings(weight=weight, x1=1.0, x2=-0.5, target=1.0, activation=activation, seed=1)
    layer, row, column = backpropagation.position(weight)
    exact = step.backward[f"dL/dW_{layer}"][row, column]
    product_of_slopes = np.prod([value for _, _, value in backpropagation._slopes(step, settings)])
    assert product_of_slopes == pytest.approx(exact, abs=1e-12)
    less, more = (backpropagation.loss_with(network, weight, change) for change in (-1e-5, 1e-5))
    assert (more - less) / 2e-5 == pytest.approx(exact, abs=1e-6)
    rows = next(plots_of(backpropagation.chain(settings), Table)).rows
    assert next(row[2] for row in rows if row[0] == weight) == exact


@pytest.mark.parametrize("name", sorted(surface.PROBLEMS))
def test_the_surface_has_the_gradient_of_backpropagation(name):
    problem = surface.PROBLEMS[name](0)
    for place in ([0.3, -0.7], [1.5, 0.5]):
        w, h = np.array(place), 1e-5
        numeric = [(problem.losses(w + h * e) - problem.losses(w - h * e)).item() / (2 * h) for e in np.eye(2)[:, None]]
        np.testing.assert_allclose(problem.gradient(w), numeric, atol=1e-6)


def test_batches_give_every_example_once_an_epoch():
    rows = list(surface.batches(10, 4, 6, seed=0))
    assert [len(part) for part in rows] == [4, 4, 2, 4, 4, 2]
    assert sorted(np.concatenate(rows[:3])) == sorted(np.concatenate(rows[3:])) == list(range(10))


def test_the_noise_of_a_batch_falls_with_the_root_of_its_size():
    problem = surface.line_problem(0)
    single = np.array([problem.gradient(np.array(problem.start), np.array([row])) for row in range(64)])
    exact = single.mean(axis=0)
    np.testing.assert_allclose(exact, problem.gradient(np.array(problem.start)), atol=1e-12)
    drawn = single[np.random.default_rng(0).integers(0, 64, (4000, 16))].mean(axis=1)
    assert gradient_descent.spread(drawn, exact) == pytest.approx(gradient_descent.spread(single, exact) / 4, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_four_rates_do_what_they_are_called(seed):
    *_, plot = learning_rate.four(FourSettings(num_steps=100, seed=seed))
    problem = surface.line_problem(seed)
    columns = np.column_stack([problem.inputs, np.ones(64)])
    best = np.mean((columns @ np.linalg.lstsq(columns, problem.targets, rcond=None)[0] - problem.targets) ** 2)
    small, good, oscillating, diverging = (line.y - best for line in plot.lines)
    assert good[-1] < 1e-3
    assert good[-1] < small[-1] < small[0]
    assert oscillating[-1] < oscillating[0]
    assert diverging[-1] > 10 * diverging[0]


def test_the_limit_of_the_learning_rate_is_where_descent_turns_over():
    problem = surface.line_problem(0)
    limit = 2 / np.linalg.eigvalsh(problem.hessian())[-1]
    from layerwise.from_scratch.descent import SGD

    below, above = (surface.descend(problem, SGD(), share * limit, num_steps=2000) for share in (0.999, 1.001))
    assert below.losses[-1] < below.losses[0]
    assert above.losses[-1] > above.losses[-1000]


@pytest.mark.slow
def test_a_large_network_overfits_few_points():
    *_, shown = epochs_and_overfitting.overfit(OverfitSettings())
    training, validation = shown[0].plots[1].lines
    assert training.y[-1] < 0.3 * validation.y[-1]
    assert validation.y[-1] > 1.5 * validation.y.min()
    assert shown[0].plots[1].marks[0][0] == np.argmin(validation.y) + 1


@pytest.mark.parametrize(("losses", "patience", "epoch"), [([1, 2, 3], 2, 3), ([3, 2, 1], 1, None), ([1, 1, 1], 2, 3)])
def test_early_stopping_waits_for_its_patience(losses, patience, epoch):
    assert epochs_and_overfitting.early_stop(losses, patience) == epoch


@pytest.mark.slow
def test_regularisation_makes_weights_small_or_sparse():
    *_, shown = regularisation.comparison(RegularisationSettings(num_epochs=1000))
    rows = {row[0].split(",")[0]: row for row in next(plots_of(shown, Table)).rows}
    assert rows["L2"][4] < 0.5 * rows["nothing"][4]
    assert float(rows["L1"][5].rstrip("%")) > 60 > float(rows["nothing"][5].rstrip("%"))
    assert rows["4 times the data"][2] < rows["nothing"][2]


def test_costs_follow_the_formula():
    sizes = [784, 512, 512, 10]
    weights = 784 * 512 + 512 * 512 + 512 * 10
    assert computation.count_weights(sizes) == weights
    assert computation.step_operations(sizes, 128) == 6 * weights * 128
    memory = next(plots_of(computation.cost(CostSettings()), Table))
    assert memory.rows[1][1] == f"{4 * architecture.count_parameters(sizes):,}"


@pytest.mark.parametrize("levels", [1, 2, 5, 8])
def test_pieces_of_the_sawtooth_by_brute_force(levels):
    x = np.linspace(0, 1, 2**levels * 16 + 1)
    for network in (exact_sawtooth(levels), depth.zigzag(2**levels)):
        y = network.forward(x[:, np.newaxis])["output"][:, 0]
        np.testing.assert_allclose(y, sawtooth(x, levels), atol=1e-9)
        slopes = np.diff(y) / np.diff(x)
        pieces = 1 + int(np.sum(np.abs(np.diff(slopes)) > 1e-6))
        assert pieces == 2**levels == depth.count_pieces(network, np.zeros(1), np.ones(1))


def test_pieces_of_a_random_network_by_brute_force():
    network = depth.random_relu((6, 6), 1.0, seed=4)
    start, end = np.random.default_rng(4).normal(size=(2, depth.RANDOM_INPUTS))
    t = np.linspace(0, 1, 400_001)
    y = network.forward(start + t[:, np.newaxis] * (end - start))["output"][:, 0]
    bends = np.flatnonzero(np.abs(np.diff(y, 2)) > 1e-9)
    assert depth.count_pieces(network, start, end) == 1 + int(np.sum(np.diff(bends, prepend=-10) > 2))


def test_the_deep_network_has_more_pieces_than_a_wide_one_of_as_many_parameters():
    table = next(plots_of(depth.pieces_of_sawtooth(SawtoothSettings(levels=6)), Table))
    deep, same, equal = table.rows
    assert (deep[2], equal[2]) == ("37", "37")
    assert (deep[3], same[3], equal[3]) == ("64", "64", "12")


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_parity_is_right_for_every_input(levels):
    bits = 2**levels
    for title, *_, right in next(plots_of(depth.parity(ParitySettings(levels=levels)), Table)).rows:
        assert right == f"{2**bits:,} of {2**bits:,}", title


def test_the_world_of_the_agent():
    corner = applications.move(0, 2)  # left, against the border
    assert (corner.following, corner.ended, corner.reward) == (0, False, -applications.STEP_COST)
    goal = applications.move(3 + 5 * 4, 0)
    assert (goal.ended, goal.reward) == (True, 1 - applications.STEP_COST)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_agent_finds_the_shortest_way(seed):
    *_, shown = applications.agent(AgentSettings(num_episodes=200, seed=seed))
    assert "reaches the goal in 8 steps" in next(plots_of(shown, Text)).text


def test_a_network_with_no_hidden_layer_is_a_neuron():
    network = random_network([2, 1], seed=0)
    assert isinstance(network, DenseNetwork)
    assert network.activations == ()
