"""Texts of a user's own, by class: text files in folders, or a table with a column of texts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

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
from layerwise.tasks.columns import is_missing
from layerwise.tasks.csv_files import encoding_of, write_csv
from layerwise.tasks.folders import Files, check_counts, scan_classes
from layerwise.tasks.table_folder import divided, read_tables

SUFFIXES = (".md", ".text", ".txt")
LARGEST_FILE = 16 * 2**20
"""The most bytes that a text file may have."""
SAMPLE_TEXTS = 40
"""How many texts of each class an example of such data has."""
_SUBJECTS = ("acting", "camera", "ending", "film", "idea", "music", "plot", "story")
_OPINIONS = {
    "good": ("charming", "clever", "funny", "gripping", "moving", "wonderful"),
    "bad": ("boring", "clumsy", "dull", "silly", "tedious", "weak"),
}


def read_text(path: Path) -> str:
    """The text in a file, in UTF-8, UTF-16 or Windows-1252.

    Raises:
        DataError: It is no text, empty or too large.
        OSError: It cannot be read.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise DataError("The file is too large", expected=f"at most {LARGEST_FILE // 2**20} MiB")
    text = path.read_text(encoding=encoding_of(path), errors="replace").strip()
    if not text:
        raise DataError("The file is empty")
    return text


def read_texts(path: Path) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The labels of texts by class, sorted by name, their splits and the report of them.

    Texts in files are read when they are asked for; those of a table are in memory. The inputs of a split are texts
    [examples], its targets int32 [examples].

    Args:
        path: As `layerwise.tasks.TextClassification.folder_format` says.

    Raises:
        DataError: It is not like that, or a tenth of the files or more is unreadable; a few are left out.
    """
    path = Path(path)
    has_table = path.is_file() or any(file.suffix.lower() in (".csv", ".tsv", ".parquet") for file in path.glob("*"))
    return _from_table(path) if has_table else _from_files(path)


def _from_files(folder: Path) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    scan = scan_classes(folder, SUFFIXES)
    unreadable: list[Unreadable] = []
    repeats, readable, lengths = Repeats(), {}, []
    for split, files in scan.splits.items():
        readable[split] = []
        for file in files:
            try:
                text = read_text(file.path)
            except (DataError, OSError) as error:
                reason = error.what if isinstance(error, DataError) else error.strerror or str(error)
                unreadable.append(Unreadable(name=scan.name(file), reason=reason))
                continue
            readable[split].append(file)
            lengths.append(len(text.split()))
            repeats.add(split, text.encode(), scan.name(file))
    warnings = [*check_unreadable(unreadable, scan.num_files), *scan.warnings, *repeats.warnings("texts")]
    labels = {split: [file.label for file in files] for split, files in readable.items()}
    check_counts((label for part in labels.values() for label in part), "readable texts")
    inputs = {split: Files([file.path for file in files], read_text) for split, files in readable.items()}
    report = _report(scan.root, labels, inputs, lengths, warnings, unreadable)
    return scan.labels, _splits(scan.labels, labels, inputs), report


def _from_table(path: Path) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    tables = read_tables(path, ("label", "target"))
    header = tables.splits["train"].header
    name = next((name for name in header if name.lower() == "text"), None)
    others = [name for name in header if name != tables.target]
    if name is None and len(others) != 1:
        raise DataError(
            "The table does not say which column has the texts",
            expected="a column 'text', or two columns",
            received=", ".join(header),
        )
    name = name or others[0]
    check_counts(tables.targets()["train"], "texts")
    tables = divided(tables, tables.targets()["train"])
    texts = {split: np.array(cells.stripped(), object) for split, cells in tables.cells(name).items()}
    empty = sum(is_missing(text) for part in texts.values() for text in part)
    if empty:
        raise DataError(f"{empty:,} rows have no text", remedy="fill or remove them")
    labels = tables.targets()
    known = tuple(sorted(set(labels["train"])))
    unknown = sorted({label for part in labels.values() for label in part} - set(known))
    if unknown:
        raise DataError("There are classes that train does not have", received=", ".join(unknown[:10]))
    lengths = [len(text.split()) for part in texts.values() for text in part]
    report = _report(path, labels, texts, lengths, list(tables.warnings), [])
    return known, _splits(known, labels, texts), report


def _splits(
    known: Sequence[str], labels: Mapping[str, Sequence[str]], inputs: Mapping[str, object]
) -> dict[str, Split]:
    places = {label: place for place, label in enumerate(known)}
    return {
        split: Split(inputs[split], np.array([places[label] for label in part], "int32"))
        for split, part in labels.items()
    }


def _report(
    path: Path,
    labels: Mapping[str, Sequence[str]],
    inputs: Mapping[str, Files | np.ndarray],
    lengths: Sequence[int],
    warnings: list[str],
    unreadable: Sequence[Unreadable],
) -> DataReport:
    classes = counts_by_class(labels)
    train = labels["train"]
    return DataReport(
        path=str(path),
        what="texts",
        splits={split: len(part) for split, part in labels.items()},
        classes=classes,
        sizes={"words of a text": size_range(lengths)},
        num_unreadable=len(unreadable),
        unreadable=tuple(unreadable[:SHOWN_UNREADABLE]),
        warnings=(*warnings, *class_warnings(classes, "texts")),
        examples=tuple(
            Sample(label=train[place], kind="text", value=inputs["train"][place][:300])
            for place in sample_positions(train)
        ),
    )


def write_sample(folder: Path) -> None:
    """Write a table of short reviews, good and bad ones.

    Args:
        folder: An empty folder.
    """
    random = np.random.default_rng(0)
    pairs = list(itertools.permutations(_SUBJECTS, 2))
    rows = []
    for label, words in _OPINIONS.items():
        for place in random.choice(len(pairs), SAMPLE_TEXTS, replace=False).tolist():
            (one, other), (first, second) = pairs[place], random.choice(words, 2, replace=False)
            rows.append((f"The {one} is {first}, and the {other} is {second}.", label))
    write_csv(folder / "reviews.csv", ("text", "label"), rows)
