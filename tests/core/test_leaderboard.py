"""Leaderboards: the same examples for all, ranked, and tested in pairs."""

import numpy as np
import pytest
import sample_models as samples
from scipy import stats

from layerwise.comparing.benchmark import Benchmark
from layerwise.comparing.leaderboard_tables import cost_plots
from layerwise.errors import InputError
from layerwise.leaderboard import assemble, leaderboard, pareto_front


def hits_of(shift):
    inputs, targets = samples.examples(600, seed=11)
    return ((inputs[:, None] - samples.shifted(shift)) ** 2).sum(axis=2).argmin(axis=1) == targets


def test_models_are_ranked_and_every_two_of_them_tested(graders):
    workspace, names = graders
    board = leaderboard(workspace, names)
    assert (board["data"], board["split"], board["count"]) == ("grades", "test", 600)
    hits = {name: hits_of(shift) for name, shift in zip(names, (1.0, 0.0, 0.2), strict=True)}
    ranked = sorted(names, key=lambda name: -hits[name].mean())
    full = {name: name.replace("sample/centroids@", "sample/centroids:default@") for name in names}
    assert [item["reference"] for item in board["models"]] == [full[name] for name in ranked]
    for item, name in zip(board["models"], ranked, strict=True):
        assert item["metrics"]["accuracy"] == pytest.approx(hits[name].mean())
        low, high = item["interval"]["accuracy"]
        assert low < item["metrics"]["accuracy"] < high
        assert item["seconds"] > 0
        assert item["weights_bytes"] > 0
        assert "resampled" not in item
    assert [(pair["one"], pair["other"]) for pair in board["pairs"]] == [
        (full[ranked[one]], full[ranked[other]]) for one, other in ((0, 1), (0, 2), (1, 2))
    ]
    assert all(pair["test"] == "bootstrap" for pair in board["pairs"]), "this task does not say what is right"
    assert [pair["difference"] for pair in board["pairs"]] == pytest.approx(
        [hits[ranked[one]].mean() - hits[ranked[other]].mean() for one, other in ((0, 1), (0, 2), (1, 2))]
    )
    worst = next(pair for pair in board["pairs"] if (pair["one"], pair["other"]) == (full[ranked[0]], full[ranked[2]]))
    assert worst["is_beyond_chance"]
    assert worst["low"] > 0
    assert max(pair["p"] for pair in board["pairs"]) <= max(pair["adjusted_p"] for pair in board["pairs"])


def test_accuracies_are_tested_by_mcnemars_exact_test(graders, monkeypatch):
    monkeypatch.setattr(samples.Grading, "hits", lambda _, outputs, targets: outputs.argmax(axis=1) == targets)
    workspace, names = graders
    board = leaderboard(workspace, names[:2])
    (pair,) = board["pairs"]
    good, bad = hits_of(0.0), hits_of(1.0)
    assert pair["test"] == "McNemar"
    assert (pair["only_one"], pair["only_other"]) == (int((good & ~bad).sum()), int((bad & ~good).sum()))
    tail = stats.binom.cdf(pair["only_other"], pair["only_one"] + pair["only_other"], 0.5)
    assert pair["p"] == pair["adjusted_p"] == pytest.approx(2 * tail)


def test_another_metric_and_a_part_of_the_examples(graders):
    workspace, names = graders
    board = leaderboard(workspace, names, metric="mean_margin", limit=100)
    assert (board["count"], board["metric"], board["direction"]) == (100, "mean_margin", "max")
    margins = [item["metrics"]["mean_margin"] for item in board["models"]]
    assert margins == sorted(margins, reverse=True)
    again = leaderboard(workspace, names, metric="mean_margin", limit=100)
    assert [item["metrics"] for item in again["models"]] == [item["metrics"] for item in board["models"]]
    missing = leaderboard(workspace, names, metric="bleu", limit=50)
    assert all("no metric 'bleu'" in item["error"] for item in missing["models"])
    assert missing["pairs"] == []


def test_one_that_cannot_be_measured_stops_no_other(graders, tmp_path):
    workspace, names = graders
    broken = samples.save_version(tmp_path, samples.NUMPY, {"others": samples.CENTROIDS})
    board = leaderboard(workspace, [names[0], f"sample/centroids@{broken.id}", names[1]])
    assert [item.get("place") for item in board["models"]] == [1, 2, None]
    assert "could not be loaded" in board["models"][2]["error"]
    assert len(board["pairs"]) == 1


@pytest.mark.parametrize("size", [1, 0])
def test_a_leaderboard_of_too_few_examples_is_refused(graders, size):
    with pytest.raises(InputError, match="2 or more"):
        leaderboard(graders[0], graders[1], limit=size)


def test_a_split_that_is_not_the_same_for_all_is_refused(graders):
    board = leaderboard(graders[0], graders[1][:2], split="validation")
    assert all("no split 'validation' that is the same for all models" in item["error"] for item in board["models"])


def test_what_was_measured_on_other_examples_is_not_compared():
    measured = [
        {"reference": name, "examples": examples, "metrics": {"accuracy": 0.5}, "interval": {}, "resampled": {}}
        | {"hits": "10", "seconds": 0.1, "num_parameters": None, "weights_bytes": None, "where": "CPU"}
        | {"split": "test", "count": 2}
        for name, examples in (("a/a:a@a", "x"), ("a/b:b@b", "y"), ("a/c:c@c", "x"))
    ]
    board = assemble(Benchmark(dataset="d"), "accuracy", measured)
    assert [item.get("place") for item in board["models"]] == [1, 2, None]
    assert "other examples than a/a:a@a" in board["models"][2]["error"]
    assert len(board["pairs"]) == 1


def test_the_front_is_that_of_a_brute_force():
    random = np.random.default_rng(0)
    points = [(float(cost), float(quality)) for cost, quality in random.integers(0, 6, (40, 2))]
    for point, is_on in zip(points, pareto_front(points), strict=True):
        better = [other for other in points if other != point and other[0] <= point[0] and other[1] >= point[1]]
        assert is_on is not bool(better)
    assert pareto_front([]) == []


def test_a_front_of_errors_is_one_of_small_numbers():
    measured = [
        {"reference": f"a/a:v@{name}", "examples": "x", "metrics": {"rmse": error}, "interval": {}, "resampled": {}}
        | {"hits": None, "seconds": cost, "num_parameters": 10, "weights_bytes": 4, "where": "CPU"}
        | {"split": "test", "count": 2}
        for name, error, cost in (("good", 0.5, 0.2), ("quick", 0.9, 0.1), ("bad", 1.0, 0.3))
    ]
    board = assemble(Benchmark(dataset="d"), "", measured)
    assert (board["metric"], board["direction"]) == ("rmse", "min")
    assert [(item["reference"][-4:], "seconds" in item["fronts"]) for item in board["models"]] == [
        ("good", True),
        ("uick", True),
        ("@bad", False),
    ]
    plot = cost_plots(board)[0]
    front, *dots = plot.lines
    assert front.x.tolist() == [100.0, 200.0]
    assert front.y.tolist() == [0.9, 0.5]
    assert [dot.label for dot in dots] == ["a/a:v@good (front)", "a/a:v@quick (front)", "a/a:v@bad"]
    low, high = plot.x_range
    assert (low, high) == (pytest.approx(50.0), pytest.approx(500.0))
