from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import platformdirs
import pytest

from layerwise import paths


def test_folders_come_from_the_environment(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LAYERWISE_DATA", os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two")]))
    assert paths.home() == tmp_path / "home"
    assert paths.cache() == tmp_path / "cache"
    assert paths.data_folders() == [tmp_path / "one", tmp_path / "two"]


def test_without_the_environment_they_are_where_the_system_keeps_such_things(monkeypatch):
    for variable in ("LAYERWISE_HOME", "LAYERWISE_CACHE", "LAYERWISE_DATA"):
        monkeypatch.delenv(variable, raising=False)
    assert paths.home() == Path(platformdirs.user_data_dir("layerwise", False))
    assert paths.cache() == Path(platformdirs.user_cache_dir("layerwise", False))
    assert paths.data_folders() == []


def test_a_relative_folder_and_the_users_own_are_made_absolute(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAYERWISE_DATA", os.pathsep.join(["data", "~/more"]))
    assert paths.data_folders() == [tmp_path / "data", tmp_path / "more"]


def test_writing_makes_the_folder_and_replaces_the_file(tmp_path: Path):
    path = tmp_path / "a" / "b.json"
    paths.write_atomically(path, "first, grün")
    assert path.read_text("utf-8") == "first, grün"
    paths.write_atomically(path, b"\x00second")
    assert path.read_bytes() == b"\x00second"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_written_file_is_as_readable_as_others(tmp_path: Path):
    (tmp_path / "usual").touch()
    paths.write_atomically(tmp_path / "written", "")
    assert stat.S_IMODE((tmp_path / "written").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        paths.write_atomically(tmp_path / "folder", "a file cannot replace a folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path):
    path = tmp_path / "file"
    contents = {character * 200_000 for character in "abc"}
    paths.write_atomically(path, "a" * 200_000)
    finished = threading.Event()

    def write() -> None:
        for _ in range(10):
            for content in sorted(contents):
                paths.write_atomically(path, content)
        finished.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not finished.is_set():
        assert path.read_text() in contents
        reads += 1
    writer.join()
    assert reads > 0
