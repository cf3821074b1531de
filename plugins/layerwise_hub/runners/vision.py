"""Published models that are given pictures."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from layerwise.errors import InputError
from layerwise.runner import Batch
from layerwise.tasks import (
    DepthEstimation,
    ImageClassification,
    ImageSegmentation,
    ObjectDetection,
    ZeroShotImageClassification,
)
from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise.tasks.base import Answer
from layerwise.tasks.detection.metrics import Detected
from layerwise.tasks.images import load_image
from layerwise_hub.runners.base import TorchRunner, in_parts
from layerwise_hub.runners.insides import feed_forward, from_the_last, inputs_of
from layerwise_hub.runners.texts import longest_text
from layerwise_hub.task_making import GROUND

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

LEAST_SCORE = 0.02
"""Boxes are kept from this score on when a test set is measured: average precision looks at all of them."""
MOST_PIXELS = 2**20
"""Areas are found at a size of at most so many pixels, and drawn larger: each class takes a number for every pixel."""
LEAST_SIDE = 32
"""Pixels of the shorter side of a picture whose depth is estimated; smaller ones are enlarged. Some networks take a
multiple of so many, and none of fewer."""
_MARGIN = 3.0


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


class PictureEncoder(PictureRunner):
    """A network on which a probe can stand."""

    def gathered(self, batch: Any) -> tuple[list[Any], Sequence[Any]]:
        """What the network itself has gathered of pictures for its task, tensors [pictures, numbers], none or several;
        and what each of its layers gives, the first layer first.

        Args:
            batch: As from `encoded`.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what it makes of pictures")

    def insides(self, pictures: Batch) -> np.ndarray:
        """What goes on inside for pictures, float32 [pictures, numbers]: what the network itself has gathered, then
        the means over the places of a picture of what each layer gives and of the neurons of its feed-forward network,
        the last layers first (`layerwise_hub.runners.insides`)."""
        found = []
        with inputs_of(feed_forward(self.network)) as heard:
            for part in in_parts(pictures_in(pictures)):
                heard.clear()
                with self.computing():
                    gathered, states = self.gathered(self.encoded(part))
                    neurons = [item for item in heard if item.ndim == 3]
                    kept = [numbers.float().cpu().numpy() for numbers in gathered]
                    layers = ([_mean_over_places(layer) for layer in column] for column in (states, neurons))
                    kept += from_the_last(*layers)
                found.append(np.concatenate(kept, axis=1))
        return np.concatenate(found)

    def features(self, pictures: Any) -> Any:
        """What the network has gathered, a tensor [pictures, numbers] by which gradients can go back.

        Args:
            pictures: A tensor, uint8 [pictures, height, width, channels].
        """
        import torch

        gathered, states = self.gathered(self.encoded(pictures_in(pictures.cpu().numpy())))
        return torch.cat(gathered, 1) if gathered else _mean_over_places(states[-1])


