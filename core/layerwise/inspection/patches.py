"""Maximally activating patches: the parts of real pictures to which the channels of a convolutional layer answer most
(Zeiler & Fergus 2014, arXiv:1311.2901, section 4.1; Girshick et al. 2014, arXiv:1311.2524, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.errors import DataError
from layerwise.inspection.drawing import image_of, pixel_range, pixels
from layerwise.inspection.examples import real_examples
from layerwise.inspection.hierarchy import busiest, chosen_steps, layer_settings, picture_input
from layerwise.inspection.looks import Look, settings_of_look
from layerwise.inspection.receptive_fields import Field, receptive_field
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Picture, Pictures, Plot, Row, Text

EXAMPLES = 1000
"""How many real pictures are looked at."""
AT_ONCE = 32
PATCHES = 4
"""How many patches are shown of each channel."""
WIDTH = 64
"""The width of each in CSS pixels."""


def look(subject: Subject) -> Look | None:
    """The look "patches"; None for a network without convolutions over pictures."""
    name = picture_input(subject)
    if name is None:
        return None
    return Look(
        name="patches",
        title="What its channels answer to",
        text="The parts of real pictures to which each channel answers most: edges and dots in the first layers, "
        "larger and more meaningful parts in the deep ones (Zeiler & Fergus 2014).",
        show=lambda inputs, settings: _show(subject, name, settings),
        settings=settings_of_look(**layer_settings(subject)),
        needs_input=False,
        is_long=True,
    )


def _show(subject: Subject, name: str, settings: Any) -> Iterator[Sequence[Plot]]:
    examples = real_examples(subject, EXAMPLES)
    if examples is None:
        raise DataError(
            "There are no real pictures at hand to look at the network with",
            remedy="put the data set of this model on this machine",
        )
    chosen = chosen_steps(subject, settings.layer)
    peaks: dict[str, Peaks] = {}
    for done, found in find_peaks(subject, examples.batch, [step for _, step in chosen]):
        peaks = found
        yield [Text(text=f"{done:,} of {examples.origin} …")]
    columns = [
        _draw(
            title, step, receptive_field(subject, step.name), peaks[step.name], examples.batch[name], settings.channels
        )
        for title, step in chosen
    ]
    yield [Text(text=f"From {examples.origin}."), Row(plots=tuple(columns))]


@dataclass(frozen=True)
class Peaks:
    """Where the channels of a layer were most active.

    Args:
        values: The greatest activation [examples, channels].
        places: Where it was, as the number of a place row by row [examples, channels].
        width: How many places a row has.
    """

    values: np.ndarray
    places: np.ndarray
    width: int

    def top(self, channel: int, count: int) -> list[tuple[int, int, int]]:
        """The example, the row and the column of the highest peaks of a channel."""
        order = self.values[:, channel].argsort(kind="stable")[::-1][:count]
        places = [divmod(int(self.places[example, channel]), self.width) for example in order]
        return [(int(example), row, column) for example, (row, column) in zip(order, places, strict=True)]


def find_peaks(subject: Subject, batch: Batch, steps: Sequence[Step]) -> Iterator[tuple[int, dict[str, Peaks]]]:
    """The peaks of each step in the examples so far, again after every few examples."""
    count = len(next(iter(batch.values())))
    found: dict[str, list[Peaks]] = {step.name: [] for step in steps}
    for start in range(0, count, AT_ONCE):
        part = {name: array[start : start + AT_ONCE] for name, array in batch.items()}
        for name, values in subject.activations(part, found).items():
            flat = values.reshape(len(values), -1, values.shape[-1])
            found[name].append(Peaks(flat.max(axis=1), flat.argmax(axis=1), values.shape[2]))
        yield min(start + AT_ONCE, count), {name: _joined(parts) for name, parts in found.items()}


def _joined(parts: Sequence[Peaks]) -> Peaks:
    values, places = (np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "places"))
    return Peaks(values, places, parts[0].width)


def _draw(title: str, step: Step, field: Field | None, peaks: Peaks, images: np.ndarray, channels: int) -> Pictures:
    limits = pixel_range(images)
    pictures = []
    for channel in busiest(peaks.values, channels):
        for example, row, column in peaks.top(int(channel), PATCHES):
            patch = cut(images[example], field, row, column)
            pictures.append(Picture(pixels=shrunk(pixels(patch, limits)), caption=f"channel {channel + 1}"))
    size = f"{field[0].size} × {field[1].size} pixels" if field else "the whole picture"
    return Pictures(title=f"{title} ({size})", pictures=pictures, width=WIDTH)


def shrunk(image: np.ndarray) -> np.ndarray:
    """A picture [height, width] or [height, width, 3], numbers from 0 to 1, as bytes; a larger one than a fine screen
    shows is made smaller."""
    from PIL import Image

    found = image_of(image)
    found.thumbnail((2 * WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    return np.asarray(found)


def cut(image: np.ndarray, field: Field | None, row: int, column: int) -> np.ndarray:
    """What a place of a layer sees of a picture [height, width, channels]; what lies outside of it is left out, and so
    is everything but the picture when the field is larger."""
    if field is None:
        return image
    (top, bottom), (left, right) = (
        (place * reach.jump + reach.low, place * reach.jump + reach.high + 1)
        for place, reach in zip((row, column), field, strict=True)
    )
    return image[max(top, 0) : bottom, max(left, 0) : right]
