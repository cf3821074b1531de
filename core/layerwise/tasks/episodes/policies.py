"""Networks as what is asked what to do: as a training has made them, and as they were on its way."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.datasets.batches import of_any_number
from layerwise.specs import resolve
from layerwise.weights import load_into

if TYPE_CHECKING:
    import keras

    from layerwise.specs import ModelSpec
    from layerwise.tasks.episodes.playing import Policy
    from layerwise.versions import Version

KEPT = 4
"""How many networks of former epochs stay in memory."""


def policy_of(model: keras.Model) -> Policy:
    """A network as what is asked about any number of observations."""
    from layerwise import engines

    return functools.partial(of_any_number, engines.current().compile_predict(model))


class Policies:
    """The network of a version, and what it was at its milestones.

    Args:
        version: With its weights.
        spec: The model, which builds the network.

    Attributes:
        model: The network of the version.
        milestones: What was kept on the way.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        self.milestones = version.milestones
        self._build = functools.partial(resolve(spec.build), version.config, version.task)
        self.model, self._newest = self._loaded(version.folder)
        self._former: OrderedDict[int, Policy] = OrderedDict()
        self._lock = threading.Lock()

    def after(self, training: float) -> Policy:
        """What it was after a part of its training.

        Args:
            training: In percent; of what was kept on the way the nearest.
        """
        if training >= 100 or not self.milestones:
            return self._newest
        last = max(self.milestones[-1].epoch, 1)
        distances = [abs(100 * milestone.epoch / last - training) for milestone in self.milestones]
        return self.at(distances.index(min(distances)))

    def at(self, place: int) -> Policy:
        """What it was at a milestone, by its place among them."""
        with self._lock:
            if place not in self._former:
                self._former[place] = self._loaded(self.milestones[place].folder)[1]
            self._former.move_to_end(place)
            while len(self._former) > KEPT:
                self._former.popitem(last=False)
            return self._former[place]

    def _loaded(self, folder: Path) -> tuple[keras.Model, Policy]:
        model = self._build()
        load_into(model, folder)
        return model, policy_of(model)
