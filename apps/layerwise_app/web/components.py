"""Kinds of values to Gradio components: what a task says goes in and comes out, as something to click."""

from __future__ import annotations

import functools
import html
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.processing_utils import save_bytes_to_cache

from layerwise.errors import InputError
from layerwise.tasks.fields import Field
from layerwise_app.values import is_picture, picture_file
from layerwise_app.web.answers import probabilities_html
from layerwise_app.web.live import draw_live_audio
from layerwise_app.web.markup import markup, table
from layerwise_app.web.pictures import annotated_html, crops_html
from layerwise_app.web.plots import plots_html
from layerwise_app.web.sketchpad import read_drawing, show_drawing, sketch_pad

FEW_CHOICES = 6
PICTURE_HEIGHT, FILES_HEIGHT = 300, 180
MOST_ROWS = 200
"""How many rows of a table are shown."""


@dataclass(frozen=True)
class Control:
    """One input on a page.

    Args:
        components: What it is made of.
        read: Their values, as handed to an event, to the value that the task takes; None for no input.
        show: A value of the task to the values of the components.
    """

    components: list[Any]
    read: Callable[[Sequence[Any]], Any]
    show: Callable[[Any], list[Any]]


def control(field: Field, kind: str | None = None) -> Control:
    """Draw the input `field`.

    Args:
        kind: One of its alternatives; None is its first kind.
    """
    kind = kind or field.kind
    if kind == "table":
        return _table(field)
    if kind == "files":
        return _files(field)
    if kind == "live-audio":
        return Control(draw_live_audio(field), lambda values: values[1], lambda value: [None, None])
    if kind == "number" and field.minimum is not None and field.maximum is not None:
        return _slider(field, field.minimum, field.maximum)
    if kind == "text" and field.default is not None:
        return _text_with_default(field)
    make, read, show = _INPUTS.get(kind, _INPUTS["json"])

    def shown(value: Any) -> list[Any]:
        return [show(field.default if value is None else value)]

    return Control([make(field)], lambda values: read(values[0]), shown)


def display(field: Field) -> tuple[Any, Callable[[Any], Any]]:
    """Draw the output `field`: the component, and what turns a value of the task into its value."""
    if field.kind in ANSWERS:
        draw = ANSWERS[field.kind]
        if field.optional:
            return markup(label=field.title, show_label=False, elem_classes="lw-answers"), functools.partial(
                _drawn_if_any, draw, field.title
            )
        shown = functools.partial(draw, field.title)
        return markup(shown(None), label=field.title, show_label=False, elem_classes="lw-answers"), shown
    if field.kind in ("image", "mask"):
        return _shown_image(field)
    if field.kind == "file":
        return _download(field)
    if field.optional and field.kind == "text":
        return gr.Textbox(label=field.title, interactive=False, visible=False), _shown_if_any
    make, show = _OUTPUTS.get(field.kind, _OUTPUTS["json"])
    return make(field), show


def _drawn_if_any(draw: Callable[[str, Any], str], label: str, value: Any) -> str:
    return draw(label, value) if value else ""


def _shown_if_any(value: Any) -> Any:
    return gr.update(value=value, visible=bool(value))


def _table(field: Field) -> Control:
    columns = [control(column) for column in field.columns]

    def read(values: Sequence[Any]) -> dict[str, Any]:
        found, position = {}, 0
        for column, part in zip(field.columns, columns, strict=True):
            found[column.name] = part.read(values[position : position + len(part.components)])
            position += len(part.components)
        return found

    def show(value: Mapping[str, Any] | None) -> list[Any]:
        return [
            shown
            for column, part in zip(field.columns, columns, strict=True)
            for shown in part.show((value or {}).get(column.name))
        ]

    return Control([component for part in columns for component in part.components], read, show)


def _files(field: Field) -> Control:
    """Several files, dropped or chosen at once."""
    box = gr.File(label=field.title, file_count="multiple", height=FILES_HEIGHT)

    def read(values: Sequence[Any]) -> list[str] | None:
        # Plain texts: Gradio's own class of paths is none that a worker knows.
        return [str(path) for path in values[0]] if values[0] else None

    def show(files: Any) -> list[Any]:
        from layerwise.tasks.several_files import named_files

        kept = [
            save_bytes_to_cache(content, name, box.GRADIO_CACHE) if isinstance(content, bytes) else str(content)
            for name, content in named_files(files)
        ]
        return [kept or None]

    return Control([box], read, show)


def _image(field: Field) -> gr.Image:
    image = gr.Image(
        label=field.title,
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=PICTURE_HEIGHT,
        format="png",
        placeholder="Drop a picture here, or click to choose one",
        buttons=["fullscreen"],
        elem_classes="lw-picture",
    )
    # The task reads the file itself: it knows every bad picture and says what is wrong with it, where Gradio
    # would show an error of the decoder.
    decode = image.preprocess

    def path_of(payload: ImageData | None) -> Any:
        return payload.path if payload is not None and payload.path else decode(payload)

    image.preprocess = path_of
    return image


def _choice(field: Field) -> gr.Radio | gr.Dropdown:
    kind = gr.Radio if len(field.choices) <= FEW_CHOICES else gr.Dropdown
    value = field.default if field.optional else field.choices[0]
    return kind(choices=list(field.choices), label=field.title, value=value)


def _slider(field: Field, minimum: float, maximum: float) -> Control:
    value = minimum if field.default is None else field.default
    slider = gr.Slider(minimum, maximum, value, step=_step(maximum - minimum), label=field.title)
    return Control([slider], lambda values: values[0], lambda given: [value if given is None else given])


