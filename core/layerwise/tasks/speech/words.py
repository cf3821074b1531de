"""Words that were heard, and when."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "<unknown>"
"""What stands for a word that the network does not know."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word, or a few that belong together, of a sound.

    Args:
        text: What was heard.
        start, end: In seconds from the beginning of the sound.
        confidence: From 0 to 1, how sure the network was.
    """

    text: str
    start: float
    end: float
    confidence: float
