from __future__ import annotations

import hashlib
import multiprocessing
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layerwise.datasets import downloads
from layerwise.datasets.downloads import download
from layerwise.errors import DataError
from layerwise.specs import File, Source

CONTENT = random.Random(0).randbytes(1_000_000)


@dataclass
class Server:
    """A web server on the loopback interface whose faults a test chooses."""

    url: str = ""
    content: bytes = CONTENT
    knows_ranges: bool = True
    says_length: bool = True
    status: int = 200
    cut_after: list[int] = field(default_factory=list)
    """For each request in turn, after how many bytes its connection is cut; the ones after that are not."""
    pause: threading.Event | None = None
    """What to wait for when half is sent."""
    requests: list[str | None] = field(default_factory=list)
    """The Range of each request."""
    sent: int = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers["Range"]
        self.requests.append(asked)
        if self.status != 200:
            request.send_error(self.status)
            return
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.knows_ranges else 0
        request.send_response(206 if asked and self.knows_ranges else 200)
        if asked and self.knows_ranges:
            request.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        if self.says_length:
            request.send_header("Content-Length", str(len(self.content) - begin))
        request.end_headers()
        end = begin + self.cut_after.pop(0) if self.cut_after else len(self.content)
        for start in range(begin, min(end, len(self.content)), 50_000):
            if self.pause is not None and start >= len(self.content) // 2:
                self.pause.wait(30)
            piece = self.content[start : min(start + 50_000, end)]
            self.sent += len(piece)  # before the other side can have it all and ask
            request.wfile.write(piece)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    behaviour = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.02,))
        thread.start()
        behaviour.url = f"http://127.0.0.1:{web.server_port}"
        yield behaviour
        if behaviour.pause is not None:
            behaviour.pause.set()
        web.shutdown()
        thread.join()


def source_of(server: Server, content: bytes = CONTENT, name: str = "numbers.bin") -> Source:
    sha256 = hashlib.sha256(content).hexdigest()
    file = File(name=name, url=f"{server.url}/{name}", sha256=sha256, size=len(content))
    return Source(name="web", read="json:loads", licence="MIT", files=(file,))


def parts(folder: Path) -> list[Path]:
    return list(folder.glob("**/*.part"))


def test_a_file_is_downloaded_with_progress(server: Server, tmp_path: Path):
    seen = []
    download(source_of(server), tmp_path, lambda *now: seen.append(now))
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert parts(tmp_path) == []
    assert {(name, total) for name, _, total in seen} == {("numbers.bin", len(CONTENT))}
    done = [now for _, now, _ in seen]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)


def test_what_is_there_is_not_asked_for_again(server: Server, tmp_path: Path):
    download(source_of(server), tmp_path)
    download(source_of(server), tmp_path)
    assert len(server.requests) == 1


def test_a_corrupted_file_is_replaced(server: Server, tmp_path: Path):
    (tmp_path / "numbers.bin").write_bytes(CONTENT[::-1])
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT


def test_a_file_may_be_in_a_folder_of_its_own(server: Server, tmp_path: Path):
    download(source_of(server, name="train/images/one.bin"), tmp_path)
    assert (tmp_path / "train" / "images" / "one.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("says_length", [True, False])
def test_a_cut_connection_is_continued_where_it_was_cut(server: Server, tmp_path: Path, says_length: bool):
    server.cut_after, server.says_length = [300_000, 250_000], says_length
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-", "bytes=550000-"]
    assert server.sent == len(CONTENT)


def test_a_later_call_continues_what_an_earlier_one_could_not_finish(server: Server, tmp_path: Path):
    server.cut_after = [400_000] + [0] * 100
    with pytest.raises(DataError, match=r"127\.0\.0\.1:\d+ .* \(numbers\.bin\)"):
        download(source_of(server), tmp_path)
    assert len(server.requests) == downloads.TRIES
    assert [part.stat().st_size for part in parts(tmp_path)] == [400_000]
    server.cut_after = []
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=400000-"
    assert server.sent == len(CONTENT)


def test_an_interrupted_download_is_continued(server: Server, tmp_path: Path):
    def interrupt(name: str, done: int, total: int) -> None:
        if done > total // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(source_of(server), tmp_path, interrupt)
    (part,) = parts(tmp_path)
    kept = part.stat().st_size
    assert len(CONTENT) // 3 < kept < len(CONTENT)
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert server.requests == [None, f"bytes={kept}-"]
    # Of pooch's own temporary files none is left either.
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".lock") == ["numbers.bin"]


def test_a_server_without_ranges_is_asked_for_all_of_it_again(server: Server, tmp_path: Path):
    server.cut_after, server.knows_ranges = [300_000], False
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-"]
    assert server.sent == 300_000 + len(CONTENT)


def test_a_part_of_another_file_is_not_continued(server: Server, tmp_path: Path):
    server.cut_after = [300_000] + [0] * 100
    with pytest.raises(DataError):
        download(source_of(server), tmp_path)
    server.cut_after = []
    server.content = random.Random(1).randbytes(len(CONTENT))
    download(source_of(server, server.content), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == server.content


def test_wrong_bytes_are_refused_and_deleted(server: Server, tmp_path: Path):
    server.content = CONTENT[::-1]
    with pytest.raises(DataError, match=r"numbers\.bin with a wrong SHA-256"):
        download(source_of(server), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] in ([], [".lock"])
    server.content = CONTENT
    download(source_of(server), tmp_path)
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("content", [b"<html>Please log in</html>", CONTENT + b"!"])
def test_a_file_of_another_size_is_refused(server: Server, tmp_path: Path, content: bytes, says_length: bool):
    server.content, server.says_length = content, says_length
    with pytest.raises(DataError, match=r"gave \d+ bytes|gave more bytes|stopped after 26 of"):
        download(source_of(server), tmp_path)
    assert not (tmp_path / "numbers.bin").exists()
    assert all(part.stat().st_size <= len(CONTENT) for part in parts(tmp_path))


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, downloads.TRIES_AT_FIRST)])
def test_only_a_fault_that_may_pass_is_tried_again(server: Server, tmp_path: Path, status: int, requests: int):
    server.status = status
    with pytest.raises(DataError, match=f"answered {status}"):
        download(source_of(server), tmp_path)
    assert len(server.requests) == requests


def test_no_server_at_all_is_said(server: Server, tmp_path: Path):
    # Port 9 (discard) of the loopback interface: nobody listens there.
    server.url = "http://127.0.0.1:9"
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9 cannot be reached"):
        download(source_of(server), tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")
def test_a_full_disk_is_left_to_the_caller(server: Server, tmp_path: Path):
    source = source_of(server)
    (tmp_path / f"numbers.bin.{source.files[0].sha256[:8]}.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        download(source, tmp_path)


def test_two_processes_download_once_between_them(server: Server, tmp_path: Path):
    server.pause = threading.Event()
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=partial(download, source_of(server), tmp_path)) for _ in range(2)]
    for process in processes:
        process.start()
    # Both run by now or soon: the first is stuck in the middle, the second has the file yet to ask for.
    threading.Timer(1.0, server.pause.set).start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "numbers.bin").read_bytes() == CONTENT
    assert server.requests == [None]
