"""Pictures of an episode."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.plots import Heatmap, Line, LinePlot, Plot
from layerwise.tasks.episodes.playing import Moment

if TYPE_CHECKING:
    from layerwise.tasks.control import Control

MOST_FRAMES = 300
"""Of a moving picture: of a longer episode every second, third ... is shown."""
LARGEST = 320
"""Pixels of its longer side."""
MOST_COLUMNS = 400


def moving_picture(
    frames: Sequence[np.ndarray], frames_per_second: float, *, times: int = 0, quality: int = 60, effort: int = 0
) -> bytes:
    """Frames uint8 [height, width, 3] as a WebP file.

    Args:
        times: How often it plays; 0 for over and over.
        quality: From 0 to 100.
        effort: From 0, fast, to 6, a smaller file.
    """
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=max(20, round(1000 / frames_per_second)),
        loop=times,
        quality=quality,
        method=effort,
    )
    return buffer.getvalue()


def small(frame: np.ndarray) -> np.ndarray:
    """A frame, at most LARGEST pixels on its longer side."""
    from PIL import Image

    image = Image.fromarray(frame)
    image.thumbnail((LARGEST, LARGEST))
    return np.asarray(image)


def course(task: Control, moments: Sequence[Moment]) -> list[Plot]:
    """What the agent expected in each step, what came, and how probable each action was to it."""
    steps = np.arange(1, len(moments) + 1)
    kept = np.unique(np.linspace(0, len(moments) - 1, MOST_COLUMNS).astype(int))
    expected = Line(label="return it expects from here on", x=steps[kept], y=[moments[k].value for k in kept])
    so_far = Line(label="return so far", x=steps[kept], y=[moments[k].total for k in kept])
    plots: list[Plot] = [LinePlot(title="Returns", lines=[expected, so_far], x_label="step", y_label="return")]
    if moments[0].probabilities is not None:
        plane = np.stack([moments[k].probabilities for k in kept], axis=1)
        plots.append(
            Heatmap(
                title="How probable each action was",
                values=plane,
                row_labels=[task.action_name(number) for number in range(len(plane))],
                x_label="step",
                limits=(0.0, 1.0),
            )
        )
    return plots
