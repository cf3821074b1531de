"""Pictures of a user's own with masks: folders of each form, and models measured on them."""

import numpy as np
import pytest
from PIL import Image
from segmentation_samples import CELLS, TASK, discs

from layerwise.errors import DataError
from layerwise.tasks import ImageSegmentation
from layerwise.tasks.segmentation import metrics


@pytest.fixture
def folder(tmp_path):
    """Ten pictures with masks of each form that is taken."""
    root = tmp_path / "cells"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for number in range(10):
        labels = np.roll(CELLS, 3 * number, axis=1)
        picture = np.where(labels[..., None] > 0, 200, 30) + np.arange(3)
        Image.fromarray(picture.astype("uint8")).save(root / "images" / f"{number}.png")
        if number % 3 == 0:
            Image.fromarray(labels.astype("uint16")).save(root / "masks" / f"{number}.png")
        elif number % 3 == 1:
            (root / "masks" / f"{number}").mkdir()
            for thing in (1, 2, 3, 4):
                mask = Image.fromarray((255 * (labels == thing)).astype("uint8"))
                mask.save(root / "masks" / f"{number}" / f"{thing}.png")
        else:
            Image.fromarray(labels > 0).save(root / "masks" / f"{number}.png")
    return root


def test_masks_of_each_form_are_read(folder):
    own = TASK.read_folder(folder)
    assert own.task == TASK
    assert sum(map(len, own.splits.values())) == 10
    assert min(map(len, own.splits.values())) >= 1
    counts = {}
    for split in own.splits.values():
        for place in range(len(split)):
            picture, labels = split.inputs[place], split.targets[place]
            assert picture.shape == (70, 90, 3)
            counts[int(np.unique(labels[labels > 0]).size)] = counts.get(int(np.unique(labels[labels > 0]).size), 0) + 1
    # In black and white two that touch are one; rolled over the border one is two.
    assert counts[4] >= 6
    assert set(counts) <= {3, 4, 5}
    assert own.report.what == "pictures"
    assert own.report.sizes["width in pixels"] == (90, 90, 90)
    assert "things in a picture" in own.report.sizes


@pytest.mark.parametrize("form", ["colour.png", "grey.png", "lossy.jpg"])
def test_masks_in_colour_and_lossy_ones_are_read(tmp_path, form):
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [250, 0, 0]], "uint8")
    drawn = {"colour.png": colours[CELLS], "grey.png": np.repeat(50 * CELLS[..., None], 3, axis=2).astype("uint8")}
    drawn["lossy.jpg"] = 255 * (drawn["grey.png"] > 0).astype("uint8")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for name in "abc":
            picture = drawn[form] if folder == "masks" else drawn["grey.png"] + np.uint8(ord(name))
            Image.fromarray(picture).save(tmp_path / folder / f"{name}{form[-4:]}")
    splits = TASK.read_folder(tmp_path).splits
    labels = splits["train"].targets[0]
    # Of black and white the two that touch are one.
    assert np.unique(labels).tolist() == list(range(4 if form == "lossy.jpg" else 5))
    assert metrics.score_instances(labels, CELLS).dice > 0.99


def test_a_folder_for_each_picture_is_read(folder):
    """As the Data Science Bowl has them: a folder for each picture, with a mask for each thing."""
    for number in range(10):
        place = folder / "all" / f"{number}"
        (place / "images").mkdir(parents=True)
        (place / "masks").mkdir()
        (folder / "images" / f"{number}.png").rename(place / "images" / f"{number}.png")
        for thing in (1, 2, 3, 4):
            mask = Image.fromarray((255 * (np.roll(CELLS, 3 * number, axis=1) == thing)).astype("uint8"))
            mask.save(place / "masks" / f"{thing}{number}abc.png")
    own = TASK.read_folder(folder / "all")
    assert sum(map(len, own.splits.values())) == 10
    assert all(np.unique(labels).size == 5 for split in own.splits.values() for labels in split.targets[:])


def test_maps_of_one_size_stay_an_array_of_objects(folder):
    """Else NumPy would make one array of them, and of maps of several sizes none."""
    targets = np.asarray(TASK.read_folder(folder).splits["train"].targets)
    assert (targets.dtype, targets.ndim) == (object, 1)


