"""A motif: letters that are known to matter in sequences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Motif:
    """A motif that is known, with which learned ones are compared.

    Args:
        name: What it is called.
        consensus: Its letters, also those that stand for several.
        source: Where it was described.
    """

    name: str
    consensus: str
    source: str = ""
