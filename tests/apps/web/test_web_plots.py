"""Each kind of plot as HTML, with ordinary and with odd values, read by a parser."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from layerwise.plots import (
    BarPlot,
    Formula,
    Graph,
    Heatmap,
    Histogram,
    Line,
    LinePlot,
    Logo,
    NetworkDiagram,
    Node,
    Picture,
    Pictures,
    Plot,
    Row,
    SequenceStrip,
    StripKind,
    Table,
    Text,
    Tokens,
)
from layerwise_app.web.plots import plots_html, rich_text
from layerwise_app.web.plots.axes import Axis
from layerwise_app.web.plots.maps import colors
from layerwise_app.web.plots.texts import math_html, number_text

VOID = {"img", "br", "hr"}
TRICK = '<img src=x onerror="alert(1)"> & "quoted"'
NAN, INF = float("nan"), float("inf")


class Document(HTMLParser):
    """What a browser would see: elements (tag, attributes), text, and whether every tag is closed in its order."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(source)
        self.close()
        assert self._open == [], "not closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag, kind=""):
        """The attributes of all elements of a tag, and of a class."""
        return [found for name, found in self.elements if name == tag and kind in ["", *found.get("class", "").split()]]


def drawn(*plots):
    source = plots_html(plots)
    assert not re.search(r"\b(nan|inf)%", source), "a place that is no number"
    document = Document(source)
    for tag, attributes in document.elements:
        for name in ("points", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            assert not re.search("nan|inf", attributes.get(name) or ""), f"<{tag} {name}={attributes[name]}>"
        assert "onerror" not in attributes, "text that became an element"
    return document


def pixels_of(document, index=0):
    url = document.all("img")[index]["src"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,")))))


def line(**values):
    return Line(**{"label": "loss", "x": [0, 1, 2], "y": [1.0, 0.5, 0.25], **values})


KINDS = [
    StripKind(letter="H", name="helix", shape="spiral"),
    StripKind(letter="E", name="sheet", shape="arrow"),
    StripKind(letter="C", name="coil", shape="line"),
]
EACH = [
    Text(text="A **sum** of $w_i x_i$."),
    Formula(latex=r"z = \frac{1}{2}", label="sum"),
    LinePlot(title="Loss", lines=[line(), line(label="dots", kind="dots"), line(label="more", kind="dashed")]),
    BarPlot(title="Share", labels=["a", "b"], values=[1, -2], low=[0.5, -3], high=[1.5, -1], unit="%"),
    Histogram.of([1, 2, 2, 3], bins=3, title="Weights"),
    Heatmap(title="Surface", values=np.eye(3), x_range=(0, 1), y_range=(0, 2), lines=[line()]),
    Heatmap(title="Matrix", values=np.eye(3), center=0, is_labelled=True, row_labels="abc", column_labels="xyz"),
    Pictures(title="Seen", pictures=[Picture(pixels=np.eye(8), caption="an eye", heat=np.eye(8) - 0.5)]),
    NetworkDiagram(
        title="Network",
        layers=[["x1", "x2"], ["y"]],
        titles=["in", "out"],
        weights=[[[1.5], [-2]]],
        values=[[1, 2], [3]],
    ),
    Graph(title="Layers", nodes=[Node(name="in", title="Input"), Node(name="out", title="Dense", inputs=["in"])]),
    Table(title="Numbers", columns=["name", "value"], rows=[["a", 0.123456]]),
    Tokens(title="Review", tokens=["not", " good"], weights=[-2, 1]),
    SequenceStrip(title="Protein", letters="MKVLAAGIVGLC", labels="CHHHHHHHHEEE", kinds=KINDS),
    Logo(title="Motif", letters="ACGT", heights=[[2, 0, 0, 0], [0, 0.5, 0.1, 0]]),
    Row(plots=[Text(text="left"), Text(text="right")]),
]


def test_every_kind_is_tested():
    assert {type(plot) for plot in EACH} == set(Plot.__args__)


@pytest.mark.parametrize("plot", EACH, ids=lambda plot: type(plot).__name__)
def test_every_kind_is_drawn_and_says_what_it_shows(plot):
    document = drawn(plot)
    title = getattr(plot, "title", "")
    if title:
        assert title in document.text
    labels = [found["aria-label"] for _, found in document.elements if "aria-label" in found]
    if document.all("figure"):
        assert any(label.startswith(title) for label in labels)
    assert not document.all("script")


@pytest.mark.parametrize(
    "plot",
    [
        Text(text=TRICK),
        Text(text=f"**{TRICK}**"),
        Text(text=f"$\\text{{{TRICK}}}$"),
        Text(text=f"[link](javascript:alert(1)) {TRICK}"),
        Formula(latex=f"\\text{{{TRICK}}}", label=TRICK),
        Formula(latex=TRICK),
        LinePlot(title=TRICK, lines=[line(label=TRICK)], x_label=TRICK, y_label=TRICK, marks=[(1, TRICK)]),
        BarPlot(title=TRICK, labels=[TRICK], values=[1], unit=TRICK),
        Histogram.of([1, 2], bins=2, title=TRICK, x_label=TRICK),
        Heatmap(title=TRICK, values=np.eye(2), row_labels=[TRICK] * 2, column_labels=[TRICK] * 2, x_label=TRICK),
        Pictures(title=TRICK, pictures=[Picture(pixels=np.eye(2), caption=TRICK)]),
        NetworkDiagram(title=TRICK, layers=[[TRICK], [TRICK]], titles=[TRICK, TRICK]),
        Graph(title=TRICK, nodes=[Node(name=TRICK, title=TRICK, lines=[TRICK], inputs=[TRICK])]),
        Table(title=TRICK, columns=[TRICK], rows=[[TRICK]]),
        Tokens(title=TRICK, tokens=[TRICK], weights=[1]),
        SequenceStrip(title=TRICK, letters="<&", labels="<<", kinds=[StripKind(letter="<", name=TRICK)]),
    ],
    ids=lambda plot: type(plot).__name__,
)
def test_texts_are_shown_and_not_obeyed(plot):
    document = drawn(plot)
    assert all(found.get("src", "data:").startswith("data:") for found in document.all("img"))
    assert not any("javascript" in found.get("href", "") for found in document.all("a"))


ODD = {
    "nothing": [],
    "one": [3.0],
    "equal": [2.0, 2.0, 2.0],
    "zero": [0.0, 0.0],
    "no number": [NAN, NAN],
    "gaps": [NAN, 1.0, NAN, 2.0, 3.0, NAN],
    "infinite": [1.0, INF, -INF],
    "huge": [-1e300, 1e300],
    "largest": [-1.7e308, 1.7e308],
    "tiny": [1e-300, 2e-300],
    "smallest": [5e-324, 1e-323],
    "close": [1e16, 1e16 + 2],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", ODD.values(), ids=ODD.keys())
def test_odd_numbers(values):
    places = np.arange(len(values))
    kinds = [line(x=places, y=values, kind=kind) for kind in ("line", "dashed", "dots")]
    band = line(x=places, y=values, low=values, high=values)
    for log in (False, True):
        drawn(
            LinePlot(lines=[*kinds, band], y_log=log), LinePlot(lines=[line(x=values, y=values)], x_log=log, y_log=log)
        )
    drawn(BarPlot(labels=[str(place) for place in places], values=values, low=values, high=values))
    drawn(Histogram.of([value for value in values if abs(value) < 1e300], bins=4))
    drawn(Tokens(tokens=["word"] * len(values), weights=values))
    drawn(Table(columns=["value"], rows=[[value] for value in values]))
    if values:
        drawn(Heatmap(values=[values, values], is_labelled=True), Heatmap(values=[values], center=0))
        drawn(Heatmap(values=[values, values], x_range=(0, 1), y_range=(0, 1), limits=(0, 1), center=0.5))
        drawn(NetworkDiagram(layers=[["a"], ["b"] * len(values)], weights=[[values]], values=[[values[0]], values]))
        drawn(Pictures(pictures=[Picture(pixels=[values], heat=[values])]))


def test_bars_of_percentages_are_as_long_as_they_are_of_a_hundred():
    def widths(**options):
        document = plots_html([BarPlot(labels=["black", "white"], values=[40, 60], unit="%", **options)])
        return re.findall(r"width: ([\d.]+)%", document)

    assert widths(value_range=(0, 100)) == ["40.00", "60.00"]
    assert float(widths()[1]) > 90


def test_empty_plots():
    document = drawn(
        LinePlot(lines=[]),
        BarPlot(labels=[], values=[]),
        Pictures(pictures=[]),
        Graph(nodes=[]),
        NetworkDiagram(layers=[]),
        Table(columns=["a"], rows=[]),
        Tokens(tokens=[], weights=[]),
        Row(plots=[]),
        Text(text=""),
    )
    assert document.all("table")


def test_a_gap_interrupts_a_line():
    document = drawn(LinePlot(lines=[line(x=range(5), y=[0, 1, NAN, 1, 0])]))
    assert [found["points"].count(",") for found in document.all("polyline")] == [2, 2]


def test_a_line_stands_where_its_numbers_are():
    plot = LinePlot(lines=[line(x=[0, 10], y=[0, 1])], x_range=(0, 10), y_range=(0, 1))
    assert drawn(plot).all("polyline")[0]["points"] == "0.00,100.00 100.00,0.00"
    logs = LinePlot(lines=[line(x=[1, 10, 100], y=[1, 10, 100])], x_log=True, y_log=True)
    assert drawn(logs).all("polyline")[0]["points"] == "0.00,100.00 50.00,50.00 100.00,0.00"


def test_dots_may_have_a_colour_each_and_say_their_numbers():
    dots = Line(x=[0, 1], y=[2, 3], kind="dots", color=[0, 1])
    found = drawn(LinePlot(lines=[dots])).all("i", "lw-point")
    assert [item["class"] for item in found] == ["lw-point lw-run-1", "lw-point lw-run-2"]
    assert [item["title"] for item in found] == ["0, 2", "1, 3"]


def test_many_points_are_thinned_and_the_last_stays():
    count = 100_000
    document = drawn(LinePlot(lines=[line(x=np.arange(count), y=np.arange(count))], x_range=(0, count - 1)))
    (found,) = document.all("polyline")
    assert found["points"].count(",") < 1000
    assert found["points"].split()[-1].startswith("100.00,")


@pytest.mark.parametrize(
    ("values", "limits", "log", "ticks"),
    [
        ([0.13, 0.92], None, False, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        ([0, 1], (0, 0.5), False, (0, 0.2, 0.4)),
        ([1, 93], (1, 93), False, (20, 40, 60, 80)),
        ([1, 1000], None, True, (1, 10, 100, 1000)),
        ([2, 5], None, True, (2, 5)),
        ([0.3, 40], None, True, (0.5, 1, 2, 5, 10, 20)),
        ([2.1, 2.9], None, True, (2.1, 2.9)),
        ([1e-12, 1], None, True, (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1)),
    ],
)
def test_the_numbers_beside_an_axis(values, limits, log, ticks):
    assert Axis.of([np.array(values)], limits, log=log).ticks == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("latex", "count"),
    [
        ("y = 2", 1),
        (r"z = w x + b = 3 \cdot 2 + 1 = 7", 3),
        (r"y = \frac{a = 1}{b} = 3", 1),
        (r"y = \left( a = b = c \right)", 1),
    ],
)
def test_a_formula_goes_on_below_before_an_equals_sign_that_is_in_nothing(latex, count):
    assert len(drawn(Formula(latex=latex)).all("math")) == count


def test_numbers_beside_an_axis_can_be_told_apart():
    narrow = Axis.of([np.array([0.693147, 0.693149])])
    texts = [text for _, text in narrow.numbers]
    assert len(set(texts)) == len(texts)
    assert [text for _, text in Axis.of([np.array([0, 3e5])]).numbers] == ["0", "100,000", "200,000", "300,000"]


def test_a_map_of_a_plane_has_its_first_row_at_the_bottom_a_matrix_at_the_top():
    values = [[0.0, 0.0], [1.0, 1.0]]
    matrix = pixels_of(drawn(Heatmap(values=values)))
    plane = pixels_of(drawn(Heatmap(values=values, x_range=(0, 1), y_range=(0, 1))))
    assert (matrix == plane[::-1]).all()
    assert matrix[0].sum() < matrix[1].sum()


def test_colours_of_a_map():
    diverging = colors(np.array([[-1.0, 0.0, 1.0, NAN, 9.0]]), -1, 1, is_diverging=True)[0].astype(int)
    assert diverging[0][2] > diverging[0][0] + 80, "blue below"
    assert diverging[1].min() > 240, "white in the middle"
    assert diverging[2][0] > diverging[2][2] + 80, "orange above"
    assert len(set(diverging[3])) == 1, "grey for what is no number"
    assert (diverging[4] == diverging[2]).all()
    steps = colors(np.linspace(0, 1, 50)[np.newaxis], 0, 1, is_diverging=False)[0] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(steps) > 0).all(), "brighter with each step, for those who see no colours"


def test_the_scale_of_a_map_has_its_numbers():
    document = drawn(Heatmap(values=[[-1.0, 3.0]], center=0))
    assert document.text.endswith("-3 0 3")
    assert "from -1 to 3" in document.all("figure")[0]["aria-label"]


def test_pictures_with_the_same_caption_stay_together_and_share_it():
    captions = ("one", "one", "two", "", "", "one")
    document = drawn(Pictures(pictures=[Picture(pixels=np.eye(2), caption=caption) for caption in captions]))
    assert len(document.all("img")) == len(captions)
    assert [item.get("style") for item in document.all("li")] == ["--count: 2", None, None, None, None]
    (figure,) = document.all("figure")
    assert figure["aria-label"] == "6 pictures: one, two, one"


def test_what_the_colours_above_a_picture_mean():
    signs = Pictures(pictures=[Picture(pixels=np.eye(2), heat=[[1, -1], [0, 0]])])
    strengths = Pictures(pictures=[Picture(pixels=np.eye(2), heat=[[1, 0], [0, 0]])])
    assert "speaks against it" in drawn(signs).text
    assert "speaks against it" not in drawn(strengths).text


@pytest.mark.parametrize(
    ("rows", "columns", "kinds"),
    [
        (("a", "b"), ("c", "d"), []),
        (("example 1", "example 2"), ("c", "d"), ["lw-worded-rows"]),
        (("a", "b"), ("Ankle boots high", "Ankle boots low ."), ["lw-worded-columns"]),
        (("a", "b"), ("unit 1", "unit 2"), []),
    ],
)
def test_labels_of_a_matrix_have_the_room_that_they_need(rows, columns, kinds):
    document = drawn(Heatmap(values=np.eye(2), row_labels=rows, column_labels=columns))
    for shown in (
        found for _, found in document.elements if {"lw-map", "lw-scale"} & set(found.get("class", "").split())
    ):
        assert [kind for kind in shown["class"].split() if "worded" in kind] == kinds


def test_pictures_of_all_forms_of_pixels():
    grey = np.array([[0.0, 1.0]])
    forms = [grey, (255 * grey).astype(np.uint8), grey.astype(bool), np.repeat(grey[:, :, np.newaxis], 3, axis=2)]
    document = drawn(Pictures(pictures=[Picture(pixels=pixels) for pixels in forms]))
    for index in range(len(forms)):
        assert pixels_of(document, index)[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_a_network_shows_its_weights_and_values():
    document = drawn(EACH[8])
    wires = document.all("line")
    assert [wire["class"] for wire in wires] == ["lw-wire lw-for", "lw-wire lw-against"]
    assert float(wires[0]["stroke-width"]) < float(wires[1]["stroke-width"])
    assert "weight -2" in document.text


def test_a_large_layer_says_how_large_it_is():
    document = drawn(NetworkDiagram(layers=[[str(unit) for unit in range(1000)], ["y"]]))
    assert len(document.all("circle")) < 20
    assert "1000 in all" in document.text


def test_a_node_says_what_it_takes_when_that_is_not_the_one_before():
    nodes = [
        Node(name="a", title="A"),
        Node(name="b", title="B", inputs=["a"]),
        Node(name="c", title="C", inputs=["a", "b"]),
    ]
    assert drawn(Graph(nodes=nodes)).text.endswith("takes a and b")


@pytest.mark.parametrize(
    ("latex", "elements"),
    [
        (r"\frac{\partial L}{\partial w_1}", {"mfrac", "msub"}),
        (r"\sum_{i=1}^{n} w_i x_i + b", {"munderover"}),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", {"mtable", "mtr", "mtd"}),
        (r"\sqrt{\hat{s}} + \epsilon", {"msqrt", "mover"}),
        (r"\text{softmax}(z)_i", {"mtext"}),
    ],
)
def test_formulas_become_mathml(latex, elements):
    document = Document(math_html(latex, is_block=True))
    assert elements <= {tag for tag, _ in document.elements}
    assert document.all("math")[0]["display"] == "block"


@pytest.mark.parametrize("latex", ["\\frac{", "{", "x^", "\\begin{pmatrix} 1", ""])
def test_a_formula_that_cannot_be_read_shows_its_source(latex):
    document = Document(math_html(latex))
    assert document.all("math") or latex in document.text


def test_rich_text():
    document = Document(
        rich_text("# Title\n\nA **word**, $x^2$ and:\n\n$$y = 2$$\n\n- item\n\n| a |\n|---|\n| 1 |\n\n5 $ or 6 $")
    )
    tags = [tag for tag, _ in document.elements]
    assert {"h1", "strong", "li", "table", "msup"} <= set(tags)
    assert [found["display"] for found in document.all("math")] == ["inline", "block"]
    assert "5 $ or 6 $" in document.text, "money is no formula"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (118_282.4, "118,282"),
        (-0.0, "0"),
        (1.0, "1"),
        (0.12345, "0.1235"),
        (-0.05, "-0.05"),
        (1e300, "1e+300"),
        (NAN, "nan"),
    ],
)
def test_number_text(number, text):
    assert number_text(number) == text


def test_a_sequence_stands_in_blocks_that_wrap_with_each_stretch_drawn_where_it_is():
    document = drawn(SequenceStrip(letters="A" * 25, labels="C" * 5 + "H" * 10 + "E" * 8 + "C" * 2, kinds=KINDS))
    assert len(document.all("span", "lw-block")) == 3
    assert document.text.count("AAAAAAAAAA") == 2
    assert [svg["viewbox"] for svg in document.all("svg")] == ["0 0 100 24", "0 0 100 24", "0 0 50 24"]
    (said,) = [found["aria-label"] for found in document.all("figure")]
    assert said == "25 letters: helix 6 to 15, sheet 16 to 23"
    # The helix goes on in the second block; the head of the arrow is in the third.
    places = [np.array([pair.split(",") for pair in p["points"].split()], float) for p in document.all("polygon")]
    assert [found["class"] for found in document.all("polygon")] == [
        f"lw-run-{number}" for number in (3, 1, 1, 2, 2, 3)
    ]
    assert places[0][:, 0].max() == places[1][:, 0].min() == 50
    assert places[2][:, 0].max() == 50
    assert (places[4][:, 0].max(), places[4][:, 1].min()) == (30, 1.5)
    long = drawn(SequenceStrip(letters="A" * 2500, labels="H" * 2500, kinds=KINDS))
    assert "The first 2,000 of 2,500 letters are drawn." in long.text


def test_the_letters_of_a_logo_lie_above_each_other_the_highest_on_top():
    heights = [[0.5, 0.0, 1.0, 0.001], [0.0, 2.0, 0.0, 0.0]]
    document = drawn(Logo(title="TATA <box>", letters="ACGT", heights=heights))
    (figure,) = document.all("figure")
    assert "GC, 3.5 bits over 2 places" in figure["aria-label"]
    moved = [found["transform"] for found in document.all("text")]
    # From the bottom: A a quarter of the height, G half of it above; what is too flat to be seen is left out.
    places = [tuple(map(float, re.findall(r"[\d.]+", text))) for text in moved]
    assert [place[:2] for place in places] == [(3, 1000), (3, 750), (103, 1000)]
    assert places[1][3] == pytest.approx(2 * places[0][3], abs=2e-3)
    assert drawn(Logo(letters="ACDEFGHIKLMNPQRSTVWY", heights=np.eye(20) * 4, limit=4.3)).all("text")
