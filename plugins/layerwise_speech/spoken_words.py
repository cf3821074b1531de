"""Digits and commands together: what `speech/digits-and-words` learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import DatasetSpec, Source

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.splits import Split


def read(files: Mapping[str, Path], snapshot: Snapshot) -> dict[str, Split]:
    """The splits "train", "validation" (a twentieth of what may be trained on), "test" (the test of the digits, whose
    speakers are in "train"), "test-words" (commands of speakers that are in "train") and "unseen" (commands of speakers
    that are not), each as `recordings.split_of` says."""
    from layerwise.data import load
    from layerwise.splits import hold_out

    digits, words = (load(snapshot.dataset(name), snapshot).splits for name in ("fsdd", "speech-commands"))
    train, validation = hold_out(_together([digits["train"], words["train"]]), 0.05, seed=0)
    assert validation is not None
    return {
        "train": train,
        "validation": validation,
        "test": digits["test"],
        "test-words": words["test"],
        "unseen": words["unseen"],
    }


def _together(parts: Sequence[Split]) -> Split:
    import numpy as np

    from layerwise.splits import Split

    inputs = {name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs}
    return Split(inputs, np.concatenate([part.targets for part in parts]))


SPOKEN_WORDS = DatasetSpec(
    name="spoken-words",
    title="Spoken digits and commands",
    summary="The Free Spoken Digit Dataset and the test set of Speech Commands.",
    splits=("train", "validation", "test", "test-words", "unseen"),
    sources=(
        Source(
            name="both",
            read="layerwise_speech.spoken_words:read",
            licence="CC-BY-SA-4.0",
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        ),
    ),
)
