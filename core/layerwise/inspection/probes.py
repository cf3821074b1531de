"""Gradients of a network's score by its input; by what its first layer of numbers makes of it, where the input itself
is no number that could be a little larger (the ids of tokens); or by what any other step gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.inspection.steps import Step, first, run
from layerwise.inspection.subject import Batch, Subject

if TYPE_CHECKING:
    from layerwise.engines.base import Gradients

CHUNK = 16
"""How many points one compiled call takes; always as many, so that it is compiled once."""
SPECTROGRAMS = ("STFTSpectrogram", "MelSpectrogram")
Points = dict[str, np.ndarray]
"""Numbers [examples, ...] at each site, by its key."""


@dataclass(frozen=True)
class Site:
    """Where gradients are taken.

    Args:
        input: The input of the network that it belongs to.
        step: The step whose result is meant; None for the input itself.
    """

    input: str
    step: str | None = None

    @property
    def key(self) -> str:
        """What the site is called among Points."""
        return self.step or self.input


def find_sites(subject: Subject) -> list[Site]:
    """Where the attribution to each input is made: at the input itself when it holds numbers; for ids and texts at the
    first steps that make floating-point numbers of them (an embedding, a one-hot code); for a waveform at the
    time-frequency plane when the first layers compute one. An input of which no numbers are made has no site."""
    found = []
    for name, tensor in zip(subject.input_names, subject.model.inputs, strict=True):
        users = [step for step in subject.steps if name in step.sources]
        is_number = _is_float(tensor.dtype) and not any(step.kind == "Embedding" for step in users)
        plane = _time_frequency_plane(subject, name, tensor) if is_number else None
        if plane is not None:
            found.append(Site(name, plane.name))
        elif is_number:
            found.append(Site(name))
        else:
            found += [Site(name, step.name) for step in _first_numbers(subject.steps, name)]
    return found


def _first_numbers(steps: Sequence[Step], name: str) -> list[Step]:
    reached, behind, found = {name}, set(), []
    for step in steps:
        if behind.intersection(step.sources):
            behind.add(step.name)  # though ids may come here too, as a mask
        elif reached.intersection(step.sources) and _is_float(step.dtype):
            behind.add(step.name)
            found.append(step)
        elif reached.intersection(step.sources):
            reached.add(step.name)
    return found


def _time_frequency_plane(subject: Subject, name: str, tensor: Any) -> Step | None:
    """The last step before any trained weight, other than those of a spectrogram, that makes a plane of a waveform."""
    if subject.kind(name) != "audio" or len(_wide(tensor.shape)) != 1:
        return None
    reached, found = {name}, None
    for step in subject.steps:
        if (step.is_trained and step.kind not in SPECTROGRAMS) or not reached.intersection(step.sources):
            continue
        reached.add(step.name)
        if len(_wide(step.shape)) == 2:
            found = step
    return found


def _wide(shape: Sequence[int | None]) -> list[int | None]:
    return [size for size in shape[1:] if size != 1]


def _is_float(dtype: str) -> bool:
    import keras

    return keras.backend.is_float_dtype(dtype)


class Probe:
    """Scores and their gradients when the numbers at some sites are others.

    Args:
        subject: The network.
        sites: Where.
    """

    def __init__(self, subject: Subject, sites: Sequence[Site]) -> None:
        import keras

        from layerwise import engines

        self.subject, self.sites = subject, tuple(sites)
        # A layer and no plain sum, since it passes on the mask that an embedding gives with its result.
        self._add = keras.layers.Add(dtype="float32")
        self._gradients: Gradients = engines.current().compile_gradients(self._values, subject.model.variables)

    def points(self, batch: Batch) -> Points:
        """The numbers at the sites that the network has for a batch."""
        found = self.subject.activations(batch, [site.step for site in self.sites if site.step])
        return {site.key: found[site.step] if site.step else batch[site.input].astype("float32") for site in self.sites}

    def gradients(self, points: Points, batch: Batch, target: int) -> tuple[np.ndarray, Points]:
        """The score of a class [points] and its gradient at each site [points, ...].

        Args:
            points: The numbers at the sites.
            batch: The input of one example, of which everything else is taken.
            target: The number of the class.
        """
        count = len(next(iter(points.values())))
        parts = [self._chunk(points, batch, target, start) for start in range(0, count, CHUNK)]
        scores = np.concatenate([scores for scores, _ in parts])
        return scores, {name: np.concatenate([gradients[name] for _, gradients in parts]) for name in points}

    def _chunk(self, points: Points, batch: Batch, target: int, start: int) -> tuple[np.ndarray, Points]:
        part = {name: array[start : start + CHUNK].astype("float32") for name, array in points.items()}
        count = len(next(iter(part.values())))
        # Padded with its last point: another number of points would be compiled anew.
        size = 1 if count == 1 else CHUNK
        part = {name: np.concatenate([array, np.repeat(array[-1:], size - count, 0)]) for name, array in part.items()}
        given = {
            "inputs": {name: np.repeat(array, size, 0) for name, array in batch.items() if name not in points},
            "target": np.array(target, "int32"),
        }
        scores, gradients = self._gradients(part, given)
        return scores[:count], {name: array[:count] for name, array in gradients.items()}

    def _values(self, points: Any, given: Any) -> Any:
        inputs = given["inputs"] | {site.input: points[site.key] for site in self.sites if site.step is None}

        def replace(name: str, outputs: Any) -> Any:
            if name not in points:
                return outputs
            return replaced(outputs, lambda tensor: self._add([tensor, points[name] - _fixed(tensor)]))

        return self.subject.score(run(self.subject.model, inputs, replace), given["target"])


def _fixed(tensor: Any) -> Any:
    """What a step gives, as numbers that nothing is derived from."""
    from keras import ops

    return ops.cast(ops.stop_gradient(tensor), "float32")  # from 16 bits in mixed precision


def replaced(outputs: Any, change: Callable[[Any], Any]) -> Any:
    """What a step gives, with its first tensor changed."""
    import keras

    flat = keras.tree.flatten(outputs)
    return keras.tree.pack_sequence_as(outputs, [change(first(outputs)), *flat[1:]])
