"""FASTA: sequences with their names, as text (Pearson and Lipman 1988)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.errors import InputError

if TYPE_CHECKING:
    from layerwise.tasks.sequences.alphabets import Alphabet


@dataclass(frozen=True)
class Record:
    """A sequence.

    Args:
        name: What its header says, up to the first blank; "" for none.
        sequence: In capital letters, as `Alphabet.clean` gives it.
        comment: The rest of its header.
    """

    name: str
    sequence: str
    comment: str = ""


def parse(text: str, alphabet: Alphabet, *, most: int = 100_000) -> list[Record]:
    """The sequences of a FASTA text. A text without headers is one sequence.

    Args:
        most: How many there may be.

    Raises:
        InputError: There are none, or too many; a letter is none of the alphabet, or a header has no sequence: the text
            says which.

    Example:
        >>> from layerwise.tasks.sequences.alphabets import DNA
        >>> parse(">one first\\nacg\\nt\\n>two\\nGG", DNA)
        [Record(name='one', sequence='ACGT', comment='first'), Record(name='two', sequence='GG', comment='')]
    """
    found: list[Record] = []
    for number, (header, lines) in enumerate(sections(text.splitlines()), start=1):
        name, _, comment = (header or "").partition(" ")
        called = repr(name) if name else f"number {number}"
        try:
            sequence = alphabet.clean("".join(lines))
        except InputError as error:
            where = f"Sequence {called}: " if header is not None else ""
            raise InputError(f"{where}{error.what}", expected=error.expected, received=error.received) from None
        if not sequence:
            if header is None:
                continue
            raise InputError(f"The sequence {called} is empty", expected="letters below its header")
        found.append(Record(name, sequence, comment.strip()))
        if len(found) > most:
            raise InputError("There are too many sequences", expected=f"{most:,} at most", remedy="divide the file")
    if not found:
        raise InputError(
            f"There is no {alphabet.name_in_words}", expected="letters, or FASTA", received=repr(text[:40])
        )
    return found


def written(records: Iterable[Record], width: int = 60) -> str:
    """Sequences as FASTA.

    Example:
        >>> written([Record("one", "ACGT", "first")], width=3)
        '>one first\\nACG\\nT\\n'
    """
    lines = []
    for record in records:
        lines.append(f">{record.name} {record.comment}".rstrip())
        lines += [record.sequence[start : start + width] for start in range(0, len(record.sequence), width)]
    return "\n".join(lines) + "\n"


def sections(lines: Iterable[str]) -> list[tuple[str | None, list[str]]]:
    """The headers of a FASTA text with the lines below them, whatever stands in these; None in the place of the header
    that the first lines have not."""
    parts: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in lines:
        if line.startswith(">"):
            parts.append((line[1:].strip(), []))
        elif not line.startswith(";"):  # a comment of old files
            parts[-1][1].append(line)
    return parts
