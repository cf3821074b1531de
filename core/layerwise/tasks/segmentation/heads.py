"""What a network for segmentation gives, what it is trained on, and how that becomes regions of a picture.

Two kinds: things that are counted (`Instances`) and areas of several classes (`Areas`). For both a picture's answer is
a map of labels, [height, width], in which 0 is the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

SMALLEST = 12
"""Things of fewer pixels are taken for noise."""
NARROW = 3
"""So many pixels from two things a place is narrow."""
NARROW_WEIGHT = 5.0
"""How much more a narrow place counts in training: there things are told apart."""


class Head(Protocol):
    """A kind of answer of a network for segmentation."""

    @property
    def num_outputs(self) -> int:
        """The channels of the network's output."""
        ...

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """What the network is trained to give for a map of labels: uint8 [height, width, channels]."""
        ...

    def loss(self, targets: Any, logits: Any) -> Any:
        """A number for a batch, in `keras.ops`."""
        ...

    def dice(self, targets: Any, logits: Any) -> Any:
        """How well the areas overlap (1 is perfect), for a batch, in `keras.ops`."""
        ...

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """[..., channels] from 0 to 1."""
        ...

    def labels(self, probabilities: np.ndarray, threshold: float) -> np.ndarray:
        """The map of labels, int32 [height, width]."""
        ...


@dataclass(frozen=True)
class Instances:
    """Things that may touch. The first output says where there is a thing, the second how far within: the distance to
    the border of the thing, divided by its greatest (Naylor et al. 2019, doi:10.1109/TMI.2018.2865709). Where things
    touch the distance has a valley, so the hills are seeds from which a watershed fills the things."""

    seed_level: float = 0.55
    """Where the second output is above it lies the core of a thing."""

    @property
    def num_outputs(self) -> int:
        return 2

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """For each output what it shall give, and whether a place is narrow (after Ronneberger et al. 2015,
        arXiv:1505.04597, section 3)."""
        found = np.zeros((*labels.shape, 3), "uint8")
        found[..., 0] = 255 * (labels > 0)
        found[..., 1] = np.rint(255 * inner_distances(labels))
        found[..., 2] = 255 * narrow_places(labels)
        return found

    def loss(self, targets: Any, logits: Any) -> Any:
        from keras import ops

        shares: Any = _shares(targets)
        weights: Any = 1.0 + (NARROW_WEIGHT - 1.0) * shares[..., 2:]
        entropy: Any = ops.mean(weights * _binary_cross_entropy(shares[..., :2], logits))
        return 2.0 * entropy + 1.0 - self.dice(targets, logits)

    def dice(self, targets: Any, logits: Any) -> Any:
        from keras import ops

        return _soft_dice(_shares(targets[..., :1]), ops.sigmoid(logits[..., :1]))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))

    def labels(self, probabilities: np.ndarray, threshold: float) -> np.ndarray:
        """The largest thing is number 1."""
        from skimage.segmentation import watershed

        ndimage = _ndimage()
        is_thing = probabilities[..., 0] > threshold
        inside = ndimage.gaussian_filter(probabilities[..., 1], 1.0)
        seeds, count = ndimage.label((inside > self.seed_level) & is_thing)
        parts, _ = ndimage.label(is_thing)
        # A thing without a core, thin or small, is one as a whole.
        without = np.setdiff1d(np.unique(parts), np.unique(parts[seeds > 0]))
        lone = np.isin(parts, without[without > 0])
        seeds[lone] = parts[lone] + count
        found = watershed(-inside, seeds, mask=is_thing)
        sizes = np.bincount(found.ravel())
        sizes[0] = 0
        order = np.argsort(-sizes, kind="stable")[: np.sum(sizes >= SMALLEST)]
        numbers = np.zeros(len(sizes), "int32")
        numbers[order] = np.arange(1, len(order) + 1)
        return numbers[found]


@dataclass(frozen=True)
class Areas:
    """A class for each pixel: the ground, or one of several. Logits in this order.

    Args:
        num_classes: Without the ground.
    """

    num_classes: int

    @property
    def num_outputs(self) -> int:
        return self.num_classes + 1

    def targets(self, labels: np.ndarray) -> np.ndarray:
        return (255 * (labels[..., None] == np.arange(self.num_outputs))).astype("uint8")

    def loss(self, targets: Any, logits: Any) -> Any:
        from keras import ops

        log_probabilities: Any = ops.log_softmax(logits, axis=-1)
        likelihood: Any = ops.mean(ops.sum(_shares(targets) * log_probabilities, axis=-1))
        return 1.0 - self.dice(targets, logits) - likelihood

    def dice(self, targets: Any, logits: Any) -> Any:
        from keras import ops

        probabilities: Any = ops.softmax(logits, axis=-1)
        return _soft_dice(_shares(targets[..., 1:]), probabilities[..., 1:])

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        from layerwise.from_scratch.losses import softmax

        return softmax(logits)

    def labels(self, probabilities: np.ndarray, threshold: float) -> np.ndarray:
        things = probabilities[..., 1:]
        found = things.argmax(axis=-1) + 1
        return np.where(1 - probabilities[..., 0] > threshold, found, 0).astype("int32")


def inner_distances(labels: np.ndarray) -> np.ndarray:
    """How far within its thing each pixel lies: 0 on the ground, 1 where it is deepest, float32 [height, width].

    Args:
        labels: [height, width], 0 for the ground and a number for each thing.
    """
    ndimage = _ndimage()
    found = np.zeros(labels.shape, "float32")
    for number, box in enumerate(ndimage.find_objects(labels.astype("int32")), start=1):
        if box is None:
            continue
        # With a margin: what touches the border of the box does not end there.
        inside = np.pad(labels[box] == number, 1)
        distance = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
        found[box] = np.maximum(found[box], distance / distance.max())
    return found


def narrow_places(labels: np.ndarray) -> np.ndarray:
    """Where two things are near, [height, width].

    Args:
        labels: [height, width], 0 for the ground and a number for each thing.
    """
    ndimage = _ndimage()
    side = 2 * NARROW + 1
    highest = ndimage.maximum_filter(labels, side)
    lowest = ndimage.minimum_filter(np.where(labels > 0, labels, np.iinfo(labels.dtype).max), side)
    return lowest < highest


def connected_parts(is_thing: np.ndarray) -> np.ndarray:
    """A number for each part of a mask that hangs together, int32 [height, width], 0 for the ground."""
    ndimage = _ndimage()
    found, _ = ndimage.label(is_thing)
    return found.astype("int32")


def _shares(targets: Any) -> Any:
    """Bytes as numbers from 0 to 1."""
    from keras import ops

    numbers: Any = ops.cast(targets, "float32")
    return numbers / 255.0


def _binary_cross_entropy(shares: Any, logits: Any) -> Any:
    from keras import ops

    size: Any = ops.abs(logits)
    parts: Any = ops.maximum(logits, 0.0), ops.log1p(ops.exp(-size))
    return parts[0] - logits * shares + parts[1]


def _soft_dice(right: Any, found: Any) -> Any:
    """Twice the intersection by the sum of both (Milletari et al. 2016, arXiv:1606.04797, section 3), over the batch,
    the mean over the channels."""
    from keras import ops

    axes = (0, 1, 2)
    overlap: Any = ops.sum(right * found, axis=axes)
    both: Any = ops.sum(right + found, axis=axes)
    return ops.mean((2.0 * overlap + 1.0) / (both + 1.0))


def _ndimage() -> Any:
    # Imported late, and typed as anything: SciPy says of these functions that they may return nothing.
    from scipy import ndimage

    return ndimage
