"""What writes a text token by token, with any network that says which token follows each."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.datasets.batches import Batch, padded
from layerwise.from_scratch.losses import log_softmax
from layerwise.runner import Runner
from layerwise.tasks.base import Answer
from layerwise.tasks.generation import Generation, Prompt
from layerwise.text.generation import Reader, Sampling, generate, room_for
from layerwise.weights import load_into

if TYPE_CHECKING:
    import keras

    from layerwise.versions import Version

AT_ONCE = 8
"""How many rows of texts are measured at a time: each gives logits for all tokens of the vocabulary at each place."""


class ReadsAnew:
    """A `layerwise.text.generation.Reader` that remembers nothing: the network reads the whole text for each token.

    Args:
        forward: The compiled network.
        length: How many places it is given, so that it is compiled once.
    """

    def __init__(self, forward: Callable[[Batch], Any], length: int) -> None:
        self.tokens: list[int] = []
        self._forward, self._length = forward, length

    def read(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """See `Reader.read`."""
        self.tokens = []
        return self.extend(tokens, cancelled)

    def extend(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """See `Reader.extend`."""
        if cancelled is not None and cancelled.is_set():
            return None
        self.tokens += [int(token) for token in tokens]
        row = np.zeros((1, self._length), "int32")
        row[0, : len(self.tokens)] = self.tokens
        return np.asarray(self._forward(row))[0, len(self.tokens) - 1]


class WritingRunner(Runner):
    """Writes token by token.

    Args:
        version: The weights, and the task, which is a `Generation`.
        model: The network, as it was built.
        context: The most tokens of a text.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, model: keras.Model, *, context: int) -> None:
        from layerwise import engines

        assert isinstance(version.task, Generation)
        self.task, self.model, self.context = version.task, model, context
        load_into(model, version.folder)
        self._forward: Callable[[Batch], Any] = engines.current().compile_predict(model)

    @contextlib.contextmanager
    def reader(self, tokens: Sequence[int]) -> Iterator[Reader]:
        """What reads a text that begins with these tokens, for as long as the context lasts."""
        yield ReadsAnew(self._forward, self.context)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        task, most = self.task, self.task.most_of(inputs)
        sampling = task.sampling_of(inputs)
        prompt = task.prompt_of(inputs, room_for(most, self.context))
        return self._write(prompt, sampling, most, cancelled)

    def _write(self, prompt: Prompt, sampling: Sampling, most: int, cancelled: threading.Event) -> Iterator[Answer]:
        with self.reader(prompt.tokens) as reader:
            for state in generate(
                reader,
                prompt.tokens,
                self.task.text_of_tokens,
                sampling=sampling,
                most=most,
                context=self.context,
                stop_tokens=self.task.stop_tokens,
                cancelled=cancelled,
            ):
                yield self.task.answer_of(prompt, state)

    def warm(self) -> None:
        """Compile what the first text needs."""
        with self.reader([]) as reader:
            reader.read([1])

    def outputs(self, batch: Batch) -> Any:
        """How well the network foretells texts.

        Args:
            batch: Examples of a data set of the task, an array of objects [examples].

        Returns:
            For each, float64 [examples]: the "nats" that all its tokens cost, and how many "tokens", "hits" and
            "characters" there are.
        """
        examples = [batch[place] for place in range(len(batch))]
        rows = self.task.rows_of(examples)
        found = {name: np.zeros(len(examples)) for name in ("nats", "tokens", "hits", "characters")}
        found["characters"][:] = [self.task.characters_of(example) for example in examples]
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            tokens, targets = self.task.arrays_of(part)
            logits = np.asarray(self._forward(padded(tokens)))[: len(part)]
            is_learned = targets != 0
            right = np.take_along_axis(log_softmax(logits), targets[..., None], axis=-1)[..., 0]
            values = {"nats": -right, "tokens": np.ones_like(right), "hits": logits.argmax(axis=-1) == targets}
            for name, value in values.items():
                sums = np.where(is_learned, value, 0.0).sum(axis=1)
                np.add.at(found[name], [row.example for row in part], sums)
        return found
