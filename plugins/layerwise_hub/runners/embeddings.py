"""Published models that make a vector of a text."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.published import read_json
from layerwise.runner import Batch
from layerwise.tasks import Embedding
from layerwise.tasks.base import Answer
from layerwise_hub.repository import Folder
from layerwise_hub.runners.texts import TextRunner
from layerwise_hub.task_making import pooling_of

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry


class Embedder(TextRunner):
    """A vector for a text: those of its tokens put together as the model was trained (Reimers and Gurevych 2019,
    arXiv:1908.10084, section 3)."""

    auto = "AutoModel"
    task: Embedding

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.pooling, self.is_normalised = pooling_of(Folder(folder))
        told = folder / "sentence_bert_config.json"
        longest = read_json(told).get("max_seq_length") if told.is_file() else None
        self.longest = min(self.longest, int(longest)) if longest else self.longest

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        text, others = self.task.texts_of(inputs)
        return self.task.answer(text, others, self.vectors([text, *others]))

    def outputs(self, batch: Batch) -> np.ndarray:
        """Vectors [examples, dimensions] of texts [examples]."""
        return self.vectors([str(text) for text in batch])

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of texts, float32 [texts, dimensions]."""
        found = np.zeros((len(texts), self.task.dimensions), "float32")
        for part in self.sorted_parts(texts):
            with self.computing():
                batch = self.encoded([texts[place] for place in part])
                states = self.network(**batch).last_hidden_state
                found[part] = self._pooled(states, batch["attention_mask"]).float().cpu().numpy()
        return found

    def _pooled(self, states: Any, mask: Any) -> Any:
        """The vectors of texts from those of their tokens [texts, places, dimensions]; mask is 1 where there is one."""
        import torch

        weights = mask.unsqueeze(-1).to(states.dtype)
        if self.pooling == "mean":
            vectors = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        elif self.pooling == "cls":
            vectors = states[:, 0]
        elif self.pooling == "max":
            vectors = states.masked_fill(weights == 0, float("-inf")).amax(1)
        else:
            # Whichever side is filled up, the last place that is not.
            places = torch.arange(mask.shape[1], device=mask.device)
            vectors = states[torch.arange(len(states), device=states.device), (mask * places).argmax(1)]
        return torch.nn.functional.normalize(vectors, dim=1) if self.is_normalised else vectors
