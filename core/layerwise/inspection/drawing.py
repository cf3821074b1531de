"""Numbers over an input, as what a person can read: heat on a picture, a plane of time and frequency, marked tokens,
a bar for each column.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from layerwise.inspection.probes import Site
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import BarPlot, Heatmap, Line, LinePlot, Picture, Pictures, Plot, Row, Tokens

if TYPE_CHECKING:
    from PIL import Image

PICTURES = ("image", "sketch")
MOST_BARS = 64
WIDE = 192
"""The width in CSS pixels of a picture that is looked at by itself."""


def is_picture(subject: Subject, name: str) -> bool:
    """Whether an input of the network is a picture, [height, width, channels]."""
    shape = subject.model.inputs[subject.input_names.index(name)].shape
    return len(shape) == 4 and (subject.kind(name) in PICTURES or (not subject.kind(name) and shape[-1] in (1, 3)))


def pixel_range(array: np.ndarray) -> tuple[float, float]:
    """The darkest and the lightest value that the pixels of encoded pictures can have, as far as it can be seen."""
    low, high = float(array.min()), float(array.max())
    if low < 0:
        return low, high
    return 0.0, 255.0 if array.dtype == np.uint8 or high > 1.5 else 1.0


def pixels(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """An encoded picture [height, width, channels] as Picture takes it: from 0 to 1, grey or in colour."""
    low, high = limits or pixel_range(image)
    shown = np.clip((image.astype("float64") - low) / (high - low or 1), 0, 1)
    return shown if image.shape[-1] == 3 else shown.mean(axis=-1)


def image_of(shown: np.ndarray) -> Image.Image:
    """What `pixels` gives, as a picture of Pillow."""
    from PIL import Image

    return Image.fromarray(np.rint(255 * shown).astype("uint8"))


def draw_attribution(subject: Subject, site: Site, heat: np.ndarray, batch: Batch, *, title: str = "") -> Plot:
    """The attribution to one input.

    Args:
        subject: The network.
        site: Where it was made.
        heat: A number for each number of the site [...], of one example.
        batch: The input, a batch of one.
        title: What is shown.
    """
    value = batch[site.input][0]
    if site.step is None and is_picture(subject, site.input):
        return draw_on_picture(value, heat.sum(axis=-1), title=title)
    names = subject.part_names(batch, site.input)
    if names is not None and len(names) == len(heat):
        return _named(names, heat.reshape(len(heat), -1).sum(axis=1), subject.kind(site.input), title)
    if value.ndim == 1 and not np.issubdtype(value.dtype, np.floating) and heat.ndim <= 2:
        ids = [f"{number} " for number in value]
        return Tokens(title=title, tokens=ids, weights=heat.reshape(len(ids), -1).sum(axis=1))
    if heat.ndim == 1 or heat[0].size == 1:
        return _sequence(heat.reshape(-1), title)
    plane = heat.reshape(*heat.shape[:2], -1).sum(axis=-1)
    if subject.kind(site.input) == "audio":
        return _over_time(plane.T if _has_bands_first(subject, plane.shape) else plane, title)
    return Heatmap(title=title, values=plane, center=0.0)


def draw_on_picture(image: np.ndarray, heat: np.ndarray, *, title: str = "") -> Pictures:
    """A picture, and again with the heat [height, width] above it."""
    shown = pixels(image)
    return Pictures(
        title=title,
        width=WIDE,
        pictures=(Picture(pixels=shown, caption="the input"), Picture(pixels=shown, heat=heat, caption=title)),
    )


def _named(names: Sequence[str], weights: np.ndarray, kind: str, title: str) -> Plot:
    if kind == "text":
        kept = [place for place, name in enumerate(names) if name]
        return Tokens(title=title, tokens=[names[place] for place in kept], weights=weights[kept])
    groups = [(name, [place for _, place in group]) for name, group in _runs(names)]
    return BarPlot(title=title, labels=[name for name, _ in groups], values=[weights[p].sum() for _, p in groups])


def _runs(names: Sequence[str]) -> groupby:
    return groupby(zip(names, range(len(names)), strict=True), key=lambda pair: pair[0])


def part_groups(names: Sequence[str]) -> list[list[int]]:
    """The places that belong together: neighbours of the same name. Padding (no name) belongs nowhere."""
    return [[place for _, place in group] for name, group in _runs(names) if name]


def _sequence(values: np.ndarray, title: str) -> Plot:
    if len(values) <= MOST_BARS:
        return BarPlot(title=title, labels=[f"{place}" for place in range(1, len(values) + 1)], values=values)
    return LinePlot(title=title, lines=[Line(x=np.arange(len(values)), y=values)], x_label="position")


def _has_bands_first(subject: Subject, shape: tuple[int, ...]) -> bool:
    """Whether a plane is [bands, time], as MelSpectrogram gives it, and not [time, bands]."""
    bands = [step.layer.num_mel_bins for step in subject.steps if step.kind == "MelSpectrogram"]
    return shape[0] in bands and shape[1] not in bands


def _over_time(plane: np.ndarray, title: str) -> Heatmap:
    time, bands = plane.shape
    return Heatmap(
        title=title,
        values=plane.T,
        x_range=(0, time),
        y_range=(0, bands),
        x_label="time",
        y_label="frequency band",
        center=0.0,
    )


def beside(plots: Sequence[Plot]) -> list[Plot]:
    """Plots side by side when there are several."""
    return list(plots) if len(plots) < 2 else [Row(plots=tuple(plots))]
