"""A sound in, what was said out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import DataError, InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np

    from layerwise.plots import Plot
    from layerwise.splits import Split
    from layerwise.tasks.speech.words import Word

RATES = (4_000, 96_000)
"""Samples a second."""
TIMES_MEASURED = 4
"""In how many of the rows that are measured on each recording stands."""


@dataclass(frozen=True, kw_only=True)
class SpeechRecognition(Task):
    """What was said in a sound.

    A data set has recordings: its inputs are "audio", objects [recordings] that `layerwise.tasks.sounds.load_sound`
    reads, and "speaker", texts [recordings], empty where nobody knows; its targets are what was said, texts
    [recordings].

    Args:
        rate: Samples a second of what the network takes.
        joined: How many recordings of one speaker follow each other where it is measured; 1 for each by itself.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "speech-recognition"
    metric: ClassVar[str] = "word_error_rate"
    rate: int = 16_000
    joined: int = 1

    def __post_init__(self) -> None:
        low, high = RATES
        if not (type(self.rate) is int and low <= self.rate <= high):
            raise SpecError(
                "SpeechRecognition: rate is not usable",
                expected=f"{low} to {high} samples a second",
                received=repr(self.rate),
            )
        if not (type(self.joined) is int and self.joined >= 1):
            raise SpecError(
                "SpeechRecognition: joined is not usable", expected="at least 1", received=repr(self.joined)
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="audio", kind="audio", label="Speech"),)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="text", kind="text", label="What was said"),
            Field(name="note", kind="text", label="Mind this", optional=True),
            Field(name="picture", kind="plot", label="When it was said"),
            Field(name="words", kind="table", label="Word by word"),
        )

    def waveform(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The sound `inputs["audio"]` as the network takes it, float32 [samples] at `rate`.

        Raises:
            InputError: There is no sound, or it cannot be used.
        """
        from layerwise.tasks.sounds import load_sound

        return load_sound(inputs.get("audio"), self.rate)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray | dict[str, np.ndarray]:
        """The waveform, float32 [1, samples].

        Raises:
            InputError: As from `waveform`.
        """
        return self.waveform(inputs)[None]

    def answer(self, waveform: np.ndarray, words: Sequence[Word], *, text: str | None = None, note: str = "") -> Answer:
        """What is shown of a sound whose words are known.

        Args:
            waveform: Float32 [samples].
            words: What was heard.
            text: All of it; None is the words with spaces between.
            note: What the reader should mind, beside what the sound itself says.
        """
        from layerwise.tasks.speech.drawing import sound_pictures

        notes = [*self.notes(waveform), *([note] if note else [])]
        return {
            "text": " ".join(word.text for word in words) if text is None else text,
            "note": " ".join(notes),
            "picture": sound_pictures(waveform, self.rate, words),
            "words": [
                {
                    "word": word.text,
                    "from (s)": round(word.start, 2),
                    "to (s)": round(word.end, 2),
                    "confidence": round(word.confidence, 3),
                }
                for word in words
            ],
        }

    def notes(self, waveform: np.ndarray) -> list[str]:
        """Sentences on what is wrong with a recording."""
        from layerwise.tasks.sounds import is_clipped

        if not waveform.any():
            return ["The recording is silent: is the microphone muted?"]
        return ["The recording was too loud for its microphone, which makes words harder to hear."] * is_clipped(
            waveform
        )

    def sounds_of(self, split: Split) -> list[np.ndarray]:
        """The recordings of a split as waveforms, float32 [samples] each.

        Raises:
            DataError: One of them cannot be read.
        """
        from layerwise.tasks.sounds import load_sound

        sounds = []
        for place, item in enumerate(split.inputs["audio"]):
            try:
                sounds.append(load_sound(item, self.rate))
            except InputError as error:
                name = str(item) if isinstance(item, str | Path) else f"Recording {place}"
                raise DataError(f"{name} cannot be used: {error.what}", remedy="repair or remove it") from None
        return sounds

    def to_measure_on(self, split: Split) -> Split:
        """The recordings as waveforms at `rate`, or rows of `joined` of them, each of one speaker, drawn by a fixed
        seed: inputs "audio", objects [rows], and "speaker"."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.speech.joining import joined_sound

        sounds = self.sounds_of(split)
        speakers = [str(name) for name in split.inputs["speaker"]]
        texts = [str(text) for text in split.targets]
        if self.joined == 1:
            rows = [[place] for place in range(len(sounds))]
        else:
            rows = _rows_of_speakers(speakers, self.joined)
        random = np.random.default_rng(0)
        audio = np.empty(len(rows), object)
        audio[:] = [
            sounds[row[0]] if self.joined == 1 else joined_sound([sounds[place] for place in row], self.rate, random)
            for row in rows
        ]
        said = np.array([" ".join(filter(None, (texts[place] for place in row))) for row in rows], object)
        return Split({"audio": audio, "speaker": np.array([speakers[row[0]] for row in rows], object)}, said)

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """Errors a word (substitutions, deletions and insertions by the number of words that were said), errors a
        character, and the share of recordings without an error.

        Args:
            outputs: "text", what was heard, objects [recordings].
            targets: What was said, texts [recordings].
        """
        from layerwise.tasks.speech.errors import error_rates

        return error_rates(list(outputs["text"]), list(targets))

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """The errors of each speaker, which words were taken for which, and the worst recordings."""
        from layerwise.tasks.speech.errors import error_report

        return error_report(list(outputs["text"]), list(targets), list(outputs["speaker"]))


def _rows_of_speakers(speakers: Sequence[str], joined: int) -> list[list[int]]:
    """Positions of recordings of one speaker, so many in a row; each recording is in TIMES_MEASURED rows, or one more
    where the last row of a speaker has to be filled."""
    import numpy as np

    random = np.random.default_rng(0)
    rows = []
    for speaker in sorted(set(speakers)):
        own = [place for place, name in enumerate(speakers) if name == speaker]
        order = [place for _ in range(TIMES_MEASURED) for place in random.permutation(own).tolist()]
        order += order[: -len(order) % joined]
        rows += [order[start : start + joined] for start in range(0, len(order), joined)]
    return rows
