"""What all tasks have in common that are given a text: its tokens, and the vocabulary that is learned for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Task, TextFile


@dataclass(frozen=True, kw_only=True)
class Texts(Task):
    """A task that is given a text. Its network takes tokens, int32 [examples, length].

    Args:
        length: How many tokens the network takes.
        vocabulary: The most tokens that there are.
        tokenizer: As from `layerwise.tokenization`; None before a training, which learns one.

    Raises:
        SpecError: A value is not usable.
    """

    least_length: ClassVar[int] = 1
    least_vocabulary: ClassVar[int] = 260
    """The 256 bytes, which every text can be said with, and the special tokens."""
    length: int = 64
    vocabulary: int = 8000
    tokenizer: TextFile | None = None

    def __post_init__(self) -> None:
        for name, least in (("length", self.least_length), ("vocabulary", self.least_vocabulary)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise SpecError(
                    f"{type(self).__name__}: {name} is not usable",
                    expected=f"a whole number from {least} on",
                    received=repr(value),
                )

    def text_of(self, inputs: Mapping[str, Any]) -> str:
        """The text that was given.

        Raises:
            InputError: There is none.
        """
        text = inputs.get("text")
        if not (isinstance(text, str) and text.strip()):
            raise InputError("There is no text", expected="a word or more", received=repr(text)[:40])
        return text

    @property
    def known_tokenizer(self) -> TextFile:
        """The tokenizer.

        Raises:
            SpecError: There is none yet.
        """
        if self.tokenizer is None:
            raise SpecError("The task has no tokenizer yet", remedy="train a model, which learns one from its texts")
        return self.tokenizer
