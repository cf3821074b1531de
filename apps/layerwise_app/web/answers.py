"""Probabilities as HTML: the most probable label in large letters, and a bar for each of the first few."""

from __future__ import annotations

import html
from collections.abc import Mapping
from itertools import islice

TOP_CLASSES = 5


def probabilities_html(label: str, value: Mapping[str, float] | None) -> str:
    """An answer.

    Args:
        label: What is answered, a few words.
        value: Labels and their probabilities, most probable first; None before there is an answer.
    """
    if not value:
        body = '<p class="lw-waiting">The answer appears here.</p>'
    else:
        best, probability = next(iter(value.items()))
        bars = "".join(_bar(name, share) for name, share in islice(value.items(), TOP_CLASSES))
        body = (
            f'<p class="lw-best"><strong>{html.escape(best)}</strong> <span>{percent(probability)}</span></p>'
            f'<ol class="lw-bars">{bars}</ol>'
        )
    # A live region: a screen reader says the answer when it comes.
    return f'<section class="lw-answer" aria-label="{html.escape(label)}" role="status">{body}</section>'


def _bar(name: str, share: float) -> str:
    return (
        f'<li><span class="lw-name">{html.escape(name)}</span>'
        f'<span class="lw-bar" aria-hidden="true"><i style="width: {share:.2%}"></i></span>'
        f'<span class="lw-share">{percent(share)}</span></li>'
    )


def percent(share: float) -> str:
    """A probability as people read it. Not 0 or 100 for what is only nearly so.

    Example:
        >>> percent(0.9731), percent(0.0002), percent(0.99999)
        ('97.3 %', '< 0.1 %', '> 99.9 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"
