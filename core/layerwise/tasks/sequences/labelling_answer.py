"""What is said of sequences whose letters were labelled: in short, drawn, as a table and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.from_scratch.losses import softmax
from layerwise.plots import Line, LinePlot, SequenceStrip, StripKind
from layerwise.spreadsheets import plain_cell
from layerwise.tasks.base import Answer
from layerwise.tasks.sequences.fasta import Record, written

if TYPE_CHECKING:
    from layerwise.tasks.sequence_labelling import SequenceLabelling

FEW_SEQUENCES = 5
"""How many of several sequences are drawn."""


def answer(task: SequenceLabelling, records: Sequence[Record], logits: Sequence[np.ndarray]) -> Answer:
    """The answer of `layerwise.tasks.SequenceLabelling`.

    Args:
        logits: Of each sequence, [letters, labels].
    """
    probabilities = [softmax(np.asarray(part, "float64")) for part in logits]
    labels = [task.letters_for(part) for part in probabilities]
    return {
        "summary": _summary(task, records, probabilities),
        "strip": [
            *(_strip(task, *pair) for pair in [*zip(records, labels, strict=True)][:FEW_SEQUENCES]),
            *([_curves(task, probabilities[0])] if len(records) == 1 else []),
        ],
        "labels": labels[0] if len(records) == 1 else "",
        "table": [_row(task, number, *pair) for number, pair in enumerate(zip(records, probabilities, strict=True), 1)],
        "fasta": {"name": "labels.fasta", "content": _fasta(records, labels)},
        "probabilities": {"name": "probabilities.csv", "content": _csv(task, records, labels, probabilities)},
    }


def _summary(task: SequenceLabelling, records: Sequence[Record], probabilities: Sequence[np.ndarray]) -> str:
    everything = np.concatenate(probabilities)
    shares = ", ".join(f"{share} {name}" for name, share in _shares(task, everything).items())
    of_several = f"{len(records):,} sequences of " if len(records) > 1 else ""
    return (
        f"{of_several}{len(everything):,} letters: {shares}. "
        f"The network gives its labels a probability of {everything.max(axis=1).mean():.2f} on average."
    )


def _shares(task: SequenceLabelling, probabilities: np.ndarray) -> dict[str, str]:
    """How many of the letters have each label, in percent."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=len(task.labels))
    return {name: f"{100 * count / len(probabilities):.0f} %" for name, count in zip(task.labels, counts, strict=True)}


def _strip(task: SequenceLabelling, record: Record, labels: str) -> SequenceStrip:
    kinds = [
        StripKind(letter=letter, name=name, shape=shape)
        for letter, name, shape in zip(task.letters_of_labels, task.labels, task.shapes, strict=True)
    ]
    # Markdown would read a name such as sp|P0CG48|UBC_HUMAN as something else.
    title = f"`{record.name}`" if record.name else ""
    return SequenceStrip(title=title, letters=record.sequence, labels=labels, kinds=kinds)


def _curves(task: SequenceLabelling, probabilities: np.ndarray) -> LinePlot:
    places = np.arange(1, len(probabilities) + 1)
    return LinePlot(
        title="Probabilities along the sequence",
        lines=[Line(label=name, x=places, y=column) for name, column in zip(task.labels, probabilities.T, strict=True)],
        x_label="place in the sequence",
        y_label="probability",
        x_range=(1, max(len(probabilities), 2)),
        y_range=(0, 1),
    )


def _row(task: SequenceLabelling, number: int, record: Record, probabilities: np.ndarray) -> dict[str, str | int]:
    return {
        "sequence": record.name or f"number {number}",
        "letters": len(probabilities),
        **_shares(task, probabilities),
        "mean probability": f"{probabilities.max(axis=1).mean():.2f}",
    }


def _fasta(records: Sequence[Record], labels: Sequence[str]) -> bytes:
    named = [
        Record(record.name or f"sequence{number}", letters, record.comment)
        for number, (record, letters) in enumerate(zip(records, labels, strict=True), start=1)
    ]
    return written(named).encode()


def _csv(
    task: SequenceLabelling, records: Sequence[Record], labels: Sequence[str], probabilities: Sequence[np.ndarray]
) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["sequence", "place", "letter", "label", *task.labels])
    for number, (record, letters, rows) in enumerate(zip(records, labels, probabilities, strict=True), start=1):
        name = plain_cell(record.name or f"sequence{number}")
        for place, (letter, label, row) in enumerate(zip(record.sequence, letters, rows, strict=True), start=1):
            table.writerow([name, place, letter, label, *(f"{value:.4f}" for value in row)])
    return text.getvalue().encode()
