"""What models are measured on beside each other: labels by their names, pictures as each model takes them."""

import dataclasses

import numpy as np
import pytest
import sample_models as samples
from PIL import Image

from layerwise import DatasetSpec, Source
from layerwise.comparing.benchmark import find_benchmark
from layerwise.errors import DataError
from layerwise.leaderboard import leaderboard
from layerwise.runner import Runner
from layerwise.splits import Split
from layerwise.tasks import ImageClassification
from layerwise.tasks.labels import places_of


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")


class Brightness(Runner):
    """Dark or bright, by the mean of the pixels of what the task gives; the threshold is in the code."""

    def __init__(self, version):
        self.labels = [label.casefold() for label in version.task.labels]

    def run(self, inputs, session, cancelled):
        raise NotImplementedError

    def outputs(self, batch):
        bright = np.asarray(batch, float).mean(axis=(1, 2, 3)) / 255 - 0.5
        columns = {"dark": -bright, "bright": bright}
        return np.stack([columns.get(label, np.full(len(bright), -9.0)) for label in self.labels], axis=1)


def shade(name, labels, size, channels=1, data=None):
    task = ImageClassification(labels=labels, size=size, channels=channels)
    return samples.spec_of(name, task=task, runner=Brightness, data=data)


SMALL = shade("shade/small", ("dark", "bright"), (8, 8))
OTHER = shade("shade/other", ("Bright", "Grey", "DARK"), (5, 5), channels=3)
STRANGE = shade("shade/strange", ("cat", "dog"), (8, 8))


def shaded(level, side):
    """A picture of that mean brightness, not of a single colour."""
    rows = np.where(np.arange(side) % 2, level + 5, level - 5)
    return np.repeat(rows[:, None], side, axis=1).astype(np.uint8)


def shades(files):
    levels = np.random.default_rng(3).permutation(np.arange(10, 250, 6))
    pictures = np.stack([shaded(level, 8) for level in levels])[..., None]
    targets = (levels > 127).astype(np.int32)
    return {"train": Split(pictures[:20], targets[:20]), "test": Split(pictures[20:], targets[20:])}


SHADES = DatasetSpec(
    name="shades", title="Shades", sources=(Source(name="made", read="test_benchmark:shades", licence="CC0-1.0"),)
)


@pytest.fixture
def pictures(tmp_path):
    """A folder of dark and bright pictures, told apart by the mean of their pixels."""
    folder = tmp_path / "shades"
    for label, levels in (("dark", range(10, 70, 4)), ("bright", range(180, 240, 4))):
        (folder / "test" / label).mkdir(parents=True)
        (folder / "train" / label).mkdir(parents=True)
        for level in levels:
            for part in ("train", "test"):
                picture = Image.fromarray(shaded(level + (part == "test"), 12))
                picture.save(folder / part / label / f"{level}.png")
    return folder


def test_labels_in_another_order_and_with_capitals_are_matched_by_name(workspace_of, pictures):
    workspace = workspace_of(SMALL, OTHER)
    board = leaderboard(workspace, ["shade/small", "shade/other"], data=pictures)
    assert [item.get("error") for item in board["models"]] == [None, None]
    assert [item["metrics"]["accuracy"] for item in board["models"]] == [1.0, 1.0]
    assert (board["count"], board["pairs"][0]["test"], board["pairs"][0]["p"]) == (30, "McNemar", 1.0)


def test_labels_that_a_model_does_not_know_are_said_in_a_sentence(workspace_of, pictures):
    workspace = workspace_of(SMALL, STRANGE, OTHER)
    board = leaderboard(workspace, ["shade/strange", "shade/small", "shade/other"], data=pictures)
    assert [item["reference"] for item in board["models"] if "place" in item] == [
        "shade/small:default@code",
        "shade/other:default@code",
    ]
    assert "labels that the model does not know" in board["models"][2]["error"]


def test_pictures_of_a_data_set_are_framed_for_a_model_that_takes_others(workspace_of, tmp_path):
    owner = dataclasses.replace(SMALL, data="shades")
    workspace = workspace_of(owner, OTHER, datasets=[SHADES])
    samples.promoted(tmp_path, owner, {"nothing": np.zeros(1)})
    board = leaderboard(workspace, ["shade/other", "shade/small"])
    assert board["data"] == "shades", "the one that has data says on which all are measured"
    assert [item["metrics"]["accuracy"] for item in board["models"]] == [1.0, 1.0]
    assert board["count"] == 20


def test_models_of_different_data_are_refused_until_the_data_are_named(workspace_of, tmp_path):
    one, other = dataclasses.replace(SMALL, data="shades"), dataclasses.replace(OTHER, data="grades")
    workspace = workspace_of(one, other, datasets=[SHADES])
    for spec in (one, other):
        samples.promoted(tmp_path, spec, {"nothing": np.zeros(1)})
    with pytest.raises(DataError, match=r"different data.*shades.*grades.*--data FOLDER"):
        leaderboard(workspace, ["shade/small", "shade/other"])
    assert leaderboard(workspace, ["shade/small", "shade/other"], data="shades")["count"] == 20
    with pytest.raises(DataError, match="no data set"):
        leaderboard(workspace_of(SMALL, STRANGE), ["shade/small", "shade/strange"])


def test_labels_are_the_same_in_capitals_unless_a_model_tells_them_apart():
    assert places_of(("Ankle boot", "T-shirt"), ("t shirt", "ankle_boot"), "d") == [1, 0]
    assert places_of(("US",), ("us", "US"), "d") == [1]
    with pytest.raises(DataError, match="Us"):
        places_of(("Us",), ("us", "US"), "d")


def test_a_limit_draws_from_all_classes_of_a_folder(workspace_of, pictures):
    board = leaderboard(workspace_of(SMALL, OTHER), ["shade/small", "shade/other"], data=pictures, limit=10)
    # Were these the first ten, macro F1 would be that of one class.
    assert board["count"] == 10
    workspace = workspace_of(SMALL, OTHER)
    versions = [workspace.predictor.version(name) for name in ("shade/small", "shade/other")]
    from layerwise.comparing.benchmark import examples_for

    benchmark = find_benchmark(workspace, versions, pictures, limit=10)
    targets = [np.asarray(examples_for(workspace.registry, version, benchmark)[1].targets) for version in versions]
    assert set(targets[0]) == {0, 1}
    assert [SMALL.task.labels[place] for place in targets[0]] == [
        OTHER.task.labels[place].lower() for place in targets[1]
    ]
