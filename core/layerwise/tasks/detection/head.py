"""What a network for detection gives, its loss, and how its outputs become boxes.

The network gives [batch, rows, columns, classes + 4]. Each cell stands for a square of the picture, as many pixels wide
as the frame has for each column. First come the logits of whether the middle of a thing of each class is there (heat
maps, Zhou et al. 2019, "Objects as Points", arXiv:1904.07850), then the distances from the middle of the cell to the
left, upper, right and lower side of its box, in cells, before a softplus (Tian et al. 2019, "FCOS", arXiv:1904.01355).

There are no anchors: a cell learns from the box whose Gaussian is highest there, and as much as that says (Liu et al.
2019, "Training-Time-Friendly Network", arXiv:1909.00700, sections 3.2 and 3.3).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.tasks.detection.boxes import suppressed
from layerwise.tasks.detection.metrics import Detected

SPREAD = 0.09
"""The standard deviation of a box's Gaussian by its side: 0.54 / 6 as in TTFNet."""
LEAST_SPREAD = 0.4
"""In cells: of a small box too the cells beside the middle learn a little."""
MOST_CANDIDATES, MOST_FOUND = 400, 100
OVERLAP = 0.5
"""The largest intersection over union of two boxes of one class."""
SIZE_WEIGHT = 2.0
"""How much the loss of the boxes counts beside that of the heat maps."""


def heat_and_boxes(targets: Any, rows: int, columns: int, stride: float, num_classes: int) -> tuple[Any, Any, Any]:
    """What each cell shall give, in `keras.ops`.

    Args:
        targets: Boxes [batch, most, 5]: left, top, right, bottom in pixels, class number; below 0 for no box.
        stride: The side of a cell in pixels.

    Returns:
        Heat maps [batch, cells, classes], 1 in the cell of each middle; how much each cell counts for the boxes
        [batch, cells]; the box of each cell [batch, cells, 4] in cells. The cells go row by row.
    """
    import keras

    ops: Any = keras.ops
    targets = ops.cast(targets, "float32")
    labels = targets[..., 4]
    boxes = targets[..., :4] / stride
    middle = ops.floor((boxes[..., :2] + boxes[..., 2:]) / 2)
    spread = ops.maximum(SPREAD * (boxes[..., 2:] - boxes[..., :2]), LEAST_SPREAD)
    across = (ops.arange(columns, dtype="float32") - middle[..., 0:1]) / spread[..., 0:1]
    down = (ops.arange(rows, dtype="float32") - middle[..., 1:2]) / spread[..., 1:2]
    # [batch, most, rows, columns]: 1 in the cell of the middle.
    gaussians = ops.exp(-0.5 * (ops.square(down)[..., None] + ops.square(across)[..., None, :]))
    gaussians = gaussians * ops.cast(labels >= 0, "float32")[..., None, None]
    gaussians = ops.reshape(gaussians, (*ops.shape(gaussians)[:2], rows * columns))
    owner = ops.argmax(gaussians, axis=1)
    weights = ops.max(gaussians, axis=1)
    owned = ops.cast(ops.take_along_axis(ops.maximum(labels, 0.0), owner, axis=1), "int32")
    heat = ops.one_hot(owned, num_classes, dtype="float32") * weights[..., None]
    return heat, weights, ops.take_along_axis(boxes, ops.repeat(owner[..., None], 4, axis=-1), axis=1)


def detection_loss(targets: Any, outputs: Any, frame_width: int) -> Any:
    """The loss of a batch, in `keras.ops`: the focal loss of the heat maps by the number of things (arXiv:1904.07850,
    equation 1), and 1 - GIoU of the boxes (Rezatofighi et al. 2019, arXiv:1902.09630).

    Args:
        targets: As for `heat_and_boxes`.
        outputs: [batch, rows, columns, classes + 4].
        frame_width: The width in pixels of what the network takes.
    """
    import keras

    ops: Any = keras.ops
    outputs = ops.convert_to_tensor(outputs)
    rows, columns, depth = outputs.shape[1:]
    heat, weights, boxes = heat_and_boxes(targets, rows, columns, frame_width / columns, depth - 4)
    outputs = ops.reshape(outputs, (-1, rows * columns, depth))
    count = ops.maximum(ops.sum(ops.cast(targets[..., 4] >= 0, "float32")), 1.0)
    focal = focal_loss(heat, outputs[..., :-4]) / count
    overlap = giou(boxes, boxes_of(outputs[..., -4:], rows, columns))
    return focal + SIZE_WEIGHT * ops.sum(weights * (1 - overlap)) / ops.maximum(ops.sum(weights), 1.0)


