"""Speech Commands, version 0.02: its test set, single words of many speakers, 16 kHz (Warden 2018, arXiv:1804.03209;
CC BY 4.0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from layerwise import DatasetSpec, File, Source
from layerwise.tasks.speech.words import UNKNOWN
from layerwise_speech.fsdd import DIGITS
from layerwise_speech.recordings import Recording, decoded, members, split_of

if TYPE_CHECKING:
    from layerwise.splits import Split

COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
UNSEEN_SHARE, TEST_SHARE = 0.2, 0.1
"""How many speakers are only for the test, and how many recordings of the others."""
HOMEPAGE = "https://arxiv.org/abs/1804.03209"
OTHERS = "_unknown_"
"""The folder of words that are no commands."""


def share_of(text: str) -> float:
    """A number from 0 to 1 that hangs on a text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def split_name(speaker: str, name: str) -> str:
    """Where a recording belongs: "unseen" for a fifth of the speakers, "test" for a tenth of the recordings of the
    others, "train"."""
    if share_of(speaker) < UNSEEN_SHARE:
        return "unseen"
    return "test" if share_of(name) < TEST_SHARE else "train"


def identity_of(name: str) -> tuple[str, str, str] | None:
    """What is said in a file, who says it, and what the recording is called; None for what is no word.

    Words that are no commands lie in one folder, and their files are called by the word first. Some are digits.

    Args:
        name: Of the file in the archive.

    Example:
        >>> identity_of("./_unknown_/nine_0c540988_nohash_0.wav")
        ('nine', '0c540988', 'nine/0c540988/nine_0c540988_nohash_0')
    """
    file = PurePosixPath(name)
    folder, parts = file.parent.name, file.name.split(".")[0].split("_")
    if folder not in (*COMMANDS, OTHERS):
        return None
    word, speaker = (parts[0], parts[1]) if folder == OTHERS else (folder, parts[0])
    return word if word in (*COMMANDS, *DIGITS) else UNKNOWN, speaker, f"{word}/{speaker}/{'_'.join(parts)}"


def read_wav(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train", "test" and "unseen" of the archive with WAV files. See `recordings.split_of`; words that are
    neither commands nor digits are `UNKNOWN`.

    Raises:
        DataError: It is not what it should be.
    """
    return _read(files, ".wav")


def read_opus(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_wav`, of an archive of Opus files, from which the recordings of some speakers are missing."""
    return _read(files, ".opus")


def _read(files: Mapping[str, Path], ending: str) -> dict[str, Split]:
    (path,) = files.values()
    return _splits(members(path, ending), path)


def _splits(contents: Iterable[tuple[str, bytes]], path: Path) -> dict[str, Split]:
    found: dict[str, list[Recording]] = {"train": [], "test": [], "unseen": []}
    for name, content in contents:
        identity = identity_of(name)
        if identity is None:
            continue
        word, speaker, key = identity
        rate, samples = decoded(content, path, name)
        found[split_name(speaker, key)].append(
            Recording(name=key, word=word, speaker=speaker, rate=rate, samples=samples)
        )
    return {split: split_of(recordings) for split, recordings in found.items()}


SPEECH_COMMANDS = DatasetSpec(
    name="speech-commands",
    title="Speech Commands, test set",
    summary="Ten commands, some digits and other words, a second each, by hundreds of speakers, 16 kHz.",
    splits=("train", "test", "unseen"),
    sources=(
        Source(
            name="opus",
            read="layerwise_speech.speech_commands:read_opus",
            licence="CC-BY-4.0",
            homepage=HOMEPAGE,
            files=(
                File(
                    name="words.tar",
                    url="",
                    sha256="268bb03d656c9230af991b4a69ef0bae9e825fc92b727c530a8d96d508a995cf",
                    size=27_719_680,
                ),
            ),
        ),
        Source(
            name="wav",
            read="layerwise_speech.speech_commands:read_wav",
            licence="CC-BY-4.0",
            homepage=HOMEPAGE,
            files=(
                File(
                    name="speech_commands_test_set_v0.02.tar.gz",
                    url="https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
                    sha256="cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
                    size=112_563_277,
                ),
            ),
        ),
    ),
)
