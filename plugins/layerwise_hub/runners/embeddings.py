"""Published models that make a vector of a text."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import Batch
from layerwise.tasks import Embedding
from layerwise.tasks.base import Answer
from layerwise_hub.repository import Folder
from layerwise_hub.runners.insides import feed_forward, from_the_last, inputs_of
from layerwise_hub.runners.texts import TextRunner
from layerwise_hub.task_making import pooling_of

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry


class Embedder(TextRunner):
    """A vector for a text: those of its tokens put together as the model was trained (Reimers and Gurevych 2019,
    arXiv:1908.10084, section 3)."""

    auto = "AutoModel"
    # Vectors are made of those of the tokens, and what was trained for masked words has none.
    spare = ("pooler",)
    task: Embedding

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.pooling, self.is_normalised = pooling_of(Folder(folder))

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        text, others = self.task.texts_of(inputs)
        return self.task.answer(text, others, self.vectors([text, *others]), method=inputs.get("method"))

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

    def insides(self, texts: Sequence[str]) -> np.ndarray:
        """What goes on inside for texts, float32 [texts, numbers]: over the tokens of a text, without the padding, the
        means of what each layer gives and of the neurons of its feed-forward network, and the greatest values of these,
        the last layers first (`layerwise_hub.runners.insides`). A single word that decides is lost in a mean."""
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        with inputs_of(feed_forward(self.network)) as heard:
            for part in self.sorted_parts(texts):
                heard.clear()
                with self.computing():
                    batch = self.encoded([texts[place] for place in part])
                    states = self.network(**batch, output_hidden_states=True).hidden_states
                    there = batch["attention_mask"].unsqueeze(-1)
                    neurons = [item for item in heard if item.ndim == 3]
                    kept = from_the_last(
                        [_mean(layer, there) for layer in states],
                        [_mean(layer, there) for layer in neurons],
                        [_greatest(layer, there) for layer in neurons],
                    )
                for place, numbers in zip(part, np.concatenate(kept, axis=1), strict=True):
                    found[place] = numbers
        return np.stack(found)

    def features(self, tokens: Any) -> Any:
        """The vectors of texts, a tensor [texts, dimensions] by which gradients can go back.

        Args:
            tokens: As of `Reader.tokens`, a tensor.
        """
        import torch

        # No longer than the longest of them.
        tokens = tokens[:, : max(1, int((tokens > 0).sum(1).max()))].long()
        mask = (tokens > 0).long()
        padded = torch.where(tokens > 0, tokens - 1, self.tokenizer.pad_token_id)
        return self._pooled(self.network(input_ids=padded, attention_mask=mask).last_hidden_state, mask)

    def _pooled(self, states: Any, mask: Any) -> Any:
        """The vectors of texts from those of their tokens [texts, places, dimensions]; mask is 1 where there is one."""
        import torch

        there = mask.unsqueeze(-1)
        if self.pooling == "mean":
            vectors = _mean(states, there)
        elif self.pooling == "cls":
            vectors = states[:, 0]
        elif self.pooling == "max":
            vectors = _greatest(states, there)
        else:
            # Whichever side is filled up, the last place that is not.
            places = torch.arange(mask.shape[1], device=mask.device)
            vectors = states[torch.arange(len(states), device=states.device), (mask * places).argmax(1)]
        return torch.nn.functional.normalize(vectors, dim=1) if self.is_normalised else vectors


def _mean(layer: Any, there: Any) -> Any:
    """Over the tokens of each text: of a layer [texts, places, numbers], where `there` [texts, places, 1] is 1."""
    weights = there.to(layer.dtype)
    return (layer * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _greatest(layer: Any, there: Any) -> Any:
    """As `_mean`, of each number the greatest."""
    return layer.masked_fill(there == 0, float("-inf")).amax(1)
