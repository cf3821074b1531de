"""Pictures in, boxes of things out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import DataError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.detection.metrics import Detected
    from layerwise.versions import Version

LEAST_SCORE = 0.02
"""Boxes are kept from this score on: average precision looks at all of them, whatever is shown."""
SAME_THING = 0.7
"""Boxes that overlap by more are taken for the same thing in an answer, whose likeliest class is shown."""


@dataclass(frozen=True, kw_only=True)
class ObjectDetection(Task):
    """Where things are in a picture, and what they are.

    The network takes pixels 0 to 255, uint8 or float32 [examples, height, width, channels], and gives
    [examples, rows, columns, classes + 4], a cell for each square of the frame: logits of whether the middle of a thing
    is there, and the distances to the sides of its box (`layerwise.tasks.detection.head`). Targets are boxes
    [examples, most, 5] in pixels of the frame: left, top, right, bottom, class number; -1 for no box.

    Args:
        labels: The name of each class, in the order of the network's outputs.
        size: Height and width in pixels of what the network takes. A picture is shown whole, in the middle.
        channels: 1 for grey, 3 for red, green and blue.
        threshold: The score from which on a box is shown, unless the user asks for another.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = ObjectDetection(labels=("cat", "dog"), size=(96, 128))
        >>> task.warm_input().shape
        (1, 96, 128, 3)
    """

    type_name: ClassVar[str] = "object-detection"
    metric: ClassVar[str] = "mean_average_precision_50"
    folder_format: ClassVar[
        str
    ] = """A folder with pictures and one JSON file of their boxes as COCO has it, which tools for
drawing boxes export:

    street/annotations.json
    street/images/a.jpg
    street/images/b.jpg

