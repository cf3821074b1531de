"""A sound in, what was said out, by a network that says in each moment which word or character it hears."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import DataError, SpecError
from layerwise.tasks.base import Answer
from layerwise.tasks.fields import Field
from layerwise.tasks.speech.words import UNKNOWN
from layerwise.tasks.speech_recognition import SpeechRecognition

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version

UNITS = ("word", "character")
SEARCHES = ("greedy", "beam")
BLANK_NAME = "(nothing)"
MADE_UP_SHARE = 0.08
"""How many unknown words are made up for each word that is trained on, where there is a symbol for them."""


@dataclass(frozen=True, kw_only=True)
class CtcSpeechRecognition(SpeechRecognition):
    """What was said in a sound, by connectionist temporal classification (`layerwise.tasks.speech.ctc`).

    The network takes waveforms float32 [examples, samples] from -1 to 1 of any length, and gives logits [examples,
    frames, symbols + 1] of the symbol that is heard in each frame, the first of them of none ("blank"). It has the
    same number of samples for each frame. Long sounds are heard in parts, which overlap by as much as the network looks
    at before and after a frame; one that looks at all that it is given is asked about eight seconds at a time.

    Args:
        symbols: What it can say, in the order of the network's outputs after the blank: words, or characters.
            `UNKNOWN` among words is any other word.
        unit: "word" or "character": what the symbols are.
        seconds: How long the rows are that it is trained on; several recordings stand in one.
        times: In how many rows each recording stands.
        least: The confidence below which a word counts as UNKNOWN, where that is a symbol.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = CtcSpeechRecognition(symbols=("no", "yes"), rate=8000)
        >>> task.numbers_of("yes yes no"), task.text_of([2, 2, 1])
        ([2, 2, 1], 'yes yes no')
    """

    type_name: ClassVar[str] = "ctc-speech-recognition"
    folder_format: ClassVar[str] = """Recordings with what is said in them: a table with a column of files and a column
of texts, and if you like a third one, `speaker`, or a folder for each word with recordings of it:

    calls/transcripts.tsv       file<tab>text
    calls/monday.wav            monday.wav<tab>please call me back

    words/yes/1.wav
    words/no/1.wav

