"""Texts, sounds, pairs of texts and Parquet tables of a user's own."""

from __future__ import annotations

import builtins
import wave
from pathlib import Path

import numpy as np
import pytest

from layerwise.errors import DataError, MissingDependencyError
from layerwise.tasks.audio_folder import read_sounds, sound_info
from layerwise.tasks.parallel_text import read_pairs
from layerwise.tasks.parquet_files import read_parquet
from layerwise.tasks.text_folder import read_texts


def write_text(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_sound(path: Path, seconds: float = 0.5, rate: int = 8000, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-999, 999, int(seconds * rate)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Twenty good and twenty bad reviews."""
    for label in ("good", "bad"):
        for index in range(20):
            write_text(tmp_path / "reviews" / label / f"{index}.txt", f"This is {label}, number {index}.")
    return tmp_path / "reviews"


def test_texts_in_files_are_read_when_they_are_asked_for(reviews):
    labels, splits, report = read_texts(reviews)
    assert labels == ("bad", "good")
    train = splits["train"]
    assert len(train) + len(splits["test"]) == 40
    for text, target in zip(train.inputs[:], train.targets, strict=True):
        assert f"is {labels[target]}," in text
    assert train.select(np.array([1])).inputs[0] == train.inputs[1]
    first = sorted((reviews / "bad").iterdir())
    for path in first:
        path.write_text("changed")
    assert train.inputs[0] == "changed"
    assert report.sizes["words of a text"] == (5, 5, 5)
    assert report.examples[0].value.startswith("This is bad")


def test_texts_in_any_encoding_and_what_is_no_text(reviews):
    write_text(reviews / "good" / "latin.txt", "schön".encode("cp1252"))
    write_text(reviews / "good" / "utf16.txt", "schön".encode("utf-16"))
    write_text(reviews / "bad" / "binary.txt", b"\0\1\2")
    write_text(reviews / "bad" / "empty.txt", "  \n")
    _, splits, report = read_texts(reviews)
    texts = [text for split in splits.values() for text in split.inputs[:]]
    assert texts.count("schön") == 2
    assert {item.name: item.reason for item in report.unreadable} == {
        "bad/binary.txt": "binary.txt is no text file",
        "bad/empty.txt": "The file is empty",
    }
    assert any("as well" in text for text in report.warnings) == (
        len({"schön"} & set(splits["train"].inputs[:]) & set(splits["test"].inputs[:])) == 1
    )


@pytest.mark.parametrize("header", ["text,label", "label,text", "comment,stars"])
def test_texts_in_a_table(tmp_path, header):
    swap = header == "label,text"
    rows = [(f'"well, {word} {index}"', word) for index in range(15) for word in ("good", "bad")]
    write_text(tmp_path / "a.csv", "\n".join([header, *(",".join(row[::-1] if swap else row) for row in rows)]))
    labels, splits, report = read_texts(tmp_path)
    assert labels == ("bad", "good")
    assert sum(report.splits.values()) == 30
    for split in splits.values():
        for text, target in zip(split.inputs, split.targets, strict=True):
            assert text.startswith(f"well, {labels[target]}")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a,b,label", *["x y,z,good", "x y,z,bad"] * 9], "which column has the texts"),
        (["text,label", *["x,good", "y,bad"] * 9, ",bad"], "1 rows have no text"),
        (["text,label", *["x,good"] * 12], "two classes"),
    ],
)
def test_tables_without_texts_are_refused(tmp_path, rows, said):
    write_text(tmp_path / "a.csv", "\n".join(rows))
    with pytest.raises(DataError, match=said):
        read_texts(tmp_path / "a.csv")


def test_sounds_are_measured_and_read_when_they_are_asked_for(tmp_path):
    for label, seconds in (("yes", 0.25), ("no", 0.75)):
        for index in range(10):
            write_sound(tmp_path / label / f"{index}.wav", seconds, seed=index)
    write_text(tmp_path / "no" / "broken.wav", b"RIFF no sound")
    labels, splits, report = read_sounds(tmp_path, sound_info)
    assert labels == ("no", "yes")
    for split in splits.values():
        for info, target in zip(split.inputs[:], split.targets, strict=True):
            assert info.seconds == (0.75, 0.25)[target]
    assert report.sizes == {
        "seconds": (0.25, 0.5, 0.75),
        "samples a second": (8000, 8000, 8000),
        "channels": (1, 1, 1),
    }
    assert [(item.name, item.reason) for item in report.unreadable] == [
        ("no/broken.wav", "This file cannot be read as a sound")
    ]


def test_other_sounds_are_read_too(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.flac", np.zeros([4410, 2]), 44100)
    info = sound_info(tmp_path / "a.flac")
    assert (info.seconds, info.rate, info.channels) == (0.1, 44100, 2)


def forbid(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    usual = builtins.__import__

    def importing(name: str, *rest):
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)


def test_pairs(tmp_path):
    rows = [f"number {index} is odd\tdie Zahl {index}" for index in range(40)]
    write_text(tmp_path / "a.tsv", "\n".join(["english\tgerman", *rows, "\tnichts", "nothing\t"]))
    languages, splits, report = read_pairs(tmp_path / "a.tsv")
    assert languages == ("english", "german")
    assert report.warnings == (
        "1 rows have no german and are left out.",
        "1 rows have no english and are left out.",
    )
    assert sum(report.splits.values()) == 40
    assert report.sizes["words of german"] == (3, 3, 3)
    for split in splits.values():
        for one, other in zip(split.inputs, split.targets, strict=True):
            assert one.split()[1] == other.split()[-1]


def test_pairs_have_two_columns(tmp_path):
    write_text(tmp_path / "a.csv", "\n".join(["a,b,c", *["x,y,z"] * 12]))
    with pytest.raises(DataError, match="two columns"):
        read_pairs(tmp_path / "a.csv")


# Parquet


def test_a_parquet_file_is_the_table_that_its_csv_is(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from layerwise.tasks import Column, TabularClassification

    columns = {
        "age": [index + 0.25 for index in range(40)],
        "colour": [("red", "blue", None)[index % 3] for index in range(40)],
        "is_new": [index % 2 == 0 for index in range(40)],
        "label": [("no", "yes")[index % 2] for index in range(40)],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    rows = zip(*columns.values(), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    write_text(tmp_path / "a.csv", "\n".join([",".join(columns), *lines]))
    task = TabularClassification(labels=("a", "b"), columns=(Column(name="x", kind="number"),))
    one, other = (task.read_folder(tmp_path / name) for name in ("a.parquet", "a.csv"))
    assert one.task == other.task
    assert one.report.columns == other.report.columns
    assert [column.kind for column in one.report.columns] == ["number", "choice", "choice", "target"]
    assert one.report.columns[1].missing == 13
    for name, split in one.splits.items():
        assert np.array_equal(split.inputs, other.splits[name].inputs)


def test_unusable_parquet_files_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [[1, 2]], "b": ["x"]}), tmp_path / "nested.parquet")
    with pytest.raises(DataError, match="lists or mappings"):
        read_parquet(tmp_path / "nested.parquet")
    write_text(tmp_path / "text.parquet", "a,b\n1,2\n")
    with pytest.raises(DataError, match="no Parquet file"):
        read_parquet(tmp_path / "text.parquet")
    content = (tmp_path / "nested.parquet").read_bytes()
    write_text(tmp_path / "cut.parquet", content[: len(content) // 2])
    with pytest.raises(DataError, match="no Parquet file"):
        read_parquet(tmp_path / "cut.parquet")


@pytest.mark.parametrize("damaged", [0x00, 0xA8, 0xC2])
def test_a_damaged_byte_of_a_parquet_file_is_no_traceback(tmp_path, damaged):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), path)
    content, refused = path.read_bytes(), 0
    for place in range(len(content)):
        write_text(path, content[:place] + bytes([damaged]) + content[place + 1 :])
        try:
            read_parquet(path)
        except DataError:
            refused += 1
    assert refused > len(content) // 10


def test_a_moment_that_no_calendar_has_is_explained(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1], "when": pa.array([2**60], pa.timestamp("us"))}), tmp_path / "late.parquet")
    with pytest.raises(DataError, match="no Parquet file that can be read"):
        read_parquet(tmp_path / "late.parquet")


def test_parquet_needs_an_extra(tmp_path, monkeypatch):
    forbid(monkeypatch, "pyarrow")
    with pytest.raises(MissingDependencyError, match=r"layerwise\[parquet\]"):
        read_parquet(tmp_path / "a.parquet")
