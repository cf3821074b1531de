"""Published models that make a vector of a picture or of a sound."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from layerwise.errors import WeightsError
from layerwise.runner import Batch
from layerwise.tasks import Embedding
from layerwise.tasks.base import Answer
from layerwise.tasks.embedding import small
from layerwise_hub.runners.base import TorchRunner, in_parts
from layerwise_hub.runners.speech import LONGEST, MASK, pieces
from layerwise_hub.runners.vision import PictureEncoder, pictures_in

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry

LEAST_SECONDS = 0.1
"""A shorter sound is filled up with silence: of less some networks hear no moment at all."""
SPECTROGRAM_HOP = 0.01
"""Seconds between the columns of the spectrograms of the Audio Spectrogram Transformer (Gong et al. 2021,
arXiv:2104.01778)."""
_POOLER = "pooler"
_CLASS_TOKENS = ("cls_token", "class_embedding")


class PictureEmbedder(PictureEncoder):
    """A vector for a picture: what the network has learned to put together from all of it (`pooler_output`), where its
    weights have that; otherwise the vector of its class token (Dosovitskiy et al. 2020, arXiv:2010.11929, section 3.1),
    or the mean over the places of the picture where it has none (Lin et al. 2013, arXiv:1312.4400, section 3.2)."""

    auto = "AutoModel"
    # Those that were trained to classify have none.
    spare = (_POOLER,)
    task: Embedding

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        names = (name.rpartition(".")[2] for name, _ in self.network.named_parameters())
        self.has_class_token = any(name in _CLASS_TOKENS for name in names)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        files = self.task.files_of(inputs)
        first = self.task.read(files[0][1])

        def answers() -> Iterator[Answer]:
            vectors, pictures = self.vectors([first]), [small(first)]
            # A few at a time: all of them decoded may be more than the memory.
            for part in in_parts(files[1:]):
                if cancelled.is_set():
                    return
                read = [self.task.read(value, name) for name, value in part]
                vectors = np.concatenate([vectors, self.vectors(read)])
                pictures += map(small, read)
                yield _so_far(self.task, files, vectors)
            yield _answer(self.task, files, vectors, inputs, pictures)

        return answers()

    def outputs(self, batch: Batch) -> np.ndarray:
        """Vectors [examples, dimensions] of pictures, uint8 [examples, height, width, channels]."""
        return np.concatenate([self.vectors(part) for part in in_parts(pictures_in(batch))])

    def vectors(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """The vectors of a few pictures, float32 [pictures, dimensions].

        Raises:
            WeightsError: They are not as long as the settings of the network say.
        """
        with self.computing():
            found = self._pooled(self.network(**self.encoded(pictures))).float().cpu().numpy()
        return _checked(found, self.task, self.entry.name)

    def gathered(self, batch: Any) -> tuple[list[Any], Sequence[Any]]:
        """The vectors of pictures, and what the layers give."""
        outputs = self.network(**batch, output_hidden_states=True)
        return [self._pooled(outputs)], outputs.hidden_states or ()

    def _pooled(self, outputs: Any) -> Any:
        pooled = getattr(outputs, "pooler_output", None)
        if pooled is not None and _POOLER not in self.missing:
            return pooled.flatten(1)
        states = outputs.last_hidden_state
        if states.ndim == 4:
            return states.mean((2, 3))
        return states[:, 0] if self.has_class_token else states.mean(1)


class SoundEmbedder(TorchRunner):
    """A vector for a sound: what the network puts together from all of it, where it does (`pooler_output`); otherwise
    the mean over its moments, as networks that were trained on sounds alone are used for what a whole one is (Yang et
    al. 2021, arXiv:2105.01051, section 3). Of a long sound the mean over its parts."""

    auto = "AutoModel"
    spare = (MASK,)
    task: Embedding

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.features = self.load("AutoFeatureExtractor")
        # A network of spectrograms takes so many columns, and leaves out what follows.
        columns = getattr(self.features, "max_length", None)
        self.longest = min(LONGEST, columns * SPECTROGRAM_HOP) if columns else LONGEST

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        files = self.task.files_of(inputs)
        first = self.task.read(files[0][1])

        def answers() -> Iterator[Answer]:
            vectors = [self.vector(first)]
            for name, value in files[1:]:
                if cancelled.is_set():
                    return
                vectors.append(self.vector(self.task.read(value, name)))
                yield _so_far(self.task, files, np.stack(vectors))
            yield _answer(self.task, files, np.stack(vectors), inputs)

        return answers()

    def outputs(self, batch: Any) -> np.ndarray:
        """Vectors [examples, dimensions] of sounds, objects [examples] of float32 [samples]."""
        return np.stack([self.vector(np.asarray(waveform, "float32")) for waveform in batch])

    def vector(self, waveform: np.ndarray) -> np.ndarray:
        """The vector of a sound, float32 [dimensions].

        Args:
            waveform: Float32 [samples] at the task's rate.

        Raises:
            WeightsError: It is not as long as the settings of the network say.
        """
        parts = pieces(waveform, self.task.rate, self.longest)
        vectors = [self._vector(waveform[start:end]) for start, end in parts]
        lengths = [end - start for start, end in parts]
        return np.average(vectors, axis=0, weights=lengths).astype("float32")

    def _vector(self, waveform: np.ndarray) -> np.ndarray:
        short = max(0, int(LEAST_SECONDS * self.task.rate) - len(waveform))
        batch = self.features(np.pad(waveform, (0, short)), sampling_rate=self.task.rate, return_tensors="pt")
        with self.computing():
            outputs = self.network(**self.given(batch))
            pooled = getattr(outputs, "pooler_output", None)
            vectors = outputs.last_hidden_state.mean(1) if pooled is None else pooled
            found = vectors.float().cpu().numpy()
        return _checked(found, self.task, self.entry.name)[0]


def _so_far(task: Embedding, files: Sequence[tuple[str, Any]], vectors: np.ndarray) -> Answer:
    """The nearest of those that have vectors already: somebody who waits sees that it goes on, and so does what watches
    over processes."""
    return {"nearest": task.nearest([name for name, _ in files[1 : len(vectors)]], vectors)}


def _answer(
    task: Embedding,
    files: Sequence[tuple[str, Any]],
    vectors: np.ndarray,
    inputs: Mapping[str, Any],
    pictures: Sequence[Image.Image] = (),
) -> Answer:
    first, *others = (name for name, _ in files)
    return task.answer(first, others, vectors, method=inputs.get("method"), pictures=pictures)


def _checked(vectors: np.ndarray, task: Embedding, name: str) -> np.ndarray:
    if vectors.shape[1] != task.dimensions:
        raise WeightsError(
            f"The vectors of {name} are not as long as its config.json says",
            expected=f"{task.dimensions} numbers",
            received=str(vectors.shape[1]),
            remedy="choose another model",
        )
    return vectors
