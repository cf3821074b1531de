"""The runner of `vision/faces`: a picture in, its faces out; and what is done with them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from layerwise.devices import quiet_import
from layerwise.runner import Runner
from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise.weights import load_into
from layerwise_vision.faces.cascade import Faces, find_faces

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.versions import Version

POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
CROP_MARGIN = 0.25
"""How much is shown around a face, by the longer side of its box."""


class FaceRunner(Runner):
    """Searches pictures with the three networks of a version."""

    deterministic = True

    def __init__(self, version: Version) -> None:
        quiet_import()
        from layerwise_vision.faces.networks import build

        self.task: Any = version.task
        self.networks = build(version.config, self.task)
        load_into(self.networks, version.folder)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        from layerwise.tasks.images import load_image

        image = load_image(inputs.get("image")).convert("RGB")
        threshold = self.task.inputs[1].value(inputs.get("threshold"))
        faces = find_faces(self.networks, image, cancelled)
        found = tuple(_found(faces, place, image) for place, score in enumerate(faces.scores) if score >= threshold)
        return {
            "faces": AnnotatedPicture(image=image, found=found),
            "blurred": blurred(image, found) if found else None,
            "crops": [{"label": "face", "image": _crop(image, item)} for item in found],
        }

    def warm(self) -> None:
        """Let every network run once."""
        noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), "uint8")
        find_faces(self.networks, Image.fromarray(noise))


def _found(faces: Faces, place: int, image: Image.Image) -> Found:
    limits = np.array([image.width, image.height] * 2)
    left, top, right, bottom = map(float, faces.boxes[place].clip(0, limits))
    points = {name: (float(x), float(y)) for name, (x, y) in zip(POINTS, faces.points[place], strict=True)}
    return Found(label="face", score=float(faces.scores[place]), box=(left, top, right, bottom), points=points)


def blurred(image: Image.Image, found: tuple[Found, ...]) -> Image.Image:
    """The picture with every face made unrecognisable: shrunk to a few pixels, then enlarged, within an ellipse that is
    a little larger than its box."""
    result = image.copy()
    for item in found:
        box = _around(item, 0.1, image)
        face = image.crop(box)
        few = face.resize((8, 8), Image.Resampling.BOX).resize(face.size, Image.Resampling.BICUBIC)
        mask = Image.new("L", face.size, 0)
        ImageDraw.Draw(mask).ellipse((0, 0, face.width - 1, face.height - 1), fill=255)
        result.paste(few, box, mask.filter(ImageFilter.BoxBlur(max(face.size) * 0.02)))
    return result


def _crop(image: Image.Image, item: Found) -> Image.Image:
    return image.crop(_around(item, CROP_MARGIN, image))


def _around(item: Found, margin: float, image: Image.Image) -> tuple[int, int, int, int]:
    """The box of a face with a margin, within the picture."""
    left, top, right, bottom = item.box
    more = margin * max(right - left, bottom - top)
    return (
        max(0, int(left - more)),
        max(0, int(top - more)),
        min(image.width, int(right + more) + 1),
        min(image.height, int(bottom + more) + 1),
    )
