"""Runners: what stands between an input and an answer.

The usual one, `NetworkRunner`, is one forward pass of a network. A ModelSpec brings its own,
`runner(version) -> Runner`, for generation, tree search, several networks, or a model that is not Keras.
"""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.devices import quiet_import
from layerwise.errors import LayerwiseError
from layerwise.specs import call, resolve
from layerwise.tasks.base import Answer
from layerwise.weights import load_into

if TYPE_CHECKING:
    import numpy as np

    from layerwise.snapshot import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

LARGEST_BATCH = 64
"""The most examples that one forward pass of `run_batch` takes."""

Batch = Any
"""An array [examples, ...], or a dict of them for a network with several inputs."""


class Runner(abc.ABC):
    """Answers for one version of one model. Made once, then used by many threads at a time.

    `run` is all that a runner must have.
    """

    stateful: ClassVar[bool] = False
    """Whether it remembers something between the requests of a session. A session of a stateful runner stays
    with the version it began with until `end_session`, also when another one is promoted meanwhile."""

    model: Any = None
    """The network as `build` makes it, with the weights of the version, for those who look inside; None if the runner
    has none."""

    @abc.abstractmethod
    def run(
        self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Answer | Iterator[Answer]:
        """Answer one input.

        Args:
            inputs: A value for each input field of the task.
            session: Names the conversation, game or visitor that the input belongs to, None for none.
            cancelled: Set when nobody waits for the answer any more. A runner that takes long looks at it now
                and then, and returns.

        Returns:
            The answer, or an iterator of answers each of which replaces the one before, the last one whole.

        Raises:
            InputError: The input cannot be used.
        """

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer several inputs. Runners that can compute them at once do."""
        return [last_answer(self.run(inputs, None, threading.Event())) for inputs in batch]

    def outputs(self, batch: Batch) -> Any:
        """What the network gives for encoded examples [examples, ...], before `task.decode`: what the metrics
        of a test set are computed from.

        Raises:
            LayerwiseError: The runner has no such outputs.
        """
        raise LayerwiseError(
            f"{type(self).__name__} has no outputs that a data set could be evaluated on",
            remedy="its model card says how it was measured",
        )

    def warm(self) -> None:  # noqa: B027 (most have nothing to do here, and need not say so)
        """Do what makes the first request slow. Called once, before the first."""

    def end_session(self, session: str) -> None:  # noqa: B027
        """Forget what is remembered of a session; unknown ones are ignored."""

    def close(self) -> None:  # noqa: B027
        """Give back what the garbage collector would not. No request comes after."""


class NetworkRunner(Runner):
    """One forward pass: `task.encode`, the compiled network, `task.decode`.

    Args:
        version: The weights, with the task parameters and the config that belong to them.
        spec: The model, which builds the architecture.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        from layerwise import engines

        self.version, self.task = version, version.task
        self.model = resolve(spec.build)(version.config, version.task)
        load_into(self.model, version.folder)
        self._forward: Callable[[Batch], Any] = engines.current().compile_predict(self.model)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.task.decode(self._forward(self.task.encode(inputs)))[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer several inputs, those of the same shape together."""
        answers: dict[int, Answer] = {}
        encoded = [self.task.encode(inputs) for inputs in batch]
        for positions in _positions_by_shape(encoded):
            for start in range(0, len(positions), LARGEST_BATCH):
                part = positions[start : start + LARGEST_BATCH]
                outputs = self.outputs(_joined([encoded[position] for position in part]))
                answers.update(zip(part, self.task.decode(outputs), strict=True))
        return [answers[position] for position in range(len(batch))]

    def outputs(self, batch: Batch) -> Any:
        """The outputs for encoded examples [examples, ...], which are padded to a power of two, so that few
        different batch sizes are ever compiled."""
        return of_any_number(self._forward, batch)

    def warm(self) -> None:
        """Compile the forward pass of one example, when the task has one to give."""
        with contextlib.suppress(NotImplementedError):
            self._forward(self.task.warm_input())


def make_runner(spec: ModelSpec, version: Version, registered: Callable[[], Snapshot] | None = None) -> Runner:
    """The runner of a version: the model's own, otherwise that of its task, mostly a NetworkRunner.

    Args:
        registered: What is registered whenever it is asked, for runners that answer from it.

    Raises:
        LayerwiseError: The weights cannot be used, or the model's `runner` gives something else.
    """
    if spec.runner is None:
        return version.task.runner(version, spec)
    runner = call(spec.runner, version, registered)
    if not isinstance(runner, Runner):
        raise LayerwiseError(
            f"The runner of {spec.name} is unusable", expected="a layerwise.runner.Runner", received=repr(runner)
        )
    return runner


def last_answer(result: Answer | Iterator[Answer]) -> Answer:
    """The whole answer of a `run`: the last of partial ones.

    Raises:
        LayerwiseError: There was none.
    """
    if isinstance(result, Mapping):
        return result
    answer: Answer | None = None
    for partial in result:
        answer = partial
    if answer is None:
        raise LayerwiseError("The model gave no answer", remedy="report it to the author of its plugin")
    return answer


def _positions_by_shape(encoded: Sequence[Batch]) -> list[list[int]]:
    groups: dict[Any, list[int]] = {}
    for position, batch in enumerate(encoded):
        parts = batch.items() if isinstance(batch, Mapping) else [("", batch)]
        groups.setdefault(tuple((name, part.shape[1:], str(part.dtype)) for name, part in parts), []).append(position)
    return list(groups.values())


def _joined(batches: Sequence[Batch]) -> Batch:
    import numpy as np

    if isinstance(batches[0], Mapping):
        return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    return np.concatenate(batches)


def padded(array: np.ndarray) -> np.ndarray:
    """Examples [examples, ...], the last one repeated until their number is a power of two, so that few different ones
    are ever compiled."""
    import numpy as np

    size = 1 << (len(array) - 1).bit_length()
    if len(array) == size:
        return array
    # Repeating a real example rather than zeros: what a network does with zeros may be slow or not a number.
    return np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])


def of_any_number(forward: Callable[[Batch], Any], batch: Batch) -> Any:
    """What a compiled forward pass gives for any number of examples, which it is given `padded`."""
    count = len(next(iter(batch.values())) if isinstance(batch, Mapping) else batch)
    return map_arrays(lambda array: array[:count], forward(map_arrays(padded, batch)))


def map_arrays(function: Callable[[Any], Any], nest: Any) -> Any:
    """`function` of an array, or of each array of a dict, list or tuple of them."""
    if isinstance(nest, Mapping):
        return {name: map_arrays(function, part) for name, part in nest.items()}
    if isinstance(nest, list | tuple):
        return type(nest)(map_arrays(function, part) for part in nest)
    return function(nest)
