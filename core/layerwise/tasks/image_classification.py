"""Pictures in, one of several labels out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import SpecError
from layerwise.tasks.classification import Classification
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from layerwise.own_data import OwnData
    from layerwise.plots import Plot

POLARITIES = ("any", "light-on-dark")


@dataclass(frozen=True, kw_only=True)
class ImageClassification(Classification):
    """Which of several things a picture shows.

    The network takes pixels 0 to 255, uint8 or float32 [examples, height, width, channels] (scaling them is a
    layer of the network), and gives logits [examples, classes].

    Args:
        labels: The name of each class, in the order of the network's outputs.
        size: Height and width in pixels of what the network takes.
        channels: 1 for grey, 3 for red, green and blue.
        polarity: "any" shows the whole picture to the network, padded to the shape of `size`; "light-on-dark"
            is for networks trained on light things on black that fill the frame, like the garments of
            Fashion-MNIST: a picture with a light border is inverted, then cropped to what it shows.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = ImageClassification(labels=("cat", "dog"), size=(32, 32))
        >>> task.warm_input().shape
        (1, 32, 32, 3)
    """

    type_name: ClassVar[str] = "image-classification"
    folder_format: ClassVar[str] = """A folder for each class, named like it, with its pictures:

    pets/cat/tom.jpg
    pets/cat/felix.png
    pets/dog/rex.jpg
    pets/dog/lassie.jpg

At least two classes with at least two pictures each: PNG, JPEG, WebP, GIF, BMP or TIFF, of any size. A fifth of
them, chosen by their names, is held out to test the result; or divide them yourself:
`pets/train/cat/tom.jpg`, `pets/test/cat/felix.png` and so on.
"""
    network_takes: ClassVar[str] = (
        "Pixels 0 to 255 [picture, height, width, channel], as they are: scaling them is a part of the network. With "
        'the polarity "light-on-dark" a picture shows something light on black that fills the frame.'
    )
    size: tuple[int, int]
    channels: int = 3
    polarity: str = "any"

    def __post_init__(self) -> None:
        super().__post_init__()
        size = tuple(self.size) if isinstance(self.size, tuple | list) else ()
        if len(size) != 2 or not all(type(side) is int and 1 <= side <= 4096 for side in size):
            raise SpecError(
                "ImageClassification: size is not usable",
                expected="(height, width) in pixels, each from 1 to 4096",
                received=repr(self.size),
            )
        object.__setattr__(self, "size", size)
        if self.channels not in (1, 3):
            raise SpecError(
                "ImageClassification: channels is not usable",
                expected="1 (grey) or 3 (colour)",
                received=repr(self.channels),
            )
        if self.polarity not in POLARITIES:
            raise SpecError(
                "ImageClassification: polarity is not known",
                expected=" or ".join(POLARITIES),
                received=repr(self.polarity),
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="image", kind="image", label="Picture", alternatives=("sketch",)),)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The picture `inputs["image"]`, in any form that `layerwise.tasks.images.load_image` reads, as uint8
        [1, height, width, channels].

        Raises:
            InputError: There is no picture, it cannot be read, or it is empty.
        """
        from layerwise.tasks.images import load_image

        return self._frame(load_image(inputs.get("image")))[None]

    def _frame(self, image: Image.Image) -> np.ndarray:
        from layerwise.tasks.framing import fit_to_frame, pixels

        return pixels(fit_to_frame(image, self.size, channels=self.channels, polarity=self.polarity))

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Pictures by class: this task with the classes found there, and the splits "train" and "test" (and
        "validation" where the folder has one), their inputs as from `encode`. See `folder_format`.

        Raises:
            DataError: The folder is not laid out like that, or a tenth of its pictures or more is unreadable;
                a few unreadable ones are left out, and named by the report.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.image_folder import read_pictures

        shape = (*self.size, self.channels)
        labels, splits, report = read_pictures(folder, self._frame, shape, self.polarity)
        return OwnData(task=dataclasses.replace(self, labels=labels), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Pictures of three shapes, about as wide and high as the network's frame."""
        from layerwise.tasks.image_folder import write_sample

        write_sample(folder, self.size)

    def report(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        from layerwise.tasks.classification_report import mistakes

        return [
            *super().report(outputs, targets, inputs),
            *mistakes(self.labels, self._check_logits(outputs), targets, inputs),
        ]

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, *self.size, self.channels), "uint8")
