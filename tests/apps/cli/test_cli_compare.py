"""`layerwise compare`: what it prints and writes."""

import csv
import dataclasses

import pytest

from layerwise import weights
from layerwise.registry import Registry
from layerwise.runs import RunStore


@pytest.fixture
def pair(toy):
    """Two runs of toy/bars with untrained networks of different seeds; the first has epochs, the second failed."""
    import keras
    from layerwise_toy import build

    spec, runs = Registry(toy).snapshot().model("toy/bars"), []
    usual = spec.variant().config
    for seed, rate in ((1, 0.5), (2, 0.25)):
        config = dataclasses.replace(usual, seed=seed, learning_rate=rate)
        run = RunStore(toy).create(spec, None, config)
        keras.utils.set_random_seed(seed)
        record = {"name": spec.name, "variant": run.variant, "task": spec.task.parameters(), "config": run.config}
        weights.save(build(config, spec.task), run.folder / "version", record)
        runs.append(run)
    runs[0].append("epoch", epoch=1, loss=0.5, val_loss=0.25, learning_rate=0.5, seconds=1.0)
    runs[0].append("finished")
    runs[1].append("failed", reason="The loss became nan")
    return runs


def test_what_differs_and_what_became_of_the_runs(layerwise, pair):
    result = layerwise("compare", pair[0].id, pair[1].id[-4:])
    assert result.status == 0, result.error
    assert f"1 {pair[0].id}" in result.output
    assert "loss 0.5, val_loss 0.25" in result.output
    assert "The loss became nan" in result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.output.splitlines() if line.strip()}
    assert rows["learning_rate"] == ["0.5", "0.25"]
    assert "batch_size" not in rows
    assert "--evaluate does that" in result.output


def test_evaluating_says_whether_the_difference_is_more_than_chance(layerwise, pair):
    result = layerwise("compare", pair[0].id, pair[1].id, "--evaluate")
    assert "test, 200 examples" in result.output
    assert "beyond chance" in result.output or "may be chance" in result.output
    found = layerwise("compare", pair[0].id, pair[1].id, "--json").json
    assert found["runs"][0]["history"][0]["loss"] == 0.5
    one, other = (item["measured"]["metrics"]["accuracy"] for item in found["runs"])
    contrast = found["contrasts"][pair[1].id]["accuracy"]
    assert contrast["difference"] == pytest.approx(other - one)
    assert contrast["is_beyond_chance"] is not (contrast["low"] <= 0 <= contrast["high"])
    assert [item["name"] for item in found["differences"]] == ["learning_rate", "seed"]


def test_tables_are_written(layerwise, pair, tmp_path):
    epochs, summary = tmp_path / "epochs.csv", tmp_path / "summary.csv"
    layerwise("compare", pair[0].id, pair[1].id, "--csv", str(epochs), "--summary-csv", str(summary))
    with epochs.open(newline="") as file:
        assert [(row["run"], row["loss"]) for row in csv.DictReader(file)] == [(pair[0].id, "0.5")]
    with summary.open(newline="") as file:
        assert [row["state"] for row in csv.DictReader(file)] == ["finished", "failed"]


def test_one_run_alone_is_compared_with_nothing(layerwise, pair):
    result = layerwise("compare", pair[0].id)
    assert result.status == 1
    assert "two runs or more" in result.error
