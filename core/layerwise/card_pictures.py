"""The pictures that plugins ship for the cards of their models."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from layerwise.errors import SpecError

LARGEST_PICTURE = 400_000
"""Bytes. A page shows many of them."""
MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
"""By the ending of the file's name."""


@dataclass(frozen=True)
class CardPicture:
    """The picture of a model's card.

    Args:
        content: Of the file.
        media_type: What it is.
    """

    content: bytes
    media_type: str


def check_picture(path: Path) -> None:
    """Look at the name of a picture, not at the file.

    Raises:
        SpecError: It is none that browsers show.
    """
    if not (isinstance(path, Path) and path.suffix in MEDIA_TYPES):
        raise SpecError(
            "ModelCard: picture is not usable",
            expected=f"the path of a file that ends with {', '.join(MEDIA_TYPES)}",
            received=repr(path),
        )


def read_picture(path: Path) -> CardPicture:
    """The picture of a model's card.

    Raises:
        SpecError: It is not there, or too large.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpecError(f"The picture {path.name} of a model's card cannot be read", received=str(error)) from None
    if len(content) > LARGEST_PICTURE:
        raise SpecError(
            f"The picture {path.name} of a model's card is too large",
            expected=f"at most {LARGEST_PICTURE // 1000} kB",
            received=f"{len(content) // 1000} kB",
        )
    return CardPicture(content, MEDIA_TYPES[path.suffix])


def still_of(picture: CardPicture) -> CardPicture:
    """The last frame of a moving picture, for those who would rather see nothing move; any other as it is."""
    if picture.media_type != MEDIA_TYPES[".webp"]:
        return picture
    from PIL import Image

    with Image.open(io.BytesIO(picture.content)) as image:
        frames = getattr(image, "n_frames", 1)
        if frames == 1:
            return picture
        image.seek(frames - 1)
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, format="WEBP", quality=70)
    return CardPicture(buffer.getvalue(), picture.media_type)
