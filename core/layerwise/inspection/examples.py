"""Real examples to look at a network with: of the data that its version was trained on if they are on this machine,
otherwise those that come with the model."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.data import find_files
from layerwise.datasets.batches import map_arrays
from layerwise.errors import LayerwiseError
from layerwise.evaluation import find_split
from layerwise.inspection.subject import Batch, Subject
from layerwise.specs import resolve

MOST_NUMBERS = 2**25
"""How many numbers the examples may have together."""


@dataclass(frozen=True)
class Examples:
    """Encoded examples.

    Args:
        batch: [examples, ...] for each input of the network.
        targets: What is right for each, or None where that is not known.
        kind: What they are, in words that follow their number.
    """

    batch: Batch
    targets: Any
    kind: str

    def __len__(self) -> int:
        return len(next(iter(self.batch.values())))

    @property
    def origin(self) -> str:
        """How many they are, and what."""
        return f"{len(self):,} {self.kind}"

    def first(self, count: int) -> Examples:
        """At most so many of them."""
        batch = {name: array[:count] for name, array in self.batch.items()}
        return Examples(batch, None if self.targets is None else self.targets[:count], self.kind)


def real_examples(subject: Subject, count: int) -> Examples | None:
    """At most `count` examples, fewer when they are large, and always the same; None when there are none at hand.
    Nothing is downloaded."""
    size = sum(prod(side or 1 for side in tensor.shape[1:]) for tensor in subject.model.inputs)
    count = max(1, min(count, MOST_NUMBERS // size))
    try:
        return _of_the_data(subject, count) or _of_the_model(subject, count)
    except LayerwiseError:  # data that were moved or changed, or that this network does not take
        return _of_the_model(subject, count)


def _of_the_data(subject: Subject, count: int) -> Examples | None:
    record = subject.version.record.get("data") or {}
    name = record.get("dataset") or subject.spec.data
    folder = record.get("folder")
    if folder is not None:
        if not Path(folder).exists():
            return None
    elif name is None or find_files(subject.snapshot.dataset(name)) is None:
        return None
    dataset, _, split, examples = find_split(subject.snapshot, subject.version, ("test", "validation", "train"), None)
    chosen = np.sort(np.random.default_rng(0).permutation(len(examples))[:count])
    picked = subject.task.to_train_on(examples.select(chosen))
    picked = picked.select(np.arange(min(count, len(picked))))
    batch = subject.batch(map_arrays(np.asarray, picked.inputs))
    title = Path(dataset).name if folder is not None else subject.snapshot.dataset(dataset).title
    return Examples(batch, np.asarray(picked.targets), f"examples of {title} ({split})")


def _of_the_model(subject: Subject, count: int) -> Examples | None:
    if subject.spec.examples is None or subject.task.parameters() != subject.spec.task.parameters():
        return None
    batches = []
    for example in list(resolve(subject.spec.examples)())[:count]:
        try:
            batches.append(subject.encode(example.inputs))
        except LayerwiseError:  # of another network of this model
            continue
    if not batches or len({tuple(part.shape for part in batch.values()) for batch in batches}) > 1:
        return None
    batch = {name: np.concatenate([part[name] for part in batches]) for name in subject.input_names}
    return Examples(batch, None, "examples that come with the model")
