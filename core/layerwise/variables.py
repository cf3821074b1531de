"""Settings that are environment variables. What cannot be read counts as left out."""

from __future__ import annotations

import math
import os
import re
import threading

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", re.IGNORECASE)


def seconds(variable: str, default: float) -> float:
    """A time: "2.5"."""
    try:
        found = float(os.environ.get(variable, ""))
    except ValueError:
        return default
    return found if math.isfinite(found) and 0 < found <= threading.TIMEOUT_MAX else default


def size(variable: str, default: int | None) -> int | None:
    """A number of bytes: "4G", "800M" or "100000"; the default for 0 too."""
    match = _SIZE.fullmatch(os.environ.get(variable, ""))
    if match is None:
        return default
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " ")) or default


def whole_number(variable: str, default: int) -> int:
    """How many: "64", 0 included."""
    text = os.environ.get(variable, "").strip()
    return int(text) if text.isdecimal() else default
