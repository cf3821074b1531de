"""The depth lab: equal budgets, targets, seeds that do not touch each other, and what is read from the errors."""

import json
import math
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import SpecError
from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.networks import dense_network
from layerwise.plots import LinePlot, Row, Table, Text
from layerwise_learn.depth.budget import TOLERANCE, parameters_of, widths_for
from layerwise_learn.depth.lab import Result, Trial, error_by_depth, measure, needed_by_seed, parameters_needed
from layerwise_learn.depth.networks import STEPS_PER_CALL, predict, stacked_network, train
from layerwise_learn.depth.page import PAGE, TARGET_NAMES, MeasuredSettings, OwnSettings
from layerwise_learn.depth.study import MEASURED, PLANS, Plan, read, trials, write
from layerwise_learn.depth.targets import TARGETS, exact_sawtooth, sawtooth

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "depth.py"
NOW = [name for name in TARGETS if name != "fashion"]
"""The targets that need no data set."""


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    budget=st.integers(300, 100_000),
    depth=st.integers(2, 10),
    inputs=st.integers(1, 10),
    outputs=st.integers(1, 4),
    normalization=st.booleans(),
)
def test_budgets_are_met_within_two_percent_or_refused(budget, depth, inputs, outputs, normalization):
    sizes = {"inputs": inputs, "outputs": outputs, "normalization": normalization}
    try:
        widths = widths_for(budget, depth, **sizes)
    except SpecError:
        # Only small budgets: of the widths of a deep network one may be changed by one unit.
        assert budget < 3_000
        return
    assert len(widths) == depth
    assert max(widths) - min(widths) <= 1
    assert abs(parameters_of(widths, **sizes) - budget) <= TOLERANCE * budget


@pytest.mark.parametrize("normalization", ["none", "layer"])
def test_parameters_are_those_that_keras_counts(normalization):
    network = dense_network((3,), (5, 4, 4), output_units=2, normalization=normalization)
    counted = parameters_of((5, 4, 4), inputs=3, outputs=2, normalization=normalization == "layer")
    assert counted == network.count_params()
    stacked = stacked_network((5, 4, 4), inputs=3, outputs=2, seeds=range(7), normalization=normalization == "layer")
    assert stacked.count_params() == 7 * counted


def test_a_budget_that_no_network_meets():
    with pytest.raises(SpecError, match="at best"):
        widths_for(100, 1, inputs=196, outputs=10)


@pytest.mark.parametrize("levels", [1, 2, 4, 7])
def test_the_sawtooth_and_the_network_that_is_it(levels):
    x = np.linspace(0, 1, 2**levels + 1)
    # Up and down at every 2^-levels.
    np.testing.assert_allclose(sawtooth(x, levels), np.arange(len(x)) % 2, atol=1e-12)
    dense = np.linspace(0, 1, 1000)
    np.testing.assert_allclose(exact_sawtooth(levels).forward(dense[:, None])["output"][:, 0], sawtooth(dense, levels))


@pytest.mark.parametrize("name", NOW)
def test_examples_are_scaled_and_as_random_as_their_generator(name):
    target = TARGETS[name]
    inputs, answers = target.sample(np.random.default_rng(1), 4000)
    again, _ = target.sample(np.random.default_rng(1), 4000)
    np.testing.assert_array_equal(inputs, again)
    assert inputs.shape == (4000, target.inputs)
    assert answers.shape == (4000,)
    assert inputs.dtype == np.float32
    if target.classes:
        assert np.bincount(answers).min() > 3000 / target.classes
    else:
        assert 0.1 < answers.std() < 2


def test_parity_and_pictures_are_what_they_say():
    bits, odd = TARGETS["parity"].sample(np.random.default_rng(2), 50)
    np.testing.assert_array_equal((bits > 0).sum(axis=1) % 2, odd)
    pixels, classes = TARGETS["pictures"].sample(np.random.default_rng(2), 400)
    strokes = [np.eye(5), np.eye(5)[::-1]]
    for picture, answer in zip(pixels.reshape(-1, 14, 14), classes, strict=True):
        leans = [
            [
                # Which stroke, at any of nine places, is brightest?
                np.argmax([max(_overlaps(picture[7 * row :, 7 * column :], stroke)) for stroke in strokes])
                for column in (0, 1)
            ]
            for row in (0, 1)
        ]
        assert answer == 2 * (leans[0][0] != leans[0][1]) + (leans[1][0] != leans[1][1])


