"""Receptive fields: which part of a picture a place of a convolutional layer sees, computed from the kernels, the
strides and the padding of the layers before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Subject

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
POOLINGS = ("MaxPooling2D", "AveragePooling2D")
POINTWISE = {
    *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Relu", "Relu6", "Silu", "Gelu", "Elu", "Sigmoid"),
    *("Tanh", "BatchNormalization", "Normalization", "Rescaling", "Identity", "Dropout", "SpatialDropout2D"),
    *("AlphaDropout", "GaussianDropout", "GaussianNoise", "Add", "Subtract", "Multiply", "Average", "Maximum"),
    *("Minimum", "Concatenate", "RandomFlip", "RandomTranslation", "RandomRotation", "RandomZoom", "RandomContrast"),
    "RandomBrightness",
}
"""Layers, and operations of `keras.ops`, each of whose places sees the same place of what they are given (those that
move pictures do so in training only). A plugin's own layer says so by an attribute `is_pointwise`."""


@dataclass(frozen=True)
class Reach:
    """What a layer sees along one side: its place p sees the pixels p * jump + low to p * jump + high, both included,
    some of which may lie outside of the picture."""

    low: int = 0
    high: int = 0
    jump: int = 1

    @property
    def size(self) -> int:
        """How many pixels a place sees."""
        return self.high - self.low + 1

    def within(self, kernel: int, stride: int, before: int) -> Reach:
        """What a layer sees that has a kernel over this one.

        Args:
            kernel: How many places of this layer it covers, gaps of a dilation included.
            stride: How far apart its own places are.
            before: How many places of padding come first.
        """
        low = self.low - before * self.jump
        return Reach(low, self.high + (kernel - 1 - before) * self.jump, self.jump * stride)

    def enlarged(self, factor: int) -> Reach | None:
        """What a layer sees at most that repeats each place of this one; None where its places are no whole pixels
        apart."""
        if self.jump % factor:
            return None
        step = self.jump // factor
        return Reach(self.low - (factor - 1) * step, self.high, step)


Field = tuple[Reach, Reach]
"""The reaches along height and width."""


def convolutions(subject: Subject) -> list[Step]:
    """The steps that look for patterns in a picture, first to last. Kernels of one pixel, which see no pattern of their
    own, are left out when there are others."""
    steps = [step for step in subject.steps if step.kind in CONVOLUTIONS]
    return [step for step in steps if max(step.layer.kernel_size) > 1] or steps


def receptive_field(subject: Subject, name: str) -> Field | None:
    """What the places of a step see of an input [height, width, channels]; None where it may be all of it, as behind a
    dense layer or a layer that is not known here."""
    found: dict[str, Field | None] = {
        source: (Reach(), Reach()) if len(tensor.shape) == 4 else None
        for source, tensor in zip(subject.input_names, subject.model.inputs, strict=True)
    }
    for step in subject.steps:
        found[step.name] = _field_of(step, [found[source] for source in step.sources])
        if step.name == name:
            break
    return found[name]


def _field_of(step: Step, sources: Sequence[Field | None]) -> Field | None:
    known = [source for source in sources if source is not None]
    if not known or len(known) < len(sources):
        return None
    merged = _merged(known)
    is_pointwise = step.kind in POINTWISE or getattr(step.layer, "is_pointwise", False)
    if merged is None or (is_pointwise and len(step.shape) == 4):
        return merged
    if step.kind == "UpSampling2D" and step.layer.data_format == "channels_last":
        tall, wide = (reach.enlarged(size) for reach, size in zip(merged, step.layer.size, strict=True))
        return None if tall is None or wide is None else (tall, wide)
    windows = _windows(step)
    if windows is None:
        return None
    height, width = (reach.within(*window) for reach, window in zip(merged, windows, strict=True))
    return height, width


def _merged(fields: Sequence[Field]) -> Field | None:
    """What those see that see several layers of the same resolution."""
    if len({(height.jump, width.jump) for height, width in fields}) > 1:
        return None
    sides = zip(*fields, strict=True)
    height, width = (Reach(min(r.low for r in side), max(r.high for r in side), side[0].jump) for side in sides)
    return height, width


def _windows(step: Step) -> list[tuple[int, int, int]] | None:
    """For height and width the kernel, the stride and the padding before; None for a layer that is not known."""
    layer: Any = step.layer
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    if step.kind == "ZeroPadding2D":
        return [(1, 1, before) for before, _ in layer.padding]
    if step.kind == "Cropping2D":
        return [(1, 1, -before) for before, _ in layer.cropping]
    if step.kind in CONVOLUTIONS:
        kernels, dilations = layer.kernel_size, layer.dilation_rate
        dilations = (dilations, dilations) if isinstance(dilations, int) else dilations
    elif step.kind in POOLINGS:
        kernels, dilations = layer.pool_size, (1, 1)
    else:
        return None
    sides = zip(kernels, dilations, layer.strides, step.input_shape[1:3], strict=True)
    windows = []
    for kernel, dilation, stride, size in sides:
        reach = (kernel - 1) * dilation + 1
        before = 0
        if layer.padding == "same":
            if size is None and stride > 1:
                return None  # how much is padded depends on the size of the picture
            before = max(reach - (stride if size is None or size % stride == 0 else size % stride), 0) // 2
        windows.append((reach, stride, before))
    return windows
