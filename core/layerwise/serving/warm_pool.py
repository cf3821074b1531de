"""Which models stay in memory: those that were used last, within a budget, so that many models can be shown on a small
machine. One that was unloaded is loaded again when it is asked.

    LAYERWISE_MEMORY   in bytes, or "4G", "800M": how much this process and those of its plugins' models may have in
                           memory before models are unloaded; three quarters of the machine's or the container's
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from layerwise.hardware.environment import memory
from layerwise.quota import in_bytes
from layerwise.variables import size
from layerwise.workers.memory import give_back, own_memory

if TYPE_CHECKING:
    from layerwise.serving.loading import Loaded

logger = logging.getLogger(__name__)

MEMORY_SHARE = 0.75
"""Of the memory that Layerwise may use, models may be loaded until this share of it is taken."""


def budget() -> int | None:
    """How much may be in memory before models are unloaded, by the environment; None for no limit."""
    total = memory()
    return size("LAYERWISE_MEMORY", None if total is None else int(total * MEMORY_SHARE))


class WarmPool:
    """Unloads what was not used for longest when there is too much in memory.

    Args:
        most: How many bytes may be in memory; None for no limit.
        loaded: What is in memory.
        unload: Lets go of a model unless somebody uses it; says whether it did.
        resident: The bytes that this process has in memory.
    """

    def __init__(
        self,
        most: int | None,
        loaded: Callable[[], Iterable[Loaded]],
        unload: Callable[[Loaded], bool],
        resident: Callable[[], int] = own_memory,
    ) -> None:
        self.most, self._loaded, self._unload, self._resident = most, loaded, unload, resident
        self._lock = threading.Lock()

    def used(self) -> int:
        """The bytes in memory: those of the processes, or those of the parameters where the system does not tell."""
        loaded = list(self._loaded())
        elsewhere = sum(one.runner.memory() for one in loaded)
        return max(self._resident() + elsewhere, sum(one.bytes for one in loaded))

    def make_room(self, needed: int = 0, keep: Loaded | None = None) -> None:
        """Unload models until there is room for `needed` more bytes, or nothing is left that nobody uses.

        Args:
            keep: One that stays in any case, since it was just loaded for somebody.
        """
        if self.most is None:
            return
        with self._lock:
            excess = self.used() + needed - self.most
            if excess <= 0:
                return
            unloaded = []
            # How much the system really gets back is seen the next time. If it were waited for here, memory that an
            # allocator keeps would cost every model its place.
            for one in sorted(self._loaded(), key=lambda one: one.used_at):
                if excess > 0 and one is not keep and self._unload(one):
                    excess -= one.bytes
                    unloaded.append(one.version.reference)
        if unloaded:
            logger.info("Unloaded to make room within %s: %s", in_bytes(self.most), ", ".join(unloaded))
            give_back()
