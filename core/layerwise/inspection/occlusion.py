"""Occlusion (Zeiler & Fergus 2014, arXiv:1311.2901): how much the score falls when a part of the input is covered. It
asks for no gradient, so it works whatever the network does with its input.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.drawing import beside, draw_attribution, is_picture, part_groups
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.probes import Site
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Plot, Text

WINDOW = 0.2
MOST_WINDOWS = 1024
AT_ONCE = 64
Place = tuple[Any, ...]


def look(subject: Subject) -> Look:
    """The look "occlusion"."""
    return Look(
        name="occlusion",
        title="Occlusion",
        text="How much the score falls when a part of the input is covered, part by part: strong where something "
        "was needed (Zeiler & Fergus 2014).",
        show=lambda inputs, settings: _show(subject, inputs, settings),
        settings=settings_of_look(
            target=subject.target_setting,
            window=(
                float,
                setting(WINDOW, "Size of what is covered, as a share of each side", minimum=0.05, maximum=0.5),
            ),
        ),
        is_long=True,
    )


def _show(subject: Subject, inputs: Inputs, settings: Any) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    target = subject.target(batch, settings)
    return [Text(text=_score_text(subject, batch, target)), *_drawn(subject, batch, target, settings.window)]


def occluded_instead(subject: Subject, batch: Batch, target: int) -> list[Plot]:
    """What is shown when no gradient reaches the input."""
    said = "No gradient reaches this input, so its parts were covered instead, one after the other (occlusion)."
    return [Text(text=f"{said} {_score_text(subject, batch, target)}"), *_drawn(subject, batch, target, WINDOW)]


def _score_text(subject: Subject, batch: Batch, target: int) -> str:
    return f"Score of {subject.labels[target]}: {subject.forward(batch)[0, target]:.4g}"


def _drawn(subject: Subject, batch: Batch, target: int, window: float) -> list[Plot]:
    title = f"what {subject.labels[target]} needs"
    maps = {name: occlusion(subject, batch, name, target, window=window) for name in batch}
    return beside([draw_attribution(subject, Site(name), heat, batch, title=title) for name, heat in maps.items()])


def occlusion(subject: Subject, batch: Batch, name: str, target: int, *, window: float = WINDOW) -> np.ndarray:
    """By how much the score of a class falls when the places of one input are covered, averaged over the windows that
    cover each place, or of the parts that it belongs to. [...], as the example is.

    Args:
        subject: The network.
        batch: The input, a batch of one.
        name: The input of the network.
        target: The number of the class.
        window: The size of a window, as a share of each side; parts that have names are covered one by one.
    """
    value = batch[name][0]
    # A picture is covered by the colour of its border, everything else by what stands for nothing.
    cover: Any = _border_colour(value) if is_picture(subject, name) else "" if value.dtype.kind in "OUS" else 0
    names = subject.part_names(batch, name)
    groups = part_groups(names) if names is not None and len(names) == len(value) else []
    places = [(group,) for group in groups] or list(_windows(value, window))
    falls, counts = np.zeros(value.shape), np.zeros(value.shape)
    score = subject.forward(batch)[0, target]
    for start in range(0, len(places), AT_ONCE):
        part = places[start : start + AT_ONCE]
        covered = np.repeat(value[None], AT_ONCE, axis=0)
        for row, place in zip(covered, part, strict=False):
            row[place] = cover
        scores = subject.forward(
            {other: np.repeat(array, AT_ONCE, 0) for other, array in batch.items()} | {name: covered}
        )
        for place, without in zip(part, scores[:, target], strict=False):
            # What a part needs is shared out, so that it is the sum of its places.
            falls[place] += (score - without) / (falls[place].size if groups else 1)
            counts[place] += 1
    return falls / np.maximum(counts, 1)


def _windows(value: np.ndarray, window: float) -> Iterator[Place]:
    """What is covered of numbers [...] without names, one after the other."""
    if value.ndim == 1 and not np.issubdtype(value.dtype, np.floating):
        yield from ((place,) for place in range(len(value)))
        return
    # The channels of a picture are covered together.
    sides = value.shape[:2] if value.ndim > 2 else value.shape
    sizes = [max(1, round(window * side)) for side in sides]
    strides = [max(1, size // 2) for size in sizes]
    while np.prod([side / stride for side, stride in zip(sides, strides, strict=True)]) > MOST_WINDOWS:
        strides = [stride + 1 for stride in strides]
    starts = [_starts(*side) for side in zip(sides, sizes, strides, strict=True)]
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + size) for start, size in zip(corner, sizes, strict=True))


def _border_colour(image: np.ndarray) -> np.ndarray:
    """The median of each channel along the border. Grey, as in the paper, would be a new thing on a black ground."""
    return np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]), axis=0)


def _starts(side: int, size: int, stride: int) -> list[int]:
    """Where windows begin so that every place is covered."""
    return sorted({*range(0, side - size, stride), side - size})
