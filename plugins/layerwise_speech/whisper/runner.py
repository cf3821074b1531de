"""What writes down sounds of any length with a network of the Whisper family: window by window, each from where the one
before was understood up to (Radford et al. 2022, arXiv:2212.04356, section 4.5)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from layerwise import engines
from layerwise.devices import quiet_import
from layerwise.from_scratch.losses import log_softmax
from layerwise.runner import Batch, Runner
from layerwise.tasks.base import Answer
from layerwise.tasks.speech.words import Word
from layerwise.versions import Version
from layerwise.weights import load_into
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.decoding import segments_of, write_down
from layerwise_speech.whisper.languages import name_of
from layerwise_speech.whisper.shape import STEP
from layerwise_speech.whisper.task import Transcription

SILENT = 1e-3
"""A window whose samples are all less than this is silent, 60 dB below the loudest that there can be. A network that
is given nothing to hear makes something up."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What was understood of a sound so far.

    Args:
        samples: How much of it.
        language: The code of what is spoken; None before it is known, or where the network knows one language.
        sureness: The probability of that language; None where it was told.
        words: The parts of the text, and when they were said.
        text: All of it.
    """

    samples: int = 0
    language: str | None = None
    sureness: float | None = None
    words: tuple[Word, ...] = ()
    text: str = ""


class WhisperRunner(Runner):
    """Writes down what is said."""

    deterministic = True

    def __init__(self, version: Version) -> None:
        quiet_import()
        from layerwise_speech.whisper import WhisperConfig, network_of

        config, task = version.config, version.task
        assert isinstance(config, WhisperConfig)
        assert isinstance(task, Transcription)
        whisper = network_of(config, is_blank=True)
        self.task, self.shape = task, whisper.shape
        self.model = whisper.whole()
        load_into(self.model, version.folder)
        compile_predict = engines.current().compile_predict
        # XLA is as fast here and rounds less: the encoder stays within 6e-4 of PyTorch's, and within 1.2e-3 without.
        self._read = compile_predict(whisper.reader(), xla=True)
        self._write = compile_predict(whisper.writer())

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        waveform = self.task.waveform(inputs)
        parts = self.hear(waveform, self.task.language_of(inputs), self.task.is_translated(inputs), cancelled)
        return (self._answer(waveform, heard) for heard in parts)

    def outputs(self, batch: Batch) -> Any:
        """What is said in sounds.

        Args:
            batch: "audio", objects [sounds], waveforms float32 [samples] at the task's rate; and what else there is.

        Returns:
            "text", objects [sounds]; all but "audio" as it was.
        """
        texts = np.empty(len(batch["audio"]), object)
        for place, waveform in enumerate(batch["audio"]):
            *_, heard = self.hear(waveform)
            texts[place] = heard.text.strip()
        return {**{name: part for name, part in batch.items() if name != "audio"}, "text": texts}

    def hear(
        self,
        waveform: np.ndarray,
        language: str | None = None,
        is_translated: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Heard]:
        """Write down a sound.

        Args:
            waveform: Float32 [samples], one at least.
            language: The code of what is spoken; None where the network is to find out, or knows one language.
            is_translated: Whether the text shall be in English.
            cancelled: Set when nobody waits for it any more; looked at before each token.

        Yields:
            What was understood so far, after each window.
        """
        heard: Heard | None = Heard(language=language)
        while heard is not None and heard.samples < len(waveform):
            if cancelled is not None and cancelled.is_set():
                return
            heard = self._after_window(heard, waveform, is_translated, cancelled)
            if heard is not None:
                yield heard

    def warm(self) -> None:
        """Compile what the first sound needs."""
        special = self.task.special
        cache = self._listen(self.task.window(np.zeros(0, "float32")))
        for tokens in (special.prompt(next(iter(special.languages), None)), [special.first_timestamp]):
            cache.extend(tokens)

    def _listen(self, window: np.ndarray) -> KeyValueCache:
        return KeyValueCache(self._write, self.shape, self._read(window))

    def _after_window(
        self, heard: Heard, waveform: np.ndarray, is_translated: bool, cancelled: threading.Event | None
    ) -> Heard | None:
        """What is understood with one window more; None when it was cancelled."""
        start, special = heard.samples, self.task.special
        window = self.task.window(waveform, start)
        nothing = replace(heard, samples=min(start + self.shape.num_samples, len(waveform)))
        if np.abs(window).max() < SILENT:
            return nothing
        cache = self._listen(window)
        if special.languages and heard.language is None:
            heard = self._with_language(heard, cache)
        written = write_down(
            cache,
            special.prompt(heard.language, is_translated=is_translated),
            special,
            self.task.text_of_tokens,
            most=self.shape.max_target_positions // 2,
            cancelled=cancelled,
        )
        if written is None or written.is_silent:
            return None if written is None else nothing
        segments, steps = segments_of(written, special, self.shape.max_source_positions)
        texts = [self.task.text_of_tokens(segment.tokens) for segment in segments]
        words = [
            Word(
                text=text.strip(),
                start=min(start + segment.start * STEP, len(waveform)) / self.task.rate,
                end=min(start + segment.end * STEP, len(waveform)) / self.task.rate,
                confidence=float(np.exp(segment.log_probability)),
            )
            for segment, text in zip(segments, texts, strict=True)
            if text.strip()
        ]
        return replace(
            heard,
            samples=min(start + steps * STEP, len(waveform)),
            words=(*heard.words, *words),
            text=heard.text + "".join(texts),
        )

    def _with_language(self, heard: Heard, cache: KeyValueCache) -> Heard:
        """With the language that the network takes it for, which it says after the first token."""
        special = self.task.special
        first = special.start + 1
        chances = np.exp(log_softmax(cache.extend([special.start])[0][first : first + len(special.languages)]))
        place = int(chances.argmax())
        return replace(heard, language=special.languages[place], sureness=float(chances[place]))

    def _answer(self, waveform: np.ndarray, heard: Heard) -> Answer:
        note = ""
        if heard.samples < len(waveform):
            done, whole = heard.samples / self.task.rate, len(waveform) / self.task.rate
            note = f"{done:.0f} of {whole:.0f} seconds were heard so far."
        elif not heard.words and waveform.any():
            note = "Nobody was heard to speak."
        answer = self.task.answer(waveform, heard.words, text=heard.text.strip(), note=note)
        if self.task.special.languages:
            told = "" if heard.sureness is None else f" (detected, {heard.sureness:.0%})"
            answer["language"] = name_of(heard.language) + told if heard.language else ""
        return answer
