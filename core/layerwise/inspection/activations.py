"""What each layer makes of an input."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.drawing import MOST_BARS
from layerwise.inspection.graph import shape_text
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import BarPlot, Heatmap, Picture, Pictures, Plot, Text

EACH = "each layer"
"""The choice of all layers one below the other."""
MOST_LAYERS = 24
FEW_CHANNELS, MOST_CHANNELS = 8, 64
"""How many channels are shown of each layer, and of a single one."""
MOST_CELLS = 512
"""Longer sides of a matrix are thinned out to this."""
MOST_UNITS = 4096


def look(subject: Subject) -> Look | None:
    """The look "activations"; None for a network whose layers give no floating-point numbers."""
    steps = [step for step in subject.steps if "float" in step.dtype]
    if not steps:
        return None
    choices = (EACH, *(step.name for step in steps))
    return Look(
        name="activations",
        title="Activations",
        text="What each layer makes of this input. Of a convolution each channel is a picture, bright where its "
        "pattern was found; the most active channels come first.",
        show=lambda inputs, settings: _show(subject, steps, inputs, settings),
        settings=settings_of_look(layer=(str, setting(EACH, "The layer that is shown", choices=choices))),
    )


def _show(subject: Subject, steps: Sequence[Step], inputs: Inputs, settings: Any) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    chosen = _working(subject, steps, batch) if settings.layer == EACH else [subject.step(settings.layer)]
    shown = chosen[:MOST_LAYERS]
    found = subject.activations(batch, [step.name for step in shown])
    channels = FEW_CHANNELS if len(shown) > 1 else MOST_CHANNELS
    labels = {subject.steps[-1].name: subject.labels}
    plots = [_draw(step, found[step.name][0], channels, labels.get(step.name, [])) for step in shown]
    if len(chosen) > len(shown):
        more = f"The first {len(shown)} of {len(chosen)} layers are shown; the setting shows any of the others."
        plots.append(Text(text=more))
    return plots


def _working(subject: Subject, steps: Sequence[Step], batch: Batch) -> list[Step]:
    """The steps but for those that only training needs, such as dropout and random changes of pictures: they pass on
    what they are given."""
    idle = [step for step in steps if _may_be_idle(step)]
    if not idle:
        return list(steps)
    found = subject.activations(batch, [name for step in idle for name in (step.name, *step.sources)])
    given: Batch = batch | found
    return [step for step in steps if step not in idle or not np.array_equal(found[step.name], given[step.sources[0]])]


def _may_be_idle(step: Step) -> bool:
    return len(step.sources) == 1 and not step.variables and "training" in inspect.signature(step.layer.call).parameters


def _draw(step: Step, values: np.ndarray, channels: int, labels: Sequence[str]) -> Plot:
    """What a step gives for one example, [...]; `labels` may name its units."""
    title = f"{step.name}, {shape_text((None, *values.shape))}"
    if values.ndim == 3:
        return _pictures(values, channels, title)
    if values.ndim == 2 and 1 not in values.shape:
        thinned = values[tuple(slice(None, None, -(-size // MOST_CELLS)) for size in values.shape)]
        return Heatmap(title=title, values=thinned.T, x_label="position", y_label="channel", center=_center(values))
    flat = values.reshape(-1)
    if len(flat) <= MOST_BARS:
        numbers = [str(unit) for unit in range(1, len(flat) + 1)]
        return BarPlot(title=title, labels=labels if len(labels) == len(flat) else numbers, values=flat)
    return Heatmap(title=title, values=_folded(flat[:MOST_UNITS]), center=_center(flat))


def _pictures(values: np.ndarray, channels: int, title: str) -> Pictures:
    """The most active channels of [height, width, channels] in one common scale, black for 0 or the least value."""
    order = np.abs(values).mean(axis=(0, 1)).argsort(kind="stable")[::-1][:channels]
    shown = values[..., order].astype("float64")
    low, high = min(float(shown.min()), 0.0), float(shown.max())
    scaled = (shown - low) / (high - low or 1)
    pictures = [Picture(pixels=scaled[..., place], caption=f"channel {c + 1}") for place, c in enumerate(order)]
    more = f", the {len(order)} most active channels" if len(order) < values.shape[-1] else ""
    return Pictures(title=f"{title}{more}", pictures=pictures)


def _center(values: np.ndarray) -> float | None:
    return 0.0 if values.min() < 0 else None


def _folded(values: np.ndarray) -> np.ndarray:
    """A long row of units in several rows, the last one filled up with zeros."""
    width = int(np.ceil(np.sqrt(len(values) * 4)))
    rows = -(-len(values) // width)
    return np.pad(values, (0, rows * width - len(values))).reshape(rows, width)