def focal_loss(heat: Any, logits: Any) -> Any:
    """The sum over all cells; those near a middle are punished less for saying that it is there."""
    import keras

    ops: Any = keras.ops
    probability = ops.sigmoid(logits)
    # log(sigmoid) without overflow.
    found = ops.square(1 - probability) * ops.softplus(-logits)
    none = ops.square(probability) * ops.softplus(logits) * ops.power(1 - heat, 4)
    return ops.sum(ops.where(heat >= 1.0, found, none))


def boxes_of(distances: Any, rows: int, columns: int) -> Any:
    """Boxes [batch, cells, 4] in cells, of what the network gives for them."""
    import keras

    ops: Any = keras.ops
    across = ops.arange(columns, dtype="float32")
    down = ops.arange(rows, dtype="float32")
    middle = ops.stack([ops.tile(across, (rows,)), ops.repeat(down, columns)], axis=-1) + 0.5
    sides = ops.softplus(distances)
    return ops.concatenate([middle - sides[..., :2], middle + sides[..., 2:]], axis=-1)


def giou(one: Any, other: Any) -> Any:
    """The generalised intersection over union [...] of boxes [..., 4], -1 to 1."""
    import keras

    ops: Any = keras.ops

    def area(low: Any, high: Any) -> Any:
        sides = ops.maximum(high - low, 0.0)
        return sides[..., 0] * sides[..., 1]

    low, high = one[..., :2], one[..., 2:]
    other_low, other_high = other[..., :2], other[..., 2:]
    common = area(ops.maximum(low, other_low), ops.minimum(high, other_high))
    union = area(low, high) + area(other_low, other_high) - common
    hull = area(ops.minimum(low, other_low), ops.maximum(high, other_high))
    return common / ops.maximum(union, 1e-6) - (hull - union) / ops.maximum(hull, 1e-6)


def found_boxes(output: np.ndarray, frame: tuple[int, int], least: float) -> Detected:
    """The boxes of one picture: the surest cells, without those that overlap with a surer one of their class.

    Args:
        output: [rows, columns, classes + 4].
        frame: (height, width) in pixels of what the network takes.
        least: The least score.
    """
    rows, columns, depth = output.shape
    logits = np.clip(output[..., :-4].astype("float32"), -60, 60).reshape(-1, depth - 4)
    scores = 1 / (1 + np.exp(-logits))
    cells, labels = np.nonzero(scores >= least)
    chosen = scores[cells, labels]
    if len(chosen) > MOST_CANDIDATES:
        kept = np.argpartition(-chosen, MOST_CANDIDATES)[:MOST_CANDIDATES]
        cells, labels, chosen = cells[kept], labels[kept], chosen[kept]
    sides = np.logaddexp(0, output[..., -4:].reshape(-1, 4)[cells].astype("float32"))
    middle = np.stack([cells % columns + 0.5, cells // columns + 0.5], axis=-1)
    stride = np.array([frame[1] / columns, frame[0] / rows])
    boxes = np.concatenate([(middle - sides[:, :2]) * stride, (middle + sides[:, 2:]) * stride], axis=1)
    boxes = boxes.clip(0, np.array([frame[1], frame[0]] * 2))
    # Classes far apart from each other suppress nothing of each other.
    apart = labels[:, None] * (2.0 * max(frame))
    kept = suppressed(boxes + apart, chosen, OVERLAP)[:MOST_FOUND]
    return Detected(boxes[kept].astype("float32"), chosen[kept], labels[kept])
