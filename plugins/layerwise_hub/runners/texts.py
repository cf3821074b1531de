"""Published models that are given texts and say one thing of each."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.published import read_json
from layerwise.runner import Batch
from layerwise.tasks import TextClassification
from layerwise.tasks.base import Answer
from layerwise_hub.runners.base import TorchRunner, in_parts

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

MOST_TOKENS = 2**20
"""No text has more, whatever a tokenizer says that knows no limit."""
_OFFSET_POSITIONS = ("roberta", "camembert", "xlm-roberta", "xlm-roberta-xl", "longformer", "mpnet", "esm")
"""Families whose places are counted from behind the number of their padding."""


class Reader:
    """Texts as a published network takes them.

    Args:
        tokenizer: Its own.
        config: Its settings.
        folder: Where its files are.
    """

    def __init__(self, tokenizer: Any, config: Any, folder: Path) -> None:
        self.tokenizer = tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        told = folder / "sentence_bert_config.json"
        longest = read_json(told).get("max_seq_length") if told.is_file() else None
        self.longest = min(longest_text(tokenizer, config), int(longest or MOST_TOKENS))

    def encoded(self, texts: Sequence[str], **settings: Any) -> Any:
        """Texts as tensors; of a text that is too long the beginning."""
        told = {"padding": True, "truncation": True, "max_length": self.longest, "return_tensors": "pt", **settings}
        return self.tokenizer(list(texts), **told)

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """The number of each token and 1, int32 [texts, the most tokens of one]; 0 after the end of a text."""
        found = self.encoded(texts, padding_side="right", return_tensors="np")
        return ((found["input_ids"] + 1) * found["attention_mask"]).astype("int32")


class TextRunner(TorchRunner):
    """What those have in common that are given texts."""

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.reader = Reader(self.load("AutoTokenizer"), self.network.config, folder)
        self.tokenizer = self.reader.tokenizer

    def encoded(self, texts: Sequence[str]) -> Any:
        """Texts as the network takes them; of a text that is too long the beginning."""
        return self.given(self.reader.encoded(texts))

    def sorted_parts(self, texts: Sequence[str]) -> list[list[int]]:
        """The positions of texts, a few at a time and those of like length together, since all wait for the longest."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        return [list(part) for part in in_parts(order)]


def longest_text(tokenizer: Any, config: Any) -> int:
    """The most tokens of a text: what the tokenizer says, and what the network has places for."""
    places = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 512
    if config.model_type in _OFFSET_POSITIONS:
        places -= (config.pad_token_id or 0) + 1
    return min(int(tokenizer.model_max_length), int(places))


class TextClassifier(TextRunner):
    """Which of several things a text is about."""

    auto = "AutoModelForSequenceClassification"
    task: TextClassification

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.run_batch([inputs])[0]

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        return self.task.decode(self._logits([self.task.text_of(inputs) for inputs in batch]))

    def outputs(self, batch: Batch) -> np.ndarray:
        """Logits [examples, classes] of texts [examples]."""
        return self._logits([str(text) for text in batch])

    def _logits(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(self.task.labels)), "float32")
        for part in self.sorted_parts(texts):
            with self.computing():
                logits = self.network(**self.encoded([texts[place] for place in part])).logits
                found[part] = logits.float().cpu().numpy()
        return found
