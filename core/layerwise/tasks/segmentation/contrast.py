"""Contrast: recordings of any brightness made alike."""

from __future__ import annotations

import numpy as np

DARKEST, BRIGHTEST = 1.0, 99.8
"""The percentiles that become black and white."""
LEAST_RANGE = 12
"""Between them there are as many levels at least: what differs less is noise and is not made into more."""


def stretched(picture: np.ndarray) -> np.ndarray:
    """A picture with its darkest pixels black, its brightest white, and a dark ground.

    Args:
        picture: uint8 [height, width, channels].
    """
    numbers = picture.astype("float32")
    if np.median(numbers) > 127:
        numbers = 255 - numbers
    low, high = np.percentile(numbers, (DARKEST, BRIGHTEST))
    return np.rint(np.clip((numbers - low) * (255 / max(high - low, LEAST_RANGE)), 0, 255)).astype("uint8")
