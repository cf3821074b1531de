"""What writes with a network of the Llama family: what it has read is kept, so that each token is computed once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

from layerwise import engines
from layerwise.tasks.texts import Texts
from layerwise.text.writing import WritingRunner
from layerwise.versions import Version
from layerwise_language.llama import LlamaConfig, network_of
from layerwise_language.llama.cache import KeyValueCache

KEPT = 4
"""How many texts are kept that somebody may go on with."""
SAME = 0.5
"""A text goes on from one that is kept when it begins with this share of it: many begin with the same instruction."""


class LlamaRunner(WritingRunner):
    """Writes token by token, and remembers the texts that it wrote last."""

    def __init__(self, version: Version) -> None:
        from layerwise.devices import quiet_import

        quiet_import()
        config, task = version.config, version.task
        assert isinstance(config, LlamaConfig)
        assert isinstance(task, Texts)
        llama = network_of(config, task, is_blank=True)
        super().__init__(version, llama.whole(), context=config.context)
        self.shape = llama.shape
        self._read = engines.current().compile_predict(llama.writer())
        self._lock = threading.Lock()
        self._free: list[KeyValueCache] = []

    @contextlib.contextmanager
    def reader(self, tokens: Sequence[int]) -> Iterator[KeyValueCache]:
        """The cache that has most of the text already."""
        cache = self._take(tokens)
        try:
            yield cache
        finally:
            with self._lock:
                self._free = [*self._free, cache][-KEPT:]

    def warm(self) -> None:
        """Compile what a short text needs."""
        with self.reader([]) as cache:
            cache.warm()

    def _take(self, tokens: Sequence[int]) -> KeyValueCache:
        """The cache whose text goes on so; else a new one, or the oldest, which may have the beginning at least."""
        with self._lock:
            same = [_common(cache.tokens, tokens) / max(len(cache.tokens), 1) for cache in self._free]
            if same and max(same) >= SAME:
                return self._free.pop(same.index(max(same)))
            if len(self._free) == KEPT:
                return self._free.pop(0)
        return KeyValueCache(self._read, self.shape)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts have in common at their beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
