"""Docstrings as this project writes them, taken apart."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass

SECTIONS = ("Args", "Returns", "Raises", "Example", "Attributes")


@dataclass(frozen=True)
class Docstring:
    """What a docstring says.

    Args:
        text: Its first part, each paragraph in a line.
        arguments: What each argument means.
        example: The code of its example, empty for none.
    """

    text: str
    arguments: tuple[tuple[str, str], ...] = ()
    example: str = ""

    @classmethod
    def of(cls, described: object) -> Docstring:
        """That of a class or a function."""
        head, *parts = re.split(rf"^({'|'.join(SECTIONS)}):\n", inspect.getdoc(described) or "", flags=re.MULTILINE)
        named = dict(zip(parts[::2], parts[1::2], strict=True))
        items = re.split(r"^ {4}(?=\S)", named.get("Args", ""), flags=re.MULTILINE)[1:]
        pairs = (item.partition(":") for item in items)
        return cls(
            text=re.sub(r"(?<=\S)\n(?=[^\s-])", " ", head.strip()),
            arguments=tuple((name.strip(), " ".join(meaning.split())) for name, _, meaning in pairs),
            example=textwrap.dedent(named.get("Example", "")).strip("\n"),
        )
