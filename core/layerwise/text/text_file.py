"""What belongs to a version, is text, and too long for its record."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from layerwise.errors import SpecError


@dataclass(frozen=True)
class TextFile:
    """The value of a task's field that is too long for a version's record, such as a tokenizer: a file of its own
    beside the weights.

    Args:
        name: The name of the file.
        content: What is in it.
    """

    name: str
    content: str = dataclasses.field(repr=False)

    @property
    def sha256(self) -> str:
        """The checksum of the content in UTF-8."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path, name: str, sha256: str) -> TextFile:
        """The file of that name in the folder of a version.

        Raises:
            SpecError: It cannot be read, or is another one than the version was saved with.
        """
        try:
            found = cls(name, (folder / Path(name).name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{folder / name} cannot be read", received=str(error)) from error
        if found.sha256 != sha256:
            raise SpecError(f"{folder / name} is not the file that the weights were saved with")
        return found
