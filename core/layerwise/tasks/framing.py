"""Bringing a picture of any size into the frame that a network was trained on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from layerwise.errors import InputError

CLOSENESS = 13
"""How far from the background, in 256 levels, a pixel may be and still belong to it: the 5 % with which the
pictures of Fashion-MNIST were trimmed (Xiao et al. 2017, arXiv:1708.07747, section 2)."""
_SEARCH_SIDE = 128
"""In pixels: the size to which a picture is shrunk, in about, to find what it shows."""


def fit_to_frame(image: Image.Image, size: tuple[int, int], *, channels: int = 3, polarity: str = "any") -> Image.Image:
    """The picture in a frame of another size, its aspect ratio kept, resized without aliasing.

    With the polarity "any" the whole picture is shown, and what it leaves of the frame is filled with the colour
    of its border. With "light-on-dark" only what stands out from the background is shown, light on black, as
    large as the frame allows and in its middle: a picture whose content is darker than its background, like a
    photograph on white or a drawing in ink, is inverted.

    A picture that has the size of the frame is taken as an example of the data set and not resized or cropped:
    it passes through unchanged, or inverted when "light-on-dark" asks for that.

    Args:
        image: In mode "L" or "RGB".
        size: (height, width) of the frame in pixels.
        channels: 1 for a grey result, 3 for RGB.
        polarity: "any" or "light-on-dark".

    Raises:
        InputError: Nothing stands out from the background ("light-on-dark").
    """
    height, width = size
    if polarity == "light-on-dark":
        image = _light_on_dark(image.convert("L"), exact=image.size == (width, height))
        ground: int | tuple[int, ...] = 0
    else:
        image = image.convert("L" if channels == 1 else "RGB")
        ground = _border_colour(image)
    framed = _centred(image, (width, height), ground)
    return framed.convert("L" if channels == 1 else "RGB")


def place_in_frame(size: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a picture lies in a frame that shows it whole, as large as it can be and in the middle.

    Args:
        size, frame: (width, height) in pixels.

    Returns:
        Left, top, width and height in pixels of the frame.
    """
    scale = min(frame[0] / size[0], frame[1] / size[1])
    width, height = (max(1, min(round(side * scale), limit)) for side, limit in zip(size, frame, strict=True))
    return (frame[0] - width) // 2, (frame[1] - height) // 2, width, height


def pixels(image: Image.Image) -> np.ndarray:
    """A picture in mode "L" or "RGB" as uint8 [height, width, channels]."""
    array = np.array(image)
    return array[..., None] if array.ndim == 2 else array


def _light_on_dark(image: Image.Image, *, exact: bool) -> Image.Image:
    """The content of a grey picture, light on black, cropped unless `exact`."""
    if exact:
        return ImageOps.invert(image) if np.median(_corners(np.asarray(image))) > 127 else image
    # Averaging over a few pixels takes the noise of a photograph away before the content is sought.
    factor = max(1, max(image.size) // _SEARCH_SIDE)
    values = np.asarray(image.reduce(factor)).astype("int16")
    corners = _corners(values)
    background = int(np.median(corners))
    shading = 6 * int(np.median(np.abs(corners - background)))
    if np.sum(np.maximum(background - values, 0)) > np.sum(np.maximum(values - background, 0)):
        image, values, background = ImageOps.invert(image), 255 - values, 255 - background
    contrast = int(values.max()) - background
    if contrast <= CLOSENESS:
        raise InputError(
            "Nothing stands out from the background of the picture",
            remedy="draw with stronger lines, or use a picture with one thing on a plain background",
        )
    # A background of uneven light or much noise takes more room, though never that of the content itself.
    tolerance = max(CLOSENESS, min(shading, contrast // 2))
    left, top, right, bottom = (factor * side for side in _bounding_box(values - background > tolerance))
    image = image.crop((left, top, min(right, image.width), min(bottom, image.height)))
    stretch = 255 / max(255 - background, 1)
    return image.point(
        [round(max(level - background, 0) * stretch) if level - background > tolerance else 0 for level in range(256)]
    )


def _bounding_box(content: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is true."""
    rows, columns = np.flatnonzero(content.any(axis=1)), np.flatnonzero(content.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _corners(values: np.ndarray) -> np.ndarray:
    """The pixels of the four corners: what a thing in the middle is least likely to cover."""
    side = max(1, min(values.shape[:2]) // 16)
    ends = np.r_[:side, -side:0]
    return values[ends][:, ends]


def _border_colour(image: Image.Image) -> int | tuple[int, ...]:
    """The median colour of the outermost pixels."""
    right, bottom = image.width - 1, image.height - 1
    strips = [
        (0, 0, right + 1, 1),
        (0, bottom, right + 1, bottom + 1),
        (0, 0, 1, bottom + 1),
        (right, 0, right + 1, bottom + 1),
    ]
    border = np.concatenate([pixels(image.crop(strip)).reshape(-1, len(image.getbands())) for strip in strips])
    colour = [int(np.median(band)) for band in border.T]
    return tuple(colour) if len(colour) > 1 else colour[0]


def _centred(image: Image.Image, frame: tuple[int, int], ground: int | tuple[int, ...]) -> Image.Image:
    """The picture as large as the frame (width, height) allows, in its middle."""
    if image.size == frame:
        return image
    left, top, width, height = place_in_frame(image.size, frame)
    # Lanczos rings beside hard edges when it enlarges; bicubic much less.
    filter_ = Image.Resampling.LANCZOS if width * height < image.width * image.height else Image.Resampling.BICUBIC
    result = Image.new(image.mode, frame, ground)
    # A long thin picture is first shrunk by whole factors, which Pillow does without its large filter tables.
    resized = image.resize((width, height), filter_, reducing_gap=3.0)
    result.paste(resized, (left, top))
    return result
