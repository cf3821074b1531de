"""What answers for an agent: it plays whole episodes, as it is or as it was on the way of its training."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.devices import quiet_import
from layerwise.runner import Batch, Runner, map_arrays, padded
from layerwise.specs import resolve
from layerwise.tasks.base import Answer
from layerwise.tasks.control import WAYS, Control
from layerwise.tasks.episodes.drawing import MOST_FRAMES, course, moving_picture, small
from layerwise.tasks.episodes.playing import Moment, Playing, Policy, play_many
from layerwise.weights import load_into

if TYPE_CHECKING:
    import keras

    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

KEPT_POLICIES = 4
"""How many networks of former epochs stay in memory."""
SHOWN_EVERY = 0.1
"""Seconds between the pictures of an episode that goes on."""
MOST_STEPS = 30_000
"""After which an episode that does not end is left."""


class EpisodeRunner(Runner):
    """Plays episodes.

    Args:
        version: The weights, with the task's parameters and the config.
        spec: The model, which builds the network.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        task = version.task
        assert isinstance(task, Control)
        self.task, self.milestones = task, version.milestones
        self._build: Callable[[], keras.Model] = lambda: resolve(spec.build)(version.config, task)
        self.model, self._policy = self._loaded(version.folder)
        self._former: OrderedDict[int, Policy] = OrderedDict()
        self._lock = threading.Lock()

    def policy(self, training: float = 100.0) -> Policy:
        """The agent after a part of its training.

        Args:
            training: In percent; of what was kept on the way the nearest.
        """
        if training >= 100 or not self.milestones:
            return self._policy
        last = self.milestones[-1].epoch
        place = min(
            range(len(self.milestones)), key=lambda n: abs(100 * self.milestones[n].epoch / max(last, 1) - training)
        )
        with self._lock:
            if place not in self._former:
                self._former[place] = self._loaded(self.milestones[place].folder)[1]
            self._former.move_to_end(place)
            while len(self._former) > KEPT_POLICIES:
                self._former.popitem(last=False)
            return self._former[place]

    def playing(self, inputs: Mapping[str, Any], *, renders: bool = True) -> Playing:
        """An episode at its beginning, for whoever goes through it step by step.

        Args:
            inputs: Of the task.
        """
        training = inputs.get("training")
        return Playing(
            self.task,
            self.policy(100.0 if training is None else float(training)),
            int(inputs.get("episode") or 0),
            by_chance=inputs.get("choosing", WAYS[int(self.task.by_chance)]) == WAYS[1],
            renders=renders,
        )

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        playing = self.playing(inputs)
        moments: list[Moment] = []
        frames, every = [small(playing.picture())], 1
        shown = time.monotonic()
        try:
            while not playing.ended and len(moments) < MOST_STEPS:
                if cancelled.is_set():
                    return
                moments.append(playing.step())
                if len(moments) % every == 0:
                    frames.append(small(playing.picture()))
                    if len(frames) > MOST_FRAMES:
                        frames, every = frames[::2], 2 * every
                if time.monotonic() - shown >= SHOWN_EVERY:
                    yield {"said": _said(moments), "picture": frames[-1], "course": []}
                    shown = time.monotonic()
        finally:
            playing.close()
        picture = {"name": "episode.webp", "content": moving_picture(frames, playing.frames_per_second)}
        yield {"said": _said(moments), "picture": picture, "course": course(self.task, moments)}

    def outputs(self, batch: Batch) -> Any:
        """What episodes come to.

        Args:
            batch: "episode", their seeds.

        Returns:
            "return" and "length", [episodes].
        """
        found = play_many(self.task, self._policy, np.asarray(batch["episode"]), by_chance=self.task.by_chance)
        return {
            "return": np.array([total for total, _ in found]),
            "length": np.array([length for _, length in found]),
        }

    def warm(self) -> None:
        self._policy(self.task.warm_input())

    def _loaded(self, folder: Path) -> tuple[keras.Model, Policy]:
        model = self._build()
        load_into(model, folder)
        return model, policy_of(model)


def policy_of(model: keras.Model) -> Policy:
    """A network as what is asked about any number of observations."""
    from layerwise import engines

    forward = engines.current().compile_predict(model)

    def policy(observations: np.ndarray) -> Any:
        count = len(observations)
        return map_arrays(lambda array: array[:count], forward(padded(observations)))

    return policy


def _said(moments: list[Moment]) -> str:
    last = moments[-1]
    steps = f"{last.length:,} step{'s' * (last.length != 1)}"
    state = "Return" if last.ended else "So far"
    return f"{state} {last.total:,.5g} in {steps}"
