"""The text of sequences: typed, or in a file, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerwise.errors import InputError

LARGEST_FILE = 64 * 2**20
"""The most bytes that a file of sequences may have: several bacterial genomes."""


def text_of(inputs: Mapping[str, Any], what: str) -> str:
    """What is in the file `inputs["file"]` if there is one, otherwise `inputs["text"]`.

    Args:
        what: What is looked for, for the error.

    Raises:
        InputError: There is neither, or the file cannot be read.
    """
    text, file = inputs.get("text"), inputs.get("file")
    text = text_of_file(file) if file is not None else text
    if not (isinstance(text, str) and text.strip()):
        raise InputError(f"There is no {what}", expected="letters, or FASTA", received=repr(text)[:40])
    return text


def text_of_file(given: Any) -> str:
    """The text of a file.

    Args:
        given: A path, its bytes, or a mapping with "name" and "content".

    Raises:
        InputError: It cannot be read, is too large, or is no text.

    Example:
        >>> text_of_file(b">one\\nACGT\\n")
        '>one\\nACGT\\n'
    """
    content = given.get("content") if isinstance(given, Mapping) else given
    if isinstance(content, str | Path):
        content = _read(Path(content))
    if not isinstance(content, bytes | bytearray):
        raise InputError("This is no file", expected="a FASTA file", received=type(given).__name__)
    if len(content) > LARGEST_FILE:
        raise _too_large()
    try:
        text = bytes(content).decode("utf-8-sig")
    except UnicodeDecodeError:
        # What old programs write into headers.
        text = bytes(content).decode("latin-1")
    strange = next((letter for letter in text if ord(letter) < 32 and letter not in "\t\n\r\f\x1a"), None)
    if strange is not None:
        raise InputError(
            "The file is no text",
            expected="FASTA: a line that begins with >, and letters below it",
            received=f"bytes that begin with {bytes(content[:8])!r}",
            remedy="save the sequences as plain text; unpack a compressed file first",
        )
    return text


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise _too_large()
        return path.read_bytes()
    except OSError as error:
        raise InputError("The file cannot be read", received=f"{path.name}: {error.strerror or error}") from None


def _too_large() -> InputError:
    return InputError(
        "The file is too large", expected=f"at most {LARGEST_FILE // 2**20} MB", remedy="divide it into several"
    )
