"""Free Spoken Digit Dataset: 50 recordings of each digit by each of six speakers, 8 kHz (Jackson et al.,
https://github.com/Jakobovski/free-spoken-digit-dataset, commit 26eb9aa; CC BY-SA 4.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import DatasetSpec, File, Source
from layerwise_speech.recordings import Recording, decoded, members, split_of

if TYPE_CHECKING:
    from layerwise.splits import Split

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUM_TEST = 5
"""The recordings 0 to 4 of each digit and speaker are the test, as its authors say."""
COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
HOMEPAGE = "https://github.com/Jakobovski/free-spoken-digit-dataset"
_FILES = Path(__file__).with_name("fsdd_files.txt")
_LICENCE = "CC-BY-SA-4.0"


def read_wav(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" (2,700 recordings) and "test" (300) of single files. See `recordings.split_of`.

    Raises:
        DataError: A file is not what it should be.
    """
    return _splits((Path(name).name, path.read_bytes(), path) for name, path in files.items())


def read_tar(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_wav`, of an archive of the same files."""
    (path,) = files.values()
    return _splits((Path(name).name, content, path) for name, content in members(path, ".wav"))


def _splits(contents: Iterable[tuple[str, bytes, Path]]) -> dict[str, Split]:
    found: dict[str, list[Recording]] = {"train": [], "test": []}
    for name, content, path in contents:
        digit, speaker, number = Path(name).stem.split("_")
        rate, samples = decoded(content, path, name)
        found["test" if int(number) < NUM_TEST else "train"].append(
            Recording(name=name, word=DIGITS[int(digit)], speaker=speaker, rate=rate, samples=samples)
        )
    return {split: split_of(recordings) for split, recordings in found.items()}


def _single_files() -> tuple[File, ...]:
    lines = (line.split() for line in _FILES.read_text(encoding="ascii").splitlines())
    address = f"https://raw.githubusercontent.com/Jakobovski/free-spoken-digit-dataset/{COMMIT}/recordings"
    return tuple(
        File(name=f"recordings/{name}", url=f"{address}/{name}", sha256=sha256, size=int(size))
        for name, size, sha256 in lines
    )


FSDD = DatasetSpec(
    name="fsdd",
    title="Free Spoken Digit Dataset",
    summary="3,000 recordings of digits by six speakers, 8 kHz.",
    sources=(
        Source(
            name="xz",
            read="layerwise_speech.fsdd:read_tar",
            licence=_LICENCE,
            homepage=HOMEPAGE,
            files=(
                File(
                    name="recordings.tar.xz",
                    url="",
                    sha256="1853024ddf72d64909e083ff3c0dc3b9812a0f9019e2e25b2cca02d074ddee33",
                    size=13_523_264,
                ),
            ),
        ),
        Source(
            name="wav",
            read="layerwise_speech.fsdd:read_wav",
            licence=_LICENCE,
            homepage=HOMEPAGE,
            files=_single_files(),
        ),
    ),
)
