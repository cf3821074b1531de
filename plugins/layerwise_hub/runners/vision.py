"""Published models that are given pictures."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from layerwise.runner import Batch
from layerwise.tasks import ImageClassification, ImageSegmentation, ObjectDetection
from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise.tasks.base import Answer
from layerwise.tasks.detection.metrics import Detected
from layerwise.tasks.images import load_image
from layerwise_hub.runners.base import TorchRunner, in_parts
from layerwise_hub.task_making import GROUND

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

LEAST_SCORE = 0.02
"""Boxes are kept from this score on when a test set is measured: average precision looks at all of them."""
MOST_PIXELS = 2**20
"""Areas are found at a size of at most so many pixels, and drawn larger: each class takes a number for every pixel."""


class PictureRunner(TorchRunner):
    """What those have in common that are given a picture."""

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.processor = self.load("AutoImageProcessor")

    def encoded(self, pictures: Sequence[Image.Image]) -> Any:
        """Pictures as the network takes them."""
        return self.given(self.processor(images=list(pictures), return_tensors="pt"))


def picture_of(inputs: Mapping[str, Any]) -> Image.Image:
    """The picture that was given, in colour.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    return load_image(inputs.get("image")).convert("RGB")


def pictures_in(batch: Batch) -> list[Image.Image]:
    """The pictures of a test set, uint8 [examples, height, width, channels], or objects [examples] of such."""
    arrays = (np.asarray(pixels, "uint8") for pixels in batch)
    return [Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB") for pixels in arrays]


class ImageClassifier(PictureRunner):
    """Which of several things a picture shows."""

    auto = "AutoModelForImageClassification"
    task: ImageClassification

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.run_batch([inputs])[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        return self.task.decode(self._logits([picture_of(inputs) for inputs in batch]))

    def outputs(self, batch: Batch) -> np.ndarray:
        """Logits [examples, classes] of pictures, uint8 [examples, height, width, channels]."""
        return self._logits(pictures_in(batch))

    def _logits(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        found = []
        for part in in_parts(pictures):
            with self.computing():
                found.append(self.network(**self.encoded(part)).logits.float().cpu().numpy())
        return np.concatenate(found)


class ObjectDetector(PictureRunner):
    """Where things are in a picture."""

    auto = "AutoModelForObjectDetection"
    task: ObjectDetection

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        picture = picture_of(inputs)
        threshold = self.task.inputs[1].value(inputs.get("threshold"))
        found = self._detected([picture], threshold)[0]
        limits = np.array([picture.width, picture.height] * 2)
        boxes = found.boxes.clip(0, limits).astype(float).tolist()
        shown = [
            Found(label=self.task.labels[label], score=float(score), box=(box[0], box[1], box[2], box[3]))
            for box, score, label in zip(boxes, found.scores, found.labels, strict=True)
        ]
        return {"objects": AnnotatedPicture(image=picture, found=tuple(shown))}

    def outputs(self, batch: Batch) -> np.ndarray:
        """What was found in each of pictures, uint8 [examples, height, width, channels], `Detected` [examples]."""
        pictures = pictures_in(batch)
        found = np.empty(len(pictures), object)
        found[:] = [item for part in in_parts(pictures) for item in self._detected(part, LEAST_SCORE)]
        return found

    def _detected(self, pictures: Sequence[Image.Image], threshold: float) -> list[Detected]:
        sizes = [(picture.height, picture.width) for picture in pictures]
        with self.computing():
            outputs = self.network(**self.encoded(pictures))
            found = self.processor.post_process_object_detection(outputs, threshold=threshold, target_sizes=sizes)
        results = []
        for item in found:
            scores = item["scores"].float().cpu().numpy()
            order = (-scores).argsort(kind="stable")
            boxes, labels = item["boxes"].float().cpu().numpy(), item["labels"].cpu().numpy()
            results.append(Detected(boxes=boxes[order], scores=scores[order], labels=labels[order]))
        return results


class Segmenter(PictureRunner):
    """Which pixels of a picture belong to what."""

    auto = "AutoModelForSemanticSegmentation"
    task: ImageSegmentation

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        first = str(self.network.config.id2label.get(0, ""))
        # A map of labels has 0 for the ground; a network without one has its first class there.
        self._shift = 0 if first.lower() in GROUND else 1

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        picture = picture_of(inputs)
        return self.task.answer_of(np.asarray(picture), self._labels(picture))

    def outputs(self, batch: Batch) -> np.ndarray:
        """What was found in each of pictures, objects [examples] of uint8 [height, width, channels], as
        `Segmented`."""
        from layerwise.tasks.segmentation.metrics import Segmented

        pictures = pictures_in(batch)
        found = np.empty(len(pictures), object)
        found[:] = [Segmented(self._labels(picture)) for picture in pictures]
        return found

    def _labels(self, picture: Image.Image) -> np.ndarray:
        scale = min(1.0, (MOST_PIXELS / (picture.width * picture.height)) ** 0.5)
        size = max(1, round(picture.height * scale)), max(1, round(picture.width * scale))
        with self.computing():
            outputs = self.network(**self.encoded([picture]))
            found = self.processor.post_process_semantic_segmentation(outputs, target_sizes=[size])[0]
        labels = found.cpu().numpy().astype("int32") + self._shift
        if size != (picture.height, picture.width):
            whole = Image.fromarray(labels).resize(picture.size, Image.Resampling.NEAREST)
            labels = np.asarray(whole, "int32")
        return labels
