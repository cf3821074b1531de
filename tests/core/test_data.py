from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from layerwise.data import Split, cache_folder, load
from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

CONTENTS = {"inputs.txt": b"1 2 3 4 5 6", "targets.txt": b"0 1 0 1 0 1"}


def read(files) -> dict[str, Split]:
    columns = [np.loadtxt(files[name], int) for name in CONTENTS]
    return {"train": Split(*(column[:4] for column in columns)), "test": Split(*(column[4:] for column in columns))}


def source(name: str = "web", contents: dict[str, bytes] = CONTENTS, url: str = "", reader=read) -> Source:
    files = tuple(
        File(name=file, url=url and f"{url}/{file}", sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        for file, data in contents.items()
    )
    return Source(name=name, read=reader, licence="MIT", files=files, homepage="https://example.org/numbers")


def dataset(*sources: Source) -> DatasetSpec:
    return DatasetSpec(name="small-numbers", title="Small numbers", sources=sources or (source(),))


def put(folder: Path, contents: dict[str, bytes] = CONTENTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders of LAYERWISE_DATA, empty as is the cache."""
    found = [tmp_path / "one", tmp_path / "two"]
    monkeypatch.setenv("LAYERWISE_DATA", os.pathsep.join(map(str, found)))
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    return found


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of the files in tmp_path/"web"."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    handler = partial(Handler, directory=str(put(tmp_path / "web")))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def used_source(spec: DatasetSpec, **options) -> str:
    found = load(spec, **options)
    assert np.asarray(found.splits["train"].inputs).tolist() == [1, 2, 3, 4]
    assert np.asarray(found.splits["test"].targets).tolist() == [0, 1]
    return found.source.name


@pytest.mark.parametrize("name", ["small-numbers", "small_numbers"])
def test_files_in_a_folder_of_the_users_are_used(folders, name: str):
    put(folders[1] / name)
    assert used_source(dataset()) == "web"


def test_a_folder_that_cannot_be_written_to_will_do(folders):
    folder = put(folders[0] / "small-numbers")
    folder.chmod(0o500)
    before = sorted(folder.iterdir())
    assert used_source(dataset()) == "web"
    assert sorted(folder.iterdir()) == before
    folder.chmod(0o700)


def test_the_folders_of_the_user_come_before_the_cache_and_the_first_of_them_first(folders):
    seen = []

    def note(files) -> dict[str, Split]:
        seen.append(files["inputs.txt"])
        return read(files)

    spec = dataset(source(reader=note))
    for folder in (cache_folder(spec, spec.sources[0]), folders[1] / "small-numbers", folders[0] / "small_numbers"):
        put(folder)
        load(spec, offline=True)
    assert [path.parent for path in seen] == [
        cache_folder(spec, spec.sources[0]),
        folders[1] / "small-numbers",
        folders[0] / "small_numbers",
    ]


def test_data_sets_may_lie_in_one_folder(folders):
    spec = replace(dataset(source()), folder="collection")
    put(folders[0] / "collection")
    assert used_source(spec, offline=True) == "web"
    assert cache_folder(spec, spec.sources[0]).parent.name == "collection"
    (folders[0] / "collection" / "inputs.txt").unlink()
    with pytest.raises(DataError, match="FOLDER/collection"):
        load(spec, offline=True)


def test_the_first_source_whose_files_are_here_is_used(folders):
    other = {"inputs.txt": b"1 2 3 4 5 6\n", "targets.txt": b"0 1 0 1 0 1"}
    spec = dataset(source(), source("copy", other))
    put(folders[0] / "small-numbers", other)
    assert used_source(spec) == "copy"
    put(cache_folder(spec, spec.sources[0]))
    assert used_source(spec) == "web"


def test_a_generated_data_set_needs_no_files():
    spec = dataset(Source(name="generated", read=generate, licence="CC0-1.0"))
    assert used_source(spec, offline=True) == "generated"


def generate(files) -> dict[str, Split]:
    assert files == {}
    numbers = np.arange(1, 7)
    return {"train": Split(numbers[:4], numbers[:4] % 2), "test": Split(numbers[4:], np.array([0, 1]))}


def test_missing_files_are_downloaded_once_into_the_cache(web: str, tmp_path: Path):
    spec = dataset(source(url=web))
    seen = []
    assert used_source(spec, progress=lambda *now: seen.append(now)) == "web"
    assert seen == [("inputs.txt", 11, 11), ("targets.txt", 11, 11)]
    for name in CONTENTS:
        (tmp_path / "web" / name).unlink()
    assert used_source(spec) == "web"


def test_a_source_that_fails_is_followed_by_the_next(web: str):
    assert used_source(dataset(source("gone", url=f"{web}/gone"), source("mirror", url=web))) == "mirror"


def test_what_is_corrupted_in_the_cache_is_downloaded_again(web: str):
    spec = dataset(source(url=web))
    put(cache_folder(spec, spec.sources[0]), {**CONTENTS, "inputs.txt": b"1 2 3 4 5 7"})
    assert used_source(spec) == "web"


def test_a_corrupted_file_of_the_users_is_named_and_left_alone(folders, web: str):
    folder = put(folders[0] / "small-numbers", {**CONTENTS, "inputs.txt": b"1 2 3 4 5 7"})
    with pytest.raises(DataError, match=r"inputs\.txt is not the file it should be.*take its folder out") as caught:
        load(dataset(source(url=web)))
    assert str(folder / "inputs.txt") in str(caught.value)
    assert (folder / "inputs.txt").read_bytes() == b"1 2 3 4 5 7"


def test_a_corrupted_file_does_not_matter_when_another_folder_has_the_right_one(folders):
    put(folders[0] / "small-numbers", {**CONTENTS, "inputs.txt": b"1 2 3 4 5 7"})
    put(folders[1] / "small-numbers")
    assert used_source(dataset()) == "web"


def test_offline_nothing_is_downloaded_and_the_error_says_what_to_do(web: str):
    with pytest.raises(DataError) as caught:
        load(dataset(source(url=web)), offline=True)
    text = str(caught.value)
    for part in ("Small numbers", "inputs.txt, targets.txt", web, "FOLDER/small-numbers", "LAYERWISE_DATA=FOLDER"):
        assert part in text


def test_when_no_source_gives_the_files_each_reason_is_told(web: str):
    spec = dataset(source("gone", url=f"{web}/gone"), source("unreachable", url="http://127.0.0.1:9"))
    with pytest.raises(DataError, match=r"answered 404 .*127\.0\.0\.1:9 cannot be reached .*LAYERWISE_DATA=FOLDER"):
        load(spec)


def test_files_without_an_address_can_only_be_put_there():
    with pytest.raises(DataError, match=r"no address .*put the files inputs\.txt, .* \(from https://example\.org"):
        load(dataset())


def test_what_keeps_a_folder_from_being_used_is_told(folders):
    folder = put(folders[0] / "small-numbers", {"inputs.txt": b"1 2"})
    with pytest.raises(DataError) as caught:
        load(dataset())
    assert f"{folder / 'inputs.txt'} has 3 bytes instead of 11; {folder} has no targets.txt" in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")
def test_a_full_disk_is_said(web: str):
    spec = dataset(source(url=web), source("mirror", url=web))
    folder = cache_folder(spec, spec.sources[0])
    folder.mkdir(parents=True)
    (folder / f"inputs.txt.{spec.sources[0].files[0].sha256[:8]}.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"disk is full.*make room, or set LAYERWISE_CACHE"):
        load(spec)


def test_a_cache_that_cannot_be_written_to_is_said(web: str, tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="set LAYERWISE_CACHE to a folder that you may write to"):
        load(dataset(source(url=web)))


def truncated(files) -> dict[str, Split]:
    whole = gzip.compress(b"numbers" * 1000)
    gzip.decompress(whole[: len(whole) // 2])
    raise AssertionError("a truncated file was read")


def test_what_cannot_be_read_is_said(folders):
    put(folders[0] / "small-numbers")
    with pytest.raises(DataError, match=r"Small numbers \(web\) cannot be read.*Compressed file ended"):
        load(dataset(source(reader=truncated)))


def test_a_reader_must_give_every_split(folders):
    put(folders[0] / "small-numbers")
    with pytest.raises(DataError, match=r"Expected: train, test\. Received: train\."):
        load(dataset(source(reader=lambda files: {"train": read(files)["train"]})))


def test_a_reader_must_give_as_many_inputs_as_targets(folders):
    put(folders[0] / "small-numbers")
    with pytest.raises(DataError, match="4 inputs and 3 targets"):
        load(dataset(source(reader=lambda _: {"train": Split(np.zeros(4), np.zeros(3))})))
