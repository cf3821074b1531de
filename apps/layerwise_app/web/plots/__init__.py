"""What lessons and inspections show (`layerwise.plots`) as HTML: each kind has its drawing, by type.

Lines are SVG that is stretched to whatever width there is; letters and everything with a shape lie above it as HTML,
so that neither is distorted. Colours are the page's variables, so light and dark follow by themselves; only maps of
numbers are pictures. Whatever a text holds is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from layerwise import plots
from layerwise_app.web.plots.bars import bars_html, histogram_html
from layerwise_app.web.plots.graphs import graph_html, network_html
from layerwise_app.web.plots.lines import line_plot_html
from layerwise_app.web.plots.logos import logo_html
from layerwise_app.web.plots.maps import heatmap_html, pictures_html
from layerwise_app.web.plots.strips import strip_html
from layerwise_app.web.plots.texts import formula_html, rich_text, table_html, tokens_html

__all__ = ["plots_html", "rich_text"]


def plots_html(shown: Sequence[plots.Plot]) -> str:
    """Plots below each other."""
    return f'<div class="lw-plots">{"".join(map(_plot_html, shown))}</div>'


def _plot_html(plot: plots.Plot) -> str:
    return _DRAWINGS[type(plot)](plot)


def _row_html(row: plots.Row) -> str:
    return f'<div class="lw-row">{"".join(map(_plot_html, row.plots))}</div>'


def _text_html(text: plots.Text) -> str:
    return f'<div class="lw-rich">{rich_text(text.text)}</div>'


_DRAWINGS: dict[type, Callable[[Any], str]] = {
    plots.Text: _text_html,
    plots.Formula: formula_html,
    plots.LinePlot: line_plot_html,
    plots.BarPlot: bars_html,
    plots.Histogram: histogram_html,
    plots.Heatmap: heatmap_html,
    plots.Pictures: pictures_html,
    plots.NetworkDiagram: network_html,
    plots.Graph: graph_html,
    plots.Table: table_html,
    plots.Tokens: tokens_html,
    plots.SequenceStrip: strip_html,
    plots.Logo: logo_html,
    plots.Row: _row_html,
}