The JSON has the lists "images" (id, file_name), "categories" (id, name) and "annotations" (image_id, category_id, bbox:
left, top, width, height in pixels of the upright picture). At least two pictures with boxes; a fifth, chosen by their
names, is held out to test the result. Or divide them yourself: a JSON for each of train, validation and test, in a
folder of that name or with it in its own.
"""
    network_takes: ClassVar[str] = (
        "Pixels 0 to 255 [picture, height, width, channel] of the whole picture, as large as the frame allows and in "
        "its middle; scaling the pixels is a part of the network."
    )
    network_gives: ClassVar[str] = (
        "For each cell [picture, row, column] of the frame a logit for each label, of whether the middle of a thing is "
        "there, then four numbers whose softplus, times the side of a cell, is the distance from its middle to the "
        "left, upper, right and lower side of the box."
    )
    labels: tuple[str, ...]
    size: tuple[int, int]
    channels: int = 3
    threshold: float = 0.4

    def __post_init__(self) -> None:
        owner = "ObjectDetection"
        labels = tuple(self.labels) if not isinstance(self.labels, str) else (self.labels,)
        if not labels or len(set(labels)) != len(labels) or not all(isinstance(x, str) and x for x in labels):
            raise SpecError(
                f"{owner} has unusable labels", expected="different, non-empty words", received=repr(self.labels)
            )
        object.__setattr__(self, "labels", labels)
        size = tuple(self.size) if isinstance(self.size, tuple | list) else ()
        if len(size) != 2 or not all(type(side) is int and 16 <= side <= 4096 for side in size):
            raise SpecError(
                f"{owner}: size is not usable",
                expected="(height, width) in pixels, each from 16 to 4096",
                received=repr(self.size),
            )
        object.__setattr__(self, "size", size)
        if self.channels not in (1, 3):
            raise SpecError(
                f"{owner}: channels is not usable", expected="1 (grey) or 3 (colour)", received=repr(self.channels)
            )
        if not 0.05 <= self.threshold <= 0.95:
            raise SpecError(
                f"{owner}: threshold is out of range", expected="0.05 to 0.95", received=repr(self.threshold)
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="image", kind="image", label="Picture"),
            threshold_field(self.threshold),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="objects", kind="boxes", label="What was found"),)

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.detection.runner import DetectionRunner

        return DetectionRunner(version, spec)

    def picture(self, inputs: Mapping[str, Any]) -> Image.Image:
        """The picture `inputs["image"]`, in any form that `layerwise.tasks.images.load_image` reads.

        Raises:
            InputError: There is no picture, it cannot be read, or it is empty.
        """
        from layerwise.tasks.images import load_image

        return load_image(inputs.get("image"))

    def framed(self, picture: Image.Image) -> np.ndarray:
        """A picture as the network takes it, uint8 [height, width, channels]."""
        from layerwise.tasks.framing import fit_to_frame, pixels

        return pixels(fit_to_frame(picture, self.size, channels=self.channels))

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The picture as uint8 [1, height, width, channels].

        Raises:
            InputError: As from `picture`.
        """
        return self.framed(self.picture(inputs))[None]

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The boxes of each example in pixels of the frame, drawn on black, since the pictures are not known here;
        `answer` has them.

        Args:
            outputs: [examples, rows, columns, classes + 4].
        """
        from PIL import Image

        frame = Image.new("RGB", (self.size[1], self.size[0]))
        return [self.answer(frame, found, self.threshold) for found in self.detected(outputs)]

    def detected(self, outputs: np.ndarray) -> np.ndarray:
        """What was found in each example, `Detected` [examples], in pixels of the frame.

        Args:
            outputs: [examples, rows, columns, classes + 4], or what this gave already.

        Raises:
            SpecError: The outputs are not of that shape.
        """
        import numpy as np

        from layerwise.tasks.detection.head import found_boxes

        outputs = np.asarray(outputs)
        if outputs.dtype == object:
            return outputs
        if outputs.ndim != 4 or outputs.shape[-1] != len(self.labels) + 4:
            raise SpecError(
                "The network's outputs do not fit the task",
                expected=f"[examples, rows, columns, {len(self.labels)} labels + 4]",
                received=f"shape {list(outputs.shape)}",
                remedy="build the network with one output for each of task.labels, and four more",
            )
        found = np.empty(len(outputs), object)
        found[:] = [found_boxes(output, self.size, LEAST_SCORE) for output in outputs]
        return found

    def answer(self, picture: Image.Image, found: Detected, threshold: float) -> Answer:
        """What is said of a picture.

        Args:
            picture: The picture, in any size.
            found: What was found, in pixels of the frame.
            threshold: The least score that is shown.
        """
        import numpy as np

        from layerwise.tasks.annotations import AnnotatedPicture, Found
        from layerwise.tasks.detection.boxes import suppressed
        from layerwise.tasks.framing import place_in_frame

        left, top, width, height = place_in_frame(picture.size, (self.size[1], self.size[0]))
        scale = np.array([picture.width / width, picture.height / height] * 2)
        limits = np.array([picture.width, picture.height] * 2)
        boxes = ((found.boxes - np.array([left, top] * 2)) * scale).clip(0, limits)
        shown = []
        for place in suppressed(found.boxes, found.scores, SAME_THING):
            box, score = boxes[place].astype(float), float(found.scores[place])
            if score >= threshold and np.all(box[2:] - box[:2] >= 1):
                label = self.labels[found.labels[place]]
                shown.append(Found(label=label, score=score, box=(box[0], box[1], box[2], box[3])))
        return {"objects": AnnotatedPicture(image=picture, found=tuple(shown))}

    def loss(self, config: TrainingConfig) -> Callable:
        """See `layerwise.tasks.detection.head.detection_loss`."""
        from layerwise.tasks.detection.head import detection_loss

        width = self.size[1]
        return lambda targets, outputs: detection_loss(targets, outputs, width)

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.detection.metrics.detection_metrics`."""
        from layerwise.tasks.detection.metrics import detection_metrics

        return detection_metrics(list(self.detected(outputs)), list(targets), len(self.labels), self.threshold)

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """See `layerwise.tasks.detection.report`."""
        from layerwise.tasks.detection.report import report

        return report(list(self.detected(outputs)), list(targets), self.labels, self.threshold, inputs)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Pictures with boxes: this task with the categories found there, and the splits "train" and "test" (and
        "validation" where the folder has one). See `folder_format`.

        Raises:
            DataError: The folder is not laid out like that, or a tenth of its pictures or boxes is unusable; a few are
                left out, and named by the report.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.detection.box_folder import read_coco

        shape = (*self.size, self.channels)
        labels, splits, report = read_coco(folder, self.framed, shape, "any")
        return OwnData(task=dataclasses.replace(self, labels=labels), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Pictures with one to four things of three shapes, and their boxes."""
        from layerwise.tasks.detection.box_sample import write_sample

        write_sample(folder, self.size)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """As for every task; the numbers of the classes are within the targets here."""
        import numpy as np

        from layerwise.splits import Split

        data = self.read_folder(folder)
        unknown = [label for label in data.task.labels if label not in self.labels]
        if unknown:
            raise DataError(
                f"{folder} has categories that the model does not know",
                expected=", ".join(self.labels),
                received=", ".join(unknown),
                remedy="train a version on this folder",
            )
        # The last place is that of no box, -1.
        places = np.array([*(self.labels.index(label) for label in data.task.labels), -1], "float32")
        found = {}
        for name, part in data.splits.items():
            targets = np.array(part.targets)
            targets[..., 4] = places[targets[..., 4].astype(int)]
            found[name] = Split(part.inputs, targets)
        return found

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, *self.size, self.channels), "uint8")


def threshold_field(default: float) -> Field:
    """The input with which a user says how sure a box must be to be shown."""
    return Field(
        name="threshold",
        kind="number",
        label="Confidence from which a box is shown",
        minimum=0.05,
        maximum=0.95,
        default=default,
    )
