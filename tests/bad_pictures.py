"""Files that people take for pictures, and pictures that few have: what must become a sentence, or be read."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def photograph() -> Image.Image:
    """A picture that has nothing in it, in colour."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
    return Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC)


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def refused() -> dict[str, tuple[bytes, str]]:
    """By the name of the file: its bytes, and what has to be said of it."""
    jpeg = saved(photograph(), "JPEG")
    return {
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "damaged or cut off"),
        "header.jpg": (jpeg[:30], "whose rest is damaged"),
        "one.png": (saved(Image.new("RGB", (1, 1), "red"), "PNG"), "all of it has the same colour"),
        "huge.png": (saved(Image.new("L", (20_000, 20_000)), "PNG"), "at most 80 million pixels"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing, which has no pixels"),
        "text.png": (b"This is a text.", "a text file"),
        "empty.png": (b"", "an empty file"),
    }


def read() -> dict[str, bytes]:
    """Pictures of kinds that are rare, and that are read all the same."""
    photo = photograph()
    deep = np.random.default_rng(0).integers(0, 65_536, (240, 320)).astype("uint16")
    return {
        "deep.png": saved(Image.fromarray(deep), "PNG"),
        "print.jpg": saved(photo.convert("CMYK"), "JPEG"),
        "moving.gif": saved(photo, "GIF", save_all=True, append_images=[photo.rotate(180)]),
        "narrow.png": saved(photo.resize((1, 900)), "PNG"),
        "tiny.png": saved(photo.resize((3, 2)), "PNG"),
    }
