"""What a model looks like at first sight: the picture that its plugin ships, or pictures, sounds, words or rows from
its own examples, as HTML.

A model without examples, or whose examples cannot be read, gets layers whose widths follow from its name.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerwise.card_pictures import MEDIA_TYPES, read_picture
from layerwise.specs import resolve
from layerwise.tasks.fields import FILE_KINDS

if TYPE_CHECKING:
    from layerwise.specs import Example, ModelSpec
    from layerwise.tasks.fields import Field

logger = logging.getLogger(__name__)

PICTURE_KINDS = ("image", "sketch")
THUMBNAIL = 128
"""The longer side of a thumbnail in pixels; smaller pictures stay as they are and are enlarged by the browser."""
COLUMNS, ROWS = 5, 2
"""How many example pictures a card shows at most."""
QUOTED = 140
"""How many characters of an example text a card shows."""
SOUND_RATE, NUM_PARTS = 8000, 60
"""Samples a second, and bars, of a sound that a card shows."""


def load_examples(spec: ModelSpec) -> list[Example]:
    """The examples of a model."""
    return list(resolve(spec.examples)()) if spec.examples is not None else []


def thumbnail_url(value: Any) -> str:
    """An image value as a small picture in a data URL, so that a page needs no further request for it.

    Args:
        value: A PIL image, an array, a path or bytes, as the tasks take them.

    Raises:
        InputError: It is no picture.
    """
    from layerwise.tasks.images import load_image

    image = load_image(value)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    # The smallest file, 2% smaller, would take twice the time, and pictures are much of what drawing a page takes.
    image.save(buffer, format="PNG", compress_level=4)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def summary_of(example: Example, fields: Sequence[Field]) -> str:
    """An example as a line of text; its label where it is a file, whose path says nothing to a visitor."""
    told = [field for field in fields if field.name in example.inputs and field.kind not in FILE_KINDS]
    text = " · ".join(_words(example.inputs[field.name]) for field in told) or example.label
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return str(value)


def card_visual(spec: ModelSpec) -> str:
    """The upper part of a model's card. Never fails: a card without its picture is better than no page."""
    try:
        return _shipped(spec) or _from_examples(spec) or _layers(spec.name)
    except Exception:  # the examples are a plugin's code
        logger.warning("The picture or the examples of %s cannot be shown", spec.name, exc_info=True)
        return _layers(spec.name)


def _shipped(spec: ModelSpec) -> str:
    if spec.card.picture is None:
        return ""
    picture = read_picture(spec.card.picture)
    digest = hashlib.sha256(picture.content).hexdigest()[:12]
    address = html.escape(f"./api/v1/models/{spec.name}/picture?of={digest}")
    kind = " lw-drawing" if picture.media_type == MEDIA_TYPES[".svg"] else ""
    calm = f'<source media="(prefers-reduced-motion: reduce)" srcset="{address}&amp;still=true">'
    shown = f'<picture>{calm}<img src="{address}" alt="" loading="lazy"></picture>'
    return f'<div class="lw-visual lw-picture{kind}" aria-hidden="true">{shown}</div>'


def _from_examples(spec: ModelSpec) -> str:
    examples, fields = load_examples(spec), spec.task.inputs
    if not examples:
        return ""
    if fields[0].kind in PICTURE_KINDS:
        pictures = [example.inputs[fields[0].name] for example in _spread(examples, COLUMNS * ROWS)]
        columns = min(len(pictures), COLUMNS)
        images = "".join(f'<img src="{thumbnail_url(picture)}" alt="">' for picture in pictures)
        return f'<div class="lw-visual lw-strip" style="--columns: {columns}" aria-hidden="true">{images}</div>'
    if fields[0].kind == "audio":
        return _bars("lw-layers lw-sound", _loudness(examples[0].inputs[fields[0].name]))
    text = summary_of(examples[0], fields)
    return f'<div class="lw-visual lw-quote" aria-hidden="true"><p>{html.escape(text)}</p></div>' if text else ""


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    """At most `count` of them, of different labels as far as there are any."""
    by_label: dict[str, list[Example]] = {}
    for example in examples:
        by_label.setdefault(example.label, []).append(example)
    # The first of each label, then the second of each, and so on.
    rounds = max(map(len, by_label.values()))
    ordered = [items[index] for index in range(rounds) for items in by_label.values() if index < len(items)]
    stride = max(1, len(by_label) // count)
    first = ordered[: len(by_label) : stride]
    return (first + [example for example in ordered if not any(example is other for other in first)])[:count]


def _layers(name: str) -> str:
    digest = hashlib.sha256(name.encode()).digest()
    return _bars("lw-layers", [30 + byte % 60 for byte in digest[:9]])


def _loudness(sound: Any) -> list[int]:
    """The peaks of a sound in equal parts of its time, in percent of a card's height."""
    import numpy as np

    from layerwise.tasks.sounds import load_sound

    parts = np.array_split(np.abs(load_sound(sound, SOUND_RATE)), NUM_PARTS)
    peaks = np.array([part.max(initial=0.0) for part in parts])
    return np.maximum(90 * peaks / max(peaks.max(), 1e-9), 3).astype(int).tolist()


def _bars(kind: str, heights: Sequence[int]) -> str:
    bars = "".join(f'<i style="height: {height}%"></i>' for height in heights)
    return f'<div class="lw-visual {kind}" aria-hidden="true">{bars}</div>'
