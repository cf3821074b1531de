"""Sequence logos: letters as high as what they say."""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np

from layerwise.plots import Logo
from layerwise_app.web.plots.axes import Axis, figure_html, frame_html
from layerwise_app.web.plots.texts import number_text

WIDE, HIGH, FONT = 100, 1000, 100
"""The width of a place, the height of the drawing and the size of the font, in units of the drawing."""
CAPITAL = 0.72
"""How high a capital letter is, as a share of the size of its font."""
FLATTEST = 0.004
"""Letters that are flatter than this share of the height cannot be seen."""
COLORS = {
    # Of bases as in most logos; of amino acids by what they are like.
    **dict.fromkeys("A", 3),
    **dict.fromkeys("C", 1),
    **dict.fromkeys("G", 5),
    **dict.fromkeys("TU", 2),
}
AMINO_ACIDS = {
    **dict.fromkeys("AVLIPWFM", 7),  # hydrophobic
    **dict.fromkeys("GSTYCNQ", 3),  # polar
    **dict.fromkeys("DE", 2),  # acidic
    **dict.fromkeys("KRH", 1),  # basic
}


def logo_html(plot: Logo) -> str:
    """A Logo."""
    places = len(plot.heights)
    y = Axis.of([], (0.0, max(plot.limit, float(plot.heights.sum(axis=1).max()))))
    letters = "".join(_letters(plot, y.high))
    inside = (
        f'<svg class="lw-letters" viewBox="0 0 {WIDE * places} {HIGH}" preserveAspectRatio="none" aria-hidden="true">'
        f"{letters}</svg>"
    )
    # A number below each place, every second or third where there are many.
    step = -(-places // 12)
    x = [(100 * (place + 0.5) / places, str(place + 1)) for place in range(0, places, step)]
    body = frame_html(x, y.numbers, inside, y_label=plot.unit)
    return figure_html(plot.title, _words(plot), body, kind="lw-logo")


def _letters(plot: Logo, most: float) -> Iterator[str]:
    colors = COLORS if set(plot.letters) <= COLORS.keys() else AMINO_ACIDS
    for place, heights in enumerate(plot.heights):
        below = 0.0
        for index in heights.argsort(kind="stable"):
            height = float(heights[index]) / most
            if height < FLATTEST:
                continue
            color = colors.get(plot.letters[index], 7)
            moved = f"translate({WIDE * (place + 0.03):.0f} {HIGH * (1 - below):.1f})"
            stretched = f"scale(1 {HIGH * height / (CAPITAL * FONT):.3f})"
            yield (
                f'<text class="lw-run-{color}" font-size="{FONT}" textLength="{0.94 * WIDE:.0f}" '
                f'lengthAdjust="spacingAndGlyphs" transform="{moved} {stretched}">'
                f"{html.escape(plot.letters[index])}</text>"
            )
            below += height


def _words(plot: Logo) -> str:
    """The most probable letters and what they say."""
    best = "".join(plot.letters[index] for index in plot.heights.argmax(axis=1))
    return f"{best}, {number_text(np.round(plot.heights.sum(), 1))} {plot.unit} over {len(plot.heights)} places"
