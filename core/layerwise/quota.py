"""How much may be written: a limit, and what is left of the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from layerwise.errors import DataError

RESERVE_BYTES = 256 * 2**20
"""What is always left free on the disk: for the runs, and for everything else on the machine."""
_LOOK_EVERY = 64 * 2**20


class Quota:
    """Counts what is written into a folder, before it is written.

    Args:
        folder: Where it is written to; it must exist.
        limit: The most bytes.
        what: What is written, for the message: "The upload".
    """

    def __init__(self, folder: Path, limit: int, what: str) -> None:
        self.folder, self.limit, self.what = folder, limit, what
        self.used = 0
        self._looked_at = 0
        self.expect(0)

    def expect(self, count: int) -> None:
        """Check that `count` bytes more may be written, without counting them.

        Raises:
            DataError: They are more than the limit, or than the disk holds.
        """
        if self.used + count > self.limit:
            raise DataError(f"{self.what} is too large", expected=f"at most {in_bytes(self.limit)}")
        free = shutil.disk_usage(self.folder).free
        if free - count < RESERVE_BYTES:
            raise DataError(
                f"{self.what} does not fit on the disk",
                expected=f"{in_bytes(count + RESERVE_BYTES)} free",
                received=f"{in_bytes(free)} free",
                remedy="delete what is not needed: layerwise uploads and layerwise runs list it",
            )

    def take(self, count: int) -> None:
        """Count `count` bytes that are written next.

        Raises:
            DataError: They are more than the limit, or than the disk holds.
        """
        # The disk is looked at now and then only: others write to it as well.
        if self.used + count > self.limit or self.used + count - self._looked_at > _LOOK_EVERY:
            self.expect(count)
            self._looked_at = self.used
        self.used += count


def in_bytes(count: float) -> str:
    """A size for a reader.

    Example:
        >>> in_bytes(300), in_bytes(4 * 2**30)
        ('300 bytes', '4.0 GiB')
    """
    for unit in ("bytes", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
