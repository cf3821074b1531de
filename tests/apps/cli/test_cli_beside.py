"""`layerwise beside`, `leaderboard` and `leaderboards`: what they print and write."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from layerwise import open_workspace
from layerwise.comparing.benchmark import Benchmark
from layerwise.comparing.leaderboards import LeaderboardStore
from layerwise.versions import parse_reference

FASHION = ["vision/fashion:conv", "vision/fashion:dense"]


@pytest.fixture
def shoe(tmp_path):
    picture = np.full((28, 28), 255, np.uint8)
    picture[12:20, 4:24] = 40
    picture[16:22, 4:26] = 20
    Image.fromarray(picture).save(tmp_path / "shoe.png")
    return tmp_path / "shoe.png"


def test_answers_and_costs_of_shipped_networks(layerwise, shoe):
    result = layerwise("beside", *FASHION, "--input", str(shoe), "--repeats", "1")
    assert result.status == 0, result.error
    lines = result.output.splitlines()
    assert lines[0] == FASHION[0]
    assert "278,890" in result.output
    assert "670,730" in result.output
    assert "ms an answer" in result.output
    assert "CPU" in result.output or "GPU" in result.output


def test_json_says_the_same(layerwise, shoe):
    found = layerwise("beside", *FASHION, "-i", str(shoe), "--json").json
    assert [item["model"] for item in found] == FASHION
    for item in found:
        assert item["says"] == item["answer"]["label"]
        assert sum(item["answer"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert item["seconds"] > 0
        assert item["weights_bytes"] == pytest.approx(4 * item["num_parameters"], rel=0.02)
    assert found[0]["differs"] is (found[0]["says"] != found[1]["says"])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["vision/fashion:conv", "-i", "shoe.png"], "2 to 8 models"),
        ([*FASHION], "Picture is missing"),
        ([*FASHION, "-i", "a.png", "-i", "b.png"], "There is no file"),
        (["vision/fashion", "language/sentiment", "-i", "x"], "cannot be asked the same"),
        (["vision/fashion", "vision/fashoin", "-i", "x"], "did you mean"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(layerwise, words, what):
    result = layerwise("beside", *words)
    assert (result.status, result.output) == (1, "")
    assert what in result.error
    assert "Traceback" not in result.error


@pytest.fixture
def kept(toy):
    """A leaderboard as its process would have left it."""
    with open_workspace(toy) as workspace:
        references = [workspace.predictor.version(name).reference for name in FASHION]
    board = LeaderboardStore(toy).create(references, Benchmark(dataset="fashion-mnist", limit=10), "accuracy")
    for place, (reference, hits, seconds) in enumerate(
        zip(references, ("1111111100", "1101111110"), (0.002, 0.001), strict=True)
    ):
        share = hits.count("1") / 10
        board.keep(
            place,
            {
                "reference": reference,
                "sha256": "0",
                "split": "test",
                "count": 10,
                "examples": "same",
                "metrics": {"accuracy": share, "log_loss": 0.5},
                "interval": {"accuracy": [share - 0.1, share + 0.1]},
                "resampled": {"accuracy": [share, share + 0.01]},
                "hits": hits,
                "seconds": seconds,
                "num_parameters": 100 * (place + 1),
                "weights_bytes": 400,
                "where": "CPU",
            },
        )
    board.append("stopped", reason="Somebody asked it to stop.")
    return board


def test_a_kept_leaderboard_is_listed_shown_written_and_deleted(layerwise, kept, tmp_path):
    listed = layerwise("leaderboards", "--json").json
    assert [(item["leaderboard"], item["state"], item["models"]) for item in listed] == [(kept.id, "stopped", 2)]
    models, pairs, text = tmp_path / "models.csv", tmp_path / "pairs.csv", tmp_path / "board.md"
    words = ("--csv", str(models), "--pairs-csv", str(pairs), "--markdown", str(text))
    result = layerwise("leaderboards", kept.id[-4:], *words)
    assert result.status == 0, result.error
    assert "fashion-mnist, test, 10 examples" in result.output
    assert "1 against 2" in result.output
    assert "may be chance" in result.output
    assert f"layerwise leaderboards {kept.id[-4:]} --resume" in result.output
    with models.open(newline="") as file:
        rows = {row["model"]: row["on_front_of"] for row in csv.DictReader(file)}
    # Equally right: the quick one and the small one are each the best that can be had for something.
    assert rows == {f"{FASHION[0]}@shipped": "num_parameters", f"{FASHION[1]}@shipped": "seconds"}
    with pairs.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["test"], row["only_one"], row["only_other"]) == ("McNemar", "1", "1")
    assert text.read_text().startswith("# Leaderboard: fashion-mnist, test, 10 examples")
    found = layerwise("leaderboards", kept.id, "--json").json
    assert found["pairs"][0]["p"] == 1.0
    assert "is deleted" in layerwise("leaderboards", kept.id, "--delete").output
    assert layerwise("leaderboards", "--json").json == []
    assert "no leaderboard" in layerwise("leaderboards", kept.id).error


@pytest.mark.slow
def test_a_leaderboard_of_two_runs_from_one_command(layerwise, toy):
    import keras
    from layerwise_toy import build

    from layerwise import weights
    from layerwise.registry import Registry
    from layerwise.runs import RunStore

    spec = Registry(toy).snapshot().model("toy/bars")
    runs = []
    for seed in (1, 2):
        run = RunStore(toy).create(spec, None, spec.variant().config)
        keras.utils.set_random_seed(seed)
        record = {"name": spec.name, "variant": run.variant, "task": spec.task.parameters(), "config": run.config}
        weights.save(build(spec.variant().config, spec.task), run.folder / "version", record)
        runs.append(run)
    names = [f"toy/bars@{run.id}" for run in runs]
    result = layerwise("leaderboard", *names, "--limit", "50", "--json")
    assert result.status == 0, result.error
    board = json.loads(result.output)
    assert (board["state"], board["count"], board["data"]) == ("finished", 50, "bars")
    assert {parse_reference(item["reference"]).version for item in board["models"]} == {run.id for run in runs}
    assert board["pairs"][0]["test"] == "McNemar"
    assert [item["leaderboard"] for item in layerwise("leaderboards", "--json").json] == [board["id"]]
