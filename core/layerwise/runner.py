"""Runners: what stands between an input and an answer.

The usual one, `NetworkRunner`, is one forward pass of a network. A ModelSpec brings its own,
`runner(version) -> Runner`, for generation, tree search, several networks, or a model that is not Keras.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.datasets.batches import Batch, joined, of_any_number, shape_of
from layerwise.devices import quiet_import
from layerwise.errors import LayerwiseError
from layerwise.serving.batching import LARGEST_BATCH, Batcher
from layerwise.specs import ForeignSpec, call, resolve
from layerwise.tasks.base import Answer
from layerwise.weights import load_into

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version


MOST_ENCODING = 8
"""So many inputs of a model are read at a time: pictures may be large, and reading them is what the processor has to do
for each alone."""


class Runner(abc.ABC):
    """Answers for one version of one model. Made once, then used by many threads at a time.

    `run` is all that a runner must have.
    """

    stateful: bool = False
    """Whether it remembers something between the requests of a session. A session of a stateful runner stays
    with the version it began with until `end_session`, also when another one is promoted meanwhile."""

    joins: bool = False
    """Whether it computes requests that come at the same time together, so that many threads may ask it at once."""

    deterministic: bool = False
    """Whether equal inputs get equal answers, whatever was asked before and by whom, so that an answer can be given
    again."""

    is_bounded: bool = False
    """Whether it sees to it itself that every answer comes to an end."""

    model: Any = None
    """The network as `build` makes it, with the weights of the version, for those who look inside; None if the runner
    has none."""

    device: str = ""
    """Where it computes, such as "GPU"; empty for where Keras does."""

    weights_bytes: int | None = None
    """What its weights take in memory; None for what those of `model` take."""

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

    def memory(self) -> int:
        """The bytes that it has in memory elsewhere than in this process."""
        return 0

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

    Attributes:
        encoding: To be held while an input is read, which needs memory.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    joins = True
    deterministic = True

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        from layerwise import engines

        self.version, self.task = version, version.task
        self.model = resolve(spec.build)(version.config, version.task)
        load_into(self.model, version.folder)
        compile_predict = functools.partial(engines.current().compile_predict, self.model)
        self._forward: Callable[[Batch], Any] = compile_predict()
        self._batcher = Batcher(lambda batch: self._forward(batch), compile_predict)
        self.encoding = threading.BoundedSemaphore(MOST_ENCODING)

    def run(
        self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Answer | Iterator[Answer]:
        with self.encoding:
            example = self.task.encode(inputs)
        outputs = self.output(example, cancelled)
        return iter(()) if outputs is None else self.task.decode(outputs)[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Answer several inputs, those of the same shape together."""
        answers: dict[int, Answer] = {}
        encoded = [self.task.encode(inputs) for inputs in batch]
        for positions in _positions_by_shape(encoded):
            for start in range(0, len(positions), LARGEST_BATCH):
                part = positions[start : start + LARGEST_BATCH]
                outputs = self.outputs(joined([encoded[position] for position in part]))
                answers.update(zip(part, self.task.decode(outputs), strict=True))
        return [answers[position] for position in range(len(batch))]

    def output(self, example: Batch, cancelled: threading.Event) -> Any:
        """The outputs [1, ...] for one encoded example [1, ...], computed together with those that are asked for at the
        same time; None when nobody waits for it any more."""
        return self._batcher.compute(example, cancelled)

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
    if isinstance(spec, ForeignSpec):
        raise LayerwiseError(
            f"{spec.name} has a Python of its own, in which alone this can be done",
            remedy=f"use that one: {spec.python} -m layerwise_app.cli",
        )
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
        groups.setdefault(shape_of(batch), []).append(position)
    return list(groups.values())
