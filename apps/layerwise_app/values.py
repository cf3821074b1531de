"""Values of answers as files and as JSON."""

from __future__ import annotations

import base64
import dataclasses
import io
import math
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

    from layerwise.tasks.base import Answer

_TYPES = {".webp": "image/webp"}
"""What older versions of Python do not know."""
LARGE_PICTURE = 1_000_000
"""Pictures in colour with more pixels than this are written as JPEG: as PNG a photograph would take seconds."""


def picture_file(image: Image.Image) -> tuple[bytes, str]:
    """A picture as the bytes of a file, and the ending of its name."""
    buffer = io.BytesIO()
    if image.mode == "RGB" and image.width * image.height > LARGE_PICTURE:
        image.save(buffer, format="JPEG", quality=90)
        return buffer.getvalue(), ".jpg"
    image.save(buffer, format="PNG")
    return buffer.getvalue(), ".png"


def data_url(content: bytes, ending: str) -> str:
    """The bytes of a file as a data URL; the ending of its name says of which type it is."""
    kind = mimetypes.types_map.get(ending) or _TYPES.get(ending, "application/octet-stream")
    return f"data:{kind};base64," + base64.b64encode(content).decode()


def plain(value: Any) -> Any:
    """An answer as JSON can hold it: arrays as lists, pictures and bytes as data URLs."""
    if isinstance(value, Mapping):
        content = value.get("content")
        if isinstance(content, bytes):
            value = {**value, "content": data_url(content, Path(str(value.get("name"))).suffix)}
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "as_json"):
        return value.as_json()
    if hasattr(value, "__dataclass_fields__"):  # a plot
        parts = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"plot": type(value).__name__, **parts}
    if hasattr(value, "tolist"):
        return _without_nan(value.tolist())
    if is_picture(value):
        return data_url(*picture_file(value))
    if isinstance(value, bytes):
        return data_url(value, "")
    return str(value) if isinstance(value, Path) else _without_nan(value)


def _without_nan(value: Any) -> Any:
    """Numbers as JSON has them: it knows neither "not a number" nor infinity, which become null."""
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_picture(value: Any) -> bool:
    """Whether it is a PIL image, found without importing Pillow."""
    return hasattr(value, "save") and hasattr(value, "getbands")


def files_of(answer: Answer) -> Iterator[tuple[str, bytes]]:
    """All of an answer that can be kept as files: their names and contents."""
    for name, value in answer.items():
        if is_picture(value):
            content, ending = picture_file(value)
            yield f"{name}{ending}", content
        elif isinstance(value, Mapping) and isinstance(value.get("content"), bytes):
            yield Path(str(value["name"])).name, value["content"]
        elif isinstance(value, list):
            pictures = [item for item in value if isinstance(item, Mapping) and is_picture(item.get("image"))]
            for number, item in enumerate(pictures, start=1):
                content, ending = picture_file(item["image"])
                yield f"{name}-{number}{ending}", content
