"""`vision/faces`: the faces of a picture, each with its box and five points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant
from layerwise.tasks import Field, Task
from layerwise.tasks.object_detection import threshold_field

if TYPE_CHECKING:
    import numpy as np

HERE = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class FaceDetection(Task):
    """Faces of people in a picture. What the networks take and give is in `layerwise_vision.faces.networks`.

    Args:
        threshold: The score from which on a face is shown, unless the user asks for another.
    """

    type_name: ClassVar[str] = "face-detection"
    network_takes: ClassVar[str] = (
        "Windows of a picture, (pixel - 127.5) / 128 [window, height, width, 3]: 48 x 48 for the last network."
    )
    network_gives: ClassVar[str] = (
        "Probabilities of none and of a face, by how much the sides of its box are to be moved, and five points."
    )
    threshold: float = 0.85

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="image", kind="image", label="Picture"), threshold_field(self.threshold))

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="faces", kind="boxes", label="Faces"),
            Field(name="blurred", kind="image", label="With the faces blurred"),
            Field(name="crops", kind="gallery", label="Each face"),
        )

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The middle of the picture as the last network takes it, float32 [1, 48, 48, 3]: what a look into it is given.

        Raises:
            InputError: There is no picture, it cannot be read, or it is empty.
        """
        import numpy as np
        from PIL import Image, ImageOps

        from layerwise.tasks.images import load_image
        from layerwise_vision.faces.networks import OUTPUT_SIDE

        image = load_image(inputs.get("image")).convert("RGB")
        window = ImageOps.fit(image, (OUTPUT_SIDE, OUTPUT_SIDE), Image.Resampling.LANCZOS)
        return ((np.asarray(window, "float32") - 127.5) / 128)[None]

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, 48, 48, 3), "float32")


def examples() -> Sequence[Example]:
    """Pictures to try."""
    paths = sorted((HERE / "examples" / "faces").glob("*.jpg"))
    return [Example(inputs={"image": path}, label=path.stem.replace("-", " ").capitalize()) for path in paths]


FACES = ModelSpec(
    name="vision/faces",
    task=FaceDetection(),
    build="layerwise_vision.faces.networks:build",
    runner="layerwise_vision.faces.runner:FaceRunner",
    examples="layerwise_vision.faces:examples",
    variants=(Variant(name="default", config=TrainingConfig(), weights=HERE / "weights" / "faces"),),
    card=ModelCard(
        title="Faces",
        summary="Upload a photograph or use the webcam; all faces are found, and blurred or cut out if you like.",
        invitation="Find the face of an astronaut",
        description=(
            "Three small networks one after the other (MTCNN): the first proposes places in the picture at every size, "
            "the second and the third look closer and closer, move the boxes and place five points. The weights are "
            "those of the package mtcnn, trained on WIDER FACE and CelebA; the search around them is ours: levels that "
            "are closer together, windows without aliasing, and a last look that is taken three times, once at the "
            "mirror image. On 240 generated scenes with 590 known faces of 20 to 400 pixels, turned, blurred, dark or "
            "light (`benchmarks/faces.py`), 92.0 % were found, 88 % of those below 40 pixels, and 99.6 % of what was "
            "found were faces."
        ),
        limits=(
            "It finds faces, and does not know whose. Faces in profile, upside down, turned by much more than 30 "
            "degrees or half covered are often missed, and so are those below 20 pixels; in pictures of more than 3 "
            "megapixels those below about a hundredth of the longer side. It may be better with some people than with "
            "others: its training pictures are from the web, and nobody measured that here. Blurring hides a face from "
            "people who look; who knows a person may still recognise them by everything else."
        ),
        licence="MIT",
        sources=("https://arxiv.org/abs/1604.02878", "https://github.com/ipazc/mtcnn"),
    ),
)
