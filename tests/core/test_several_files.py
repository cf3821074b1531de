"""Several files as one input: their names and limits."""

from pathlib import Path

import pytest

from layerwise.errors import InputError
from layerwise.tasks import several_files
from layerwise.tasks.several_files import named_files


def test_files_come_in_several_forms():
    given = [
        Path("photos/cat.png"),
        "dog.png",
        b"x",
        {"name": "C:\\photos\\bird.png", "content": b"y"},
        {"content": b"z"},
    ]
    assert named_files(given) == [
        ("cat.png", Path("photos/cat.png")),
        ("dog.png", "dog.png"),
        ("file 3", b"x"),
        ("bird.png", b"y"),
        ("file 5", b"z"),
    ]
    assert named_files(None) == named_files(()) == []
    assert named_files("a.png") == [("a.png", "a.png")]
    assert named_files({"name": None, "content": b"x"}) == [("file 1", b"x")]


def test_a_name_is_no_path_and_can_be_shown():
    for name, shown in (
        ("../../etc/passwd", "passwd"),
        ("a\nb\u202egnp.exe", "a_b_gnp.exe"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("folder/", "file 1"),
    ):
        assert named_files([{"name": name, "content": b"x"}]) == [(shown, b"x")]


def test_what_is_neither_is_left_to_what_reads_it():
    assert named_files([7, {"name": "a"}]) == [("file 1", 7), ("file 2", {"name": "a"})]


def test_there_are_limits(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"too many files. Expected: at most 200. Received: 201"):
        named_files([b""] * 201)
    monkeypatch.setattr(several_files, "LARGEST_TOGETHER", 2**20)
    (tmp_path / "large.wav").write_bytes(bytes(2**20))
    assert len(named_files([tmp_path / "large.wav", tmp_path / "none.wav", "\0"])) == 3
    with pytest.raises(InputError, match=r"too large together. Expected: at most 1 MiB"):
        named_files([tmp_path / "large.wav", b"x"])
