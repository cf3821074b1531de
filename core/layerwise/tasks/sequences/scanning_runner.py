"""What answers for a network that classifies windows of a sequence: one window, a scan, or a row for each sequence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import InputError
from layerwise.from_scratch.losses import softmax
from layerwise.runner import NetworkRunner, last_answer
from layerwise.tasks.sequences.scan import AT_ONCE, Hit, Scan

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.tasks.sequence_classification import SequenceClassification
    from layerwise.tasks.sequences.fasta import Record

SECONDS_BETWEEN = 0.5
"""A scan says what it found so far about so often."""
MOST_LETTERS = 2**26
"""How many letters may be scanned at once."""
FOUND = 0.5
"""From this probability on a window counts as found."""


class SequenceRunner(NetworkRunner):
    """Classifies sequences, and scans those that are longer than the network's window."""

    joins = False  # a scan takes long
    task: SequenceClassification

    def run(  # pyright: ignore[reportIncompatibleMethodOverride]  (as any Runner may, it yields partial answers)
        self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Answer | Iterator[Answer]:
        records = self.task.records(inputs)
        wanted = self.task.wanted(inputs)
        stride = round(float(inputs.get("stride") or 1))
        letters = sum(len(record.sequence) for record in records)
        if letters > MOST_LETTERS:
            raise InputError(
                "The sequences are too long together",
                expected=f"at most {MOST_LETTERS:,} letters",
                received=f"{letters:,}",
                remedy="divide them",
            )
        if len(records) > 1:
            return self._each(records, wanted, stride, cancelled)
        self.task.check_length(records[0])
        if len(records[0].sequence) == self.task.length:
            return self.task.decode(super().outputs(self.task.letters.encode(records[0].sequence)[None]))[0]
        return self._scanned(records[0], wanted, stride, cancelled)

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer several inputs, one after the other: each may be long."""
        return [last_answer(self.run(inputs, None, threading.Event())) for inputs in batch]

    def warm(self) -> None:
        """Compile the forward pass for one window, and for those of a scan."""
        self._forward(self.task.warm_input())

    def _scan(self, record: Record, wanted: int, stride: int, cancelled: threading.Event) -> Iterator[Scan]:
        """A scan, again and again while it goes on; the last time it is whole, unless it was cancelled."""
        scan = Scan(record.sequence, self.task.letters, self.task.length, stride)
        for _ in scan.run(lambda windows: self._probabilities(windows)[:, wanted]):
            yield scan
            if cancelled.is_set():
                return

    def _probabilities(self, windows: np.ndarray) -> np.ndarray:
        return softmax(np.asarray(super().outputs(windows), "float64"))

    def _scanned(self, record: Record, wanted: int, stride: int, cancelled: threading.Event) -> Iterator[Answer]:
        said = time.monotonic()
        for scan in self._scan(record, wanted, stride, cancelled):
            is_whole = scan.done == scan.count
            if is_whole or time.monotonic() - said >= SECONDS_BETWEEN:
                yield self._answer(scan, self.task.labels[wanted])
                said = time.monotonic()

    def _answer(self, scan: Scan, wanted: str) -> Answer:
        hits = scan.hits()
        return {
            "summary": _summary(scan, hits, wanted),
            "track": scan.track(wanted),
            "hits": [hit.as_row() for hit in hits],
        }

    def _each(
        self, records: Sequence[Record], wanted: int, stride: int, cancelled: threading.Event
    ) -> Iterator[Answer]:
        """A row for each of several sequences."""
        rows: list[dict[str, Any]] = []
        said = time.monotonic()
        for number, row in enumerate(self._rows(records, wanted, stride, cancelled), start=1):
            rows.append(row)
            if number == len(records) or time.monotonic() - said >= SECONDS_BETWEEN:
                yield {"summary": self._counted(rows, len(records), wanted), "hits": list(rows)}
                said = time.monotonic()

    def _rows(
        self, records: Sequence[Record], wanted: int, stride: int, cancelled: threading.Event
    ) -> Iterator[dict[str, Any]]:
        for first in range(0, len(records), AT_ONCE):
            part = records[first : first + AT_ONCE]
            exact = [record for record in part if len(record.sequence) == self.task.length]
            found = iter(
                self._probabilities(np.stack([self.task.letters.encode(record.sequence) for record in exact]))
                if exact
                else ()
            )
            for number, record in enumerate(part, start=first + 1):
                begin: dict[str, Any] = {"sequence": record.name or f"number {number}", "letters": len(record.sequence)}
                if len(record.sequence) == self.task.length:
                    yield {**begin, **self._classified(next(found), wanted)}
                elif len(record.sequence) < self.task.length:
                    yield {**begin, "label": f"too short: {self.task.length} letters are needed"}
                else:
                    yield {**begin, **self._best(record, wanted, stride, cancelled)}
                if cancelled.is_set():
                    return

    def _classified(self, probabilities: np.ndarray, wanted: int) -> dict[str, Any]:
        label = self.task.labels[int(probabilities.argmax())]
        return {"label": label, f"probability of {self.task.labels[wanted]}": round(float(probabilities[wanted]), 4)}

    def _best(self, record: Record, wanted: int, stride: int, cancelled: threading.Event) -> dict[str, Any]:
        """The best window of a longer sequence."""
        *_, scan = self._scan(record, wanted, stride, cancelled)
        best = scan.hits()[0]
        name = self.task.labels[wanted]
        where = f"{best.start + 1:,} to {best.start + self.task.length:,}, strand {best.strand}"
        return {
            "label": f"{name} at {where}" if best.probability >= FOUND else f"no {name} found",
            f"probability of {name}": round(best.probability, 4),
        }

    def _counted(self, rows: Sequence[Mapping[str, Any]], count: int, wanted: int) -> str:
        """What was found in several sequences, in a sentence."""
        name = self.task.labels[wanted]
        found = sum(row.get(f"probability of {name}", 0.0) >= FOUND for row in rows)
        progress = "" if len(rows) == count else f"{len(rows):,} of {count:,} sequences so far. "
        return f"{progress}{found:,} of {len(rows):,} sequences have a probability of {name} of {FOUND:.0%} or more."


def _summary(scan: Scan, hits: Sequence[Hit], wanted: str) -> str:
    """What was found in a long sequence, in a sentence or two."""
    looked_at = scan.done * len(scan.probabilities)
    strands = " on both strands" if len(scan.probabilities) > 1 else ""
    if scan.done < scan.count:
        begin = f"{scan.done / scan.count:.0%} of {len(scan.sequence):,} letters scanned so far{strands}."
    else:
        begin = f"{len(scan.sequence):,} letters scanned{strands}, in {looked_at:,} windows of {scan.window}."
    found = sum(hit.probability >= FOUND for hit in hits)
    best = hits[0]
    more = " or more" if found == len(hits) > 1 else ""
    return (
        f"{begin} {found}{more} stretches that do not overlap are {wanted} with a probability of {FOUND:.0%} or more; "
        f"the most probable one ({best.probability:.1%}) goes from {best.start + 1:,} to "
        f"{best.start + scan.window:,} on strand {best.strand}."
    )
