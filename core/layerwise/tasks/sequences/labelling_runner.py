"""The runner of networks that label letters: sequences of any length, in windows."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import NetworkRunner
from layerwise.tasks.sequences.labelled_rows import padded_shares
from layerwise.tasks.sequences.labelling_metrics import Labelled
from layerwise.tasks.sequences.windows import Window, joined, windows_of

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.tasks.sequence_labelling import SequenceLabelling

AT_ONCE = 16
"""How many windows one forward pass takes."""


class LabellingRunner(NetworkRunner):
    """Cuts sequences into windows, gives those of about equal length to the network together, and joins its answers."""

    joins = False
    task: SequenceLabelling

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        records = self.task.records(inputs)
        logits = self.logits([record.sequence for record in records], cancelled)
        return self.task.answer(records, logits) if logits else {}

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer several inputs, the windows of all of them together."""
        given = [self.task.records(inputs) for inputs in batch]
        logits = iter(self.logits([record.sequence for records in given for record in records]))
        return [self.task.answer(records, [next(logits) for _ in records]) for records in given]

    def outputs(self, batch: Any) -> np.ndarray:
        """What is said of each sequence of an array of texts, as `Labelled`; of shares of letters, as the network
        gives it."""
        if not np.asarray(batch).dtype.hasobject:
            return super().outputs(batch)
        found = np.empty(len(batch), object)
        found[:] = [Labelled(logits) for logits in self.logits([*batch])]
        return found

    def logits(self, sequences: Sequence[str], cancelled: threading.Event | None = None) -> list[np.ndarray]:
        """Of sequences as the alphabet's `clean` gives them, [letters, labels] each.

        Args:
            cancelled: When it is set what is left is not computed, and nothing is returned.
        """
        task = self.task
        cut = [windows_of(len(sequence), task.longest, task.context) for sequence in sequences]
        parts = {(at, number): window for at, windows in enumerate(cut) for number, window in enumerate(windows)}
        found: dict[tuple[int, int], np.ndarray] = {}
        for places, keys in self._groups(parts).items():
            for start in range(0, len(keys), AT_ONCE):
                if cancelled is not None and cancelled.is_set():
                    return []
                some = keys[start : start + AT_ONCE]
                letters = [sequences[key[0]][parts[key].start : parts[key].stop] for key in some]
                outputs = super().outputs(padded_shares(letters, task.letters, places))
                found.update(zip(some, outputs, strict=True))
        return [
            joined([found[at, number] for number in range(len(windows))], windows) for at, windows in enumerate(cut)
        ]

    def _groups(self, parts: Mapping[tuple[int, int], Window]) -> dict[int, list[tuple[int, int]]]:
        """Windows by the places that the network is given for them."""
        groups: dict[int, list[tuple[int, int]]] = {}
        for key, window in parts.items():
            groups.setdefault(self.task.places_for(len(window)), []).append(key)
        return groups
