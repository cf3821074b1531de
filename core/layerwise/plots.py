"""What experiments and inspections show, as data: numbers with titles and axes, no pixels and no HTML.

The web app draws each kind (`layerwise_app.web.plots`), so that whoever writes a lesson or looks inside a network says
what there is to see, and every page shows it alike, in light and dark, on a desk and on a phone. Texts are Markdown and
may hold formulas in LaTeX between dollar signs: "the weighted sum $z$".

Arrays are NumPy arrays, or sequences that become ones. `title` may be empty where the surroundings say what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from layerwise.errors import SpecError

Array = Any
"""A NumPy array, or what becomes one."""
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Text:
    """A paragraph or a few, in Markdown."""

    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Formula:
    """A formula on a line of its own.

    Args:
        latex: Without dollar signs; numbers may stand in it as in "z = 0.5 \\cdot 2 + 1 = 2".
        label: A few words before it.
    """

    latex: str
    label: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line, or dots, of a LinePlot or on a Heatmap.

    Args:
        label: Its name in the legend; empty leaves it out of the legend.
        x, y: Numbers of equal length; y may hold NaN, which interrupts the line.
        kind: "line", "dashed" or "dots".
        low, high: A band around the line, such as a confidence interval, as long as y.
        color: Which colour of the palette, counted from 0; None takes the next one. Dots may have one each, by which
            classes are told apart.
    """

    label: str = ""
    x: Array
    y: Array
    kind: str = "line"
    low: Array | None = None
    high: Array | None = None
    color: int | Sequence[int] | None = None

    def __post_init__(self) -> None:
        _one_of("Line: kind", self.kind, ("line", "dashed", "dots"))
        for name in ("x", "y", "low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _array(f"Line: {name}", getattr(self, name), 1))
        lengths = {len(values) for values in (self.x, self.y, self.low, self.high) if values is not None}
        if len(lengths) > 1 or (self.low is None) != (self.high is None):
            raise SpecError("A Line needs values of equal length", received=f"lengths {sorted(lengths)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class LinePlot:
    """Lines and dots over common axes.

    Args:
        marks: Vertical rules: where on the x axis, and a few words.
        x_range, y_range: What the axes show; None is what the lines need.
        x_log, y_log: Whether an axis is logarithmic.
    """

    title: str = ""
    lines: Sequence[Line]
    x_label: str = ""
    y_label: str = ""
    x_range: Range | None = None
    y_range: Range | None = None
    x_log: bool = False
    y_log: bool = False
    marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class BarPlot:
    """A bar for each label.

    Args:
        values: As many numbers as labels; may be negative.
        low, high: The ends of error bars.
        unit: Written behind the numbers.
        value_range: What the length of a bar is measured by, (0, 100) for percentages; None is what the values need.
    """

    title: str = ""
    labels: Sequence[str]
    values: Array
    low: Array | None = None
    high: Array | None = None
    unit: str = ""
    value_range: Range | None = None

    def __post_init__(self) -> None:
        for name in ("values", "low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _array(f"BarPlot: {name}", getattr(self, name), 1))
        if len(self.values) != len(self.labels):
            raise SpecError(
                "A BarPlot needs a value for each label",
                expected=f"{len(self.labels)} values",
                received=str(len(self.values)),
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """How many values fall where.

    Args:
        edges: [bins + 1], rising.
        counts: [bins].
    """

    title: str = ""
    edges: Array
    counts: Array
    x_label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", _array("Histogram: edges", self.edges, 1))
        object.__setattr__(self, "counts", _array("Histogram: counts", self.counts, 1))
        if len(self.edges) != len(self.counts) + 1:
            raise SpecError("A Histogram needs one edge more than counts", received=f"{len(self.edges)} edges")

    @classmethod
    def of(cls, values: Array, *, bins: int = 40, title: str = "", x_label: str = "") -> Histogram:
        """The histogram of all finite numbers of an array.

        Example:
            >>> Histogram.of([0.0, 1.0, 1.0, 4.0], bins=4).counts.tolist()
            [1.0, 2.0, 0.0, 1.0]
        """
        numbers = np.asarray(values, dtype=np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        low, high = float(numbers.min(initial=np.inf)), float(numbers.max(initial=-np.inf))
        # Numbers that are all but equal leave no room for bins between them.
        is_narrow = high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-300)
        margin = abs(low) / 10 or 0.5
        limits = (low - margin, high + margin) if len(numbers) and is_narrow else None
        counts, edges = np.histogram(numbers, bins=bins, range=limits)
        return cls(title=title, edges=edges, counts=counts, x_label=x_label)


@dataclass(frozen=True, kw_only=True, eq=False)
class Heatmap:
    """Numbers over a plane, as colours.

    Args:
        values: [rows, columns], the first row at the bottom when `y_range` is given (a function of x and y), at the top
            when it is not (a matrix).
        x_range, y_range: What the width and the height stand for; None for a matrix.
        center: The value of the middle colour; both sides get colours of their own. None: from the least to the
            greatest value in one colour.
        limits: The values of the first and the last colour; None is what `values` need.
        lines: Drawn above, in the units of the ranges: dots of examples, the path of a descent.
        row_labels, column_labels: Of a matrix.
        is_labelled: Whether each cell shows its number; for small matrices.
    """

    title: str = ""
    values: Array
    x_range: Range | None = None
    y_range: Range | None = None
    x_label: str = ""
    y_label: str = ""
    center: float | None = None
    limits: Range | None = None
    lines: Sequence[Line] = ()
    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    is_labelled: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _array("Heatmap: values", self.values, 2))
        if not self.values.size:
            raise SpecError("A Heatmap has no values", received=f"shape {self.values.shape}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture of Pictures.

    Args:
        pixels: [height, width] or [height, width, 3], numbers from 0 to 1, or whole ones from 0 to 255.
        caption: A few words below it.
        heat: [height, width], drawn above the picture in colour: 0 leaves it as it is. Positive and negative numbers
            get a colour each; the greatest magnitude is the strongest.
    """

    pixels: Array
    caption: str = ""
    heat: Array | None = None

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3))) or not pixels.size:
            raise SpecError(
                "A Picture has unusable pixels",
                expected="shape [height, width] or [height, width, 3]",
                received=f"shape {pixels.shape}",
            )
        object.__setattr__(self, "pixels", pixels)
        if self.heat is not None:
            object.__setattr__(self, "heat", _array("Picture: heat", self.heat, 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """Pictures side by side, small ones enlarged without smoothing.

    Args:
        width: The width of each in CSS pixels; they shrink where there is less room.
    """

    title: str = ""
    pictures: Sequence[Picture]
    width: int = 96


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkDiagram:
    """A dense network: a circle for each unit, a line for each weight.

    Args:
        layers: The names of the units of each layer, from the inputs on.
        titles: A few words above each layer; empty for none.
        weights: For each layer but the first [units before, units]: the thickness of the lines is the magnitude, the
            colour the sign. None draws all alike.
        values: For each layer the numbers written in its circles; None writes none.
    """

    title: str = ""
    layers: Sequence[Sequence[str]]
    titles: Sequence[str] = ()
    weights: Sequence[Array] | None = None
    values: Sequence[Array] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A box of a Graph.

    Args:
        name: Unique in its graph.
        title: Its first line.
        lines: What stands below it, smaller.
        inputs: The names of the nodes from which arrows come.
    """

    name: str
    title: str
    lines: Sequence[str] = ()
    inputs: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Boxes with arrows, from top to bottom: the layers of a network. Nodes come after all of their inputs."""

    title: str = ""
    nodes: Sequence[Node]


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table. Cells are texts, or numbers, which are shown with four digits."""

    title: str = ""
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """A text whose parts are marked by numbers, mostly what spoke for (positive) and against (negative) an answer.

    Args:
        tokens: The parts, which give the text when they are joined.
        weights: A number for each.
        is_signed: Whether they speak for and against something; otherwise they are shares, from 0 to 1.
    """

    title: str = ""
    tokens: Sequence[str]
    weights: Array
    is_signed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _array("Tokens: weights", self.weights, 1))
        if len(self.tokens) != len(self.weights):
            raise SpecError(
                "Tokens needs a weight for each token",
                expected=str(len(self.tokens)),
                received=str(len(self.weights)),
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class StripKind:
    """What a letter of a SequenceStrip can belong to.

    Args:
        letter: What stands for it.
        name: A word or two.
        shape: "spiral", "arrow", "bar" or "line".
    """

    letter: str
    name: str
    shape: str = "bar"

    def __post_init__(self) -> None:
        _one_of("StripKind: shape", self.shape, ("spiral", "arrow", "bar", "line"))


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceStrip:
    """A sequence of letters in blocks, with what each letter belongs to: as a drawing above, as a letter below.

    Args:
        letters: The sequence.
        labels: The letter of a kind for each of them.
        kinds: What there is, in the order of their colours.
    """

    title: str = ""
    letters: str
    labels: str
    kinds: Sequence[StripKind]

    def __post_init__(self) -> None:
        if len(self.letters) != len(self.labels):
            raise SpecError(
                "A SequenceStrip needs a label for each letter",
                expected=str(len(self.letters)),
                received=str(len(self.labels)),
            )
        if unknown := set(self.labels) - {kind.letter for kind in self.kinds}:
            raise SpecError("A SequenceStrip has a label of no kind", received=repr(min(unknown)))

    def stretches(self) -> list[tuple[int, int, int]]:
        """Where the same kind goes on: its first letter, the one after its last, and the place of the kind.

        Example:
            >>> kinds = (StripKind(letter="H", name="helix"), StripKind(letter="C", name="coil"))
            >>> SequenceStrip(letters="MKV", labels="CHH", kinds=kinds).stretches()
            [(0, 1, 1), (1, 3, 0)]
        """
        places = {kind.letter: place for place, kind in enumerate(self.kinds)}
        found, start = [], 0
        for letter, group in groupby(self.labels):
            stop = start + len([*group])
            found.append((start, stop, places[letter]))
            start = stop
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Logo:
    """A sequence logo: at each place of a motif letters above each other, the highest on top (Schneider and Stephens
    1990).

    Args:
        letters: One for each column of `heights`.
        heights: [places, letters], in bits; none is negative.
        limit: The greatest height that a place can have: 2 bits for DNA whose letters are equally frequent.
        unit: What the heights are.
    """

    title: str = ""
    letters: str
    heights: Array
    limit: float = 2.0
    unit: str = "bits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "heights", _array("Logo: heights", self.heights, 2))
        if self.heights.shape[1] != len(self.letters) or not len(self.heights) or np.any(self.heights < 0):
            raise SpecError(
                "A Logo has unusable heights",
                expected=f"[places, {len(self.letters)}], one for each letter, none negative",
                received=f"shape {self.heights.shape}",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """Plots side by side, below each other where there is no room."""

    plots: Sequence[Plot] = field(default_factory=tuple)


Plot = (
    Text
    | Formula
    | LinePlot
    | BarPlot
    | Histogram
    | Heatmap
    | Pictures
    | NetworkDiagram
    | Graph
    | Table
    | Tokens
    | SequenceStrip
    | Logo
    | Row
)
"""Anything of the above that stands by itself."""


def _array(what: str, values: Array, ndim: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim:
        raise SpecError(f"{what} has an unusable shape", expected=f"{ndim} dimensions", received=f"shape {array.shape}")
    return array


def _one_of(what: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise SpecError(f"{what} is not known", expected=f"one of {', '.join(allowed)}", received=repr(value))
