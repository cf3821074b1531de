"""Markdown with formulas, formulas, tables and marked texts."""

from __future__ import annotations

import functools
import html
import logging
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from layerwise.plots import Formula, Table, Tokens
from layerwise_app.web.markup import table

_MARKS = re.compile(r"[$*`]")

SIGNS_LEGEND = '<span class="lw-for">speaks for it</span><span class="lw-against">speaks against it</span>'
"""What the colours of positive and negative numbers mean that explain an answer."""

logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=4096)
def math_html(latex: str, *, is_block: bool = False) -> str:
    """A formula as MathML, which browsers draw and screen readers read; its source where it cannot be read."""
    try:
        formula = convert_to_element(latex, display="block" if is_block else "inline")
    except Exception:  # the converter has a class for each mistake, and IndexError for others
        logger.warning("This formula cannot be read: %s", latex)
        return f"<code>{html.escape(latex)}</code>"
    for part in formula.iter():
        # Some of the texts are HTML already, others hold what the author wrote.
        part.text = html.unescape(part.text or "")
    return ElementTree.tostring(formula, encoding="unicode", short_empty_elements=False)


def _render_math(source: str, options: Mapping[str, Any]) -> str:
    return math_html(source.strip(), is_block=options["display_mode"])


_markdown = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    .use(dollarmath_plugin, renderer=_render_math, allow_space=False)
)


@functools.lru_cache(maxsize=1024)
def rich_text(text: str) -> str:
    """Markdown with tables, and formulas in LaTeX between dollar signs, as HTML. HTML in it is shown, not obeyed."""
    return _markdown.render(text)


def inline_html(text: str) -> str:
    """A title or a label: Markdown without paragraphs."""
    return _markdown.renderInline(text)


def plain_text(text: str) -> str:
    """Markdown as what a name may hold, read aloud: no marks, formulas in LaTeX.

    Example:
        >>> plain_text("The **sum** $z = 2$")
        'The sum z = 2'
    """
    return _MARKS.sub("", text)


def caption_html(title: str, legend: str = "") -> str:
    """What stands above a plot: its title, and what its colours mean."""
    if not title and not legend:
        return ""
    return f"<figcaption><strong>{inline_html(title)}</strong>{legend}</figcaption>"


def number_text(value: float) -> str:
    """A number as short as four digits allow; before the point all of them, up to a million.

    Example:
        >>> number_text(0.123456), number_text(118282.4), number_text(1234567.0), number_text(-2.0)
        ('0.1235', '118,282', '1.235e+06', '-2')
    """
    if 1e4 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.4g}".replace("-0", "0") if value == 0 else f"{value:.4g}"


def formula_html(formula: Formula) -> str:
    """A formula on a line of its own, which goes on below before an equals sign where it is too long, and scrolls by
    itself where that does not help."""
    label = f'<span class="lw-formula-label">{inline_html(formula.label)}</span>' if formula.label else ""
    name = html.escape(plain_text(formula.label) or "Formula")
    return (
        f'<div class="lw-formula" tabindex="0" role="group" aria-label="{name}">'
        f"{label}<div>{''.join(math_html(part, is_block=True) for part in _parts(formula.latex))}</div></div>"
    )


def _parts(latex: str) -> list[str]:
    """A formula up to its second equals sign, and what follows from each of the others on."""
    pieces = latex.split(" = ")
    parts = [" = ".join(pieces[:2]), *(f"= {piece}" for piece in pieces[2:])]
    return parts if all(map(_is_whole, parts)) else [latex]


def _is_whole(latex: str) -> bool:
    pairs = (("{", "}"), (r"\left", r"\right"), (r"\begin", r"\end"))
    return all(latex.count(one) == latex.count(other) for one, other in pairs)


def table_html(plot: Table) -> str:
    """A table."""
    rows = [[inline_html(cell) if isinstance(cell, str) else number_text(cell) for cell in row] for row in plot.rows]
    title = f'<p class="lw-plot-title">{inline_html(plot.title)}</p>' if plot.title else ""
    return f"<div>{title}{table(plain_text(plot.title) or 'Table', list(map(inline_html, plot.columns)), rows)}</div>"


def tokens_html(plot: Tokens) -> str:
    """A text with a colour behind each part: as strong as its weight, one colour for each sign."""
    finite = np.nan_to_num(plot.weights, nan=0.0, posinf=0.0, neginf=0.0)
    strongest = (float(np.abs(finite).max(initial=0.0)) or 1.0) if plot.is_signed else 1.0
    parts = "".join(
        f'<span class="{"lw-for" if weight >= 0 else "lw-against"}" style="--share: {abs(weight) / strongest:.3f}" '
        f'title="{number_text(weight)}">{html.escape(token)}</span>'
        for token, weight in zip(plot.tokens, finite, strict=True)
    )
    strongest_first = sorted(zip(plot.tokens, finite.tolist(), strict=True), key=lambda item: -abs(item[1]))
    words = ", ".join(f"{token.strip()} {number_text(weight)}" for token, weight in strongest_first[:5])
    return (
        f'<figure class="lw-curve lw-figure lw-tokens" aria-label="{html.escape(f"{plot.title}: {words}")}">'
        f"{caption_html(plot.title, SIGNS_LEGEND if plot.is_signed else '')}<p>{parts}</p></figure>"
    )
