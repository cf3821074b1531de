"""A picture with what was found in it: the value of the kind "boxes"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture, from its upper left corner."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A thing in a picture.

    Args:
        label: What it is.
        score: How sure the model is, 0 to 1.
        box: Where it is.
        points: Places in it by their names, (x, y) each in pixels of the picture.
    """

    label: str
    score: float
    box: Box
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As JSON can hold it, to a tenth of a pixel."""
        found: dict[str, Any] = {
            "label": self.label,
            "score": round(self.score, 4),
            "box": [round(side, 1) for side in self.box],
        }
        if self.points:
            found["points"] = {name: [round(x, 1), round(y, 1)] for name, (x, y) in self.points.items()}
        return found


@dataclass(frozen=True, kw_only=True)
class AnnotatedPicture:
    """A picture and all that was found in it.

    Args:
        image: The picture, in mode "L" or "RGB".
        found: What was found, the surest first.
    """

    image: Image.Image
    found: tuple[Found, ...]

    def as_json(self) -> dict[str, Any]:
        """The size of the picture and what was found, without the picture."""
        return {
            "width": self.image.width,
            "height": self.image.height,
            "found": [item.as_json() for item in self.found],
        }

    def as_text(self) -> str:
        """What was found, counted: "3 faces", "Nothing was found."."""
        counts: dict[str, int] = {}
        for item in self.found:
            counts[item.label] = counts.get(item.label, 0) + 1
        # A colon rather than a plural: labels are the user's own words.
        return ", ".join(f"{label}: {count}" for label, count in counts.items()) or "Nothing was found."
