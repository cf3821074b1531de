"""`speech/digits-and-words`: what was said, out of digits and commands, in any order and number.

A convolutional network hears in each moment which word has just been said, or none (Graves et al. 2006); it is trained
here, on recordings that are joined to rows (`layerwise.tasks.speech.joining`), or on recordings of one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import Example, ModelCard, ModelSpec, TrainingConfig, Variant, setting
from layerwise.tasks import CtcSpeechRecognition
from layerwise.tasks.speech.words import UNKNOWN
from layerwise_speech.fsdd import DIGITS
from layerwise_speech.speech_commands import COMMANDS

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent
RATE = 8_000
"""Samples a second: a telephone's. The digits have no more, and a network that heard more of the commands would tell
them from digits by that."""
EXAMPLES = ("three_seven_one_four", "go_up_no_right_down", "yes_stop_left", "nine_off_two_on")
"""Files of `examples/words`, the first one for those who come from Home."""


@dataclass(frozen=True, kw_only=True)
class WordsConfig(TrainingConfig):
    """The settings of `speech/digits-and-words`."""

    bands: int = setting(40, "Bands of frequencies", minimum=8, maximum=128)
    filters: int = setting(160, "Filters of each convolution", minimum=8, maximum=1024)
    depth: int = setting(6, "Residual convolutions", minimum=1, maximum=32)
    kernel: int = setting(9, "Frames of 40 ms that each of them looks at, those before it", minimum=2, maximum=64)
    dropout: float = setting(0.15, "Share of numbers zeroed in a training step", minimum=0, maximum=0.9)
    masks: int = setting(
        2, "Stretches of time and of frequencies that training blots out", minimum=0, maximum=10, advanced=True
    )


def build(config: WordsConfig, task: CtcSpeechRecognition) -> keras.Model:
    """The network: waveforms [batch, samples] to logits [batch, samples / 320 at 8 kHz, symbols + 1].

    The first convolutions look a little ahead, the others only back: text can appear while somebody speaks.
    """
    import keras
    from keras import layers

    from layerwise_speech.augmentation import SpecAugment
    from layerwise_speech.log_mel import LogMel

    audio = keras.Input((None,), name="audio")
    hop = task.rate // 100
    x = LogMel(task.rate, 2 * (task.rate * 16 // 1000), hop, config.bands, 60.0, 0.475 * task.rate, name="log_mel")(
        audio
    )
    x = layers.BatchNormalization(dtype="float32", name="standardise")(x)
    if config.masks:
        x = SpecAugment(config.masks, 20, config.bands // 5, 0.3, name="spec_augment")(x)
    for level in (1, 2):
        x = _convolution(x, config.filters, 5, f"halve_{level}", strides=2, padding="same")
    x = _convolution(x, config.filters, 5, "around", padding="same")
    for number in range(1, config.depth + 1):
        found = _convolution(x, config.filters, config.kernel, f"block_{number}", padding="causal")
        found = layers.Dropout(config.dropout, name=f"dropout_{number}")(found)
        x = layers.Add(name=f"add_{number}")([x, found])
    # Logits in float32: in mixed precision the loss would lose digits.
    x = layers.Dense(len(task.symbols) + 1, dtype="float32", name="logits")(x)
    return keras.Model(audio, x, name="words")


def _convolution(x: Any, filters: int, kernel: int, name: str, **arguments: Any) -> Any:
    from keras import layers

    x = layers.Conv1D(filters, kernel, use_bias=False, name=name, **arguments)(x)
    return layers.Activation("silu", name=f"{name}_silu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def examples() -> Sequence[Example]:
    """Recordings of speakers that the network has not heard, in a row."""
    return [
        Example(inputs={"audio": path}, label=path.stem.replace("_", " "))
        for path in (HERE / "examples" / "words" / f"{name}.ogg" for name in EXAMPLES)
    ]


TASK = CtcSpeechRecognition(symbols=(*DIGITS, *COMMANDS, UNKNOWN), rate=RATE, joined=5, times=6, seconds=6.0, least=0.5)

WORDS = ModelSpec(
    name="speech/digits-and-words",
    task=TASK,
    build="layerwise_speech.words:build",
    data="spoken-words",
    config=WordsConfig,
    examples="layerwise_speech.words:examples",
    variants=(
        Variant(
            name="convolutional",
            summary="A small convolutional network",
            config=WordsConfig(
                num_epochs=30,
                batch_size=32,
                learning_rate=2e-3,
                optimizer="adamw",
                schedule="cosine",
                warmup_epochs=1,
                weight_decay=0.01,
                precision="auto",
                validation_fraction=0.05,
            ),
            weights=HERE / "weights" / "words",
        ),
    ),
    card=ModelCard(
        title="Digits and words",
        summary="Say digits and commands in any order: the network writes them down while you speak.",
        invitation="See four spoken digits written down",
        description=(
            "The network takes the waveform itself: its first layer makes a spectrogram of 40 bands on the mel scale, "
            "convolutions make of it a guess for every 40 ms, of a word or of nothing (connectionist temporal "
            "classification). It looks a sixth of a second ahead and two seconds back, so words appear while you "
            "speak. It was trained on 5,100 recordings of single words, joined to rows of six seconds with gaps, "
            "levels, rooms, noise and voices drawn anew: 2,560 digits by the six speakers of the Free Spoken Digit "
            "Dataset (CC BY-SA 4.0) and 2,540 commands, digits and other words by 173 speakers of Speech Commands (CC "
            "BY 4.0, the part of its test set that was at hand). The other words, and halves of two words, "
            "teach it to say `<unknown>`. Figures are of rows of five recordings of one speaker. Those of the test are "
            "digits by the six speakers, recordings 0 to 4 of each. For commands and digits by 43 speakers whom it has "
            "never heard: `layerwise evaluate speech/digits-and-words --split unseen`. Of digits alone, trained for 10 "
            "epochs without one of their speakers, it hears so many wrongly of his: theo 7.9 %, lucas 10.7 %, yweweler "
            "15.7 %, george 18.5 %, nicolas 22.7 %, jackson 23.3 %."
        ),
        limits=(
            "It knows ten digits and ten commands in English and hears as a telephone does, up to 4 kHz. Speakers "
            "whom it has not heard, and children above all, are understood worse; other words are sometimes taken for "
            "known ones. Do not steer anything with it."
        ),
        licence="Apache-2.0",
        sources=("https://www.cs.toronto.edu/~graves/icml_2006.pdf",),
    ),
)
