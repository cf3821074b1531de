"""Sequences of a user's own with a label for each letter: two FASTA files with the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from layerwise.errors import DataError, InputError
from layerwise.own_data import DataReport, Repeats, Sample, shortened, size_range
from layerwise.splits import Split
from layerwise.tasks.csv_files import encoding_of
from layerwise.tasks.folders import SPLIT_NAMES, apart, check_folder, folders_in, unwrapped
from layerwise.tasks.sequence_labelling import UNCOUNTED
from layerwise.tasks.sequences.alphabets import Alphabet
from layerwise.tasks.sequences.fasta import Record, parse, sections, written

SUFFIXES = (".fa", ".faa", ".fasta", ".fna", ".txt")
FEWEST = 10
"""The least number of sequences that can be learned from."""
MOST_LABELS = 30
SAMPLE_SEQUENCES = 40
"""How many sequences an example of such data has."""
LARGEST_FILE = 512 * 2**20
Pair = tuple[str, str, str]
"""The name, the letters and the label letters of a sequence."""


def read_labelled(path: Path, alphabet: Alphabet) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The label letters that there are, sorted; the splits and the report of sequences with a label for each letter.

    Both arrays of a split are texts, objects [sequences].

    Args:
        path: As `layerwise.tasks.SequenceLabelling.folder_format` says.

    Raises:
        DataError: It is not like that.
    """
    root = unwrapped(check_folder(path))
    found = {SPLIT_NAMES[entry.name.lower()]: _pairs(entry, alphabet) for entry in _split_folders(root)}
    if not found:
        pairs = _pairs(root, alphabet)
        found["train"], found["test"] = apart(pairs, [f"{name} {letters}" for name, letters, _ in pairs])
    _check(found)
    letters = tuple(sorted({letter for part in found.values() for pair in part for letter in pair[2]} - {UNCOUNTED}))
    if not 2 <= len(letters) <= MOST_LABELS:
        raise DataError(
            "The labels cannot be learned",
            expected=f"2 to {MOST_LABELS} different letters",
            received=shortened(letters) or "none",
        )
    splits = {
        split: Split(*(np.array([pair[side] for pair in part], object) for side in (1, 2)))
        for split, part in found.items()
    }
    return letters, splits, _report(path, found, letters)


def _split_folders(root: Path) -> list[Path]:
    named = [entry for entry in folders_in(root) if entry.name.lower() in SPLIT_NAMES]
    if not named:
        return []
    if {"train", "test"} <= {SPLIT_NAMES[entry.name.lower()] for entry in named}:
        return named
    raise DataError(
        "Not all splits are there",
        expected="the folders train and test",
        received=", ".join(entry.name for entry in named),
    )


def _pairs(folder: Path, alphabet: Alphabet) -> list[Pair]:
    """The sequences of a folder with their labels."""
    sequences, labels = (_file(folder, name) for name in ("sequences", "labels"))
    try:
        records = parse(_text(sequences), alphabet, most=10**9)
    except InputError as error:
        raise DataError(f"{sequences.name}: {error}") from None
    known = dict(_labels(labels))
    found = []
    for record in records:
        letters = known.pop(record.name, None)
        if not record.name or letters is None:
            raise DataError(f"{labels.name} has no labels of the sequence {record.name!r}")
        if len(letters) != len(record.sequence):
            raise DataError(
                f"The sequence {record.name!r} and its labels are not of equal length",
                received=f"{len(record.sequence):,} letters and {len(letters):,} labels",
            )
        found.append((record.name, record.sequence, letters))
    if known:
        raise DataError(f"{sequences.name} has no sequences of these labels", received=shortened([*known], 5))
    return found


def _labels(path: Path) -> list[tuple[str, str]]:
    """The names and label letters of a file."""
    found = []
    for header, lines in sections(_text(path).splitlines()):
        letters = "".join("".join(lines).split())
        if header is None:
            if letters:
                raise DataError(f"{path.name} does not begin with a header", expected=">NAME", received=letters[:20])
            continue
        found.append((header.partition(" ")[0], letters))
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        raise DataError(f"{path.name} has a name twice", received=shortened(twice, 5))
    return found


def _file(folder: Path, name: str) -> Path:
    for path in sorted(folder.iterdir()):
        if path.stem.lower() == name and path.suffix.lower() in SUFFIXES and path.is_file():
            return path
    raise DataError(
        f"There is no file of {name}",
        expected=f"{name}.fasta",
        received=shortened([path.name for path in sorted(folder.iterdir())], 5) or "an empty folder",
    )


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_FILE:
        raise DataError(f"{path.name} is too large", expected=f"at most {LARGEST_FILE // 2**20} MiB")
    return path.read_text(encoding=encoding_of(path), errors="replace")


def _check(found: Mapping[str, Sequence[Pair]]) -> None:
    if sum(map(len, found.values())) < FEWEST or not all(found.values()):
        raise DataError(
            "There are too few sequences to learn from",
            expected=f"at least {FEWEST}, and one or more in each split",
            received=", ".join(f"{len(part)} {split}" for split, part in found.items()),
        )


def _report(path: Path, found: Mapping[str, Sequence[Pair]], letters: Sequence[str]) -> DataReport:
    repeats = Repeats()
    for split, part in found.items():
        for name, sequence, _ in part:
            repeats.add(split, sequence.encode(), name)
    everything = [pair for part in found.values() for pair in part]
    counts = {letter: sum(pair[2].count(letter) for pair in everything) for letter in letters}
    unknown = sum(pair[2].count(UNCOUNTED) for pair in everything)
    said = ", ".join(f"{letter} {count:,}" for letter, count in counts.items())
    return DataReport(
        path=str(path),
        what="sequences",
        splits={split: len(part) for split, part in found.items()},
        sizes={"letters of a sequence": size_range([len(pair[1]) for pair in everything])},
        warnings=(
            f"Labels: {said}" + (f"; {unknown:,} letters have none and do not count." if unknown else "."),
            *repeats.warnings("sequences"),
        ),
        examples=tuple(
            Sample(label="", kind="text", value=f"{name}: {sequence[:60]} = {labels[:60]}")
            for name, sequence, labels in found["train"][:5]
        ),
    )


def write_sample(folder: Path, alphabet: Alphabet, letters: Sequence[str]) -> None:
    """Write sequences in which each label has letters of its own, which stand together.

    Args:
        folder: An empty folder.
        letters: Those of the labels; as many are used as there are letters to tell them apart.
    """
    random = np.random.default_rng(0)
    used = list(letters[: len(alphabet.letters)])
    sequences, labels = [], []
    for number in range(1, SAMPLE_SEQUENCES + 1):
        places = random.integers(0, len(used), 8).repeat(random.integers(4, 12, 8))
        sequence = "".join(str(random.choice([*alphabet.letters[place :: len(used)]])) for place in places)
        sequences.append(Record(f"sample-{number}", sequence))
        labels.append(Record(f"sample-{number}", "".join(used[place] for place in places)))
    for name, records in (("sequences", sequences), ("labels", labels)):
        (folder / f"{name}.fasta").write_text(written(records), encoding="utf-8")
