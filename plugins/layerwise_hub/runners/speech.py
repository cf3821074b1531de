"""Published models that write down what is said: those that write token by token (Whisper), and those that say a letter
for each moment (CTC)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import Batch, Runner
from layerwise.tasks import SpeechRecognition
from layerwise.tasks.base import Answer
from layerwise.tasks.speech.words import Word
from layerwise_hub.runners.base import TorchRunner

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

SILENT = 1e-3
"""A sound whose samples are all less than this is silent: a network that hears nothing makes something up."""
LONGEST = 30
"""Seconds that a network with attention over all of a sound is given at a time."""
MASK = "masked_spec_embed"
"""What stands for parts of a sound that are hidden from a network while it is trained: some files leave it out."""
SEARCHED = 5
"""In the last seconds of these, a sound is cut where it is quietest."""


def listener(entry: Entry, folder: Path, task: Any) -> Runner:
    """The runner that suits the architecture."""
    return (CtcListener if entry.architecture.endswith("ForCTC") else WhisperListener)(entry, folder, task)


class SpeechRunner(TorchRunner):
    """What those have in common that are given sounds."""

    task: SpeechRecognition

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.features = self.load("AutoFeatureExtractor")
        self.tokenizer = self.load("AutoTokenizer")

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        waveform = self.task.waveform(inputs)

        def answers() -> Iterator[Answer]:
            for text, words in self.hear(waveform, cancelled):
                yield self.task.answer(waveform, words, text=text)

        return answers()

    def outputs(self, batch: Batch) -> Any:
        """What is said in sounds: "audio", objects [sounds] of float32 [samples]. Returns "text", objects [sounds], and
        all else as it was."""
        texts = np.empty(len(batch["audio"]), object)
        for place, waveform in enumerate(batch["audio"]):
            *_, (text, _) = self.hear(np.asarray(waveform, "float32"), threading.Event())
            texts[place] = text
        return {**{name: part for name, part in batch.items() if name != "audio"}, "text": texts}

    def hear(self, waveform: np.ndarray, cancelled: threading.Event) -> Iterator[tuple[str, list[Word]]]:
        """What was understood so far, the text and its parts, again and again.

        Args:
            waveform: Float32 [samples] at the task's rate.
            cancelled: Set when nobody waits for it any more.
        """
        if len(waveform) == 0 or float(np.abs(waveform).max()) < SILENT:
            yield "", []
            return
        yield from self._hear(waveform, cancelled)

    def _hear(self, waveform: np.ndarray, cancelled: threading.Event) -> Iterator[tuple[str, list[Word]]]:
        raise NotImplementedError


class CtcListener(SpeechRunner):
    """Says a letter, or none, for each moment (Graves et al. 2006; Baevski et al. 2020, arXiv:2006.11477)."""

    auto = "AutoModelForCTC"
    spare = (MASK,)

    def _hear(self, waveform: np.ndarray, cancelled: threading.Event) -> Iterator[tuple[str, list[Word]]]:
        words: list[Word] = []
        texts: list[str] = []
        for start, end in pieces(waveform, self.task.rate):
            if cancelled.is_set():
                return
            text, found = self._piece(waveform[start:end], start / self.task.rate)
            texts, words = [*texts, text], [*words, *found]
            yield " ".join(filter(None, texts)), words

    def _piece(self, waveform: np.ndarray, begin: float) -> tuple[str, list[Word]]:
        import torch

        with self.computing():
            batch = self.features(waveform, sampling_rate=self.task.rate, return_tensors="pt")
            chances = torch.softmax(self.network(**self.given(batch)).logits[0].float(), dim=-1)
            best = chances.max(dim=-1)
            scores, tokens = best.values.cpu().numpy(), best.indices.cpu().numpy()
        decoded = self.tokenizer.decode(tokens, output_word_offsets=True)
        step = len(waveform) / self.task.rate / len(tokens)
        words = [
            Word(
                text=item["word"],
                start=begin + item["start_offset"] * step,
                end=begin + item["end_offset"] * step,
                confidence=float(scores[item["start_offset"] : item["end_offset"]].mean()),
            )
            for item in decoded.word_offsets
            if item["word"]
        ]
        return decoded.text.strip(), words


class WhisperListener(SpeechRunner):
    """Writes down a sound window by window (Radford et al. 2022, arXiv:2212.04356)."""

    auto = "AutoModelForSpeechSeq2Seq"

    def _hear(self, waveform: np.ndarray, cancelled: threading.Event) -> Iterator[tuple[str, list[Word]]]:
        import torch

        if not hasattr(self.network.generation_config, "no_timestamps_token_id"):
            yield self._without_times(waveform)
            return

        def is_stopped(tokens: Any, scores: Any, **_: Any) -> Any:
            return torch.full((len(tokens),), cancelled.is_set(), device=tokens.device)

        is_long = len(waveform) > 30 * self.task.rate
        settings = {"truncation": False, "padding": "longest"} if is_long else {}
        with self.computing():
            batch = self.features(
                waveform, sampling_rate=self.task.rate, return_tensors="pt", return_attention_mask=True, **settings
            )
            found = self.network.generate(
                **self.given(batch),
                return_timestamps=True,
                return_segments=True,
                return_dict_in_generate=True,
                output_scores=True,
                stopping_criteria=[is_stopped],
                **self._wanted(),
            )
        words = [self._word(segment, len(waveform) / self.task.rate) for segment in found["segments"][0]]
        text = "".join(self._text(segment["tokens"]) for segment in found["segments"][0])
        yield text.strip(), [word for word in words if word.text]

    def _without_times(self, waveform: np.ndarray) -> tuple[str, list[Word]]:
        """A network that knows no times is given one window."""
        with self.computing():
            batch = self.features(waveform, sampling_rate=self.task.rate, return_tensors="pt")
            tokens = self.network.generate(**self.given(batch), **self._wanted())[0]
        return self._text(tokens).strip(), []

    def _wanted(self) -> dict[str, Any]:
        return {"task": "transcribe"} if getattr(self.network.generation_config, "is_multilingual", False) else {}

    def _text(self, tokens: Any) -> str:
        return self.tokenizer.decode(tokens, skip_special_tokens=True)

    def _word(self, segment: Mapping[str, Any], seconds: float) -> Word:
        import torch

        result, (first, last) = segment["result"], segment["idxs"]
        before = len(result["sequences"]) - len(result["scores"])
        chances = [
            torch.log_softmax(result["scores"][place - before].float(), dim=-1)[result["sequences"][place]]
            for place in range(max(first, before), min(last, before + len(result["scores"])))
        ]
        confidence = float(torch.stack(chances).mean().exp()) if chances else 0.0
        start, end = (min(max(float(segment[name]), 0.0), seconds) for name in ("start", "end"))
        return Word(text=self._text(segment["tokens"]).strip(), start=start, end=max(start, end), confidence=confidence)


def pieces(waveform: np.ndarray, rate: int, longest: float = LONGEST) -> list[tuple[int, int]]:
    """Where a sound begins and ends in parts of at most `longest` seconds, cut where it is quietest.

    Args:
        waveform: Float32 [samples].
        rate: Samples a second.
        longest: Seconds.
    """
    found, start, hop = [], 0, max(1, rate // 50)
    searched = min(SEARCHED, longest / 2)
    while len(waveform) - start > longest * rate:
        begin, end = start + int((longest - searched) * rate), start + int(longest * rate)
        loudness = np.square(waveform[begin : begin + (end - begin) // hop * hop]).reshape(-1, hop).mean(axis=1)
        cut = begin + int(loudness.argmin()) * hop + hop // 2
        found.append((start, cut))
        start = cut
    return [*found, (start, len(waveform))]
