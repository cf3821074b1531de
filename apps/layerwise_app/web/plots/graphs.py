"""Networks: units and weights of a small one, the layers of any."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from layerwise.plots import Graph, NetworkDiagram, Node
from layerwise_app.web.plots.axes import figure_html
from layerwise_app.web.plots.texts import inline_html, number_text

RADIUS, LAYER_GAP, UNIT_GAP, TOP = 21, 120, 58, 34
MAX_UNITS = 12
"""More units of a layer are drawn as some of them and a sign that there are more."""


def network_html(plot: NetworkDiagram) -> str:
    """A NetworkDiagram."""
    shown = [_shown(len(layer)) for layer in plot.layers]
    tallest = max((len(units) for units in shown), default=1)
    width = 2 * TOP + LAYER_GAP * max(len(shown) - 1, 0)
    height = TOP * 2 + UNIT_GAP * max(tallest - 1, 0) + (18 if plot.titles else 0)
    begin = TOP + (18 if plot.titles else 0)
    places = [
        {
            unit: (TOP + LAYER_GAP * layer, begin + UNIT_GAP * ((tallest - len(units)) / 2 + row))
            for row, unit in enumerate(units)
        }
        for layer, units in enumerate(shown)
    ]
    titles = "".join(
        f'<text class="lw-layer-title" x="{TOP + LAYER_GAP * index}" y="14">{html.escape(title)}</text>'
        for index, title in enumerate(plot.titles)
    )
    lines = "".join(
        _weights(plot.weights[index] if plot.weights is not None else None, before, after)
        for index, (before, after) in enumerate(pairwise(places))
    )
    units = "".join(_units(plot, layer, found, len(plot.layers[layer])) for layer, found in enumerate(places))
    body = (
        '<div class="lw-scroll-x" tabindex="0" role="group" aria-label="Network">'
        f'<svg class="lw-network" viewBox="0 0 {width} {height}" '
        f'style="max-width: {width * 1.35:.0f}px; min-width: {min(width, 330)}px">{titles}{lines}{units}</svg></div>'
    )
    words = "a network with layers of " + ", ".join(str(len(layer)) for layer in plot.layers) + " units"
    return figure_html(plot.title, words, body, kind="lw-network-plot")


def _shown(count: int) -> list[int]:
    return list(range(count)) if count <= MAX_UNITS else [*range(MAX_UNITS - 2), count - 1]


def _weights(
    weights: np.ndarray | None, before: Mapping[int, tuple[float, float]], after: Mapping[int, tuple[float, float]]
) -> str:
    matrix = None if weights is None else np.nan_to_num(np.asarray(weights, dtype=np.float64))
    strongest = 1.0 if matrix is None else float(np.abs(matrix).max(initial=0.0)) or 1.0
    found = ""
    for source, (x1, y1) in before.items():
        for target, (x2, y2) in after.items():
            value = None if matrix is None else float(matrix[source, target])
            thickness = 1.1 if value is None else 0.4 + 4.6 * abs(value) / strongest
            kind = "lw-wire" if value is None else ("lw-wire lw-for" if value >= 0 else "lw-wire lw-against")
            title = "" if value is None else f"<title>weight {number_text(value)}</title>"
            found += (
                f'<line class="{kind}" x1="{x1}" y1="{y1:.1f}" x2="{x2}" y2="{y2:.1f}" '
                f'stroke-width="{thickness:.2f}">{title}</line>'
            )
    return found


def _units(plot: NetworkDiagram, layer: int, places: Mapping[int, tuple[float, float]], count: int) -> str:
    found = ""
    for unit, (x, y) in places.items():
        name = str(plot.layers[layer][unit])
        value = None if plot.values is None else np.ravel(np.asarray(plot.values[layer]))[unit]
        label = (
            f'<text class="lw-unit-name" x="{x}" y="{y + 4:.1f}">{html.escape(name)}</text>'
            if value is None
            else f'<text class="lw-unit-name" x="{x}" y="{y - 3:.1f}">{html.escape(name)}</text>'
            f'<text class="lw-unit-value" x="{x}" y="{y + 11:.1f}">{number_text(float(f"{value:.3g}"))}</text>'
        )
        found += f'<circle class="lw-unit" cx="{x}" cy="{y:.1f}" r="{RADIUS}"/>{label}'
    if count > len(places):
        x, y = places[count - 1]
        found += f'<text class="lw-unit-name lw-more" x="{x}" y="{y - UNIT_GAP / 2 + 4:.1f}">⋮ {count} in all</text>'
    return found


def graph_html(plot: Graph) -> str:
    """A Graph as a list from top to bottom. A chain needs no arrows but the one between two boxes; a box that takes
    something else than the one before it says what it takes."""
    items = []
    for index, node in enumerate(plot.nodes):
        former = plot.nodes[index - 1].name if index else None
        items.append(_node(node, former))
    body = f'<ol class="lw-graph">{"".join(items)}</ol>'
    words = f"{len(plot.nodes)} layers: " + ", ".join(node.title for node in plot.nodes)
    return figure_html(plot.title, words, body, kind="lw-graph-plot")


def _node(node: Node, former: str | None) -> str:
    sources: Sequence[str] = tuple(node.inputs)
    taken = f'<small class="lw-takes">takes {html.escape(" and ".join(sources))}</small>'
    is_chained = sources == (former,) or (former is None and not sources)
    lines = "".join(f"<small>{inline_html(line)}</small>" for line in node.lines)
    kind = "lw-node" if is_chained else "lw-node lw-joined"
    return (
        f'<li class="{kind}"><b>{html.escape(node.title)}</b>{lines}{"" if is_chained or not sources else taken}</li>'
    )
