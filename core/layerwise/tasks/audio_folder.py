"""Sounds of a user's own, by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    class_warnings,
    counts_by_class,
    sample_positions,
    size_range,
)
from layerwise.splits import Split
from layerwise.tasks.folders import Files, check_counts, scan_classes
from layerwise.tasks.sounds import HIGHEST_RATE, LOWEST_RATE, SHORTEST

SUFFIXES = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".wav")
LARGEST_FILE = 512 * 2**20
"""The most bytes that a sound's file may have."""
FORMAT = """A folder for each class, named like it, with its sounds:

    words/yes/1.wav
    words/no/1.wav

WAV, FLAC, OGG, MP3 or AIFF, of any length and rate. A fifth of them, chosen by their names, is held out to test the
result; or divide them yourself into `train` and `test`.
"""


@dataclass(frozen=True, kw_only=True)
class SoundInfo:
    """What the head of a sound's file says.

    Args:
        seconds: How long it is.
        rate: Samples a second.
        channels: 1 for mono, 2 for stereo.
    """

    seconds: float
    rate: int
    channels: int


def sound_info(path: Path) -> SoundInfo:
    """What the head of a file says.

    Raises:
        DataError: It cannot be read, is empty, too short or too large, or has a rate that nobody uses.
        OSError: There is no such file.
    """
    import soundfile

    if path.stat().st_size > LARGEST_FILE:
        raise DataError("The file is too large", expected=f"at most {LARGEST_FILE // 2**20} MiB")
    try:
        info = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise DataError("This file cannot be read as a sound", received=error.error_string) from None
    except TypeError:
        # By its name soundfile takes "x.raw" for samples alone, whatever is in it.
        raise DataError("A .raw file does not say what its rate is") from None
    if not info.frames or not info.samplerate:
        raise DataError("The sound is empty")
    if not LOWEST_RATE <= info.samplerate <= HIGHEST_RATE:
        raise DataError("The sound has an unusable rate", received=f"{info.samplerate:,} samples a second")
    if info.frames < SHORTEST * info.samplerate:
        raise DataError("The sound is too short", expected=f"at least {1000 * SHORTEST:.0f} ms")
    return SoundInfo(seconds=info.frames / info.samplerate, rate=info.samplerate, channels=info.channels)


def read_sounds(folder: Path, read: Callable[[Path], Any]) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The labels of sounds by class, sorted by name, their splits and the report of them.

    Args:
        folder: As FORMAT says.
        read: A file as the inputs of the splits have it; called when an example is asked for.

    Raises:
        DataError: It is not like that, or a tenth of the files or more is unreadable; a few are left out.
    """
    scan = scan_classes(folder, SUFFIXES)
    unreadable: list[Unreadable] = []
    repeats, readable = Repeats(), {}
    infos: list[SoundInfo] = []
    for split, files in scan.splits.items():
        readable[split] = []
        for file in files:
            try:
                infos.append(sound_info(file.path))
                repeats.add(split, file.path.read_bytes(), scan.name(file))
            except (DataError, OSError) as error:
                reason = error.what if isinstance(error, DataError) else error.strerror or str(error)
                unreadable.append(Unreadable(name=scan.name(file), reason=reason))
                continue
            readable[split].append(file)
    warnings = [*check_unreadable(unreadable, scan.num_files), *scan.warnings]
    labels = {split: [file.label for file in files] for split, files in readable.items()}
    check_counts((label for part in labels.values() for label in part), "readable sounds")
    classes = counts_by_class(labels)
    places = {label: place for place, label in enumerate(scan.labels)}
    report = DataReport(
        path=str(scan.root),
        what="sounds",
        splits={split: len(part) for split, part in labels.items()},
        classes=classes,
        sizes={
            "seconds": size_range([info.seconds for info in infos]),
            "samples a second": size_range([info.rate for info in infos]),
            "channels": size_range([info.channels for info in infos]),
        },
        num_unreadable=len(unreadable),
        unreadable=tuple(unreadable[:SHOWN_UNREADABLE]),
        warnings=(*warnings, *class_warnings(classes, "sounds"), *repeats.warnings("sounds")),
        examples=tuple(
            Sample(label=labels["train"][place], kind="audio", value=scan.name(readable["train"][place]))
            for place in sample_positions(labels["train"])
        ),
    )
    splits = {
        split: Split(
            Files([file.path for file in files], read),
            np.array([places[file.label] for file in files], "int32"),
        )
        for split, files in readable.items()
    }
    return scan.labels, splits, report
