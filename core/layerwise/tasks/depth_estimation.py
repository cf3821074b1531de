"""A picture in, how far away everything in it is out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import InputError, LayerwiseError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

MOST_PIXELS = 2**20
"""A larger picture is made smaller first: networks look at fewer pixels than these, and none tells depth at the last
one."""
MOST_STRETCHED = 20
"""How many times longer than the other one a side may be: after scaling, networks need some pixels of both."""
NEAR_TO_FAR = ((253, 240, 170), (150, 210, 120), (35, 152, 140), (42, 72, 120), (10, 20, 50))
"""Colours that become darker all the way, so that they are told apart in grey too, and by people who see no red or no
green."""
_MOST_IN_FILE = 2**16 - 1
_FARTHEST_IN_MILLIMETRES = 65.0


@dataclass(frozen=True, kw_only=True)
class DepthEstimation(Task):
    """How far away what a picture shows is, at each pixel, from that picture alone.

    The network gives a number for each pixel, [pictures, height, width]: metres where it is metric, otherwise numbers
    without a unit that only say what is nearer than what.

    Args:
        is_metric: Whether the numbers are metres.
        grows_nearer: Whether a greater number is nearer, as of networks that learn the inverse of the depth up to scale
            and shift (Ranftl et al. 2020, arXiv:1907.01341).
        farthest: The most metres that it can tell; None where that is not known, or the numbers are no metres.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> import numpy as np
        >>> depth = np.array([[1.0, 2.0, 4.0]])
        >>> DepthEstimation(is_metric=True, farthest=10.0).answer(depth)["summary"]
        'From 1.00 m (light) to 4.00 m (dark), 2.00 m in the middle of the picture.'
    """

    type_name: ClassVar[str] = "depth-estimation"
    network_gives: ClassVar[str] = (
        "A number for each pixel [picture, height, width]: metres, or numbers without a unit that say what is nearer."
    )
    is_metric: bool = False
    grows_nearer: bool = False
    farthest: float | None = None

    def __post_init__(self) -> None:
        if self.is_metric and self.grows_nearer:
            raise SpecError("DepthEstimation: metres do not grow nearer", expected="is_metric or grows_nearer")
        is_number = isinstance(self.farthest, int | float) and self.farthest > 0
        if self.farthest is not None and not (self.is_metric and is_number):
            raise SpecError(
                "DepthEstimation: farthest is not usable",
                expected="metres, of a metric one",
                received=repr(self.farthest),
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="image", kind="image", label="Picture"),)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="depth", kind="image", label="Depth"),
            Field(name="summary", kind="text", label="In short"),
            Field(name="map", kind="file", label=f"Download the depth (PNG of 16 bits, {self._meaning})"),
        )

    @property
    def _steps(self) -> int:
        """In how many steps the file divides a metre: 1,000 for millimetres, of which a file of 16 bits has 65 m."""
        return 1000 if self.farthest is not None and self.farthest <= _FARTHEST_IN_MILLIMETRES else 100

    @property
    def _meaning(self) -> str:
        if self.is_metric:
            return "in millimetres" if self._steps == 1000 else "in centimetres"
        return "white is near" if self.grows_nearer else "white is far"

    def picture(self, inputs: Mapping[str, Any]) -> Image.Image:
        """The picture `inputs["image"]`, in any form that `layerwise.tasks.images.load_image` reads, in colour and of
        `MOST_PIXELS` at most.

        Raises:
            InputError: There is no picture, it cannot be read, or it is too narrow.
        """
        from layerwise.tasks.images import load_image

        picture = load_image(inputs.get("image")).convert("RGB")
        if max(picture.size) > MOST_STRETCHED * min(picture.size):
            raise InputError(
                "The picture is too narrow",
                expected=f"one side at most {MOST_STRETCHED} times as long as the other",
                received=f"{picture.width} x {picture.height} pixels",
                remedy="cut out a part of it",
            )
        scale = (MOST_PIXELS / (picture.width * picture.height)) ** 0.5
        if scale >= 1:
            return picture
        return picture.resize((int(picture.width * scale), int(picture.height * scale)))

    def answer(self, depth: np.ndarray) -> Answer:
        """What is said of a picture.

        Args:
            depth: What the network gives for each of its pixels, [height, width].

        Raises:
            LayerwiseError: Some of that is no number.
        """
        import numpy as np

        depth = np.asarray(depth, "float64")
        if not np.isfinite(depth).all():
            raise LayerwiseError(
                "The network gave what is no number for some pixels", remedy="try another picture, or another network"
            )
        return {"depth": _coloured(depth, self.grows_nearer), "summary": self._summary(depth), "map": self._file(depth)}

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The answers.

        Args:
            outputs: [pictures, height, width].
        """
        return [self.answer(depth) for depth in outputs]

    def _summary(self, depth: np.ndarray) -> str:
        low, high = float(depth.min()), float(depth.max())
        middle = float(depth[depth.shape[0] // 2, depth.shape[1] // 2])
        if self.is_metric:
            return f"From {low:.2f} m (light) to {high:.2f} m (dark), {middle:.2f} m in the middle of the picture."
        near, far = (high, low) if self.grows_nearer else (low, high)
        return (
            f"From {near:.4g} (light, near) to {far:.4g} (dark, far), {middle:.4g} in the middle of the picture. These "
            "numbers have no unit: they say what is nearer than what, not how far away it is."
        )

    def _file(self, depth: np.ndarray) -> dict[str, Any]:
        import numpy as np
        from PIL import Image

        values = depth * self._steps if self.is_metric else _share(depth) * _MOST_IN_FILE
        name = {1000: "depth-mm.png", 100: "depth-cm.png"}[self._steps] if self.is_metric else "depth.png"
        buffer = io.BytesIO()
        Image.fromarray(np.rint(values).clip(0, _MOST_IN_FILE).astype("uint16")).save(buffer, format="PNG")
        return {"name": name, "content": buffer.getvalue()}


def _share(depth: np.ndarray) -> np.ndarray:
    """Numbers [height, width] from 0 for the least to 1 for the greatest of them."""
    low, high = depth.min(), depth.max()
    return (depth - low) / ((high - low) or 1.0)


def _coloured(depth: np.ndarray, grows_nearer: bool) -> Image.Image:
    import numpy as np
    from PIL import Image

    share = _share(-depth if grows_nearer else depth)
    places = np.linspace(0, 1, len(NEAR_TO_FAR))
    channels = [np.interp(share, places, [color[index] for color in NEAR_TO_FAR]) for index in range(3)]
    return Image.fromarray(np.rint(np.stack(channels, axis=-1)).astype("uint8"))
