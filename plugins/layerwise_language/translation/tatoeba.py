"""Sentences in English and German that volunteers of Tatoeba wrote and translated (tatoeba.org, CC BY 2.0 FR)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source
from layerwise_language.text_files import lines_of

if TYPE_CHECKING:
    from layerwise.splits import Split

TEST_SHARE = 20
"""One of so many English sentences is in the test set."""


def is_test(text: str) -> bool:
    """Whether an English sentence belongs to the test set: by a hash of its words, so that what differs in case, signs
    and spaces alone is on one side with all its translations."""
    digest = hashlib.sha256(words_of(text).encode()).digest()
    return int.from_bytes(digest[:8], "big") % TEST_SHARE == 0


def words_of(text: str) -> str:
    """A text without case, signs and what is between its words."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def read_tsv(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" and "test" of a file with a pair on each line: English, a tab, German. A pair whose German
    sentence stands in the test set too is in neither.

    Returns:
        Inputs and targets are texts, arrays of objects [pairs].

    Raises:
        DataError: The file is not what it should be.
    """
    return _read_file(files["deu.txt"], compressed=False)


def read_xz(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_tsv`, of the same file compressed by xz."""
    return _read_file(files["deu.txt.xz"], compressed=True)


def _read_file(path: Path, *, compressed: bool) -> dict[str, Split]:
    with lines_of(path, compressed=compressed) as lines:
        pairs = [_pair(line, number, path) for number, line in enumerate(lines, start=1)]
    # The first line of the copy numbers the columns.
    pairs = pairs[1:] if pairs and pairs[0] == ("1", "2") else pairs
    test = [pair for pair in pairs if is_test(pair[0])]
    known = {words_of(german) for _, german in test}
    train = [pair for pair in pairs if not is_test(pair[0]) and words_of(pair[1]) not in known]
    return {"train": split_of(train), "test": split_of(test)}


def _pair(line: str, number: int, path: Path) -> tuple[str, str]:
    parts = line.rstrip("\n").split("\t")
    if len(parts) < 2 or not parts[0].strip() or not parts[1].strip():
        raise DataError(
            f"Line {number} of {path} is unusable", expected="English, a tab and German", received=repr(line[:60])
        )
    return parts[0].strip(), parts[1].strip()


def split_of(pairs: list[tuple[str, str]]) -> Split:
    """Pairs as a Split whose inputs are the first texts and whose targets are the second, arrays of objects [pairs]."""
    import numpy as np

    from layerwise.splits import Split

    english, german = (np.array([pair[side] for pair in pairs], object) for side in (0, 1))
    return Split(english, german)


_COPY = "https://raw.githubusercontent.com/DarrenCarvalho/Language-Translation/a30fc3ec31687d0ed561047a9c7d7fdb5915f89c"

TATOEBA = DatasetSpec(
    name="tatoeba-deu",
    title="Tatoeba, English and German",
    summary="50,000 pairs of short sentences in English and German, written and translated by volunteers.",
    sources=(
        Source(
            name="tsv",
            read="layerwise_language.translation.tatoeba:read_tsv",
            licence="CC-BY-2.0",
            homepage="https://tatoeba.org",
            files=(
                File(
                    name="deu.txt",
                    url=f"{_COPY}/data/deu.txt",
                    sha256="ad109252de3e35f8ec8030669ccddf6ee2f5cc1656c1928468e175233c01eb1d",
                    size=2_188_364,
                ),
            ),
        ),
        Source(
            name="xz",
            read="layerwise_language.translation.tatoeba:read_xz",
            licence="CC-BY-2.0",
            homepage="https://tatoeba.org",
            files=(
                File(
                    name="deu.txt.xz",
                    url="",
                    sha256="85aea5c466aa22b128eefb0eec9f76389aea79f411d427ada9073c0b437f8712",
                    size=447_136,
                ),
            ),
        ),
    ),
)
