"""Texts of a user's own in two languages."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import DataReport, Sample, size_range
from layerwise.splits import Split
from layerwise.tasks.csv_files import write_csv
from layerwise.tasks.table_folder import divided, read_tables

SAMPLE_PAIRS = 100
"""How many pairs an example of such data has. All its nouns are masculine, which makes one ending of the adjectives."""
_NOUNS = {"apple": "Apfel", "ball": "Ball", "chair": "Stuhl", "dog": "Hund", "table": "Tisch", "tree": "Baum"}
_ADJECTIVES = {"blue": "blaue", "green": "grüne", "little": "kleine", "old": "alte", "red": "rote", "white": "weiße"}
_STATES = {"beautiful": "schön", "clean": "sauber", "heavy": "schwer", "here": "hier", "there": "dort"}


def read_pairs(path: Path) -> tuple[tuple[str, str], dict[str, Split], DataReport]:
    """The names of the two languages, the splits and the report of texts in two languages.

    The inputs of a split are the texts of the first column [examples], its targets those of the second. Pairs of which
    one side is empty are left out.

    Args:
        path: As `layerwise.tasks.Translation.folder_format` says.

    Raises:
        DataError: It is not like that.
    """
    tables = read_tables(path, ())
    header = tables.splits["train"].header
    if len(header) != 2:
        raise DataError("A table of pairs has two columns", received=", ".join(header))
    source, target = header
    missing = {split: cells.is_missing for split, cells in tables.cells(source).items()}
    num_missing = sum(int(rows.sum()) for rows in missing.values())
    if num_missing:
        tables = replace(
            tables,
            splits={split: table.select(~missing[split]) for split, table in tables.splits.items()},
            warnings=(*tables.warnings, f"{num_missing:,} rows have no {source} and are left out."),
        )
    tables = divided(tables, [""] * len(tables.splits["train"]))
    columns = {
        name: {split: np.array(cells.stripped(), object) for split, cells in tables.cells(name).items()}
        for name in header
    }
    if any(not len(part) for part in columns[source].values()):
        raise DataError("There are too few pairs to learn from", expected="at least 10")
    report = DataReport(
        path=str(path),
        what="pairs",
        splits={split: len(part) for split, part in columns[source].items()},
        sizes={
            f"words of {name}": size_range([len(text.split()) for part in columns[name].values() for text in part])
            for name in header
        },
        warnings=tables.warnings,
        examples=tuple(
            Sample(label="", kind="text", value=f"{one[:200]} = {other[:200]}")
            for one, other in zip(columns[source]["train"][:5], columns[target]["train"][:5], strict=True)
        ),
    )
    splits = {split: Split(columns[source][split], columns[target][split]) for split in tables.splits}
    return (source, target), splits, report


def write_sample(folder: Path) -> None:
    """Write a table of short sentences in English and German.

    Args:
        folder: An empty folder.
    """
    random = np.random.default_rng(0)
    found = list(itertools.product(_NOUNS.items(), _ADJECTIVES.items(), _STATES.items()))
    rows = []
    for place in random.choice(len(found), SAMPLE_PAIRS, replace=False).tolist():
        (noun, german_noun), (adjective, german_adjective), (state, german_state) = found[place]
        german = f"Der {german_adjective} {german_noun} ist {german_state}."
        rows.append((f"The {adjective} {noun} is {state}.", german))
    write_csv(folder / "pairs.tsv", ("English", "German"), rows)
