"""Fashion-MNIST: 70,000 pictures of garments, 28 x 28 grey pixels, ten kinds of equal number.

Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", https://arxiv.org/abs/1708.07747. MIT licence, (c) 2017 Zalando SE.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.specs import DatasetSpec, File, Source

if TYPE_CHECKING:
    from layerwise.splits import Split

LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The names of the targets 0 to 9."""

HOMEPAGE = "https://github.com/zalandoresearch/fashion-mnist"

# Name: (bytes, SHA-256) of the four files as their authors publish them.
_ORIGINAL = {
    "train-images-idx3-ubyte.gz": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    "train-labels-idx1-ubyte.gz": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    "t10k-images-idx3-ubyte.gz": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    "t10k-labels-idx1-ubyte.gz": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
}
# Debian's package holds the same compressed streams, without the file's name and date before them (gzip -n).
_DEBIAN = {
    "train-images-idx3-ubyte.gz": (26421856, "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"),
    "train-labels-idx1-ubyte.gz": (29491, "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"),
    "t10k-images-idx3-ubyte.gz": (4422079, "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"),
    "t10k-labels-idx1-ubyte.gz": (5125, "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"),
}


def read(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" (60,000) and "test" (10,000).

    Returns:
        Inputs uint8 [examples, 28, 28, 1], 0 for the background; targets int32 [examples], positions in LABELS.

    Raises:
        DataError: A file is not what it should be.
    """
    from layerwise.splits import Split
    from layerwise_vision.idx import read_idx

    return {
        split: Split(
            read_idx(files[f"{prefix}-images-idx3-ubyte.gz"], 3)[..., None],
            read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"], 1).astype("int32"),
        )
        for split, prefix in (("train", "train"), ("test", "t10k"))
    }


def _source(name: str, files: dict[str, tuple[int, str]], address: str) -> Source:
    return Source(
        name=name,
        read="layerwise_vision.fashion_mnist:read",
        licence="MIT",
        homepage=HOMEPAGE,
        files=tuple(
            File(name=file, url=address and address + file, sha256=sha256, size=size)
            for file, (size, sha256) in files.items()
        ),
    )


FASHION_MNIST = DatasetSpec(
    name="fashion-mnist",
    title="Fashion-MNIST",
    summary="70,000 pictures of garments, 28 x 28 grey pixels, in ten classes of equal size.",
    sources=(
        _source("zalando", _ORIGINAL, f"{HOMEPAGE}/raw/master/data/fashion/"),
        # The copy that keras.datasets.fashion_mnist uses.
        _source("keras", _ORIGINAL, "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
        # The address that the authors' README gives; it has no https, the checksums do as well.
        _source("zalando-s3", _ORIGINAL, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        _source("debian", _DEBIAN, ""),
    ),
)