def test_whoever_divides_the_pictures_is_followed(folder):
    for split in ("train", "test"):
        (folder / split / "images").mkdir(parents=True)
        (folder / split / "masks").mkdir(parents=True)
    for number in (0, 3, 6, 9):
        split = "test" if number == 9 else "train"
        for kind in ("images", "masks"):
            (folder / kind / f"{number}.png").rename(folder / split / kind / f"{number}.png")
    for kind in ("images", "masks"):
        (folder / kind).rename(folder.parent / f"old {kind}")
    splits = TASK.read_folder(folder).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 3, "test": 1}


def test_pictures_without_masks_and_masks_of_other_sizes_are_named(folder):
    (folder / "masks" / "0.png").unlink()
    assert any("1 pictures have no mask" in warning for warning in TASK.read_folder(folder).report.warnings)
    Image.new("L", (5, 5), 1).save(folder / "masks" / "3.png")
    with pytest.raises(DataError, match="The mask has 5 × 5 pixels, the picture 90 × 70"):
        TASK.read_folder(folder)


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_folder_of_another_form_says_what_is_expected(folder, missing):
    (folder / missing).rename(folder / "other")
    with pytest.raises(DataError, match="images and masks"):
        TASK.read_folder(folder)


def test_areas_of_named_classes(folder):
    task = ImageSegmentation(labels=("x",), instances=False, tile=64)
    with pytest.raises(DataError, match=r"labels\.txt"):
        task.read_folder(folder)
    (folder / "labels.txt").write_text("cell\nfat cell\nlean cell\nold cell\n")
    for number in range(10):
        mask = folder / "masks" / f"{number}"
        if mask.is_dir():
            for path in mask.iterdir():
                path.unlink()
            mask.rmdir()
        Image.fromarray(np.roll(CELLS, 3 * number, axis=1).astype("uint8")).save(f"{mask}.png")
    own = task.read_folder(folder)
    assert own.task.labels == ("cell", "fat cell", "lean cell", "old cell")
    assert own.task.head.num_outputs == 5
    assert (own.task.metric, TASK.metric) == ("mean_iou", "mean_average_precision_50")
    trained = ImageSegmentation(labels=("old cell", "lean cell", "fat cell", "cell"), instances=False, tile=64)
    for name, split in trained.read_to_measure(folder).items():
        expected = [np.where(labels > 0, 5 - labels, 0) for labels in own.splits[name].targets[:]]
        np.testing.assert_array_equal(np.asarray(split.targets).tolist(), expected)
    with pytest.raises(DataError, match="does not know"):
        task.read_to_measure(folder)
    Image.fromarray(np.full((70, 90), 9, "uint8")).save(folder / "masks" / "0.png")
    with pytest.raises(DataError, match="class without a name"):
        task.read_folder(folder)
    (folder / "labels.txt").write_text("cell\n")
    assert np.unique(task.read_folder(folder).splits["train"].targets[0]).tolist() in ([0, 1], [1]), "black and white"


def build_threshold(config, task):
    """A network that finds what is light, with both of its outputs."""
    import keras

    inputs = keras.Input((task.tile, task.tile, 1))
    scaled = keras.layers.Rescaling(1 / 32, offset=-4.0)(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(2, 1, kernel_initializer="ones")(scaled))


@pytest.mark.parametrize("sizes", [[(70, 90)] * 8, [(70, 90), (40, 200), (64, 64), (130, 66)] * 2])
def test_whole_pictures_of_ones_own_are_measured(tmp_path, sizes):
    import sample_models as samples

    from layerwise.evaluation import evaluate_version, report_of
    from layerwise.versions import VersionStore

    own = tmp_path / "own"
    for folder in ("images", "masks"):
        (own / folder).mkdir(parents=True)
    for number, (height, width) in enumerate(sizes):
        labels = discs(height, width, [(15, 20, 10), (20, width - 15, 8)])
        Image.fromarray(np.where(labels > 0, 220, 20).astype("uint8")).save(own / "images" / f"{number}.png")
        Image.fromarray((255 * (labels > 0)).astype("uint8")).save(own / "masks" / f"{number}.png")
    task = ImageSegmentation(labels=("disc",), tile=64, channels=1)
    spec = samples.spec_of("sample/discs", task=task, build=build_threshold)
    run = samples.promoted(tmp_path, spec, build_threshold(None, task))
    version = VersionStore(tmp_path).get(spec, None, run.id)
    measured = evaluate_version(samples.shelf(spec), version, data=own)
    assert measured["metrics"] == pytest.approx(dict.fromkeys(measured["metrics"], 1.0))
    assert 1 <= measured["count"] < 8
    table, *_ = report_of(samples.shelf(spec), version, data=own)
    assert table.rows[0][1] == measured["count"]
