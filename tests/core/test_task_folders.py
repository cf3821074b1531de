"""Folders of pictures by class."""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwise.errors import DataError
from layerwise.own_data import DataReport
from layerwise.tasks import ImageClassification, decoding
from layerwise.tasks.folders import held_out, scan_classes

TASK = ImageClassification(labels=("x", "y"), size=(8, 8), channels=1)


def write_picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 256, [10, 12, 3]).astype("uint8")
    Image.fromarray(array).save(path)


def read(folder: Path) -> tuple:
    data = TASK.read_folder(folder)
    return data.task, data.splits


@pytest.fixture
def pets(tmp_path) -> Path:
    """20 dogs and 10 cats."""
    for label, count in (("dog", 20), ("cat", 10)):
        for index in range(count):
            write_picture(tmp_path / "pets" / label / f"{index}.png", seed=index)
    return tmp_path / "pets"


def test_labels_and_pictures_follow_the_folders(pets):
    task, splits = read(pets)
    assert task.labels == ("cat", "dog")
    assert (task.size, task.channels) == (TASK.size, TASK.channels)
    assert set(splits) == {"train", "test"}
    assert len(splits["train"]) + len(splits["test"]) == 30
    files = scan_classes(pets, [".png"]).splits
    for name, split in splits.items():
        assert split.inputs.dtype == np.uint8
        for file, picture, target in zip(files[name], split.inputs, split.targets, strict=True):
            assert np.array_equal(picture, TASK.encode({"image": file.path})[0])
            assert task.labels[target] == file.label


def test_the_same_pictures_are_held_out_whatever_is_added(pets):
    before = {file.path for file in scan_classes(pets, [".png"]).splits["test"]}
    for index in range(20, 40):
        write_picture(pets / "dog" / f"{index}.png", seed=index)
    after = {file.path for file in scan_classes(pets, [".png"]).splits["test"]}
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
    _, splits = read(tmp_path)
    assert sorted(splits["train"].targets) == sorted(splits["test"].targets) == [0, 1]


def test_train_test_and_validation_folders_are_taken_as_they_are(tmp_path):
    counts = {"train": 3, "test": 2, "val": 1}
    for split, count in counts.items():
        for label in "ab":
            for index in range(count):
                write_picture(tmp_path / split / label / f"{index}.png", index)
    task, splits = read(tmp_path)
    assert {name: len(split) for name, split in splits.items()} == {"train": 6, "test": 4, "validation": 2}
    assert task.labels == ("a", "b")


def test_a_class_may_be_called_train(tmp_path):
    for label in ("train", "bus"):
        for index in range(3):
            write_picture(tmp_path / label / f"{index}.png", index)
    assert TASK.read_folder(tmp_path).task.labels == ("bus", "train")


def test_an_unpacked_archive_may_have_a_folder_around_it(pets, tmp_path):
    (tmp_path / "__MACOSX").mkdir()
    assert TASK.read_folder(tmp_path).task.labels == ("cat", "dog")


def test_hidden_and_other_files_do_not_count(pets):
    (pets / "cat" / "._1.png").write_bytes(b"\0")
    (pets / "cat" / "notes.txt").write_text("nice cats")
    (pets / ".git").mkdir()
    data = TASK.read_folder(pets)
    assert sum(map(len, data.splits.values())) == 30
    assert "Files of other kinds do not count: 1 .txt." in data.report.warnings


def test_pictures_in_deeper_folders_belong_to_their_class(pets):
    write_picture(pets / "cat" / "siamese" / "deep.JPG")
    _, splits = read(pets)
    assert sum(int(np.sum(np.asarray(split.targets) == 0)) for split in splits.values()) == 11


def test_a_few_unreadable_pictures_are_left_out_with_a_warning(pets):
    (pets / "dog" / "0.png").write_text("not a picture")
    data = TASK.read_folder(pets)
    assert data.report.warnings[0].startswith("1 of 30 files cannot be read: dog/0.png (This file")
    assert [(item.name, item.reason) for item in data.report.unreadable] == [
        ("dog/0.png", "This file cannot be read as a picture")
    ]
    assert sum(map(len, data.splits.values())) == 29


def test_a_folder_of_which_no_picture_can_be_read_is_refused(pets):
    for path in pets.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="30 of 30 files cannot be read"):
        TASK.read_folder(pets)


def test_many_unreadable_pictures_are_refused_by_name(pets):
    for index in range(8):
        (pets / "dog" / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"8 of 30 files.*dog/0\.png.*and 3 more"):
        TASK.read_folder(pets)


def test_a_class_whose_pictures_are_unreadable_is_refused(pets):
    for index in range(2):
        (pets / "bird").mkdir(exist_ok=True)
        (pets / "bird" / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"these classes can be read.*bird"):
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
    _, splits = read(pets)
    assert sum(map(len, splits.values())) == 31


def test_more_than_fits_on_the_disk_is_refused(pets, monkeypatch):
    monkeypatch.setattr(decoding, "LARGEST_BYTES", 29 * 64)
    with pytest.raises(DataError, match="too large"):
        TASK.read_folder(pets)


