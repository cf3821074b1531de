"""check, uploads, and training on what was brought."""

from __future__ import annotations

import csv
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwise.own_data import REPORT_FILE
from layerwise.runs import RunStore


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A zip archive of 24 dark and 24 bright pictures."""
    rng = np.random.default_rng(0)
    for label, level in (("bright", 220), ("dark", 20)):
        (tmp_path / "own" / label).mkdir(parents=True)
        for index in range(24):
            pixels = np.clip(rng.normal(level, 8, (8, 8)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "own" / label / f"{index}.png")
    with zipfile.ZipFile(tmp_path / "lamps.zip", "w") as archive:
        for path in (tmp_path / "own").rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path))
    return tmp_path / "lamps.zip"


@pytest.mark.slow
def test_from_an_archive_to_a_version_with_its_labels(layerwise, toy, pictures, tmp_path):
    trained = layerwise("train", "toy/bars", "--data", str(pictures), "--num-epochs", "30", "--promote")
    assert trained.status == 0, trained.error
    assert "48 pictures of 2 classes" in trained.output
    (upload,) = layerwise("uploads", "--json").json
    (run,) = RunStore(toy).list()
    assert run.data == upload["folder"]
    assert '"dark"' in (run.folder / REPORT_FILE).read_text()
    pictures.unlink()
    (found,) = layerwise("predict", "toy/bars", str(tmp_path / "own" / "dark" / "3.png"), "--json").json
    assert found["answer"]["label"] == "dark"
    assert set(found["answer"]["probabilities"]) == {"bright", "dark"}
    measured = layerwise("evaluate", "toy/bars", "--json").json
    assert (measured["source"], measured["split"]) == ("folder", "test")
    assert measured["metrics"]["accuracy"] == 1
    assert layerwise("evaluate", "toy/bars", "--data", upload["id"], "--json").json["count"] == measured["count"]
    assert layerwise("uploads", "--delete", upload["id"]).status == 0
    assert layerwise("uploads", "--json").json == []
    gone = layerwise("evaluate", "toy/bars")
    assert gone.status == 1
    assert "no such folder" in gone.error


@pytest.mark.slow
def test_fine_tuning_begins_with_the_version_in_use(layerwise, toy, pictures):
    assert layerwise("train", "toy/bars", "--num-epochs", "2", "--hidden-units", "8", "--promote").status == 0
    tuned = layerwise("train", "toy/bars", "--data", str(pictures), "--from", "in-use", "--num-epochs", "2")
    assert tuned.status == 0, tuned.error
    run, former = RunStore(toy).list()
    assert run.start_from == former.id
    assert run.config["hidden_units"] == [8]  # the network of that version, though it is not the usual one
    unknown = layerwise("train", "toy/bars", "--from", "yesterday")
    assert unknown.status == 1
    assert "no version 'yesterday'" in unknown.error


def test_check_says_what_was_seen(layerwise, pictures):
    shown = layerwise("check", "toy/bars", str(pictures))
    assert shown.status == 0
    assert "48 pictures of 2 classes" in shown.output
    assert "width in pixels" in shown.output
    report = layerwise("check", "toy/bars", str(pictures), "--json").json
    assert sum(report["classes"]["dark"].values()) == 24
    assert "A folder for each class" in layerwise("check", "toy/bars").output


def test_what_cannot_be_trained_on_is_said_before_anything_starts(layerwise, toy, tmp_path):
    (tmp_path / "empty").mkdir()
    for words in (
        ("check", "toy/bars", str(tmp_path / "empty")),
        ("train", "toy/bars", "--data", str(tmp_path / "empty")),
    ):
        result = layerwise(*words)
        assert result.status == 1
        assert "No class is found in the folder" in result.error
    assert RunStore(toy).list() == []


def test_a_bad_archive_is_a_sentence(layerwise, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    result = layerwise("train", "toy/bars", "--data", str(tmp_path / "bad.zip"))
    assert result.status == 1
    assert "bad.zip is no zip archive" in result.error


def test_tables_are_brought_by_name(layerwise, tmp_path):
    with (tmp_path / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("age", "label"), *((index, "no") for index in range(9))])
    added = layerwise("uploads", "--add", str(tmp_path / "people.csv"), "--json").json
    assert added[0]["id"].startswith("people-")
    assert "people.csv" in layerwise("uploads").output


@pytest.mark.slow
def test_an_example_is_written_checked_and_trained_on(layerwise, toy, tmp_path):
    folder = tmp_path / "my example"
    written = layerwise("sample", "toy/bars", str(folder))
    assert written.status == 0, written.error
    commands = [shlex.split(line) for line in written.output.splitlines() if line.startswith("  layerwise")]
    assert commands == [
        ["layerwise", "check", "toy/bars", str(folder)],
        ["layerwise", "train", "toy/bars", "--data", str(folder)],
    ]
    for _, *words in commands:
        shown = layerwise(*words)
        assert shown.status == 0, shown.error
        assert "72 pictures of 3 classes" in shown.output
    (run,) = RunStore(toy).list()
    assert run.state == "finished"


def test_an_example_takes_no_folder_that_is_in_use(layerwise, tmp_path):
    (tmp_path / "mine.txt").write_text("dear to me")
    refused = layerwise("sample", "toy/bars", str(tmp_path))
    assert refused.status == 1
    assert "something already" in refused.error
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.txt"]
    without = layerwise("sample", "rl/cartpole", str(tmp_path / "poles"))
    assert without.status == 1
    assert "control cannot be trained on data of your own" in without.error
    assert not (tmp_path / "poles").exists()


def test_the_variant_says_what_data_must_be(layerwise, tmp_path):
    assert layerwise("sample", "rl/go:7x7", str(tmp_path / "games")).status == 0
    assert layerwise("check", "rl/go:7x7", str(tmp_path / "games")).status == 0
    other = layerwise("check", "rl/go:5x5", str(tmp_path / "games"))
    assert other.status == 1
    assert "not of 5 by 5" in other.error