WAV, FLAC, OGG or MP3 of at most 30 seconds. A fifth of them is held out to test the result; or divide them yourself
into `train` and `test`. Where most words of a table are rare, the network learns characters instead of words.
"""
    network_takes: ClassVar[str] = "A waveform from -1 to 1 [sound, sample], one channel at the task's rate."
    network_gives: ClassVar[str] = (
        "Logits [sound, frame, symbol] of the symbol that is heard in each frame: 0 is none, n is the n-th of the "
        "task's symbols. Take the likeliest of each frame; those side by side are one."
    )
    symbols: tuple[str, ...]
    unit: str = "word"
    seconds: float = 6.0
    times: int = 4
    least: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        owner, symbols = "CtcSpeechRecognition", tuple(self.symbols)
        if not symbols or len(set(symbols)) != len(symbols) or not all(isinstance(x, str) and x for x in symbols):
            raise SpecError(
                f"{owner} has unusable symbols", expected="different, non-empty texts", received=repr(self.symbols)
            )
        object.__setattr__(self, "symbols", symbols)
        if self.unit not in UNITS:
            raise SpecError(f"{owner}: unit is not known", expected=" or ".join(UNITS), received=repr(self.unit))
        for name, low, high in (
            ("seconds", 0.5, 60.0),
            ("times", 1, 1000),
            ("least", 0.0, 1.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise SpecError(
                    f"{owner}: {name} is out of range",
                    expected=f"{low:g} to {high:g}",
                    received=repr(getattr(self, name)),
                )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="audio", kind="audio", label="Speech", alternatives=("live-audio",)),
            Field(
                name="search",
                kind="choice",
                label="How the likeliest words are found",
                choices=SEARCHES,
                default=SEARCHES[0],
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (*super().outputs, Field(name="lattice", kind="plot", label="What it heard in each moment"))

    @property
    def output_names(self) -> tuple[str, ...]:
        """What each of the network's outputs stands for."""
        return (BLANK_NAME, *self.symbols)

    def numbers_of(self, text: str) -> list[int]:
        """The numbers of a text's symbols.

        Raises:
            DataError: It has others, and `UNKNOWN` is none of them.
        """
        places = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}
        parts = text.split() if self.unit == "word" else list(" ".join(text.split()))
        unknown = [part for part in parts if part not in places]
        if unknown and UNKNOWN not in places:
            raise DataError(
                f"{text!r} has a {self.unit} that the model does not know",
                expected=", ".join(self.symbols),
                received=repr(unknown[0]),
                remedy="train a version on these recordings",
            )
        return [places[part if part in places else UNKNOWN] for part in parts]

    def text_of(self, numbers: Sequence[int]) -> str:
        """The text that symbols spell."""
        parts = [self.symbols[number - 1] for number in numbers]
        return " ".join(parts) if self.unit == "word" else "".join(parts).strip()

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The likeliest symbol of each frame as a text. What is more is known only together with the sound.

        Args:
            outputs: Logits [examples, frames, symbols + 1].
        """
        from layerwise.tasks.speech.ctc import greedy

        return [{"text": self.text_of([spike.symbol for spike in greedy(logits)])} for logits in outputs]

    def explained(self, outputs: Any) -> Any:
        """Of each symbol its greatest probability in any frame, the logarithm of it [examples, symbols + 1]. Nobody
        asks why nothing was heard between words, so the blank has the least of them."""
        import keras

        ops: Any = keras.ops
        best = ops.max(ops.log_softmax(outputs, axis=-1), axis=1)[:, 1:]
        return ops.concatenate([ops.min(best, axis=1, keepdims=True), best], axis=1)

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.speech.runner import SpeechRunner

        return SpeechRunner(version, spec)

    def to_train_on(self, split: Split) -> Split:
        """Recordings in rows (`layerwise.tasks.speech.joining`): waveforms float16 [rows, samples], numbers of their
        symbols int32 [rows, most], 0 after the last."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.speech.joining import joined_rows

        sounds = self.sounds_of(split)
        numbers = [self.numbers_of(str(text)) for text in split.targets]
        if UNKNOWN in self.symbols:
            strange = self._made_up(sounds, numbers)
            sounds, numbers = [*sounds, *strange], [*numbers, *[self.numbers_of(UNKNOWN)] * len(strange)]
        rows = joined_rows(sounds, self.rate, self.seconds, self.times, seed=0)
        gap = [self.symbols.index(" ") + 1] if " " in self.symbols else []
        targets = [_with_gaps([numbers[place] for place in members], gap) for members in rows.members]
        wanted = np.zeros([len(targets), max(1, *map(len, targets))], "int32")
        for row, target in zip(wanted, targets, strict=True):
            row[: len(target)] = target
        return Split(rows.waveforms, wanted)

    def _made_up(self, sounds: Sequence[np.ndarray], numbers: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Words that nobody knows, of halves of those that are known."""
        import numpy as np

        from layerwise.tasks.speech.joining import made_up

        random = np.random.default_rng(1)
        pairs = random.integers(0, len(sounds), (round(MADE_UP_SHARE * len(sounds)), 2))
        single = [(one, other) for one, other in pairs if len(numbers[one]) == len(numbers[other]) == 1]
        return [
            made_up(sounds[one], sounds[other], self.rate) for one, other in single if numbers[one] != numbers[other]
        ]

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """As of any recognition of speech; also of the network alone, as an exported one is.

        Args:
            outputs: "text", objects [recordings]; or logits [rows, frames, symbols + 1].
            targets: Texts [recordings]; or numbers of symbols [rows, most], 0 after the last.
        """
        if isinstance(outputs, Mapping):
            return super().evaluate(outputs, targets)
        import numpy as np

        heard = np.array([answer["text"] for answer in self.decode(outputs)], object)
        said = np.array([self.text_of([number for number in row if number]) for row in targets.tolist()], object)
        return super().evaluate({"text": heard}, said)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Recordings with what is said in them: this task with the symbols found there. See `folder_format`.

        Raises:
            DataError: It is not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.speech.recordings import read_recordings

        found = read_recordings(folder)
        task = dataclasses.replace(
            self,
            symbols=found.symbols,
            unit=found.unit,
            seconds=max(self.seconds, found.longest),
            joined=self.joined if found.are_words else 1,
            least=self.least if UNKNOWN in found.symbols else 0.0,
        )
        return OwnData(task=task, splits=found.splits, report=found.report)

    def write_sample(self, folder: Path) -> None:
        """Tones in the place of speech: a folder of recordings for each word; where characters are learned, recordings
        with a table of texts."""
        from layerwise.tasks.speech.recordings import write_sample

        write_sample(folder, self.unit)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """Recordings, measured as this task spells them: a word that it does not know is an error."""
        from layerwise.tasks.speech.recordings import read_recordings

        return read_recordings(folder).splits

    def loss(self, config: TrainingConfig) -> Callable:
        """The negative log-likelihood of the symbols in nats, the mean over rows."""
        from layerwise.tasks.speech.ctc import ctc_loss

        return ctc_loss

    def warm_input(self) -> np.ndarray:
        """A second of silence."""
        import numpy as np

        return np.zeros([1, self.rate], "float32")


def _with_gaps(parts: Sequence[Sequence[int]], gap: Sequence[int]) -> list[int]:
    found: list[int] = []
    for part in parts:
        found += [*(gap if found and part else ()), *part]
    return found