def _overlaps(quarter, stroke):
    return [np.sum(quarter[top : top + 5, left : left + 5] * stroke) for top in range(3) for left in range(3)]


def test_errors_of_each_member():
    function, classes = TARGETS["sawtooth"], TARGETS["parity"]
    targets = np.array([[0.0, 1.0], [2.0, 3.0]])
    outputs = np.stack([targets[:, 0], np.full(2, 2.0)], axis=1)[:, :, None]
    np.testing.assert_allclose(function.errors(outputs, targets), [0, 1])  # the second says the mean
    logits = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[3.0, 2.0]], [[0.0, 1.0]]])
    np.testing.assert_allclose(classes.errors(logits, np.array([[0], [1], [1], [1]])), [0.25])


def _member(model, member):
    """One network of a plain stack, in NumPy."""
    layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
    return DenseNetwork(
        weights=[keras.ops.convert_to_numpy(layer.kernel)[member] for layer in layers],
        biases=[keras.ops.convert_to_numpy(layer.bias)[member, 0] for layer in layers],
        activations=["relu"] * (len(layers) - 1),
    )


def test_a_stack_computes_what_each_of_its_networks_computes():
    model = stacked_network((6, 5), inputs=3, outputs=2, seeds=range(4))
    inputs = np.random.default_rng(0).normal(size=(9, 4, 3)).astype(np.float32)
    outputs = predict(model, inputs)
    assert outputs.shape == (9, 4, 2)
    for member in range(4):
        network = _member(model, member)
        np.testing.assert_allclose(outputs[:, member], network.forward(inputs[:, member])["output"], atol=1e-5)


def _trained(seeds, **options):
    target = TARGETS["sawtooth"]
    examples = [target.sample(np.random.default_rng(seed), 512) for seed in seeds]
    inputs, targets = (np.stack(arrays, axis=1) for arrays in zip(*examples, strict=True))
    model = stacked_network((8, 8), inputs=1, outputs=1, seeds=seeds, **options)
    steps = list(train(model, inputs, targets, num_steps=300, batch_size=32, learning_rate=0.01))
    assert steps == [STEPS_PER_CALL, 2 * STEPS_PER_CALL]
    line = np.broadcast_to(np.linspace(-1.7, 1.7, 50, dtype=np.float32)[:, None, None], (50, len(seeds), 1))
    return predict(model, line)[:, :, 0]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"normalization": True, "skip_connections": True}])
def test_a_seed_learns_the_same_beside_any_others(options):
    together, alone = _trained([5, 6, 7], **options), _trained([6], **options)
    np.testing.assert_allclose(together[:, 1], alone[:, 0], atol=2e-3)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.01


def test_skip_connections_are_where_widths_are_equal():
    model = stacked_network((6, 5, 5), inputs=3, outputs=1, seeds=[0], skip_connections=True)
    assert sum(type(operation).__name__ == "Add" for operation in model.operations) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sawtooth", "parity"])
def test_networks_learn(name):
    trial = Trial(target=name, depth=2, budget=500, num_seeds=6, num_steps=1500)
    result = measure(trial)
    assert len(result.errors) == 6
    assert abs(result.parameters - 500) <= 10
    # 1 is what the mean would give, 0.5 what guessing would.
    assert result.median < (0.95 if name == "sawtooth" else 0.1)
    low, high = result.interval
    assert low <= result.median <= high


def _result(depth, budget, errors, residual=False):
    trial = Trial(target="sawtooth", depth=depth, budget=budget, residual=residual)
    return Result(trial=trial, parameters=budget, errors=tuple(errors))


def test_what_is_drawn_of_errors():
    results = [_result(2, 100, [5, 1, 2, 3, 4, 6]), _result(1, 100, [7] * 6), _result(2, 100, [0.5] * 6, True)]
    plain, _, helped, _ = error_by_depth(results).lines
    assert plain.x.tolist() == [1, 2]
    assert plain.y.tolist() == [7, 3.5]
    assert (plain.low.tolist(), plain.high.tolist()) == ([7, 1], [7, 6])
    assert helped.y.tolist() == [0.5]


def test_parameters_needed():
    # Errors fall as 1 / parameters: 0.1 is reached at 1000 parameters with one layer, at 100 with two.
    sizes = (50, 500, 5000)
    results = [_result(depth, size, [goal / size] * 10) for size in sizes for depth, goal in ((1, 100), (2, 10))]
    never = [_result(3, size, [1.0] * 10) for size in sizes]
    line, _ = parameters_needed([*results, *never], 0.1).lines
    assert line.x.tolist() == [1, 2, 3]
    np.testing.assert_allclose(line.y, [1000, 100, math.nan])
    np.testing.assert_allclose(line.low, [1000, 100, math.nan])


