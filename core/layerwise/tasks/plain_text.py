"""Texts of a user's own, of no classes: files in a folder, or one file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import DataReport, Repeats, Sample, Unreadable, check_unreadable, size_range
from layerwise.splits import Split
from layerwise.tasks.folders import apart, check_folder, files_below, files_by_split, unwrapped
from layerwise.tasks.text_folder import SUFFIXES, read_text

FEWEST_TEXTS = 10
SAMPLE_TEXTS = 40
"""How many texts an example of such a folder has."""
_PEOPLE = ("Anna", "Ben", "Carla", "David", "Eva", "Felix")
_ANIMALS = (("cat", "Meow"), ("cow", "Moo"), ("dog", "Woof"), ("duck", "Quack"), ("sheep", "Baa"))
_PLACES = ("forest", "garden", "market", "river")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")


def read_plain_texts(path: Path) -> tuple[dict[str, Split], DataReport]:
    """The splits and the report of texts. Both arrays of a split are texts [texts].

    Args:
        path: As `layerwise.tasks.TextGeneration.folder_format` says.

    Raises:
        DataError: It is not like that.
    """
    path = Path(path)
    found, warnings = ({"train": _parts(read_text(path))}, []) if path.is_file() else _from_folder(path)
    if "test" not in found:
        found["train"], found["test"] = apart(found["train"], found["train"])
    count = sum(map(len, found.values()))
    if count < FEWEST_TEXTS or not all(found.values()):
        raise DataError(
            f"There is too little to learn from in {path}",
            expected=f"at least {FEWEST_TEXTS} texts, or one with as many paragraphs or lines",
            received=str(count),
        )
    repeats = Repeats()
    for split, texts in found.items():
        for text in texts:
            repeats.add(split, text.encode(), repr(text[:40]))
    report = DataReport(
        path=str(path),
        what="texts",
        splits={split: len(texts) for split, texts in found.items()},
        sizes={"words of a text": size_range([len(text.split()) for texts in found.values() for text in texts])},
        warnings=(*warnings, *repeats.warnings("texts")),
        examples=tuple(Sample(label="", kind="text", value=text[:400]) for text in found["train"][:5]),
    )
    return {split: _split(texts) for split, texts in found.items()}, report


def _split(texts: Sequence[str]) -> Split:
    array = np.array(texts, object)
    return Split(array, array)


def _parts(text: str) -> list[str]:
    """The paragraphs of a text, or its lines where it has too few."""
    paragraphs = [part.strip() for part in _PARAGRAPHS.split(text)]
    parts = paragraphs if len(paragraphs) >= FEWEST_TEXTS else text.splitlines()
    return [part for part in map(str.strip, parts) if part]


def _from_folder(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    root = unwrapped(check_folder(folder))
    files = [file for file in files_below(root, root) if file.suffix.lower() in SUFFIXES]
    found: dict[str, list[str]] = {}
    unreadable: list[Unreadable] = []
    by_split = files_by_split(files, root)
    for split, chosen in by_split.items():
        for file in chosen:
            try:
                text = read_text(file)
            except (DataError, OSError) as error:
                reason = error.what if isinstance(error, DataError) else error.strerror or str(error)
                unreadable.append(Unreadable(name=file.relative_to(root).as_posix(), reason=reason))
                continue
            # A file for each split, or a single one, holds many texts.
            is_whole = len(chosen) > 1
            found.setdefault(split, []).extend([text] if is_whole else _parts(text))
    if not files:
        raise DataError("There are no texts in the folder", expected=f"files that end in {', '.join(SUFFIXES)}")
    return found or {"train": []}, check_unreadable(unreadable, len(files))


def write_sample(folder: Path) -> None:
    """Write very short stories, a file each.

    Args:
        folder: An empty folder.
    """
    random = np.random.default_rng(0)
    found = list(itertools.product(_PEOPLE, _ANIMALS, _PLACES))
    for number, place in enumerate(random.choice(len(found), SAMPLE_TEXTS, replace=False).tolist(), start=1):
        name, (animal, sound), where = found[place]
        text = f"{name} has a {animal}. They go to the {where}. “{sound}!” says the {animal}. “Yes,” says {name}.\n"
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
