"""Recordings of words as a data set has them: sounds, what was said, who said it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A recording of a word.

    Args:
        name: Of its file.
        word: What was said.
        speaker: Who said it.
        rate: Samples a second.
        samples: int16 [samples].
    """

    name: str
    word: str
    speaker: str
    rate: int
    samples: np.ndarray


def members(path: Path, ending: str) -> Iterator[tuple[str, bytes]]:
    """The files of a tar archive that end so, each with its name, in the order of their names.

    Raises:
        DataError: It is no such archive.
    """
    try:
        with tarfile.open(path) as archive:
            wanted = [member for member in archive.getmembers() if member.isfile() and member.name.endswith(ending)]
            contents = {member.name: file.read() for member in wanted if (file := archive.extractfile(member))}
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{path} cannot be unpacked", received=str(error)) from None
    yield from sorted(contents.items())


def decoded(content: bytes, path: Path | str, name: str) -> tuple[int, np.ndarray]:
    """Samples a second and samples int16 [samples] of a file in any format that libsndfile reads.

    Raises:
        DataError: It is none.
    """
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{name} in {path} cannot be read as a sound", received=error.error_string) from None
    return rate, samples[:, 0]


def split_of(recordings: Iterable[Recording]) -> Split:
    """Inputs "audio", objects [recordings] of (samples a second, int16 [samples]), and "speaker"; targets the words."""
    import numpy as np

    from layerwise.splits import Split

    kept = list(recordings)
    audio = np.empty(len(kept), object)
    audio[:] = [(recording.rate, recording.samples) for recording in kept]
    speakers = np.array([recording.speaker for recording in kept], object)
    return Split({"audio": audio, "speaker": speakers}, np.array([recording.word for recording in kept], object))
