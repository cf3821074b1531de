"""What is kept of a text that a Llama reads and writes, so that each token is computed once.

Keys and values lie in arrays here. A copy of them, the past, lies where the network computes; those of the places since
that copy was made, the recent ones, are given with each call. Neither is copied as a whole for a token that is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from layerwise_language.llama.shape import LlamaShape

Arrays = Mapping[str, Any]
CHUNK = 64
"""How many tokens of a prompt are read at once; the last ones are filled up. Few sizes are ever compiled: this one and
single tokens, for each size of the past."""
RECENT = 32
"""How many places there may be since the copy was made."""
SMALLEST, GROWTH = 512, 4
"""Places of the first past, and how many times as many the next one has."""


class KeyValueCache:
    """The text that was read so far, and its keys and values. For one text and one thread at a time.

    Args:
        write: The compiled network that `layerwise_language.llama.network.Llama.writer` gives.
        shape: Of the network.
        dtype: The type that the network computes in.
    """

    def __init__(self, write: Callable[[Arrays], Arrays], shape: LlamaShape, dtype: str = "float32") -> None:
        self.tokens: list[int] = []
        self.shape = shape
        self._write, self._dtype = write, dtype
        self._kept = {kind: np.zeros(self._array_shape(0), "float32") for kind in ("keys", "values")}
        self._past: dict[str, Any] = {}
        self._num_past = 0

    def read(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """Read a whole text. What it has in common with the one before is not computed again.

        Args:
            tokens: One at least, and no more than the context.
            cancelled: Set when nobody waits for it any more.

        Returns:
            The logits of the token that follows, float32 [vocabulary]; None when it was cancelled.
        """
        # The last token is always read: its logits are asked for.
        same = next((n for n, (a, b) in enumerate(zip(self.tokens, tokens[:-1], strict=False)) if a != b), None)
        self._rewind(min(len(self.tokens), len(tokens) - 1) if same is None else same)
        return self.extend(tokens[len(self.tokens) :], cancelled)

    def extend(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """Read more of the text. See `read`."""
        logits = None
        for start in range(0, len(tokens), CHUNK):
            if cancelled is not None and cancelled.is_set():
                return None
            logits = self._read(tokens[start : start + CHUNK])
        return logits

    def warm(self) -> None:
        """Compile what a short text needs."""
        self.read([0, 0])
        self.extend([0])
        self._rewind(0)

    def _read(self, tokens: Sequence[int]) -> np.ndarray:
        place, count = len(self.tokens), len(tokens)
        self._make_room(place + count)
        filled = np.zeros(1 if count == 1 else CHUNK, "int32")
        filled[:count] = tokens
        near = slice(self._num_past, self._num_past + RECENT)
        found = self._write(
            {
                "tokens": filled,
                "place": np.array([place], "int32"),
                "last": np.array([count - 1], "int32"),
                "past": np.array([self._num_past], "int32"),
                **self._past,
                **{f"recent_{kind}": kept[:, :, near] for kind, kept in self._kept.items()},
            }
        )
        for kind, kept in self._kept.items():
            kept[:, :, place : place + count] = found[kind][:, :, :count]
        self.tokens += [int(token) for token in tokens]
        if len(self.tokens) - self._num_past >= RECENT:
            self._copy(len(self.tokens))
        return found["logits"]

    def _rewind(self, count: int) -> None:
        """Forget all but the first tokens. What is kept of others is not looked at."""
        del self.tokens[count:]
        self._num_past = min(self._num_past, count)

    def _make_room(self, count: int) -> None:
        room = self._kept["keys"].shape[2] - RECENT
        if count <= room:
            return
        size = SMALLEST
        while size < count:
            size *= GROWTH
        size = max(count, min(size, self.shape.max_position_embeddings))
        for kind, former in self._kept.items():
            self._kept[kind] = np.zeros(self._array_shape(size + RECENT), "float32")
            self._kept[kind][:, :, : former.shape[2]] = former
        self._copy(len(self.tokens))

    def _copy(self, count: int) -> None:
        """Make the past anew, of the first places."""
        from keras import ops

        room = self._kept["keys"].shape[2] - RECENT
        self._past = {
            f"past_{kind}": ops.convert_to_tensor(kept[:, :, :room], dtype=self._dtype)
            for kind, kept in self._kept.items()
        }
        self._num_past = count

    def _array_shape(self, places: int) -> tuple[int, ...]:
        shape = self.shape
        return shape.num_hidden_layers, shape.num_key_value_heads, places, shape.head_size
