"""Numbers as colours: maps and pictures, which are PNG in the page itself."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from PIL import Image

from layerwise.plots import Heatmap, Picture, Pictures
from layerwise_app.web.plots.axes import Axis, figure_html, labelled_html, numbers_html
from layerwise_app.web.plots.lines import legend_html, lines_html
from layerwise_app.web.plots.texts import SIGNS_LEGEND, inline_html, number_text
from layerwise_app.web.plots.ticks import LARGEST

# Colours that people who see no red or no green tell apart too, and that read on white and on black.
_DIVERGING = ((33, 102, 172), (146, 197, 222), (247, 247, 247), (253, 184, 99), (179, 88, 6))
_SEQUENTIAL = ((10, 20, 50), (42, 72, 120), (35, 152, 140), (150, 210, 120), (253, 240, 170))
_MISSING = (128, 128, 128)
CELL_WIDTH = 84
"""The most pixels that a cell with its number in it takes."""
FEW_LETTERS, MOST_LETTERS = 5, 16
"""Labels of more letters than a few need room of their own; those of more than the most are cut."""
LINE_HEIGHT, MOST_LABELS = 17, 16
"""Pixels that the label of a row needs, and how many labels there are along a side."""
LETTERS_ABREAST = 32
"""Labels of columns that have more letters together stand aslant."""
MAX_SIDE = 512
"""More cells are shown by some of them only."""


def heatmap_html(plot: Heatmap) -> str:
    """A Heatmap, with its scale below."""
    values = _thinned(plot.values)
    low, high = _limits(plot)
    pixels = colors(values, low, high, is_diverging=plot.center is not None)
    is_matrix = plot.y_range is None
    if not is_matrix:
        pixels = pixels[::-1]
    rows, columns = values.shape
    image = f'<img src="{png_url(pixels)}" alt="" style="image-rendering: {"pixelated" if is_matrix else "auto"}">'
    x_range = plot.x_range or (0.0, float(columns))
    y_range = plot.y_range or (0.0, float(rows))
    x, y = Axis.of([], x_range), Axis.of([], y_range)
    inside = image + (lines_html(plot.lines, x, y) if plot.lines else "")
    if is_matrix:
        inside += _cells(values, low, high, is_diverging=plot.center is not None) if plot.is_labelled else ""
        numbers = _labels(plot)
    else:
        numbers = numbers_html(x.numbers, y.numbers)
    ratio = columns / rows if is_matrix else (x_range[1] - x_range[0]) / ((y_range[1] - y_range[0]) or 1.0)
    kind, room = _room(plot) if is_matrix else ("", "")
    body = labelled_html(
        inside + numbers,
        x_label=plot.x_label,
        y_label=plot.y_label,
        kind=f"lw-map{kind}",
        style=f"--ratio: {min(max(ratio, 0.4), 8):.3f}{room}",
    ) + _scale(low, high, is_diverging=plot.center is not None, kind=kind, style=room)
    finite = plot.values[np.isfinite(plot.values)]
    words = f"a map of {rows} by {columns} numbers"
    if len(finite):
        words += f" from {number_text(finite.min())} to {number_text(finite.max())}"
    return figure_html(plot.title, words, body, legend=legend_html(plot.lines), kind="lw-heatmap")


def _room(plot: Heatmap) -> tuple[str, str]:
    """What a matrix needs of the page, as further classes and CSS."""
    # A matrix of few columns does not fill the page with its cells.
    style = f"; max-width: {plot.values.shape[1] * CELL_WIDTH}px" if plot.is_labelled else ""
    kind = ""
    if plot.row_labels:
        style += f"; --least-height: {LINE_HEIGHT * min(len(plot.row_labels), MOST_LABELS)}px"
    rows, columns = (max(map(len, map(str, labels)), default=0) for labels in (plot.row_labels, plot.column_labels))
    if rows > FEW_LETTERS:
        kind, style = " lw-worded-rows", f"{style}; --row-letters: {min(rows, MOST_LETTERS)}"
    if columns > FEW_LETTERS and columns * len(plot.column_labels) > LETTERS_ABREAST:
        kind, style = f"{kind} lw-worded-columns", f"{style}; --column-letters: {min(columns, MOST_LETTERS)}"
    return kind, style


def pictures_html(plot: Pictures) -> str:
    """Pictures side by side. Those that follow each other with the same caption stay together and share it."""
    groups = [(caption, list(group)) for caption, group in groupby(plot.pictures, key=lambda picture: picture.caption)]
    shown = "".join(_group(caption, pictures, plot.width) for caption, pictures in groups)
    captions = ", ".join(caption for caption, _ in groups if caption)
    words = f"{len(plot.pictures)} pictures" + (f": {captions}" if captions else "")
    body = f'<ul class="lw-pictures" style="--width: {plot.width}px">{shown}</ul>'
    has_signs = any(picture.heat is not None and np.any(picture.heat < 0) for picture in plot.pictures)
    return figure_html(plot.title, words, body, legend=SIGNS_LEGEND if has_signs else "")


def _group(caption: str, pictures: Sequence[Picture], width: int) -> str:
    if not caption:
        return "".join(f"<li>{_picture(picture, width)}</li>" for picture in pictures)
    count = f' style="--count: {len(pictures)}"' if len(pictures) > 1 else ""
    shown = "".join(_picture(picture, width) for picture in pictures)
    return f"<li{count}><div>{shown}</div><span>{inline_html(caption)}</span></li>"


def _picture(picture: Picture, width: int) -> str:
    pixels = _pixels(picture.pixels)
    rendering = "pixelated" if pixels.shape[1] < width else "auto"
    heat = ""
    if picture.heat is not None:
        heat = f'<img class="lw-heat" src="{png_url(_heat(picture.heat))}" alt="">'
    return (
        f'<span class="lw-stack" style="image-rendering: {rendering}"><img src="{png_url(pixels)}" alt="">{heat}</span>'
    )


def _pixels(pixels: np.ndarray) -> np.ndarray:
    """[height, width, 3] of bytes."""
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = 255 * np.clip(np.nan_to_num(pixels), 0, 1)
    elif pixels.dtype == bool:
        pixels = 255 * pixels
    found = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    if found.ndim == 2:
        found = found[:, :, np.newaxis]
    return np.repeat(found, 3, axis=2) if found.shape[2] == 1 else found


def _heat(heat: np.ndarray) -> np.ndarray:
    """[height, width, 4]: the colour of the sign, as opaque as the number is great."""
    finite = np.nan_to_num(heat, nan=0.0, posinf=0.0, neginf=0.0)
    share = np.abs(finite) / (np.abs(finite).max(initial=0.0) or 1.0)
    color = np.where(finite[:, :, np.newaxis] >= 0, np.array((255, 120, 0)), np.array((40, 130, 255)))
    # The square root lets weaker places be seen too.
    return np.concatenate([color, (235 * np.sqrt(share))[:, :, np.newaxis]], axis=2).astype(np.uint8)


def colors(values: np.ndarray, low: float, high: float, *, is_diverging: bool) -> np.ndarray:
    """[rows, columns, 3]: a colour for each number, grey for what is no number.

    Args:
        low, high: The numbers of the first and the last colour.
    """
    stops = np.array(_DIVERGING if is_diverging else _SEQUENTIAL, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    places = np.linspace(0, 1, len(stops))
    found = np.stack([np.interp(np.nan_to_num(share), places, stops[:, index]) for index in range(3)], axis=-1)
    found[~np.isfinite(share)] = _MISSING
    return found.round().astype(np.uint8)


def png_url(pixels: np.ndarray) -> str:
    """Pixels [height, width, 3 or 4] of bytes as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _limits(plot: Heatmap) -> tuple[float, float]:
    finite = plot.values[np.isfinite(plot.values)]
    low, high = plot.limits or (float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf)))
    low, high = (0.0, 1.0) if low > high else (max(low, -LARGEST), min(high, LARGEST))
    if plot.center is not None:
        reach = max(abs(low - plot.center), abs(high - plot.center)) or 1.0
        return plot.center - reach, plot.center + reach
    return low, high


