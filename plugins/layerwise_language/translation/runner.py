"""What answers for a Transformer that translates: texts divided into sentences, beam search, and where it looked."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from layerwise import engines
from layerwise.datasets.batches import Batch, padded
from layerwise.devices import quiet_import
from layerwise.plots import Heatmap
from layerwise.runner import Runner
from layerwise.tasks import Translation
from layerwise.tasks.base import Answer
from layerwise.text.tokenization import PAD, encode_texts, tokenizer_of
from layerwise.versions import Version
from layerwise.weights import load_into
from layerwise_language.translation.beam_search import Written, beam_search

BEAMS = 4
AT_ONCE = 32
"""How many sentences are written at a time."""
_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+|\n+")
_PARTS = re.compile(r"(?<=[,;:–])\s+")


class Translator(Runner):
    """Translates whole texts, sentence by sentence."""

    deterministic = True

    def __init__(self, version: Version) -> None:
        quiet_import()
        from layerwise_language.translation import TranslationConfig, layers_of

        task, config = version.task, version.config
        assert isinstance(task, Translation)
        assert isinstance(config, TranslationConfig)
        self.task = task
        transformer = layers_of(config, task)
        self.model = transformer.whole()
        load_into(self.model, version.folder)
        compile_predict = engines.current().compile_predict
        self._read, self._write = compile_predict(transformer.reader()), compile_predict(transformer.writer())

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        text, direction = self.task.text_of(inputs), self.task.direction_of(inputs)
        parts = self.divided(text)
        found = self.translate([part for part, _ in parts], [direction] * len(parts), cancelled)
        best = [self._text(written[0]) for written in found]
        whole = "".join(new + gap for new, (_, gap) in zip(best, parts, strict=True)).strip()
        return {
            "translation": whole,
            "note": self._note(text),
            "alternatives": self._alternatives(found) if len(found) == 1 else [],
            "alignment": [self._alignment(parts[0][0], found[0][0])] if len(found) == 1 else [],
        }

    def outputs(self, batch: Batch) -> Any:
        """The translations of texts.

        Args:
            batch: "text" and "direction" [texts].

        Returns:
            The same, "text" translated.
        """
        texts, direction = batch["text"], np.asarray(batch["direction"])
        parts = [(number, part) for number, text in enumerate(texts) for part, _ in self.divided(str(text))]
        found = self.translate([part for _, part in parts], [int(direction[number]) for number, _ in parts])
        written: list[list[str]] = [[] for _ in texts]
        for (number, _), item in zip(parts, found, strict=True):
            written[number].append(self._text(item[0]))
        return {"text": np.array([" ".join(text) for text in written], object), "direction": direction}

    def translate(
        self, texts: Sequence[str], directions: Sequence[int], cancelled: threading.Event | None = None
    ) -> list[list[Written]]:
        """The best translations of each text, which must not be longer than the network takes."""
        source = self.task.encode_sources(texts)
        first = np.array([self.task.first_token(direction) for direction in directions], "int32")
        # Texts of one length together, since all wait for the longest.
        order = np.argsort((source != PAD).sum(axis=1), kind="stable")
        found: dict[int, list[Written]] = {}
        for start in range(0, len(order), AT_ONCE):
            chosen = order[start : start + AT_ONCE]
            rows = padded(chosen)
            written = beam_search(
                self._write,
                self._read(source[rows]),
                source[rows],
                first[rows],
                beams=BEAMS,
                most=self.task.length - 1,
                cancelled=cancelled,
            )
            found.update(zip(chosen.tolist(), written, strict=False))
        return [found[place] for place in range(len(texts))]

    def divided(self, text: str) -> list[tuple[str, str]]:
        """A text in sentences, or parts of them, that the network takes, each with the gap that follows it."""
        sentences = _divided(text.strip(), _SENTENCES)
        parts = [part for sentence in sentences for part in self._shorter(*sentence)]
        return [(part.strip(), gap) for part, gap in parts if part.strip()]

    def _shorter(self, text: str, gap: str) -> list[tuple[str, str]]:
        most = self.task.length - 1
        if len(tokenizer_of(self.task.known_tokenizer).encode(text).ids) <= most:
            return [(text, gap)]
        parts = _divided(text, _PARTS)
        if len(parts) == 1:
            # Half of it and half of it, between words or at last between characters.
            middle = text.find(" ", len(text) // 2) + 1 or len(text) // 2
            parts = [(text[:middle], ""), (text[middle:], "")]
        parts[-1] = (parts[-1][0], gap)
        return [shorter for part in parts for shorter in self._shorter(*part)]

    def _text(self, written: Written) -> str:
        return tokenizer_of(self.task.known_tokenizer).decode(list(written.tokens)).strip()

    def _note(self, text: str) -> str:
        longest = max((len(sentence.split()) for sentence, _ in _divided(text, _SENTENCES)), default=0)
        trained = self.task.trained_words
        if not trained or longest <= 2 * trained:
            return ""
        return (
            f"The longest sentence has {longest} words. The network learned from texts of mostly up to {trained} "
            "words, so expect mistakes."
        )

    def _alternatives(self, found: Sequence[Sequence[Written]]) -> list[dict[str, Any]]:
        return [{"text": self._text(written), "log-probability": round(written.score, 3)} for written in found[0][1:]]

    def _alignment(self, text: str, written: Written) -> Heatmap:
        source = self._pieces(encode_texts(self.task.known_tokenizer, [text], self.task.length)[0])
        target = self._pieces(written.tokens)
        return Heatmap(
            title="Across: the source. Down: what it wrote.",
            values=written.looked[: len(target), : len(source) + 1],
            limits=(0, 1),
            row_labels=tuple(target),
            column_labels=(*source, "(end)"),
        )

    def _pieces(self, tokens: Sequence[int] | np.ndarray) -> list[str]:
        tokenizer = tokenizer_of(self.task.known_tokenizer)
        return [tokenizer.decode([int(token)]).strip() or "·" for token in tokens if token != PAD]


def _divided(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """A text where the pattern is, each part with what the pattern found after it."""
    parts, start = [], 0
    for match in pattern.finditer(text):
        parts.append((text[start : match.start()], match.group()))
        start = match.end()
    return [*parts, (text[start:], "")]
