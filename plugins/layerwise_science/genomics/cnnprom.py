"""The promoters of CNNProm: stretches of DNA around the places where genes begin to be copied, and others.

Umarov and Solovyev 2017, "Recognition of prokaryotic and eukaryotic promoters using convolutional deep learning neural
networks", PLOS ONE 12(2), arXiv:1610.00121. Promoters of Escherichia coli (sigma-70, from RegulonDB) reach from 60
letters before the start of transcription to 20 after it, those of Arabidopsis thaliana (from EPDnew) from 200 before to
50 after. The others are pieces of genes: of the strand that is not read in Escherichia coli, after the first exon in
Arabidopsis. Its authors state no licence.

The paper divides sequences at random. Many of them overlap, so here clusters of near-duplicates stay together
(`layerwise_science.genomics.folds`): a fifth of the clusters is the test split, a tenth of the rest is for validation.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError, InputError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split

LABELS = ("other", "promoter")
"""The names of the targets 0 and 1."""
HOMEPAGE = "https://github.com/solovictor/CNNPromoterData"
NUM_FOLDS, VALIDATION_SHARE = 5, 0.1
_RAW = "https://raw.githubusercontent.com/solovictor/CNNPromoterData/b4d2949e9bc5206f3049b35a488b036125ccc653"


@dataclass(frozen=True, kw_only=True)
class Promoters:
    """The two files of one of the data sets, and how they are checked.

    Args:
        negative, positive: The files of other pieces and of promoters.
        length: Letters of each sequence.
    """

    negative: File
    positive: File
    length: int

    @property
    def files(self) -> tuple[File, File]:
        """Both."""
        return self.negative, self.positive

    @property
    def packed(self) -> tuple[File, File]:
        """The same files compressed by xz, which nobody offers for download."""
        return tuple(_PACKED[file.name] for file in self.files)  # pyright: ignore[reportReturnType]


def sequences_of(promoters: Promoters, files: Mapping[str, Path]) -> tuple[list[str], np.ndarray]:
    """All sequences, the others first, and their targets int32 [sequences].

    Raises:
        DataError: A file is not what it should be.
    """
    import numpy as np

    found = [_sequences(files, file.name, promoters.length) for file in promoters.files]
    return [*found[0], *found[1]], np.repeat(np.arange(2, dtype="int32"), [len(part) for part in found])


def _sequences(files: Mapping[str, Path], name: str, length: int) -> list[str]:
    from layerwise.tasks.sequences.alphabets import DNA
    from layerwise.tasks.sequences.fasta import parse

    packed = files.get(f"{name}.xz")
    try:
        content = lzma.decompress(packed.read_bytes()) if packed is not None else files[name].read_bytes()
        records = parse(content.decode("utf-8"), DNA)
    except (lzma.LZMAError, UnicodeDecodeError, InputError) as error:
        raise DataError(f"{name} cannot be read", received=str(error)) from None
    for record in records:
        if len(record.sequence) != length:
            raise DataError(
                f"{name} has a sequence of another length",
                expected=f"{length} letters",
                received=f"{len(record.sequence)} letters: {record.name} {record.comment}",
            )
    return [record.sequence for record in records]


def splits_of(
    sequences: list[str], targets: np.ndarray, fold: int = 0, *, shares: np.ndarray | None = None
) -> dict[str, Split]:
    """The splits "train", "validation" and "test", no two of which have near-duplicates of each other.

    Args:
        sequences: All of one length.
        fold: Which fifth of the clusters is "test", 0 to 4. The data set's own is 0.
        shares: By what they are divided, numbers from 0 to below 1; None for `folds.shares_of`.

    Returns:
        Inputs are shares of letters float32 [examples, length, 4]; targets int32 [examples], positions in LABELS.
    """
    import numpy as np

    from layerwise.splits import Split
    from layerwise.tasks.sequences.alphabets import DNA
    from layerwise_science.genomics.folds import shares_of

    within, folds = np.modf(NUM_FOLDS * (shares_of(sequences) if shares is None else shares))
    inputs = DNA.encode("".join(sequences)).reshape(len(sequences), -1, len(DNA.letters))
    parts = {
        "train": (folds != fold) & (within >= VALIDATION_SHARE),
        "validation": (folds != fold) & (within < VALIDATION_SHARE),
        "test": folds == fold,
    }
    return {name: Split(inputs[chosen], targets[chosen]) for name, chosen in parts.items()}


def read_ecoli(files: Mapping[str, Path]) -> dict[str, Split]:
    """Of Escherichia coli, given the files or their compressed copies.

    Raises:
        DataError: A file is not what it should be.
    """
    return splits_of(*sequences_of(ECOLI_FILES, files))


def read_tata(files: Mapping[str, Path]) -> dict[str, Split]:
    """Of Arabidopsis with a TATA box, as `read_ecoli`."""
    return splits_of(*sequences_of(TATA_FILES, files))


def read_non_tata(files: Mapping[str, Path]) -> dict[str, Split]:
    """Of Arabidopsis without a TATA box, as `read_ecoli`."""
    return splits_of(*sequences_of(NON_TATA_FILES, files))


def _file(name: str, sha256: str, size: int) -> File:
    return File(name=name, url=f"{_RAW}/{name}", sha256=sha256, size=size)


def _packed(name: str, sha256: str, size: int) -> File:
    return File(name=f"{name}.xz", url="", sha256=sha256, size=size)


ECOLI_FILES = Promoters(
    negative=_file("Ecoli_non_prom.fa", "cf5f078da7e56c5f38c8abd8ffaeaa227863bff4f5c249f2cfda61cb5331c774", 273_716),
    positive=_file("Ecoli_prom.fa", "1712f385e357491d309bd14f8fd4e8de3d018bd418402cab3c6014232197ce5e", 102_427),
    length=81,
)
# The numbers of the paper's table 1: 2,879 others beside promoters with a TATA box, 11,459 beside those without.
TATA_FILES = Promoters(
    negative=_file(
        "Arabidopsis_non_prom.fa", "1ab75553cdbf99d54e56928a56b3f35eb14a5f3bbb31bba7c1102b406a615c90", 993_473
    ),
    positive=_file("Arabidopsis_tata.fa", "2beaa31c2797e7f8d193b6015b7239a89509341f59dde57d904d8664e492901b", 479_040),
    length=251,
)
NON_TATA_FILES = Promoters(
    negative=_file(
        "Arabidopsis_non_prom_big.fa", "12f6901527b506907373a6c4bcbaf289622159657e9f0a307b29f822ea2dc250", 3_954_332
    ),
    positive=_file(
        "Arabidopsis_non_tata.fa", "93f7c91d25bd18d7640c09f7fcd6052abf9f6f4425eda56dbebe6cc6ecfa2d1b", 1_889_600
    ),
    length=251,
)
_PACKED = {
    file.name.removesuffix(".xz"): file
    for file in (
        _packed("Ecoli_non_prom.fa", "2d6c91e6dca448aa17342304e7a0c4f304e3a4a5c6949a30eb328b6e50e14148", 53_328),
        _packed("Ecoli_prom.fa", "0087b2b81ee5d08e35faad10431616aea6b1ab1974150360ca6676b8fe721985", 29_124),
        _packed("Arabidopsis_non_prom.fa", "457af46bf4e7cf5b74813361346588810fdda2cba0faac5b323b210b0f30c583", 236_780),
        _packed("Arabidopsis_tata.fa", "1cc534d2cd331c56a98c95cc4f55b5608c08b5986b97b57f4ff7ecb2dd9d706a", 113_328),
        _packed(
            "Arabidopsis_non_prom_big.fa", "d18a511cf71f5400eb2c2bd718431888909ef3b0bcb672182c55b8c6f6df97a2", 874_376
        ),
        _packed("Arabidopsis_non_tata.fa", "89cad13183b21df26b9e5d287ba836a2d6df895402e188fa83c0eab1c79be941", 437_820),
    )
}


def _dataset(name: str, title: str, summary: str, promoters: Promoters, read: str) -> DatasetSpec:
    shared = {"read": f"layerwise_science.genomics.cnnprom:{read}", "licence": "NOASSERTION", "homepage": HOMEPAGE}
    return DatasetSpec(
        name=name,
        title=title,
        summary=summary,
        folder="promoters",
        splits=("train", "validation", "test"),
        sources=(
            Source(name="fasta", files=promoters.files, **shared),
            Source(name="xz", files=promoters.packed, **shared),
        ),
    )


ECOLI = _dataset(
    "promoters-ecoli",
    "Promoters of Escherichia coli",
    "839 promoters of sigma-70 and 3,000 pieces of genes, 81 letters each (CNNProm).",
    ECOLI_FILES,
    "read_ecoli",
)
ARABIDOPSIS_TATA = _dataset(
    "promoters-arabidopsis-tata",
    "Promoters of Arabidopsis with a TATA box",
    "1,497 promoters and 2,879 pieces of genes, 251 letters each (CNNProm).",
    TATA_FILES,
    "read_tata",
)
ARABIDOPSIS_NON_TATA = _dataset(
    "promoters-arabidopsis-non-tata",
    "Promoters of Arabidopsis without a TATA box",
    "5,905 promoters and 11,459 pieces of genes, 251 letters each (CNNProm).",
    NON_TATA_FILES,
    "read_non_tata",
)
