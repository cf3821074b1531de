"""What all tasks have in common that are given a text: its tokens, and the vocabulary that is learned for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Task
from layerwise.text.text_file import TextFile

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Texts(Task):
    """A task that is given a text. Its network takes tokens, int32 [examples, length].

    Args:
        length: How many tokens the network takes.
        vocabulary: The most tokens that there are.
        tokenizer: As from `layerwise.text.tokenization`; None before a training, which learns one.

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

    def encode_batch(self, texts: Sequence[str]) -> np.ndarray:
        """The tokens of texts, int32 [texts, length]."""
        from layerwise.text.tokenization import encode_texts

        return encode_texts(self.known_tokenizer, texts, self.length)

    def part_names(self, encoded: Any) -> Sequence[str] | Mapping[str, Sequence[str]]:
        """What each token stands for."""
        from layerwise.text.tokenization import names_of

        return names_of(self.known_tokenizer, encoded[0])

    def with_tokenizer(self, start: Task | None, train: Callable[[], TextFile]) -> Self:
        """This task with a tokenizer: that of the version to begin with, otherwise its own, otherwise a new one.

        Args:
            start: As of `fitted`.
            train: Makes a new one.
        """
        if isinstance(start, type(self)) and start.tokenizer is not None:
            return dataclasses.replace(self, tokenizer=start.tokenizer, vocabulary=start.vocabulary)
        return self if self.tokenizer is not None else dataclasses.replace(self, tokenizer=train())

    @property
    def known_tokenizer(self) -> TextFile:
        """The tokenizer.

        Raises:
            SpecError: There is none yet.
        """
        if self.tokenizer is None:
            raise SpecError("The task has no tokenizer yet", remedy="train a model, which learns one from its texts")
        return self.tokenizer
