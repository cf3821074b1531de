"""CIFAR-10 from both of its sources."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwise.data import load
from layerwise.errors import DataError
from layerwise_vision.cifar10 import CIFAR_10, LABELS, read_binary, read_jpeg

ARCHIVE = "cifar-10-binary.tar.gz"


def records(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, count, dtype=np.uint8)


def as_binary(pictures: np.ndarray, targets: np.ndarray) -> bytes:
    """The authors' format: a byte for the class, then the red, the green and the blue plane, row by row."""
    return b"".join(
        bytes([target]) + b"".join(picture[..., channel].tobytes() for channel in range(3))
        for picture, target in zip(pictures, targets, strict=True)
    )


def write_archive(path: Path, members: dict[str, bytes]) -> dict[str, Path]:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return {ARCHIVE: path}


def test_the_binary_archive_gives_pictures_in_their_order(tmp_path):
    parts = [records(3, seed) for seed in range(6)]
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    files = write_archive(tmp_path / ARCHIVE, {name: as_binary(*part) for name, part in zip(names, parts, strict=True)})
    splits = read_binary(files)
    np.testing.assert_array_equal(splits["train"].inputs, np.concatenate([pictures for pictures, _ in parts[:5]]))
    np.testing.assert_array_equal(splits["train"].targets, np.concatenate([targets for _, targets in parts[:5]]))
    np.testing.assert_array_equal(splits["test"].inputs, parts[5][0])
    assert splits["test"].targets.dtype == np.int32


@pytest.mark.parametrize("content", [None, b"", b"12345"], ids=["missing", "empty", "truncated"])
def test_an_unusable_member_is_named(tmp_path, content):
    members = {f"data_batch_{number}.bin": as_binary(*records(1, 0)) for number in range(1, 6)}
    files = write_archive(tmp_path / ARCHIVE, members | ({} if content is None else {"test_batch.bin": content}))
    with pytest.raises(DataError, match="test_batch"):
        read_binary(files)


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / ARCHIVE
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="no tar archive"):
        read_binary({ARCHIVE: path})


def test_the_compressed_copy_gives_what_its_pictures_show(tmp_path):
    colors = [(200, 30, 30), (20, 180, 40), (30, 40, 220)]
    encoded = []
    for color in colors:
        buffer = io.BytesIO()
        Image.new("RGB", (32, 32), color).save(buffer, "JPEG", quality=95)
        encoded.append(buffer.getvalue())
    offsets = np.cumsum([0, *map(len, encoded)])
    jpeg = np.frombuffer(b"".join(encoded), np.uint8)
    files = {}
    for split in ("train", "test"):
        files[f"{split}_jpeg.npz"] = tmp_path / f"{split}_jpeg.npz"
        np.savez(files[f"{split}_jpeg.npz"], jpeg=jpeg, offsets=offsets, label=np.array([3, 1, 2], np.uint8))
    split = read_jpeg(files)["train"]
    np.testing.assert_allclose(split.inputs.mean(axis=(1, 2)), colors, atol=4)
    assert split.targets.tolist() == [3, 1, 2]
    np.savez(files["test_jpeg.npz"], jpeg=jpeg, label=np.zeros(3, np.uint8))
    with pytest.raises(DataError, match="incomplete"):
        read_jpeg(files)


@pytest.mark.long
def test_the_copy_at_hand_has_all_records(require_data):
    require_data("cifar10")
    dataset = load(CIFAR_10, offline=True)
    for name, count in (("train", 50_000), ("test", 10_000)):
        split = dataset.splits[name]
        assert (split.inputs.shape, split.inputs.dtype) == ((count, 32, 32, 3), np.uint8)
        np.testing.assert_array_equal(np.bincount(split.targets), [count // len(LABELS)] * len(LABELS))
    blue = dataset.splits["train"].inputs[..., 2].astype("float32").mean(axis=(1, 2))
    targets = dataset.splits["train"].targets
    # Airplanes are seen before the sky, frogs are not.
    assert blue[targets == LABELS.index("airplane")].mean() > blue[targets == LABELS.index("frog")].mean() + 20


def test_its_sources_are_documented():
    for source in CIFAR_10.sources:
        assert source.homepage
        assert all(file.size > 0 for file in source.files)
    canonical = CIFAR_10.sources[0]
    assert all(file.url.startswith("https://") for file in canonical.files)