def test_parameters_needed_by_a_seed():
    assert needed_by_seed([10, 20], [0.05, 0.2], 0.1) == 10
    assert needed_by_seed([10, 1000], [1.0, 0.01], 0.1) == pytest.approx(100)
    assert 10 < needed_by_seed([10, 20], [1.0, 0.0], 0.1) < 20
    assert needed_by_seed([10, 20], [1.0, 0.5], 0.1) == math.inf


@pytest.mark.slow
def test_the_command_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    script = runpy.run_path(str(BENCHMARK))
    results, figure = tmp_path / "depth.json", tmp_path / "depth.svg"
    plan = Plan(budgets=(250, 500), compared=500, error=0.3)
    monkeypatch.setitem(PLANS, "parity", plan)
    monkeypatch.setattr("sys.argv", [
        "depth.py", "--targets", "parity", "--seeds", "6", "--steps", "1",
        "--results", str(results), "--figure", str(figure),
    ])  # fmt: skip
    wanted = list(trials("parity", plan, num_seeds=6, num_steps=1, learning_rate=0.01))
    # All but one are there already.
    kept = {trial: Result(trial=trial, parameters=trial.budget, errors=(0.25,) * 6) for trial in wanted[1:]}
    write(results, kept)
    assert script["main"]() == 0
    assert capsys.readouterr().out.count("error") == 1
    assert len(json.loads(results.read_text())) == len(wanted)
    assert read(results).keys() == set(wanted)
    assert "<svg" in figure.read_text()
    assert script["main"]() == 0
    assert capsys.readouterr().out.count("error") == 0


def test_what_is_shipped_is_the_whole_study():
    results = read(MEASURED)
    for name, plan in PLANS.items():
        for trial in trials(name, plan):
            result = results[trial]
            assert len(result.errors) == trial.num_seeds
            assert abs(result.parameters - trial.budget) <= TOLERANCE * trial.budget


def test_what_the_documents_say_was_measured():
    """The claims of docs/depth.md, from the results themselves."""
    medians = {
        (r.trial.target, r.trial.budget, r.trial.depth): r.median
        for r in read(MEASURED).values()
        if not r.trial.residual
    }
    assert medians["sawtooth", 2000, 1] > 20 * medians["sawtooth", 2000, 4]
    assert min(range(1, 9), key=lambda depth: medians.get(("composed", 2000, depth), 1)) == 3
    assert medians["parity", 500, 1] == 0
    assert medians["pictures", 8000, 2] < 0.2 * medians["pictures", 8000, 1]
    assert medians["pictures", 8000, 8] > medians["pictures", 8000, 1]
    assert medians["fashion", 8000, 8] > medians["fashion", 8000, 1]


def test_the_page_offers_every_target_and_needs_no_numpy_for_it():
    assert set(TARGET_NAMES) == set(TARGETS) == set(PLANS)
    code = "import sys, layerwise_learn.pages; assert not {'numpy', 'keras', 'gradio'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", TARGET_NAMES)
def test_the_page_shows_what_was_measured(name):
    measured, _ = PAGE.experiments
    ((text, row, table),) = measured.run(MeasuredSettings(target=name))
    assert TARGETS[name].title in text.text
    assert isinstance(row, Row)
    errors, needed = row.plots
    assert [line.kind for line in errors.lines] == ["line", "dots"] * 2
    assert [line.kind for line in needed.lines] == ["line", "dots"]
    assert 2 * len(table.rows) == sum(len(line.x) for line in errors.lines)


@pytest.mark.slow
def test_the_page_trains_one_depth_after_the_other():
    _, own = PAGE.experiments
    shown = list(own.run(OwnSettings(target="parity", budget=500, deepest=3, num_steps=250)))
    assert [type(plot) for plot in shown[0]] == [Text, Text]
    assert [type(plot) for plot in shown[-1]] == [Text, LinePlot, Table]
    assert [len(plots[1].lines[0].x) for plots in shown[1:]] == [1, 2, 3]


def test_the_page_says_which_depths_no_network_has():
    _, own = PAGE.experiments
    *_, last = own.run(OwnSettings(target="composed", budget=250, deepest=3, num_steps=250))
    assert last[-1].text.startswith("No network with 2 and 3 hidden layers")
    with pytest.raises(SpecError, match="take more parameters"):
        next(own.run(OwnSettings(target="fashion", budget=500)))
