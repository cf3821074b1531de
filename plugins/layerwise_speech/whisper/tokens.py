"""The tokens of Whisper that no text is made of: what it is asked, and when something was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SpecialTokens:
    """The numbers of the tokens that tell something beside the text. They follow those of texts in every vocabulary of
    Whisper; unless told otherwise they are those of the networks that know English alone.

    Args:
        start: What each text begins with.
        end: What ends it.
        transcribe, translate: What is asked for: what is said, or the same in English.
        no_timestamps: Asks for a text without timestamps. The token before it says that nobody speaks; those after it
            are the timestamps, from 0 seconds on.
        languages: The codes of the languages ("en"), whose tokens follow `start`; empty for a network that knows one.
        suppressed: Tokens that are never written: signs of what is no speech.
        suppressed_first: Tokens that a text does not begin with.
        latest_start: The last timestamp that a text may begin with, in steps; None for any.
    """

    start: int = 50_257
    end: int = 50_256
    transcribe: int = 50_358
    translate: int = 50_357
    no_timestamps: int = 50_362
    languages: tuple[str, ...] = ()
    suppressed: tuple[int, ...] = ()
    suppressed_first: tuple[int, ...] = ()
    latest_start: int | None = 50

    @property
    def no_speech(self) -> int:
        """Says that nobody speaks."""
        return self.no_timestamps - 1

    @property
    def first_timestamp(self) -> int:
        """Stands for the beginning of the window; each one after it for 20 ms more."""
        return self.no_timestamps + 1

    def prompt(self, language: str | None = None, *, is_translated: bool = False) -> Sequence[int]:
        """What a text begins with, before its first timestamp.

        Args:
            language: The code of what is spoken; not looked at where the network knows one language.
            is_translated: Whether the text shall be in English.

        Example:
            >>> SpecialTokens(languages=("en", "zh", "de")).prompt("de")
            [50257, 50260, 50358]
        """
        if not self.languages or language is None:
            return [self.start]
        spoken = self.start + 1 + self.languages.index(language)
        return [self.start, spoken, self.translate if is_translated else self.transcribe]
