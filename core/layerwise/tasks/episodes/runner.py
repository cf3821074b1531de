"""What answers for an agent: it plays whole episodes, as it is or as it was on the way of its training."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.devices import quiet_import
from layerwise.runner import Batch, Runner
from layerwise.tasks.base import Answer
from layerwise.tasks.control import WAYS, Control
from layerwise.tasks.episodes.drawing import MOST_FRAMES, course, moving_picture, small
from layerwise.tasks.episodes.playing import Moment, Playing, play_many
from layerwise.tasks.episodes.policies import Policies

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

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
        self.task = task
        self.policies = Policies(version, spec)
        self.model = self.policies.model

    def playing(self, inputs: Mapping[str, Any], *, renders: bool = True) -> Playing:
        """An episode at its beginning, for whoever goes through it step by step.

        Args:
            inputs: Of the task.
        """
        training = inputs.get("training")
        return Playing(
            self.task,
            self.policies.after(100.0 if training is None else float(training)),
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
        found = play_many(
            self.task, self.policies.after(100), np.asarray(batch["episode"]), by_chance=self.task.by_chance
        )
        return {
            "return": np.array([total for total, _ in found]),
            "length": np.array([length for _, length in found]),
        }

    def warm(self) -> None:
        self.policies.after(100)(self.task.warm_input())


def _said(moments: list[Moment]) -> str:
    last = moments[-1]
    steps = f"{last.length:,} step{'s' * (last.length != 1)}"
    state = "Return" if last.ended else "So far"
    return f"{state} {last.total:,.5g} in {steps}"
