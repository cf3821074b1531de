"""Pictures in answers, as HTML: what was found in one, drawn over it and listed below; and a gallery of several.

Boxes and points are SVG in pixels of the picture, with lines that are as thin at every size; labels are text of the
page. So they stay sharp however large the picture is shown, and the picture itself is sent no larger than a screen.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise_app.values import data_url, picture_file
from layerwise_app.web.answers import percent

if TYPE_CHECKING:
    from PIL import Image

    from layerwise.tasks.annotations import AnnotatedPicture, Found

SHOWN_SIDE, CROP_SIDE = 1400, 240
"""The longer sides, in pixels, to which a picture and a crop are shrunk to be shown."""
MOST_LISTED, MOST_CROPS = 100, 60
NUM_COLORS = 6
"""How many colours labels have, `.lw-hue-0` and so on in style.css."""


def annotated_html(label: str, value: AnnotatedPicture | None) -> str:
    """A picture with boxes.

    Args:
        label: What is shown, a few words.
        value: The picture and what was found in it; None before there is an answer.
    """
    if value is None:
        body = '<p class="lw-waiting">The answer appears here.</p>'
    else:
        hues = {name: place % NUM_COLORS for place, name in enumerate(sorted({item.label for item in value.found}))}
        body = (
            f'<p class="lw-best"><strong>{html.escape(value.as_text())}</strong></p>'
            f"{_figure(value, hues)}{_listed(value.found, hues)}"
        )
    return f'<section class="lw-answer lw-annotated" aria-label="{html.escape(label)}" role="status">{body}</section>'


def _figure(value: AnnotatedPicture, hues: Mapping[str, int]) -> str:
    width, height = value.image.size
    shapes = "".join(_shapes(item, hues[item.label]) for item in value.found)
    tags = "".join(
        _tag(number, item, hues[item.label], width, height) for number, item in enumerate(value.found, start=1)
    )
    shape = f"aspect-ratio: {width} / {height}; --shape: {width / height:.4f}"
    return (
        f'<div class="lw-canvas" aria-hidden="true" style="{shape}">'
        f'<img src="{_shrunk_url(value.image, SHOWN_SIDE)}" alt="">'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">{shapes}</svg>{tags}</div>'
    )


def _shapes(item: Found, hue: int) -> str:
    left, top, right, bottom = item.box
    box = f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
    # A line of no length with round ends is a dot that is as large at every size.
    dots = "".join(f'<path d="M{x:.1f} {y:.1f}h0"/>' for x, y in item.points.values())
    return f'<g class="lw-hue-{hue}">{box}{dots}</g>'


def _tag(number: int, item: Found, hue: int, width: int, height: int) -> str:
    left, top = (min(max(share, 0.0), 1.0) for share in (item.box[0] / width, item.box[1] / height))
    # Above the box, or within it where there is no room above.
    place = "lw-within" if top < 0.05 else ""
    return f'<span class="lw-tag lw-hue-{hue} {place}" style="left: {left:.2%}; top: {top:.2%}">{number}</span>'


def _listed(found: Sequence[Found], hues: Mapping[str, int]) -> str:
    rows = "".join(
        f'<li><b class="lw-hue-{hues[item.label]}" aria-hidden="true">{number}</b>'
        f"<span>{html.escape(item.label)}</span><span>{percent(item.score)}</span>"
        f"<small>{_where(item)}</small></li>"
        for number, item in enumerate(found[:MOST_LISTED], start=1)
    )
    more = f"<p>and {len(found) - MOST_LISTED} more</p>" if len(found) > MOST_LISTED else ""
    return f'<ol class="lw-found" aria-label="What was found">{rows}</ol>{more}' if found else ""


def _where(item: Found) -> str:
    left, top, right, bottom = item.box
    return f"{right - left:.0f} × {bottom - top:.0f} pixels at {left:.0f}, {top:.0f}"


def crops_html(label: str, value: Sequence[Mapping[str, Any]] | None) -> str:
    """A gallery: small pictures, each a link that keeps it in full size.

    Args:
        label: What is shown, a few words.
        value: Mappings with "label", "image" and, where words stand below it, "caption"; None or empty for none.
    """
    if not value:
        return ""
    items = "".join(_crop(number, item) for number, item in enumerate(value[:MOST_CROPS], start=1))
    more = f'<p class="lw-waiting">and {len(value) - MOST_CROPS} more</p>' if len(value) > MOST_CROPS else ""
    return f'<section class="lw-crops"><p class="lw-label">{html.escape(label)}</p><ul>{items}</ul>{more}</section>'


def _crop(number: int, item: Mapping[str, Any]) -> str:
    content, ending = picture_file(item["image"])
    name = f"{html.escape(str(item['label']))} {number}"
    caption = f"<small>{html.escape(str(item['caption']))}</small>" if item.get("caption") else ""
    return (
        f'<li><a class="lw-crop" download="{name.replace(" ", "-")}{ending}" href="{data_url(content, ending)}" '
        f'title="Keep this picture"><img src="{_shrunk_url(item["image"], CROP_SIDE)}" alt="{name}"></a>{caption}</li>'
    )


def _shrunk_url(image: Image.Image, side: int) -> str:
    """A picture as a data URL, no larger than `side`. What is transparent stays so."""
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), reducing_gap=2.0)
    if image.mode == "RGBA":
        return data_url(*picture_file(image))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
