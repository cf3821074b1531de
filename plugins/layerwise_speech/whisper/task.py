"""What is said in a sound, written down in whole sentences by a network that writes token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import SpecError
from layerwise.tasks.base import Answer
from layerwise.tasks.fields import Field
from layerwise.tasks.speech_recognition import SpeechRecognition
from layerwise.text.text_file import TextFile
from layerwise_speech.whisper.languages import name_of
from layerwise_speech.whisper.shape import RATE, STEP
from layerwise_speech.whisper.tokens import SpecialTokens

if TYPE_CHECKING:
    import numpy as np

DETECTED = "as it is heard"
"""The choice of a language that is left to the network."""
WANTED = ("what was said", "the same in English")


@dataclass(frozen=True, kw_only=True)
class Transcription(SpeechRecognition):
    """What was said in a sound, with punctuation, in parts of a sentence or so.

    The network takes "audio", waveforms float32 [examples, samples] from -1 to 1, a window each, and "tokens" int32
    [examples, length], what is written of it so far; it gives logits [examples, length, tokens] of the token that
    follows each.

    Args:
        samples: Of a window.
        tokenizer: The `tokenizer.json` of published weights; None before they are there.
        special: Its tokens that no text is made of.
    """

    type_name: ClassVar[str] = "transcription"
    network_takes: ClassVar[str] = (
        "A waveform from -1 to 1 [sound, sample], one channel, 16,000 samples a second, silent after the end; and "
        "tokens [sound, place], as tokenizer.json numbers them, of what is written so far."
    )
    network_gives: ClassVar[str] = "Logits [sound, place, token] of the token that follows each."
    samples: int = 1500 * STEP
    tokenizer: TextFile | None = None
    special: SpecialTokens = field(default_factory=SpecialTokens)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate != RATE:
            raise SpecError("Transcription: rate is not usable", expected=str(RATE), received=repr(self.rate))
        if type(self.samples) is not int or self.samples < STEP or self.samples % STEP:
            raise SpecError(
                "Transcription: samples is not usable", expected=f"a multiple of {STEP}", received=repr(self.samples)
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        if not self.special.languages:
            return super().inputs
        names = tuple(sorted(map(name_of, self.special.languages)))
        return (
            *super().inputs,
            Field(name="language", kind="choice", label="Language", choices=(DETECTED, *names), default=DETECTED),
            Field(name="wanted", kind="choice", label="Write", choices=WANTED, default=WANTED[0]),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        if not self.special.languages:
            return super().outputs
        text, *others = super().outputs
        return (text, Field(name="language", kind="text", label="Language", optional=True), *others)

    def language_of(self, inputs: Mapping[str, Any]) -> str | None:
        """The code of the language that was chosen; None where the network is to find out, or knows one alone."""
        chosen = inputs.get("language") or DETECTED
        return next((code for code in self.special.languages if name_of(code) == chosen), None)

    def is_translated(self, inputs: Mapping[str, Any]) -> bool:
        """Whether the text shall be in English, whatever is spoken."""
        return bool(self.special.languages) and inputs.get("wanted") == WANTED[1]

    def window(self, waveform: np.ndarray, start: int = 0) -> np.ndarray:
        """A window of a sound, float32 [1, samples], silent after the end.

        Args:
            waveform: Float32 [samples], any number.
            start: Its first sample.
        """
        import numpy as np

        found = np.zeros((1, self.samples), "float32")
        part = waveform[start : start + self.samples]
        found[0, : len(part)] = part
        return found

    def encode(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The first window, and what its text begins with, up to the first timestamp.

        Raises:
            InputError: As from `waveform`.
        """
        import numpy as np

        language = self.language_of(inputs) or (self.special.languages or (None,))[0]
        prompt = self.special.prompt(language, is_translated=self.is_translated(inputs))
        tokens = np.array([[*prompt, self.special.first_timestamp]], "int32")
        return {"audio": self.window(self.waveform(inputs)), "tokens": tokens}

    def part_names(self, encoded: Mapping[str, np.ndarray]) -> dict[str, Sequence[str]]:
        """What each token stands for."""
        return {"tokens": [self.token_name(int(token)) for token in encoded["tokens"][0]]}

    def token_name(self, token: int) -> str:
        """What a token stands for: text, what was asked, or a time."""
        from layerwise.text.tokenization import tokenizer_of

        steps = token - self.special.first_timestamp
        if steps >= 0:
            return f"{steps * STEP / self.rate:.2f} s"
        return tokenizer_of(self.known_tokenizer).decode([token], skip_special_tokens=False).strip()

    def text_of_tokens(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without those that no text is made of."""
        from layerwise.text.tokenization import tokenizer_of

        return tokenizer_of(self.known_tokenizer).decode([token for token in tokens if token < self.special.end])

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The tokens that the network thinks follow, as texts: what it writes is found one by one (`runner`)."""
        import numpy as np

        return [{"text": self.text_of_tokens(tokens).strip()} for tokens in np.asarray(outputs).argmax(axis=-1)]

    @property
    def known_tokenizer(self) -> TextFile:
        """The tokenizer.

        Raises:
            SpecError: There is none yet.
        """
        if self.tokenizer is None:
            raise SpecError("The task has no tokenizer yet", remedy="get the published weights, which it comes with")
        return self.tokenizer
