"""Published models that translate."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.plots import Heatmap
from layerwise.runner import Batch
from layerwise.tasks import Translation
from layerwise.tasks.base import Answer
from layerwise_hub.runners.base import TorchRunner, in_parts
from layerwise_hub.task_making import translation_prefixes

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

BEAMS = 4
LONGEST_MAP = 60
"""Where it looked is drawn for texts of at most so many tokens."""
_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


class Translator(TorchRunner):
    """Translates a text sentence by sentence: beam search, and where the network looked."""

    auto = "AutoModelForSeq2SeqLM"
    task: Translation

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.tokenizer = self.load("AutoTokenizer")
        # Faster kinds of attention do not tell where they look. It is asked for only where that is drawn.
        self.network.set_attn_implementation("eager")
        self.prefix = next(iter(translation_prefixes(self.network.config.to_dict()).values()), "")

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        sentences = divided(self.task.text_of(inputs))
        found: list[list[tuple[str, float, Any]]] = []
        for part in in_parts([text for text, _ in sentences], BEAMS):
            if cancelled.is_set():
                break
            found += self.translate(part)
        best = [versions[0][0] for versions in found]
        whole = "".join(text + gap for text, (_, gap) in zip(best, sentences, strict=False)).strip()
        is_short = len(found) == 1
        return {
            "translation": whole,
            "alternatives": [
                {"text": text, "log-probability": round(score, 3)} for text, score, _ in found[0][1:] if text != best[0]
            ]
            if is_short
            else [],
            "alignment": self._alignment(sentences[0][0], found[0][0][2]) if is_short else [],
        }

    def outputs(self, batch: Batch) -> Any:
        """The translations of "text" [texts], of which "direction" [texts] is 0. Returns the same, translated."""
        translated = []
        for text in batch["text"]:
            parts = divided(str(text))
            found = [
                versions for part in in_parts([part for part, _ in parts], BEAMS) for versions in self.translate(part)
            ]
            translated.append("".join(item[0][0] + gap for item, (_, gap) in zip(found, parts, strict=True)).strip())
        texts = np.empty(len(translated), object)
        texts[:] = translated
        return {"text": texts, "direction": np.asarray(batch["direction"])}

    def translate(self, texts: Sequence[str]) -> list[list[tuple[str, float, Any]]]:
        """The best translations of each text, the best first: the text, how probable it is (the mean logarithm of its
        tokens), and its tokens."""
        with self.computing():
            batch = self._encoded(texts)
            found = self.network.generate(
                **batch,
                num_beams=BEAMS,
                num_return_sequences=BEAMS,
                do_sample=False,
                max_new_tokens=max(2 * batch["input_ids"].shape[1], 16),
                return_dict_in_generate=True,
                output_scores=True,
            )
        written = self.tokenizer.batch_decode(found.sequences, skip_special_tokens=True)
        rows = list(zip(map(str.strip, written), found.sequences_scores.tolist(), found.sequences, strict=True))
        return [rows[start : start + BEAMS] for start in range(0, len(rows), BEAMS)]

    def _encoded(self, texts: Sequence[str]) -> Any:
        batch = self.tokenizer(
            [self.prefix + text for text in texts],
            padding=True,
            truncation=True,
            max_length=self.task.length,
            return_tensors="pt",
        )
        batch.pop("token_type_ids", None)
        return self.given(batch)

    def _alignment(self, text: str, tokens: Any) -> list[Heatmap]:
        """Where the network looked while it wrote each token, the mean over the heads of its middle layer."""
        with self.computing():
            batch = self._encoded([text])
            outputs = self.network(**batch, decoder_input_ids=tokens[None, :-1], output_attentions=True)
        layers = outputs.cross_attentions
        if not layers or layers[0] is None:
            return []
        looked = layers[len(layers) // 2][0].mean(0).float().cpu().numpy()
        special = set(self.tokenizer.all_special_ids)
        rows = [place for place, token in enumerate(tokens[1:].tolist()) if token not in special]
        skipped = len(self.tokenizer(self.prefix, add_special_tokens=False).input_ids) if self.prefix else 0
        source = batch["input_ids"][0].tolist()
        columns = [place for place in range(skipped, len(source)) if source[place] not in special]
        if not rows or not columns or max(len(rows), len(columns)) > LONGEST_MAP:
            return []
        return [
            Heatmap(
                title="Across: the source. Down: what it wrote.",
                values=looked[np.ix_(rows, columns)],
                row_labels=self._pieces([tokens[1:].tolist()[place] for place in rows]),
                column_labels=self._pieces([source[place] for place in columns]),
            )
        ]

    def _pieces(self, tokens: Sequence[int]) -> list[str]:
        return [self.tokenizer.decode([token]).strip() or "·" for token in tokens]


def divided(text: str) -> list[tuple[str, str]]:
    """The sentences of a text, each with the gap that follows it.

    Example:
        >>> divided("Good morning. How are you?")
        [('Good morning.', ' '), ('How are you?', '')]
    """
    found, start = [], 0
    text = text.strip()
    for gap in _SENTENCES.finditer(text):
        found.append((text[start : gap.start()], gap[0]))
        start = gap.end()
    return [(part, gap) for part, gap in [*found, (text[start:], "")] if part.strip()]