# What is kept of them


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "prepared").iterdir())


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_pictures_are_decoded_once(pets, cache, monkeypatch):
    first = TASK.read_folder(pets)
    (entry,) = entries(cache)
    monkeypatch.setattr(decoding, "load_image", None)
    again = TASK.read_folder(pets)
    assert again.report == first.report
    assert again.task == first.task
    for name, split in first.splits.items():
        assert np.array_equal(split.inputs, again.splits[name].inputs)
        assert np.array_equal(split.targets, again.splits[name].targets)
        assert isinstance(again.splits[name].inputs, np.memmap), "read from the disk where it is needed"
    assert entries(cache) == [entry]


def test_a_change_is_seen_and_the_former_state_removed(pets, cache):
    TASK.read_folder(pets)
    write_picture(pets / "cat" / "10.png", 99)
    assert sum(map(len, TASK.read_folder(pets).splits.values())) == 31
    other = ImageClassification(labels=("x", "y"), size=(4, 4), channels=1)
    assert other.read_folder(pets).splits["train"].inputs.shape[1:] == (4, 4, 1)
    assert len(entries(cache)) == 2, "one for each size, none for the former state"
    shutil.rmtree(pets)
    write_picture(pets.parent / "others" / "a" / "1.png", 1)
    for name in ("a/2.png", "b/1.png", "b/2.png"):
        write_picture(pets.parent / "others" / name, 2)
    TASK.read_folder(pets.parent / "others")
    assert len(entries(cache)) == 1, "what was made of folders that are gone is removed"


def test_a_cache_that_cannot_be_written_to_is_a_sentence(pets, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="LAYERWISE_CACHE"):
        TASK.read_folder(pets)


# What is said of them


def test_the_report_counts_measures_and_shows(pets):
    report = TASK.read_folder(pets).report
    assert report.summary.startswith("30 pictures of 2 classes: ")
    assert {label: sum(counts.values()) for label, counts in report.classes.items()} == {"cat": 10, "dog": 20}
    assert report.sizes == {"width in pixels": (12, 12, 12), "height in pixels": (10, 10, 10)}
    assert [sample.label for sample in report.examples] == ["cat"] * 3 + ["dog"] * 3
    assert all((Path(report.path) / sample.value).is_file() for sample in report.examples)
    assert report.warnings[0] == "Fewer than 10 pictures to learn from: cat."
    assert DataReport.from_json(json.loads(json.dumps(report.as_json()))) == report
    assert f"cat: {report.counts_of('cat')}" in report.as_text()


def test_pictures_in_both_splits_are_pointed_out(tmp_path):
    for split, seeds in (("train", range(4)), ("test", (3, 4))):
        for label in "ab":
            for seed in seeds:
                write_picture(tmp_path / split / label / f"{seed}.png", seed + 10 * ord(label))
    (warning,) = [text for text in TASK.read_folder(tmp_path).report.warnings if "as well" in text]
    assert warning.startswith("2 different pictures of test are in the training data as well")
    assert "test/a/3.png = train/a/3.png" in warning


def test_a_class_that_is_much_larger_is_pointed_out(tmp_path):
    for label, count in (("a", 2), ("b", 60)):
        for index in range(count):
            write_picture(tmp_path / label / f"{index}.png", index)
    assert any(text.startswith("b has ") for text in TASK.read_folder(tmp_path).report.warnings)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_huge_and_strange_files_are_named_with_their_reason(pets, monkeypatch):
    (pets / "dog" / "bomb.png").write_bytes(png_of_size(12_000, 12_000))
    (pets / "cat" / "gone.png").symlink_to(pets / "nothing.png")
    monkeypatch.setattr(decoding, "LARGEST_FILE", 10_000)
    (pets / "dog" / "huge.png").write_bytes(bytes(10_001))
    found = {item.name: item.reason for item in TASK.read_folder(pets).report.unreadable}
    assert found == {
        "cat/gone.png": "There is no such file",
        "dog/bomb.png": "The picture is too large",
        "dog/huge.png": "The file is larger than 0 MiB",
    }


def png_of_size(width: int, height: int) -> bytes:
    """The head of a PNG that says it is so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT"


@pytest.mark.long
def test_a_hundred_thousand_pictures(tmp_path, cache):
    """Found, decoded and described; what is kept in memory is far less than the pictures are."""
    task = ImageClassification(labels=("x", "y"), size=(64, 64), channels=3)
    for label in map(str, range(10)):
        # One for each class: a file can have 65,000 names at most.
        picture = tmp_path / "many" / label / "0.png"
        write_picture(picture, int(label))
        for index in range(1, 10_000):
            os.link(picture, tmp_path / "many" / label / f"{index}.png")
    tracemalloc.start()
    data = task.read_folder(tmp_path / "many")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(data.report.splits.values()) == 100_000
    assert len(json.dumps(data.report.as_json())) < 20_000
    assert peak < 200 * 2**20 < 100_000 * 64 * 64 * 3
    begin = time.perf_counter()
    assert task.read_folder(tmp_path / "many").report == data.report
    assert time.perf_counter() - begin < 30