class ImageClassifier(PictureEncoder):
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

    def gathered(self, batch: Any) -> tuple[list[Any], Sequence[Any]]:
        """What it tells classes by."""
        with inputs_of(self.heads) as told:
            states = self.network(**batch, output_hidden_states=True).hidden_states
        return told, states or ()

    @functools.cached_property
    def heads(self) -> list[Any]:
        """The matrices that lead to the logits: those that stand outside of the network within which others share."""
        import torch

        within, count = f"{self.network.base_model_prefix}.", self.network.config.num_labels
        return [
            module
            for name, module in self.network.named_modules()
            if isinstance(module, torch.nn.Linear) and module.out_features == count and not name.startswith(within)
        ]

    def _logits(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        found = []
        for part in in_parts(pictures):
            with self.computing():
                found.append(self.network(**self.encoded(part)).logits.float().cpu().numpy())
        return np.concatenate(found)


class ZeroShotClassifier(PictureRunner):
    """Which of the labels that somebody names a picture shows."""

    auto = "AutoModelForZeroShotImageClassification"
    task: ZeroShotImageClassification

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.tokenizer = self.load("AutoTokenizer")
        config = self.network.config
        self.longest = longest_text(self.tokenizer, getattr(config, "text_config", config))

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.run_batch([inputs])[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """The answers; pictures for which the same labels were named are looked at together."""
        pictures = [picture_of(inputs) for inputs in batch]
        places: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
        for place, inputs in enumerate(batch):
            places.setdefault(self.task.texts_of(inputs), []).append(place)
        answers: dict[int, Answer] = {}
        for (labels, texts), those in places.items():
            encoded = self._tokens(labels, texts)
            for part in in_parts(those):
                with self.computing():
                    pixels = self.encoded([pictures[place] for place in part])
                    logits = self.network(**encoded, **pixels).logits_per_image.float().cpu().numpy()
                answers.update((place, self.task.answer(labels, row)) for place, row in zip(part, logits, strict=True))
        return [answers[place] for place in range(len(batch))]

    def _tokens(self, labels: Sequence[str], texts: Sequence[str]) -> Any:
        """Texts as the network takes them.

        Raises:
            InputError: One has more tokens than the network has places for.
        """
        for label, text in zip(labels, texts, strict=True):
            count = len(self.tokenizer(text).input_ids)
            if count > self.longest:
                raise InputError(
                    f"The sentence about {label!r} is too long for this network",
                    expected=f"at most {self.longest} tokens",
                    received=str(count),
                )
        # The SigLIP family has learned from texts that are all filled up to one length.
        padding = "max_length" if self.task.is_independent else True
        encoded = self.tokenizer(
            list(texts), padding=padding, max_length=self.longest, truncation=True, return_tensors="pt"
        )
        return self.given(encoded)


def _mean_over_places(layer: Any) -> Any:
    """Of a layer [pictures, places, numbers], or [pictures, numbers, height, width]."""
    return layer.flatten(2).mean(2) if layer.ndim == 4 else layer.mean(1)


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


class DepthEstimator(PictureRunner):
    """How far away everything in a picture is."""

    auto = "AutoModelForDepthEstimation"
    task: DepthEstimation

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.task.answer(self._depth(self.task.picture(inputs)))

    def _depth(self, picture: Image.Image) -> np.ndarray:
        """The number of each pixel, float32 [height, width]."""
        size, scale = (picture.height, picture.width), LEAST_SIDE / min(picture.size)
        if scale > 1:
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        with self.computing():
            outputs = self.network(**self.encoded([picture]))
            if self.network.config.model_type == "zoedepth":
                margin = _MARGIN if self.processor.do_pad else 0.0
                found = _without_margin(outputs.predicted_depth, (picture.height, picture.width), size, margin)
            else:
                found = self.processor.post_process_depth_estimation(outputs, target_sizes=[size])[0]["predicted_depth"]
        # Some drop a side of one pixel.
        return found.float().cpu().numpy().reshape(size)


def _without_margin(depth: Any, given: tuple[int, int], size: tuple[int, int], margin: float) -> Any:
    """What ZoeDepth tells of a picture, which it is given with a mirrored margin around it, since it errs at edges
    (Bhat et al. 2023, arXiv:2302.12288). Here, since what transformers 5.24 has for it needs torchvision.

    Args:
        depth: Of the picture with its margin, [1, height, width] at the size at which the network gives it.
        given: Height and width of the picture.
        size: That of what is returned.
        margin: How wide it is, in square roots of half a side.
    """
    from torch.nn.functional import interpolate

    rows, columns = (int((side / 2) ** 0.5 * margin) for side in given)
    whole = (given[0] + 2 * rows, given[1] + 2 * columns)
    found = interpolate(depth[None], size=whole, mode="bicubic", align_corners=False)
    found = found[..., rows : rows + given[0], columns : columns + given[1]]
    if size != given:
        found = interpolate(found, size=size, mode="bicubic", align_corners=False)
    return found[0, 0]
