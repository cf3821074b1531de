"""Reading pictures: whatever people bring becomes an upright 8-bit picture without transparency, or an InputError
that says in one sentence what is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from layerwise.errors import InputError

MAX_PIXELS = 80_000_000
"""The largest picture that is decoded: 240 MB as RGB. Below the size from which Pillow prints warnings."""
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Not everything that Pillow opens: EPS runs Ghostscript, and formats that nobody brings are only bugs in waiting."""
_REMEDY = "use a PNG, JPEG, WebP, GIF, BMP or TIFF picture"
_EMPTY = "draw or upload something"


def load_image(value: Any) -> Image.Image:
    """A picture in mode "L" or "RGB": upright (EXIF), its transparent parts filled, of an animation the first frame.

    Transparency is filled with white, or with black where the picture itself is nearly white and would vanish.

    Args:
        value: A path; the bytes of a file; a PIL image; an array [height, width] or [height, width, channels]
            with 1 (grey), 2 (grey, opacity), 3 (RGB) or 4 (RGBA) channels, uint8 or bool, uint16, or numbers
            from 0 to 1 or from 0 to 255; the mapping of an image editor, with "composite", or with "background"
            and "layers".

    Raises:
        InputError: There is no picture, or it cannot be read, is too large, or has a single colour.
    """
    image = _flattened(_opened(value))
    if all(low == high for low, high in _extrema(image)):
        raise InputError("The picture is empty: all of it has the same colour", remedy=_EMPTY)
    return image


