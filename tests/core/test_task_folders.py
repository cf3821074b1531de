"""Folders of pictures by class."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwise.errors import DataError
from layerwise.tasks import ImageClassification
from layerwise.tasks import image_folder as image_folder_module
from layerwise.tasks.folders import held_out, scan_classes

TASK = ImageClassification(labels=("x", "y"), size=(8, 8), channels=1)


def write_picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 256, [10, 12, 3]).astype("uint8")
    Image.fromarray(array).save(path)


@pytest.fixture
def pets(tmp_path) -> Path:
    """20 dogs and 10 cats."""
    for label, count in (("dog", 20), ("cat", 10)):
        for index in range(count):
            write_picture(tmp_path / "pets" / label / f"{index}.png", seed=index)
    return tmp_path / "pets"


def test_labels_and_pictures_follow_the_folders(pets):
    task, splits = TASK.read_folder(pets)
    assert task.labels == ("cat", "dog")
    assert (task.size, task.channels) == (TASK.size, TASK.channels)
    assert set(splits) == {"train", "test"}
    assert len(splits["train"]) + len(splits["test"]) == 30
    files = scan_classes(pets, [".png"])
    for name, split in splits.items():
        assert split.inputs.dtype == np.uint8
        for file, picture, target in zip(files[name], split.inputs, split.targets, strict=True):
            assert np.array_equal(picture, TASK.encode({"image": file.path})[0])
            assert task.labels[target] == file.label


def test_the_same_pictures_are_held_out_whatever_is_added(pets):
    before = {file.path for file in scan_classes(pets, [".png"])["test"]}
    for index in range(20, 40):
        write_picture(pets / "dog" / f"{index}.png", seed=index)
    after = {file.path for file in scan_classes(pets, [".png"])["test"]}
    assert before <= after


def test_about_a_fifth_is_held_out_of_each_class():
    keys = [f"{label}/{index}.png" for label in "ab" for index in range(2000)]
    chosen = held_out(keys, [key[0] for key in keys])
    assert np.mean(chosen[:2000]) == pytest.approx(0.2, abs=0.03)
    assert np.mean(chosen[2000:]) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_small_classes_have_an_example_on_either_side(count):
    for name in range(50):
        chosen = held_out([f"{name}/{index}" for index in range(count)], ["a"] * count)
        assert 0 < sum(chosen) < count


def test_two_pictures_of_each_class_are_enough(tmp_path):
    for label in "ab":
        for index in range(2):
            write_picture(tmp_path / label / f"{index}.png", index)
    _, splits = TASK.read_folder(tmp_path)
    assert sorted(splits["train"].targets) == sorted(splits["test"].targets) == [0, 1]


def test_train_test_and_validation_folders_are_taken_as_they_are(tmp_path):
    counts = {"train": 3, "test": 2, "val": 1}
    for split, count in counts.items():
        for label in "ab":
            for index in range(count):
                write_picture(tmp_path / split / label / f"{index}.png", index)
    task, splits = TASK.read_folder(tmp_path)
    assert {name: len(split) for name, split in splits.items()} == {"train": 6, "test": 4, "validation": 2}
    assert task.labels == ("a", "b")


def test_a_class_may_be_called_train(tmp_path):
    for label in ("train", "bus"):
        for index in range(3):
            write_picture(tmp_path / label / f"{index}.png", index)
    assert TASK.read_folder(tmp_path)[0].labels == ("bus", "train")


def test_an_unpacked_archive_may_have_a_folder_around_it(pets, tmp_path):
    (tmp_path / "__MACOSX").mkdir()
    assert TASK.read_folder(tmp_path)[0].labels == ("cat", "dog")


def test_hidden_and_other_files_do_not_count(pets):
    (pets / "cat" / "._1.png").write_bytes(b"\0")
    (pets / "cat" / "notes.txt").write_text("nice cats")
    (pets / ".git").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, splits = TASK.read_folder(pets)
    assert sum(map(len, splits.values())) == 30


def test_pictures_in_deeper_folders_belong_to_their_class(pets):
    write_picture(pets / "cat" / "siamese" / "deep.JPG")
    _, splits = TASK.read_folder(pets)
    assert sum(int(np.sum(np.asarray(split.targets) == 0)) for split in splits.values()) == 11


def test_a_few_unreadable_pictures_are_left_out_with_a_warning(pets):
    (pets / "dog" / "0.png").write_text("not a picture")
    with pytest.warns(UserWarning, match=r"1 of 30 files cannot be read: dog/0\.png \(This file"):
        _, splits = TASK.read_folder(pets)
    assert sum(map(len, splits.values())) == 29


def test_many_unreadable_pictures_are_refused_by_name(pets):
    for index in range(8):
        (pets / "dog" / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"8 of 30 files.*dog/0\.png.*and 3 more"):
        TASK.read_folder(pets)


def test_a_class_whose_pictures_are_unreadable_is_refused(pets):
    for index in range(2):
        (pets / "bird").mkdir(exist_ok=True)
        (pets / "bird" / f"{index}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="2 of 32"), pytest.raises(DataError, match=r"these classes can be read.*bird"):
        TASK.read_folder(pets)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([], "a folder for each class"),
        (["1.png", "2.png"], "0 folders and 2 files"),
        (["a/1.png", "a/2.png"], "two classes"),
        (["a/1.png", "a/2.png", "b/1.png"], "b: 1"),
        (["a/1.txt", "b/1.txt"], r"\.png"),
        (["train/a/1.png", "train/a/2.png", "train/b/1.png", "train/b/2.png", "test/c/1.png"], "c"),
        (["train/a/1.png", "test/a/1.png", "labels/a.png"], "labels"),
    ],
)
def test_other_layouts_are_refused(tmp_path, files, text):
    for name in files:
        write_picture(tmp_path / name) if name.endswith("png") else (tmp_path / name).parent.mkdir(parents=True)
    with pytest.raises(DataError, match=text):
        TASK.read_folder(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        TASK.read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("link", ["cat/secret.png", "bird", "cat/more"])
def test_links_that_lead_outside_are_refused(pets, tmp_path, link):
    write_picture(tmp_path / "outside" / "secret.png")
    outside = tmp_path / "outside"
    (pets / link).symlink_to(outside / "secret.png" if link.endswith("png") else outside)
    with pytest.raises(DataError, match="leads out of the folder"):
        TASK.read_folder(pets)


def test_links_that_stay_inside_are_followed_once(pets):
    (pets / "dog" / "again.png").symlink_to(pets / "dog" / "0.png")
    (pets / "cat" / "loop").symlink_to(pets)
    _, splits = TASK.read_folder(pets)
    assert sum(map(len, splits.values())) == 31


def test_more_than_fits_in_memory_is_refused(pets, monkeypatch):
    monkeypatch.setattr(image_folder_module, "LARGEST_BYTES", 29 * 64)
    with pytest.raises(DataError, match="at most 29 pictures"):
        TASK.read_folder(pets)
