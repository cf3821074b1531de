"""SST-2: sentences of film reviews, for and against.

Socher et al. 2013, "Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank", EMNLP: its
sentences without the neutral ones and without the labels of phrases. Its authors state no licence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source
from layerwise_language.text_files import lines_of

if TYPE_CHECKING:
    from layerwise.splits import Split

LABELS = ("negative", "positive")
"""The names of the targets 0 and 1."""
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
"""The file of each split."""
HOMEPAGE = "https://nlp.stanford.edu/sentiment/"
_COPY = "https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/457ffd83de90a9d6d472d8ffc31bbffe40a8b236"


def read_tsv(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" (6,920), "validation" (872) and "test" (1,821): on each line a sentence, a tab and its label.

    Returns:
        Inputs are texts, an array of objects [examples]; targets int32 [examples], positions in LABELS.

    Raises:
        DataError: A file is not what it should be.
    """
    return _read_files(files, ".tsv", compressed=False)


def read_xz(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_tsv`, of the same files compressed by xz."""
    return _read_files(files, ".tsv.xz", compressed=True)


def _read_files(files: Mapping[str, Path], ending: str, *, compressed: bool) -> dict[str, Split]:
    found = {}
    for split, name in SPLITS.items():
        path = files[f"{name}{ending}"]
        with lines_of(path, compressed=compressed) as lines:
            found[split] = _read_lines(lines, path)
    return found


def _read_lines(lines: Iterable[str], path: Path) -> Split:
    import numpy as np

    from layerwise.splits import Split

    texts, targets = [], []
    for number, line in enumerate(lines, start=1):
        text, _, label = line.rstrip("\n").rpartition("\t")
        if label not in ("0", "1") or not text:
            raise DataError(
                f"Line {number} of {path} is unusable",
                expected="a sentence, a tab and 0 or 1",
                received=repr(line[:60]),
            )
        texts.append(text)
        targets.append(int(label))
    return Split(np.array(texts, object), np.array(targets, "int32"))


SST_2 = DatasetSpec(
    name="sst2",
    title="Stanford Sentiment Treebank, two classes",
    summary="9,613 sentences of film reviews from Rotten Tomatoes, half of them for the film and half against it.",
    splits=("train", "validation", "test"),
    sources=(
        Source(
            name="tsv",
            read="layerwise_language.sst2:read_tsv",
            licence="NOASSERTION",
            homepage=HOMEPAGE,
            files=(
                File(
                    name="train.tsv",
                    url=f"{_COPY}/data/SST2/train.tsv",
                    sha256="ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920",
                    size=720_259,
                ),
                File(
                    name="dev.tsv",
                    url=f"{_COPY}/data/SST2/dev.tsv",
                    sha256="eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359",
                    size=92_057,
                ),
                File(
                    name="test.tsv",
                    url=f"{_COPY}/data/SST2/test.tsv",
                    sha256="831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7",
                    size=188_749,
                ),
            ),
        ),
        Source(
            name="xz",
            read="layerwise_language.sst2:read_xz",
            licence="NOASSERTION",
            homepage=HOMEPAGE,
            files=(
                File(
                    name="train.tsv.xz",
                    url="",
                    sha256="282bfe7792e16e4c8fe255a0ae86557018b8896dc8296bbb7675c739c756b089",
                    size=226_724,
                ),
                File(
                    name="dev.tsv.xz",
                    url="",
                    sha256="fd48c29b6dd9275c87a479ceb776462b383b8507b15ebe72a24931238db0bd18",
                    size=34_332,
                ),
                File(
                    name="test.tsv.xz",
                    url="",
                    sha256="9e6bfa21069969cffbdff6bb92585560d44d73c69b384ddd765917b27874ecb1",
                    size=66_672,
                ),
            ),
        ),
    ),
)
