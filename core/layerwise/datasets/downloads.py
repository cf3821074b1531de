"""Downloads that go on where they were cut off, verified by SHA-256, one process at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from layerwise.errors import DataError

if TYPE_CHECKING:
    import requests

    from layerwise.specs import File, Source

Progress = Callable[[str, int, int], None]
"""`(file name, bytes of it that are here, its size in bytes)`, called with each piece that arrives."""

CHUNK_BYTES = 256 * 1024
TRIES_AT_FIRST = 2
"""How often in a row a file is asked for of which nothing came yet: a missing network should be known soon."""
TRIES = 6
"""How often in a row when it was on its way."""
FIRST_WAIT = 0.5
"""Seconds before the second try in a row; doubled for each one after it."""
TIMEOUT = (10, 30)
"""Seconds to wait for a connection, and for the next bytes."""


def download(source: Source, folder: Path, progress: Progress | None = None) -> None:
    """Put the files of a source into a folder. Those that are there and intact are left as they are.

    Args:
        source: All its files have a URL.
        folder: Made if it is missing. Another process that downloads into it is waited for.
        progress: See `Progress`.

    Raises:
        DataError: The server does not give the files. What arrived is kept and continued next time.
        OSError: The folder cannot be written to, or the disk is full.
    """
    import filelock

    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):
        for file in source.files:
            _download_file(file, folder, progress)


def _download_file(file: File, folder: Path, progress: Progress | None) -> None:
    import pooch

    # It announces each download at level INFO on the error stream, in the middle of a progress bar.
    pooch.get_logger().setLevel("WARNING")
    downloader = ResumingDownloader(file, folder / f"{file.name}.{file.sha256[:8]}.part", progress)
    try:
        # pooch calls it with (url, path, pooch) in that order; its protocol gives these parameters other names.
        pooch.retrieve(
            file.url,
            f"sha256:{file.sha256}",
            file.name,
            folder,
            downloader=downloader,  # pyright: ignore[reportArgumentType]
        )
    except ValueError as error:
        raise DataError(f"{_host(file.url)} gave a {file.name} with a wrong SHA-256, which was deleted") from error


def _host(url: str) -> str:
    return urlsplit(url).netloc


class InterruptedDownloadError(Exception):
    """A request did not give all that was asked for; `is_passing` when the same request may do better."""

    def __init__(self, reason: str, *, is_passing: bool = True) -> None:
        super().__init__(reason)
        self.is_passing = is_passing


class ResumingDownloader:
    """A downloader for pooch that keeps what arrived in a ".part" file and asks for the rest of it (HTTP Range).

    pooch's own one begins again from nothing. This one tries again, with growing waits, as long as bytes come
    now and then; Ctrl-C and a crash leave the ".part" file for the next time.

    Args:
        file: What is downloaded.
        part: Where its bytes are kept until it is complete.
        progress: See `Progress`.
        headers: Sent with each request, to the first server only when it leads on to another one.
    """

    def __init__(
        self,
        file: File,
        part: Path,
        progress: Progress | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.file, self.part, self.progress, self.headers = file, part, progress, headers

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Download `url` to the path `output_file`, as pooch calls it.

        Raises:
            DataError: The server cannot be reached, or it has something else.
        """
        failures, tries = 0, TRIES_AT_FIRST
        while (before := self._size()) < self.file.size:
            try:
                self._receive(url, before)
            except InterruptedDownloadError as interruption:
                failures += 1
                if self._size() > before:
                    failures, tries = 1, TRIES
                if failures == tries or not interruption.is_passing:
                    raise DataError(f"{_host(url)} {interruption} ({self.file.name})") from interruption
                time.sleep(FIRST_WAIT * 2 ** (failures - 1))
        self.part.replace(output_file)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive(self, url: str, begin: int) -> None:
        """One request, for all from the byte `begin`; keeps as much as comes."""
        import requests
        import urllib3

        # Without compression on the way, since offsets and checksums are those of the file itself.
        headers = {**self.headers, "Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                begin = self._first_byte(response, begin)
                self._keep(response, begin)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise InterruptedDownloadError(_reason(error)) from error
        if self._size() < self.file.size:
            raise InterruptedDownloadError(f"stopped after {self._size()} of {self.file.size} bytes")

    def _first_byte(self, response: requests.Response, begin: int) -> int:
        """Where the answer begins: at `begin`, or at 0 from a server that knows no ranges."""
        status = response.status_code
        if status == 416:
            self.part.unlink()
        if status not in (200, 206):
            is_passing = status in (408, 416, 429) or status >= 500
            raise InterruptedDownloadError(f"answered {status} {response.reason}".strip(), is_passing=is_passing)
        if status == 200:
            begin = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
            raise InterruptedDownloadError("answered with another range than was asked for", is_passing=False)
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and begin + int(length) != self.file.size:
            raise InterruptedDownloadError(
                f"gave {begin + int(length)} bytes where {self.file.size} were expected", is_passing=False
            )
        return begin

    def _keep(self, response: requests.Response, begin: int) -> None:
        done = begin
        with self.part.open("ab" if begin else "wb") as part:
            for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                done += len(chunk)
                if done > self.file.size:
                    raise InterruptedDownloadError(
                        f"gave more bytes than the {self.file.size} expected", is_passing=False
                    )
                part.write(chunk)
                part.flush()
                if self.progress is not None:
                    self.progress(self.file.name, done, self.file.size)


def _reason(error: Exception) -> str:
    """What a failed request comes to, for a reader."""
    import requests
    import urllib3

    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "has a certificate that cannot be trusted"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "broke off the download"
    return f"cannot be asked: {error}"