def _text_with_default(field: Field) -> Control:
    """A text that is there already. One that was emptied is empty, and not the default that nobody sees."""
    lines = 1 if field.advanced else 3
    box = gr.Textbox(field.default, label=field.title, lines=lines, max_lines=20)
    return Control([box], lambda values: values[0] or "", lambda given: [field.default if given is None else given])


def _step(length: float) -> float:
    """A power of ten, about a hundredth of the length of a slider."""
    return 10.0 ** round(math.log10(length) - 2)


def _parsed_json(text: str | None) -> Any:
    if not text or not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "The text is no JSON", received=str(error), remedy='write something like {"name": 1}'
        ) from None


# Text fields, since an empty gr.Number is 0: a value that is missing would become one that was measured.
def _parsed_number(text: str | None) -> float | None:
    if not text or not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError("This is no number", expected="digits, such as 5.1", received=repr(text)) from None


def _number_text(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"


def _same(value: Any) -> Any:
    return value


def _nonempty(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _picture(value: Any) -> Any:
    """A picture to look at: small ones are enlarged without blur."""
    from PIL import Image

    from layerwise.tasks.images import load_image

    if value is None:
        return None
    image = load_image(value)
    factor = max(1, PICTURE_HEIGHT // max(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _path(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


_INPUTS: dict[str, tuple[Callable[[Field], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "image": (_image, _same, _picture),
    "sketch": (lambda field: sketch_pad(field.title), read_drawing, show_drawing),
    "audio": (
        lambda field: gr.Audio(label=field.title, sources=["upload", "microphone"], type="filepath"),
        _same,
        _path,
    ),
    "text": (lambda field: gr.Textbox(label=field.title, lines=3, max_lines=20), _nonempty, _same),
    "number": (lambda field: gr.Textbox(label=field.title, max_lines=1), _parsed_number, _number_text),
    "choice": (_choice, _same, _same),
    "video": (lambda field: gr.Video(label=field.title), _same, _path),
    "file": (lambda field: gr.File(label=field.title), _same, _path),
    "json": (
        lambda field: gr.Textbox(label=f"{field.title} (JSON)", lines=6),
        _parsed_json,
        lambda value: None if value is None else json.dumps(value, indent=2),
    ),
}


def _shown_image(field: Field) -> tuple[gr.Image, Callable[[Any], Any]]:
    image = gr.Image(
        label=field.title,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_classes=["lw-picture", "lw-shown"],
        visible=not field.optional,
    )

    def show(value: Any) -> Any:
        return gr.update(value=shown(value), visible=value is not None) if field.optional else shown(value)

    def shown(value: Any) -> Any:
        from layerwise.tasks.images import load_image

        if value is None or isinstance(value, str | Path):
            return _path(value)
        if isinstance(value, Mapping):
            return save_bytes_to_cache(value["content"], value["name"], image.GRADIO_CACHE)
        picture = value if is_picture(value) else load_image(value)
        content, ending = picture_file(picture)
        return save_bytes_to_cache(content, f"{field.name}{ending}", image.GRADIO_CACHE)

    return image, show


def _download(field: Field) -> tuple[gr.DownloadButton, Callable[[Any], Any]]:
    """A button that is there once there is something to download."""
    button = gr.DownloadButton(field.title, visible=False, size="sm", elem_classes="lw-download")

    def show(value: Any) -> Any:
        if isinstance(value, Mapping):
            value = save_bytes_to_cache(value["content"], value["name"], button.GRADIO_CACHE)
        return gr.update(value=_path(value), visible=value is not None)

    return button, show


def table_html(label: str, value: Any, show: Callable[[str], str] = html.escape) -> str:
    """A table: of a mapping of column to value, or of a list of them.

    Args:
        show: The text of a cell as HTML.
    """
    rows = [value] if isinstance(value, Mapping) else list(value or [])
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[show(_cell(row.get(name))) for name in names] for row in rows[:MOST_ROWS]]
    more = f"<p>and {len(rows) - MOST_ROWS:,} more</p>" if len(rows) > MOST_ROWS else ""
    title = html.escape(label)
    return f'<p class="lw-label">{title}</p>{table(label, [html.escape(name) for name in names], cells)}{more}'


def _cell(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _drawn(label: str, value: Any) -> str:
    return f'<p class="lw-label">{html.escape(label)}</p>{plots_html(value)}' if value else ""


ANSWERS: dict[str, Callable[[str, Any], str]] = {
    "label-probabilities": probabilities_html,
    "boxes": annotated_html,
    "gallery": crops_html,
    "plot": _drawn,
    "table": table_html,
}
"""What is shown as HTML: its label and value to it."""


_OUTPUTS: dict[str, tuple[Callable[[Field], Any], Callable[[Any], Any]]] = {
    "text": (lambda field: gr.Textbox(label=field.title, interactive=False, buttons=["copy"]), _same),
    "choice": (lambda field: gr.Textbox(label=field.title, interactive=False), _same),
    "number": (lambda field: gr.Textbox(label=field.title, interactive=False), _number_text),
    "audio": (lambda field: gr.Audio(label=field.title, interactive=False), _same),
    "video": (lambda field: gr.Video(label=field.title, interactive=False), _path),
    "annotated-text": (lambda field: gr.HighlightedText(label=field.title, interactive=False), _same),
    "json": (lambda field: gr.JSON(label=field.title), _same),
}
