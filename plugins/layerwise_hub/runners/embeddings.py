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
    task: Embedding

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.pooling, self.is_normalised = pooling_of(Folder(folder))

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

    def insides(self, texts: Sequence[str]) -> np.ndarray:
        """What goes on inside for texts, float32 [texts, numbers]: the means over the tokens of a text, without the
        padding, of what each layer gives and of the neurons of its feed-forward network, the last layers first
        (`layerwise_hub.runners.insides`)."""
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        with inputs_of(feed_forward(self.network)) as heard:
            for part in self.sorted_parts(texts):
                heard.clear()
                with self.computing():
                    batch = self.encoded([texts[place] for place in part])
                    states = self.network(**batch, output_hidden_states=True).hidden_states
                    weights = batch["attention_mask"].unsqueeze(-1).to(states[0].dtype)
                    weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
                    neurons = [item for item in heard if item.ndim == 3]
                    kept = from_the_last(states, neurons, lambda layer, weights=weights: (layer * weights).sum(1))
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
