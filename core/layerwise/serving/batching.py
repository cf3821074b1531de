"""Dynamic batching: requests that come while another one is computed are computed together.

There is no thread and no clock behind it. Whoever finds nobody computing computes at once, alone; those who come
meanwhile wait, and the first of them computes for all that fit to it. So a lone request is never delayed, and the
busier a model is, the larger its batches are.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from layerwise.datasets.batches import Batch, arrays_of, count_of, joined, map_arrays, padded, power_of_two, shape_of

logger = logging.getLogger(__name__)

LARGEST_BATCH = 64
"""The most examples that one forward pass takes."""
LARGEST_BYTES = 4 * 2**20
"""The most bytes of examples that are joined. Joining pays for small ones, of which the call itself costs the most;
large pictures would need much memory at a time."""
MOST_SHAPES = 16
"""For so many shapes of examples larger batches are kept compiled, those that were used last."""

Forward = Callable[[Batch], Any]


class Batcher:
    """Computes single examples by a forward pass, together where they come together.

    A batch is padded to a power of two. That size is compiled in the background when it is wanted for the first time,
    and nobody waits for it: until then, requests are computed in the sizes that there are.

    Args:
        forward: Computes a batch of any size, compiled when it must be.
        compile_again: Gives a forward pass like it, to be compiled for one size without a wait for the others.
        largest_bytes: The most bytes of examples that are joined.

    Example:
        >>> import numpy as np
        >>> batcher = Batcher(lambda batch: batch * 2, lambda: lambda batch: batch * 2)
        >>> batcher.compute(np.array([[3.0]]), threading.Event())
        array([[6.]])
    """

    def __init__(
        self, forward: Forward, compile_again: Callable[[], Forward], *, largest_bytes: int = LARGEST_BYTES
    ) -> None:
        self._forward, self._compile_again, self._largest_bytes = forward, compile_again, largest_bytes
        self._lock = threading.Lock()
        self._waiting: deque[_Example] = deque()
        self._is_computing = False
        self._compiled: OrderedDict[Any, dict[int, Forward]] = OrderedDict()
        self._is_compiling = False

    def compute(self, batch: Batch, cancelled: threading.Event | None = None) -> Any:
        """What the forward pass gives for one example.

        Args:
            batch: The example, [1, ...]. More than one are computed as they are.
            cancelled: Set when nobody waits for it any more; None for never.

        Returns:
            The outputs, [1, ...]; None when it was cancelled before it was computed.

        Raises:
            Exception: What the forward pass raises for this very example.
        """
        size = sum(array.nbytes for array in arrays_of(batch).values())
        largest = min(LARGEST_BATCH, self._largest_bytes // max(1, size))
        if count_of(batch) != 1 or largest < 2:
            return self._forward(batch)
        example = _Example(batch, largest, cancelled)
        with self._lock:
            if self._is_computing:
                self._waiting.append(example)
            else:
                self._is_computing = example.leads = True
        if not example.leads:
            example.turn.wait()
        if example.leads:
            self._compute_with_others(example)
        if example.error is not None:
            raise example.error
        return example.outputs

    def sizes(self, batch: Batch) -> list[int]:
        """The sizes in which examples like this one can be computed together by now."""
        with self._lock:
            return sorted(self._compiled.get(shape_of(batch), ()))

    def _compute_with_others(self, example: _Example) -> None:
        try:
            together, forward, size = self._taken(example)
            if together:
                _compute(together, forward, size)
        finally:
            self._hand_over()

    def _taken(self, first: _Example) -> tuple[list[_Example], Forward, int]:
        """The examples that are computed now, in the order in which they came; with what, and padded to what size."""
        with self._lock:
            fitting = [first, *(example for example in self._waiting if example.shape == first.shape)]
            gone = [example for example in fitting if example.is_gone]
            fitting = [example for example in fitting if not example.is_gone]
            wanted = min(power_of_two(len(fitting)), power_of_two(first.largest + 1) // 2)
            compiled = self._compiled.get(first.shape, {})
            if compiled:
                self._compiled.move_to_end(first.shape)
            size = max((size for size in compiled if size <= wanted), default=1)
            if wanted > size and not self._is_compiling:
                self._is_compiling = True
                threading.Thread(
                    target=self._compile, args=(first, wanted), name="compile a batch", daemon=True
                ).start()
            together = fitting[:size]
            served = {id(example) for example in (*gone, *together)}
            self._waiting = deque(example for example in self._waiting if id(example) not in served)
        for example in gone:
            example.turn.set()
        return together, compiled.get(size, self._forward), size

    def _hand_over(self) -> None:
        """Let the one who has waited longest compute."""
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            self._is_computing = following is not None
        if following is not None:
            following.leads = True
            following.turn.set()

    def _compile(self, example: _Example, size: int) -> None:
        try:
            forward = self._compile_again()
            forward(_padded(example.batch, size))
        except Exception:  # those who ask are computed one by one then, and told what is wrong with theirs
            logger.warning("A batch of %d could not be compiled", size, exc_info=True)
            return  # and it is not tried again
        with self._lock:
            self._compiled.setdefault(example.shape, {})[size] = forward
            if len(self._compiled) > MOST_SHAPES:
                self._compiled.popitem(last=False)
            self._is_compiling = False


class _Example:
    """An example that somebody waits for. When `turn` is set, it was computed, or its own thread `leads`."""

    def __init__(self, batch: Batch, largest: int, cancelled: threading.Event | None) -> None:
        self.batch, self.shape, self.largest, self.cancelled = batch, shape_of(batch), largest, cancelled
        self.turn = threading.Event()
        self.leads = False
        self.outputs: Any = None
        self.error: BaseException | None = None

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.cancelled is not None and self.cancelled.is_set()


def _compute(examples: Sequence[_Example], forward: Forward, size: int) -> None:
    try:
        outputs = forward(_padded(joined([example.batch for example in examples]), size))
        for place, example in enumerate(examples):
            example.outputs = map_arrays(lambda array, place=place: array[place : place + 1], outputs)
    except Exception as error:
        if len(examples) == 1:
            examples[0].error = error
        else:
            for example in examples:
                _compute([example], forward, size)
    except BaseException as error:  # Ctrl-C
        for example in examples:
            example.error = error
    finally:
        for example in examples:
            example.turn.set()


def _padded(batch: Batch, size: int) -> Batch:
    return map_arrays(lambda array: padded(array, size), batch)
