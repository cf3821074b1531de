"""Contrast: recordings of any brightness made alike."""

from __future__ import annotations

import numpy as np

DARKEST, BRIGHTEST = 1.0, 99.8
"""The percentiles that become black and white."""


def stretched(picture: np.ndarray) -> np.ndarray:
    """A picture with its darkest pixels black, its brightest white, and a dark ground.

    Args:
        picture: uint8 [height, width, channels].
    """
    numbers = picture.astype("float32")
    if np.median(numbers) > 127:
        numbers = 255 - numbers
    low, high = np.percentile(numbers, (DARKEST, BRIGHTEST))
    return np.rint(np.clip((numbers - low) * (255 / max(high - low, 1)), 0, 255)).astype("uint8")
