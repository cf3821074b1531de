"""Published models that make a vector of a text."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
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

MOST_INSIDE = 16_384
"""So many numbers for a text: all layers of MiniLM, four of BERT."""


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

    def insides(self, texts: Sequence[str]) -> np.ndarray:
        """What goes on inside for texts, float32 [texts, numbers]: the means over the tokens of a text, without the
        padding, of what each layer gives and of the neurons of its feed-forward network, the last layers first, as many
        as have `MOST_INSIDE` numbers together."""
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        with self._listening() as heard:
            for part in self.sorted_parts(texts):
                heard.clear()
                with self.computing():
                    batch = self.encoded([texts[place] for place in part])
                    states = self.network(**batch, output_hidden_states=True).hidden_states
                    weights = batch["attention_mask"].unsqueeze(-1).to(states[0].dtype)
                    weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
                    kept, count = [], 0
                    for layer in _from_the_last(states, [item for item in heard if item.ndim == 3]):
                        count += layer.shape[-1]
                        if count > MOST_INSIDE and kept:
                            break
                        kept.append((layer * weights).sum(1).float().cpu().numpy())
                for place, numbers in zip(part, np.concatenate(kept, axis=1), strict=True):
                    found[place] = numbers
        return np.stack(found)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[list[Any]]:
        """The neurons [texts, places, neurons] of each feed-forward network, in the order of the layers, in a list that
        each forward pass adds to: what goes into the matrices that lead from as many neurons back to the layer's width.
        Which is how they are found, whatever an architecture calls them."""
        import torch

        heard: list[Any] = []
        width = self.network.config.hidden_size
        found = [
            module.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
            for module in self.network.modules()
            if isinstance(module, torch.nn.Linear) and module.out_features == width < module.in_features
        ]
        try:
            yield heard
        finally:
            for handle in found:
                handle.remove()

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


def _from_the_last(states: Sequence[Any], neurons: Sequence[Any]) -> Iterator[Any]:
    for pair in itertools.zip_longest(reversed(states), reversed(neurons)):
        yield from (layer for layer in pair if layer is not None)