def _opened(value: Any) -> Image.Image:
    """The picture upright, in mode "L", "RGB" or "RGBA"."""
    if value is None:
        raise InputError("There is no picture", remedy=_EMPTY)
    if isinstance(value, Image.Image):
        return _decoded(value)
    if isinstance(value, str | Path):
        return _opened_path(Path(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _read(io.BytesIO(value))
    if isinstance(value, np.ndarray):
        return _from_array(value)
    if isinstance(value, Mapping):
        return _from_editor(value)
    raise InputError(
        "This is no picture", expected="a file, a PIL image or a NumPy array", received=f"a {type(value).__name__}"
    )


def _opened_path(path: Path) -> Image.Image:
    try:
        # Not a device or a pipe, which could be read for ever.
        if not path.is_file():
            raise InputError(
                "There is no such picture", received=repr(str(path)), remedy="give the path of a picture file"
            )
        with path.open("rb") as file:
            return _read(file)
    except (OSError, ValueError) as error:
        raise InputError("The picture cannot be opened", received=f"{str(path)!r}: {error}") from None


def _read(file: BinaryIO) -> Image.Image:
    head = file.read(1024)
    file.seek(0)
    if not head:
        raise InputError("The picture is an empty file", remedy=_REMEDY)
    Image.init()
    try:
        image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except Image.DecompressionBombError:
        raise _too_large("more than 170 million") from None
    except Exception:  # decoders of foreign bytes raise anything
        raise InputError("This file cannot be read as a picture", received=_kind(head), remedy=_REMEDY) from None
    return _decoded(image)


def _kind(head: bytes) -> str:
    """What a file that is no picture seems to be, from its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "an SVG drawing, which has no pixels: export it as PNG"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1"):
        return "a HEIC photograph: export it as JPEG"
    if head.startswith(b"%PDF"):
        return "a PDF document"
    if head.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")):
        return "the beginning of a picture whose rest is damaged"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character that the end of `head` cuts in two is no sign of a binary file.
        if error.start < len(head) - 4:
            return "a file of an unknown format"
    return "a text file" if b"\0" not in head else "a file of an unknown format"


def _too_large(received: str) -> InputError:
    return InputError(
        "The picture is too large",
        expected=f"at most {MAX_PIXELS // 1_000_000} million pixels",
        received=received,
        remedy="make it smaller",
    )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width} x {height}")
    if width * height == 0:
        raise InputError("The picture is empty: it has no pixels", received=f"{width} x {height}", remedy=_EMPTY)


def _decoded(image: Image.Image) -> Image.Image:
    _check_size(*image.size)
    try:
        image.load()
    except Exception as error:
        raise InputError(
            "The picture is damaged or cut off", received=str(error) or type(error).__name__, remedy="save it again"
        ) from None
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:
        # Broken EXIF data says nothing about the pixels; the picture stays as it is.
        image = image.copy()
    return _in_8_bits(image)


def _in_8_bits(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return _from_array(np.asarray(image).astype("uint16"))
    if image.mode in ("I", "F"):
        return _from_array(np.asarray(image))
    try:
        if image.mode == "La":  # which Pillow converts to nothing else
            image = image.convert("LA")
        if image.mode in ("LA", "PA", "RGBa") or "transparency" in image.info:
            return image.convert("RGBA")
        return image.convert("L" if image.mode == "1" else "RGB")
    except Exception:
        raise InputError(
            "The colours of the picture cannot be read", received=f"mode {image.mode}", remedy="save it as RGB"
        ) from None


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (2, 3, 4)):
        raise InputError(
            "The array is no picture",
            expected="[height, width] or [height, width, channels] with 1 to 4 channels",
            received=f"shape {list(array.shape)}",
        )
    _check_size(array.shape[1], array.shape[0])
    pixels = np.ascontiguousarray(_as_bytes(array))
    if array.ndim == 3 and array.shape[2] == 2:
        return Image.fromarray(pixels[..., [0, 0, 0, 1]])
    return Image.fromarray(pixels)


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """Values of a picture as uint8. uint16 has white at 65535, other numbers at 1 or at 255."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype("uint8") * np.uint8(255)
    if array.dtype == np.uint16:
        # 65535 = 257 * 255
        return ((array.astype("uint32") + 128) // 257).astype("uint8")
    if array.dtype.kind not in "iuf":
        raise InputError("The array is no picture", expected="an array of numbers", received=f"dtype {array.dtype}")
    if not np.all(np.isfinite(array)):
        raise InputError("The picture has pixels that are no numbers (NaN or infinite)", remedy="give finite values")
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise InputError(
            "The pixels are out of range",
            expected="0 to 255, or 0 to 1 for fractions, or 0 to 65535 as uint16",
            received=f"{low:g} to {high:g} as {array.dtype}",
        )
    scale = 255 if array.dtype.kind == "f" and high <= 1 else 1
    return np.rint(array.astype("float32") * scale).astype("uint8")


def _from_editor(value: Mapping[str, Any]) -> Image.Image:
    """What was drawn in an image editor: its composite, or its layers over its background."""
    if value.get("composite") is not None:
        return _opened(value["composite"])
    parts = [part for part in (value.get("background"), *(value.get("layers") or ())) if part is not None]
    if not parts:
        raise InputError("There is no picture", remedy=_EMPTY)
    result, *layers = (_opened(part).convert("RGBA") for part in parts)
    for layer in layers:
        if layer.size != result.size:
            raise InputError(
                "The layers of the drawing differ in size", received=f"{result.size} and {layer.size}", remedy=_EMPTY
            )
        result = Image.alpha_composite(result, layer)
    return result


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    opacity = np.asarray(image.getchannel("A"))
    if opacity.min() == 255:
        return image.convert("RGB")
    if opacity.max() == 0:
        raise InputError("The picture is empty: all of it is transparent", remedy=_EMPTY)
    brightness = np.average(np.asarray(image.convert("L")), weights=opacity)
    ground = Image.new("RGBA", image.size, "black" if brightness > 200 else "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def _extrema(image: Image.Image) -> list[tuple[int, int]]:
    """The smallest and largest value of each channel."""
    return [channel.getextrema() for channel in image.split()]  # pyright: ignore[reportReturnType]
