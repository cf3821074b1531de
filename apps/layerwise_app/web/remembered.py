"""What was read of runs, remembered until more happens in them: pages ask each second, and reading them all again would
keep the server busy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from layerwise.runs import Run

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """What `read` gives of each run, with the size that the file of its events had.

    Args:
        read: Reads a run.
        is_lasting: Whether what it gave stays right until there is another event; None where that is always so.
    """

    def __init__(self, read: Callable[[Run], Found], is_lasting: Callable[[Found], bool] | None = None) -> None:
        self._read, self._is_lasting = read, is_lasting
        self._known: dict[str, tuple[int, Found]] = {}

    def of(self, run: Run) -> Found:
        """What there is to say of a run."""
        try:
            size = run.event_log.path.stat().st_size
        except OSError:
            size = -1
        known = self._known.get(run.id)
        if known is not None and known[0] == size:
            return known[1]
        found = self._read(run)
        if self._is_lasting is None or self._is_lasting(found):
            self._known[run.id] = size, found
        return found

    def forget_beyond(self, number: int) -> None:
        """Forget it all where it is more than so many runs that there are: some were deleted."""
        if len(self._known) > number:
            self._known.clear()