def _thinned(values: np.ndarray) -> np.ndarray:
    rows, columns = (-(-side // MAX_SIDE) or 1 for side in values.shape)
    return values[::rows, ::columns]


def _scale(low: float, high: float, *, is_diverging: bool, kind: str, style: str) -> str:
    """The colours and their numbers, below the map: as wide as it is, by its classes and CSS."""
    stops = ", ".join(f"rgb{color}" for color in (_DIVERGING if is_diverging else _SEQUENTIAL))
    middle = f"<span>{number_text((low + high) / 2)}</span>" if is_diverging else ""
    drawn = f' style="{style.removeprefix("; ")}"' if style else ""
    return (
        f'<p class="lw-scale{kind}"{drawn}><span>{number_text(low)}</span>{middle}<span>{number_text(high)}</span>'
        f'<i style="background: linear-gradient(to right, {stops})"></i></p>'
    )


def _cells(values: np.ndarray, low: float, high: float, *, is_diverging: bool) -> str:
    """The number of each cell, dark on light colours and light on dark ones."""
    rows, columns = values.shape
    brightness = colors(values, low, high, is_diverging=is_diverging).mean(axis=2)
    return "".join(
        f'<span class="lw-cell {"lw-dark-ink" if brightness[row, column] > 140 else "lw-light-ink"}" '
        f'style="left: {100 * (column + 0.5) / columns:.2f}%; top: {100 * (row + 0.5) / rows:.2f}%">'
        f"{number_text(values[row, column])}</span>"
        for row in range(rows)
        for column in range(columns)
    )


def _labels(plot: Heatmap) -> str:
    """The labels of a matrix, as many as there is room for."""
    found = ""
    for labels, kind, side in ((plot.row_labels, "lw-y", "top"), (plot.column_labels, "lw-x", "left")):
        step = -(-len(labels) // MOST_LABELS) or 1
        for index in range(0, len(labels), step):
            place = 100 * (index + 0.5) / len(labels)
            found += f'<span class="{kind}" style="{side}: {place:.2f}%">{html.escape(str(labels[index]))}</span>'
    return found
