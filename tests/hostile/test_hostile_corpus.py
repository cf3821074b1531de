"""Each file of the hostile corpus at each door: refused by a sentence, or read as what it is, in bounded time and
memory, with no code run and no file elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile.corpus import CANARY, corpus
from hostile.decoders import DECODERS

from layerwise.errors import LayerwiseError

SAMPLES = {sample.name: sample for sample in corpus()}
LONGEST = 20.0
"""Seconds for a sample at a door, on a machine that does much else."""
LARGEST = 900 * 2**20
"""Bytes that memory may grow by at its worst: a picture of 80 million pixels may be decoded, as large as it is."""
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
    "ctypes.dlopen",
    "webbrowser.open",
)


class Watch:
    """What the interpreter says it does, while a decoder works. An audit hook cannot be taken away again, so there is
    one for all tests."""

    def __init__(self) -> None:
        self.sandbox: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.sandbox is None:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event} {arguments}"[:200])
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            mode, flags = str(arguments[1] or ""), arguments[2]
            is_writing = set(mode) & set("wax+") or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR))
            path = Path(os.fsdecode(arguments[0]))
            if is_writing and not path.absolute().is_relative_to(self.sandbox) and path != Path(os.devnull):
                self.seen.append(f"wrote {path}")

    @contextlib.contextmanager
    def watching(self, sandbox: Path) -> Iterator[None]:
        self.sandbox, self.seen = sandbox, []
        try:
            yield
        finally:
            self.sandbox = None


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module", autouse=True)
def _ready(tmp_path_factory):
    """All that decoders import, which writes and loads libraries itself."""
    for decode in DECODERS.values():
        with contextlib.suppress(LayerwiseError):
            decode(b"", tmp_path_factory.mktemp("first"))
    from rdkit import Chem

    Chem.MolFromSmiles("C")
    with contextlib.suppress(ImportError):
        import av  # noqa: F401


def memory() -> int:
    """The most memory that this process has had, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_the_corpus_is_what_it_is_meant_to_be():
    assert len(SAMPLES) == len(corpus()) > 90, "no name twice"
    assert {door for sample in SAMPLES.values() for door in sample.doors} == DECODERS.keys(), "each door has an enemy"


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_a_hostile_file_is_refused_at_its_doors_and_does_no_harm_at_others(name, watch, tmp_path, monkeypatch):
    sample = SAMPLES[name]
    monkeypatch.chdir(tmp_path)
    taken, harm = [], []
    for door, decode in DECODERS.items():
        sandbox = tmp_path / door
        sandbox.mkdir()
        before, begin = memory(), time.monotonic()
        with watch.watching(sandbox):
            try:
                decode(sample.data, sandbox)
                taken.append(door)
            except LayerwiseError as error:
                if len(str(error)) > 2000 or "Traceback" in str(error):
                    harm.append(f"{door} says {len(str(error))} characters")
        if (seconds := time.monotonic() - begin) > LONGEST:
            harm.append(f"{door} took {seconds:.0f} s")
        if (grown := memory() - before) > LARGEST:
            harm.append(f"{door} took {grown / 2**20:.0f} MiB")
        harm += [f"{door}: {said}" for said in watch.seen]
    assert not harm
    assert not set(taken) & set(sample.doors), f"{name} was taken by {taken}"
    assert not list(tmp_path.rglob(CANARY))
    assert {path.name for path in tmp_path.iterdir()} == DECODERS.keys()


def test_the_watch_would_see_it(watch, tmp_path, monkeypatch):
    import pickle

    monkeypatch.chdir(tmp_path)
    (tmp_path / "sandbox").mkdir()
    with watch.watching(tmp_path / "sandbox"):
        pickle.loads(SAMPLES["pickle 1 of protocol 5"].data)
        (tmp_path / "elsewhere").write_text("x")
    assert (tmp_path / CANARY).exists()
    assert any(said.startswith("os.system") for said in watch.seen)
    assert any("elsewhere" in said for said in watch.seen)
