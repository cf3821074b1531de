from __future__ import annotations

import gzip
import hashlib
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest

from layerwise.data import Dataset, load
from layerwise.errors import DataError
from layerwise_vision.fashion_mnist import FASHION_MNIST, LABELS
from layerwise_vision.idx import read_idx


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def dataset(fashion_mnist_folder: Path) -> Dataset:
    return load(FASHION_MNIST, offline=True)


def test_all_records_are_there_in_the_shapes_and_types_that_the_spec_promises(dataset: Dataset):
    for name, count in (("train", 60_000), ("test", 10_000)):
        split = dataset.splits[name]
        assert (split.inputs.shape, split.inputs.dtype) == ((count, 28, 28, 1), np.uint8)
        assert (split.targets.shape, split.targets.dtype) == ((count,), np.int32)
        np.testing.assert_array_equal(np.bincount(split.targets), [count // 10] * 10)


def test_debians_files_are_those_of_the_authors_with_another_header(fashion_mnist_folder: Path):
    originals, *_, debian = FASHION_MNIST.sources
    for original, copy in zip(originals.files, debian.files, strict=True):
        content = (fashion_mnist_folder / copy.name).read_bytes()
        if len(content) == copy.size:
            # RFC 1952: magic, deflate, "has a name", date, no extra flags, Unix; then the name. The authors
            # compressed their training files at 10:50:06 and their test files at 10:50:27 UTC on 2017-08-31.
            date = 1504176606 if copy.name.startswith("train") else 1504176627
            name = copy.name.removesuffix(".gz").encode() + b"\0"
            content = b"\x1f\x8b\x08\x08" + struct.pack("<IBB", date, 0, 3) + name + content[10:]
        assert len(content) == original.size
        assert hashlib.sha256(content).hexdigest() == original.sha256


def test_labels_belong_to_the_pictures_that_bear_them(dataset: Dataset):
    mean = {
        label: dataset.splits["train"].inputs[dataset.splits["train"].targets == position].mean((0, 3))
        for position, label in enumerate(LABELS)
    }
    # Trousers leave the sides empty, sneakers the top; a dress covers less than a coat.
    assert mean["Trouser"][:, :6].mean() < 1 < mean["Pullover"][:, :6].mean()
    assert mean["Sneaker"][:6].mean() < 1 < mean["Ankle boot"][:6].mean()
    assert mean["Dress"].mean() < mean["Coat"].mean()


def test_its_sources_are_documented():
    assert len(LABELS) == 10
    assert [source.licence for source in FASHION_MNIST.sources] == ["MIT"] * len(FASHION_MNIST.sources)
    downloadable = [source for source in FASHION_MNIST.sources if source.files[0].url]
    assert downloadable[0].files[0].url.startswith("https://github.com/zalandoresearch/fashion-mnist/")
    # Mirrors of the same files, so that one may stand in for another.
    assert len({tuple((file.name, file.size, file.sha256) for file in source.files) for source in downloadable}) == 1


def test_the_copy_of_keras_is_where_keras_looks_for_it():
    # Its source is read, not imported: that would take seconds.
    keras = Path(importlib.util.find_spec("keras").origin).parent
    text = (keras / "src" / "datasets" / "fashion_mnist.py").read_text("utf-8")
    (source,) = [source for source in FASHION_MNIST.sources if source.name == "keras"]
    for file in source.files:
        assert f'"{file.url.removesuffix(file.name)}"' in text
        assert f'"{file.name}"' in text


def test_an_idx_file_is_read(tmp_path: Path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "numbers.gz"
    path.write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(path, 3), array)


WHOLE = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(WHOLE, mtime=0)[:-12], "cannot be decompressed"),
        (b"<html>not found</html>", "cannot be decompressed"),
        (gzip.compress(b"", mtime=0), "Received: nothing"),
        (gzip.compress(WHOLE[:9], mtime=0), "not an IDX file"),
        (gzip.compress(idx(np.zeros(3, np.uint8)), mtime=0), "expected?: the first bytes 00 00 08 03"),
        (gzip.compress(b"\x00\x00\x0d\x03" + WHOLE[4:], mtime=0), "Received: 00 00 0d 03"),
        (gzip.compress(WHOLE[:-1], mtime=0), r"Expected: 24 for the shape \[2, 3, 4\]. Received: 23"),
        (gzip.compress(WHOLE + b"!", mtime=0), "Received: 25"),
    ],
)
def test_a_file_that_is_no_such_idx_file_is_refused(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "numbers.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"(?i){reason}") as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
