"""What is kept of a text that Whisper writes, so that each token is computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from layerwise_speech.whisper.shape import WhisperShape

Arrays = Mapping[str, Any]
ROOM = 128
"""Places that there are for the keys and values of a text at first, which is enough for most windows; then as many as
the network takes. Few sizes are ever compiled."""


class KeyValueCache:
    """The text that was written so far, its keys and values, and those of the sound that it is about. For one text and
    one thread at a time.

    Args:
        write: The compiled network that `layerwise_speech.whisper.network.Whisper.writer` gives.
        shape: Of the network.
        sound: "keys" and "values" as from the compiled `Whisper.reader`, of one sound.
        dtype: The type that the network computes in.
    """

    def __init__(
        self, write: Callable[[Arrays], Arrays], shape: WhisperShape, sound: Arrays, dtype: str = "float32"
    ) -> None:
        from keras import ops

        self.tokens: list[int] = []
        self.shape = shape
        self._write = write
        # They lie where the network computes, so that they are not copied for each token.
        self._sound = {kind: ops.convert_to_tensor(sound[kind], dtype=dtype) for kind in ("keys", "values")}
        self._past = {kind: self._empty(min(ROOM, shape.max_target_positions)) for kind in ("keys", "values")}

    def extend(self, tokens: Sequence[int]) -> np.ndarray:
        """Read more of the text.

        Args:
            tokens: One at least, and no more than there is room for.

        Returns:
            The logits of the token that follows each, float32 [tokens, vocabulary].
        """
        place, count = len(self.tokens), len(tokens)
        if place + count > self._past["keys"].shape[3]:
            self._grow()
        found = self._write(
            {
                "tokens": np.array([tokens], "int32"),
                "place": np.array([place], "int32"),
                **self._sound,
                **{f"past_{kind}": kept for kind, kept in self._past.items()},
            }
        )
        for kind, kept in self._past.items():
            kept[:, :, :, place : place + count] = found[f"past_{kind}"]
        self.tokens += [int(token) for token in tokens]
        return found["logits"][0]

    def rewind(self, count: int) -> None:
        """Forget all but the first tokens. What is kept of others is not looked at."""
        del self.tokens[count:]

    def _grow(self) -> None:
        for kind, former in self._past.items():
            self._past[kind] = self._empty(self.shape.max_target_positions)
            self._past[kind][:, :, :, : former.shape[3]] = former

    def _empty(self, places: int) -> np.ndarray:
        shape = self.shape
        return np.zeros(
            (shape.decoder_layers, 1, shape.decoder_attention_heads, places, shape.decoder_head_size), "float32"
        )
