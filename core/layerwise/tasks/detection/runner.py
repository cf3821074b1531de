"""The runner of networks for detection: the picture that was given is needed for its answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import NetworkRunner

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.tasks.object_detection import ObjectDetection


class DetectionRunner(NetworkRunner):
    """One forward pass over the whole picture, and its boxes in pixels of the picture."""

    task: ObjectDetection

    def run(
        self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Answer | Iterator[Answer]:
        with self.encoding:
            picture = self.task.picture(inputs)
            example = self.task.framed(picture)[None]
        outputs = self.output(example, cancelled)
        return iter(()) if outputs is None else self._answer(inputs, picture, outputs[0])

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        pictures = [self.task.picture(inputs) for inputs in batch]
        outputs = super().outputs(np.stack([self.task.framed(picture) for picture in pictures]))
        return [self._answer(*row) for row in zip(batch, pictures, outputs, strict=True)]

    def _answer(self, inputs: Mapping[str, Any], picture: Any, output: np.ndarray) -> Answer:
        threshold = self.task.inputs[1].value(inputs.get("threshold"))
        return self.task.answer(picture, self.task.detected(np.asarray(output)[None])[0], threshold)

    def outputs(self, batch: Any) -> np.ndarray:
        """What was found in each of encoded pictures, `layerwise.tasks.detection.metrics.Detected` [examples]."""
        return self.task.detected(super().outputs(batch))
