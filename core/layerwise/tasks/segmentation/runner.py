"""The runner of networks for segmentation: a picture of any size, tile by tile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import NetworkRunner
from layerwise.tasks.segmentation.metrics import Segmented
from layerwise.tasks.segmentation.tiles import Tiling

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.tasks.image_segmentation import ImageSegmentation

AT_ONCE = 8
"""How many tiles one forward pass takes."""


class TiledRunner(NetworkRunner):
    """Cuts a picture into tiles, gives them to the network a few at a time, and blends its answers."""

    joins = False
    task: ImageSegmentation

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        picture = self.task.picture(inputs)
        return self.task.answer(picture, self.probabilities(picture, cancelled), inputs.get("threshold"))

    def run_batch(self, batch: Any) -> list[Answer]:
        return [self.run(inputs, None, threading.Event()) for inputs in batch]

    def outputs(self, batch: Any) -> np.ndarray:
        """What was found in each picture [height, width, channels] of an array of objects, as `Segmented`."""
        found = np.empty(len(batch), object)
        for place, picture in enumerate(batch):
            found[place] = Segmented(self.task.head.labels(self.probabilities(picture), self.task.threshold))
        return found

    def probabilities(self, picture: np.ndarray, cancelled: threading.Event | None = None) -> np.ndarray:
        """What the network says of each pixel, [height, width, channels] from 0 to 1.

        Args:
            picture: uint8 [height, width, channels], in any size.
            cancelled: When it is set what is left is not computed, and stays zero.
        """
        tiling = Tiling.of(picture, self.task.tile)
        tiles = tiling.cut(self.task.prepared(picture))
        return tiling.blend(self._given(tiles, cancelled), self.task.head.num_outputs)

    def _given(self, tiles: np.ndarray, cancelled: threading.Event | None) -> Iterator[np.ndarray]:
        for start in range(0, len(tiles), AT_ONCE):
            if cancelled is not None and cancelled.is_set():
                return
            yield from self.task.head.probabilities(super().outputs(tiles[start : start + AT_ONCE]))
