"""What the command line and the page say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

_UNITS = (("days", 86_400, 172_800), ("h", 3600, 7200), ("min", 60, 120), ("s", 1, 1))
"""Units of time, their seconds, and from how many seconds on they are used."""


def ago(seconds: float) -> str:
    """How long ago something was.

    Example:
        >>> ago(0.2), ago(100), ago(150), ago(100_000)
        ('just now', '100 s ago', '2 min ago', '27 h ago')
    """
    for unit, size, least in _UNITS:
        if seconds >= least:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def duration(seconds: float) -> str:
    """For how long something went on.

    Example:
        >>> duration(0.825), duration(100), duration(7300)
        ('0.8 s', '100 s', '2.0 h')
    """
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min"


def moment(created: str, zone: tzinfo | None = None) -> str:
    """A stored time, ISO 8601, to the minute and with its zone; "" for none.

    Args:
        zone: None means that of this machine.

    Example:
        >>> from datetime import UTC
        >>> moment("2026-11-24T20:15:02+00:00", UTC), moment("")
        ('2026-11-24 20:15 UTC', '')
    """
    return f"{datetime.fromisoformat(created).astimezone(zone):%Y-%m-%d %H:%M %Z}" if created else ""


def place_in_words(event: Mapping[str, Any]) -> str:
    """Where a "started" or "checkpoint" event is.

    Example:
        >>> place_in_words({"epoch": 3, "step": 120}), place_in_words({"epoch": 3, "step": 0})
        ('epoch 3, step 120', 'the beginning of epoch 3')
    """
    return (
        f"epoch {event['epoch']}, step {event['step']}" if event["step"] else f"the beginning of epoch {event['epoch']}"
    )


def went_on(event: Mapping[str, Any]) -> str:
    """What is said of a "started" event that a resume began; "" for the first of a run."""
    is_first = (event.get("epoch", 1), event.get("step", 0)) == (1, 0)
    return "" if event["event"] != "started" or is_first else f"went on from {place_in_words(event)}"
