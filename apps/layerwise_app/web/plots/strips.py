"""Sequences of letters in blocks of ten, drawn above as what they belong to: helices, strands, anything that goes on.
Blocks wrap like words, so that a long sequence is read on a phone as well."""

from __future__ import annotations

import html
import math

from layerwise.plots import SequenceStrip
from layerwise_app.web.plots.axes import figure_html
from layerwise_app.web.plots.lines import NUM_COLORS
from layerwise_app.web.plots.texts import inline_html

BLOCK = 10
"""Letters of a block."""
MOST_LETTERS = 2_000
"""How many letters are drawn."""
MOST_SAID = 30
"""How many stretches are said in words."""
HEIGHT, MIDDLE = 24, 12
TURN = 3.6
"""Residues of a turn of a helix (Pauling, Corey and Branson 1951)."""
RIBBON = 0.9
"""How wide the ribbon of a spiral is, in letters."""
POINTS = 5
"""Of a spiral, for each letter."""
HEAD = 2.0
"""Letters that the head of an arrow is long."""


def strip_html(plot: SequenceStrip) -> str:
    """A SequenceStrip."""
    stretches = plot.stretches()
    count = min(len(plot.letters), MOST_LETTERS)
    blocks = "".join(_block(plot, stretches, start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))
    more = ""
    if count < len(plot.letters):
        more = f'<p class="lw-axis">The first {count:,} of {len(plot.letters):,} letters are drawn.</p>'
    present = sorted({place for _, _, place in stretches})
    legend = "".join(
        f'<span class="{_style(place)} lw-shape-{plot.kinds[place].shape}">{inline_html(plot.kinds[place].name)} '
        f"({html.escape(plot.kinds[place].letter)})</span>"
        for place in present
    )
    body = f'<div class="lw-letters">{blocks}</div>{more}'
    return figure_html(plot.title, _words(plot, stretches), body, legend=legend, kind="lw-strip-plot")


def _words(plot: SequenceStrip, stretches: list[tuple[int, int, int]]) -> str:
    """The stretches in words, without those that are nothing in particular."""
    said = [
        f"{plot.kinds[place].name} {start + 1} to {stop}"
        for start, stop, place in stretches
        if plot.kinds[place].shape != "line"
    ]
    more = f", and {len(said) - MOST_SAID} more" if len(said) > MOST_SAID else ""
    return f"{len(plot.letters)} letters: " + (", ".join(said[:MOST_SAID]) + more if said else "nothing in particular")


def _style(place: int) -> str:
    return f"lw-run-{place % NUM_COLORS + 1}"


def _block(plot: SequenceStrip, stretches: list[tuple[int, int, int]], start: int, stop: int) -> str:
    """A block of letters, with the number of its last one."""
    here = [stretch for stretch in stretches if stretch[0] < stop and stretch[1] > start]
    drawn = "".join(_shape(plot, *stretch, start, stop) for stretch in here)
    width = stop - start
    labels = "".join(
        f'<span class="{_style(place)}">{html.escape(plot.labels[max(first, start) : min(last, stop)])}</span>'
        for first, last, place in here
    )
    return (
        f'<span class="lw-block" style="--letters: {width}"><small>{stop if width == BLOCK else ""}</small>'
        f'<svg viewBox="0 0 {width * 10} {HEIGHT}" preserveAspectRatio="none">{drawn}</svg>'
        f"<code>{html.escape(plot.letters[start:stop])}</code><code>{labels}</code></span>"
    )


def _shape(plot: SequenceStrip, first: int, last: int, place: int, start: int, stop: int) -> str:
    """What is seen of a stretch in the block from `start` to `stop`."""
    kind = plot.kinds[place]
    title = f"<title>{html.escape(kind.name)}, {first + 1} to {last}</title>"
    points = _OUTLINES[kind.shape](first, last, start, stop)
    path = " ".join(f"{10 * (x - start):.1f},{y:.1f}" for x, y in points)
    return f'<polygon class="{_style(place)}" points="{path}">{title}</polygon>'


Outline = list[tuple[float, float]]


def _spiral(first: int, last: int, start: int, stop: int) -> Outline:
    """The ribbon of a helix from the side, as much of it as is seen."""
    left, right = max(first, start - 1), min(last, stop + 1)
    places = [left + step / POINTS for step in range((right - left) * POINTS + 1)]
    edge = [(x, MIDDLE - 9 * math.sin(2 * math.pi * (x - first) / TURN)) for x in places]
    # Narrow at both ends, where the chain goes on.
    return [(max(x - RIBBON / 2, first), y) for x, y in edge] + [(min(x + RIBBON / 2, last), y) for x, y in edge[::-1]]


def _arrow(first: int, last: int, start: int, stop: int) -> Outline:
    """A strand: an arrow towards the end of the chain."""
    neck = max(last - HEAD, first + 0.3 * (last - first))
    side = [(float(first), MIDDLE - 4.5), (neck, MIDDLE - 4.5), (neck, 1.5), (float(last), float(MIDDLE))]
    return [*side, (neck, HEIGHT - 1.5), (neck, MIDDLE + 4.5), (float(first), MIDDLE + 4.5)]


def _bar(first: int, last: int, start: int, stop: int) -> Outline:
    return [(first, MIDDLE - 6), (last, MIDDLE - 6), (last, MIDDLE + 6), (first, MIDDLE + 6)]


def _line(first: int, last: int, start: int, stop: int) -> Outline:
    return [(first, MIDDLE - 1.2), (last, MIDDLE - 1.2), (last, MIDDLE + 1.2), (first, MIDDLE + 1.2)]


_OUTLINES = {"spiral": _spiral, "arrow": _arrow, "bar": _bar, "line": _line}
