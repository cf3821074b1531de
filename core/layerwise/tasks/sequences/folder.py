"""Sequences of a user's own, by class: a FASTA file for each class, or a folder of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from layerwise.errors import DataError, InputError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    DataReport,
    OwnData,
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
from layerwise.tasks.folders import SPLIT_NAMES, apart, check_counts, check_folder, files_below, folders_in, unwrapped
from layerwise.tasks.sequences.fasta import Record, parse, written
from layerwise.tasks.sequences.files import text_of_file

if TYPE_CHECKING:
    from layerwise.tasks.sequence_classification import SequenceClassification
    from layerwise.tasks.sequences.alphabets import Alphabet

TaskT = TypeVar("TaskT", bound="SequenceClassification")
SUFFIXES = (".fa", ".faa", ".fas", ".fasta", ".ffn", ".fna", ".fsa")
SHOWN_LETTERS = 60
SAMPLE_SEQUENCES = 40
"""How many sequences of each class an example of such data has."""
SAMPLE_MOTIFS = {"dna": "TATAAT", "protein": "HELGH"}
"""What tells them apart: the -10 box of bacterial promoters, a zinc-binding motif of peptidases."""


@dataclass(frozen=True)
class _Example:
    label: str
    name: str
    sequence: str


def read_sequences(task: TaskT, folder: Path, *, keep_length: bool = False) -> OwnData[TaskT]:
    """Sequences by class: the task with the classes and the length found there, its splits and the report.

    The inputs of a split are shares of letters float32 [examples, length, letters], its targets int32 [examples].

    Args:
        folder: As `layerwise.tasks.SequenceClassification.folder_format` says.
        keep_length: Whether the network's window stays as it is, whatever lengths there are.

    Raises:
        DataError: The folder is not like that, or a tenth of the sequences or more is shorter than the window.
    """
    from layerwise.tasks.sequence_classification import LONGEST_WINDOW

    root = unwrapped(check_folder(folder))
    splits = _divided({split: list(_examples(files, task.letters)) for split, files in _files(root).items()})
    lengths = [len(example.sequence) for part in splits.values() for example in part]
    if not keep_length and min(lengths) == max(lengths) <= LONGEST_WINDOW:
        task = dataclasses.replace(task, length=lengths[0])
    short = [
        Unreadable(name=example.name, reason=f"{len(example.sequence)} letters, {task.length} are needed")
        for part in splits.values()
        for example in part
        if len(example.sequence) < task.length
    ]
    warnings = check_unreadable(short, len(lengths))
    usable = {split: [x for x in part if len(x.sequence) >= task.length] for split, part in splits.items()}
    check_counts((example.label for part in usable.values() for example in part), "sequences")
    labels = tuple(sorted({example.label for example in usable["train"]}))
    _check_usable(usable, labels)
    task = dataclasses.replace(task, labels=labels)
    cut = sum(length > task.length for length in lengths)
    if cut:
        warnings.append(f"{cut:,} sequences are longer than {task.length} letters; their middles count.")
    encoded = {split: _encoded(task, part) for split, part in usable.items()}
    report = _report(root, usable, lengths, warnings, short)
    return OwnData(task=task, splits=encoded, report=report)


def _files(root: Path) -> Mapping[str, list[tuple[str, Path]]]:
    """The class and the path of each file, by split; "train" alone where they are not divided."""
    names = {entry.name.lower(): entry for entry in folders_in(root)}
    if {"train", "test"} <= names.keys() <= SPLIT_NAMES.keys():
        return {SPLIT_NAMES[name]: _by_class(entry, root) for name, entry in names.items()}
    return {"train": _by_class(root, root)}


def _by_class(folder: Path, root: Path) -> list[tuple[str, Path]]:
    found = []
    for path in files_below(folder, root):
        if path.suffix.lower() in SUFFIXES:
            inner = path.relative_to(folder).parts
            found.append((inner[0] if len(inner) > 1 else path.stem, path))
    if not found:
        raise DataError(
            "No sequences are found in the folder",
            expected=f"for each class a file that ends in {', '.join(SUFFIXES)}, or a folder of such files",
            received=f"{len(folders_in(folder))} folders in {folder.name}",
        )
    return found


def _examples(files: Sequence[tuple[str, Path]], alphabet: Alphabet) -> Iterator[_Example]:
    for label, path in files:
        try:
            records = parse(text_of_file(path), alphabet)
        except InputError as error:
            raise DataError(
                f"{path.name}: {error.what}", expected=error.expected, received=error.received, remedy=error.remedy
            ) from None
        for number, record in enumerate(records, start=1):
            yield _Example(label, f"{label}: {record.name or number}", record.sequence)


def _divided(splits: dict[str, list[_Example]]) -> dict[str, list[_Example]]:
    """With a test split: that of the folder, or a fifth that is held out. Equal sequences stay together."""
    if "test" in splits:
        return splits
    everything = splits["train"]
    check_counts((example.label for example in everything), "sequences")
    train, test = apart(
        everything, [example.sequence for example in everything], [example.label for example in everything]
    )
    return {"train": train, "test": test}


def _check_usable(usable: Mapping[str, Sequence[_Example]], labels: Sequence[str]) -> None:
    """Check that there is something in each split, and that what is there was there to learn from."""
    unknown = sorted({example.label for part in usable.values() for example in part} - set(labels))
    if unknown:
        raise DataError("There are no sequences to learn these classes from", received=", ".join(unknown[:10]))
    empty = [split for split, part in usable.items() if not part]
    if empty:
        raise DataError(f"No sequence of the {empty[0]} split is long enough")


def _encoded(task: SequenceClassification, examples: Sequence[_Example]) -> Split:
    windows = [_middle(example.sequence, task.length) for example in examples]
    shape = (len(windows), task.length, len(task.letters.letters))
    inputs = task.letters.encode("".join(windows)).reshape(shape)
    return Split(inputs, np.array([task.labels.index(example.label) for example in examples], "int32"))


def _middle(sequence: str, length: int) -> str:
    start = (len(sequence) - length) // 2
    return sequence[start : start + length]


def _report(
    root: Path,
    splits: Mapping[str, Sequence[_Example]],
    lengths: Sequence[int],
    warnings: list[str],
    short: Sequence[Unreadable],
) -> DataReport:
    repeats = Repeats()
    for split, part in splits.items():
        for example in part:
            repeats.add(split, example.sequence.encode(), example.name)
    classes = counts_by_class({split: [example.label for example in part] for split, part in splits.items()})
    train = splits["train"]
    shown = [train[place] for place in sample_positions([example.label for example in train])]
    return DataReport(
        path=str(root),
        what="sequences",
        splits={split: len(part) for split, part in splits.items()},
        classes=classes,
        sizes={"letters of a sequence": size_range(lengths)},
        num_unreadable=len(short),
        unreadable=tuple(short[:SHOWN_UNREADABLE]),
        warnings=(*warnings, *class_warnings(classes, "sequences"), *repeats.warnings("sequences")),
        examples=tuple(
            Sample(label=example.label, kind="text", value=example.sequence[:SHOWN_LETTERS]) for example in shown
        ),
    )


def write_sample(folder: Path, alphabet: Alphabet, length: int) -> None:
    """Write sequences that are random but for a motif, which those of one class have and those of the other have not.

    Args:
        folder: An empty folder.
        length: Letters of each.
    """
    random = np.random.default_rng(0)
    motif = SAMPLE_MOTIFS[alphabet.name][:length]
    for label in ("other", "with-motif"):
        sequences = [_sample(random, alphabet, length, motif, label != "other") for _ in range(SAMPLE_SEQUENCES)]
        records = [Record(f"{label}-{number}", sequence) for number, sequence in enumerate(sequences, start=1)]
        (folder / f"{label}.fasta").write_text(written(records), encoding="utf-8")


def _sample(random: np.random.Generator, alphabet: Alphabet, length: int, motif: str, has_motif: bool) -> str:
    sequence = motif
    while motif in sequence:
        places = random.integers(0, len(alphabet.letters), length)
        sequence = np.frombuffer(alphabet.letters.encode(), "uint8")[places].tobytes().decode()
    if not has_motif:
        return sequence
    slots = length // len(motif)
    for slot in random.choice(slots, max(1, slots // 5), replace=False).tolist():
        start = slot * len(motif)
        sequence = sequence[:start] + motif + sequence[start + len(motif) :]
    return sequence
