"""Probes: a small dense network, trained here, on what a published one, which stays as it is, makes of a text.

How far the numbers inside a frozen network tell classes apart is what linear probes measure (Alain and Bengio 2016,
arXiv:1610.01644); with few examples they are also a good classifier, and fast to train without a GPU, since each text
goes through the large network once.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise import TrainingConfig, setting
from layerwise.errors import SpecError, WeightsError
from layerwise.tasks import Embedding, TextClassification

if TYPE_CHECKING:
    from types import ModuleType

    import keras
    import numpy as np

    from layerwise.context import Context
    from layerwise.runner import Runner
    from layerwise.splits import Split
    from layerwise.tasks.base import Task
    from layerwise.versions import Version
    from layerwise_hub.manifest import Entry
    from layerwise_hub.runners.embeddings import Embedder

DATASET = "sst2"
LABELS = ("negative", "positive")
"""Of that data set."""
ENDING = "-probe"
"""How the name of a probe ends, after that of the network that it stands on."""
STANDARDISED = "standardised"
"""The layer that brings all numbers to one size."""
AT_ONCE = 256
"""Texts between two words about how far it is."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(TrainingConfig):
    """The settings of a probe."""

    unused: ClassVar[tuple[str, ...]] = ("frozen_epochs", "lora_rank", "precision")
    hidden_layers: tuple[int, ...] = setting(
        (), "Neurons of each hidden layer; none for a linear probe", minimum=1, maximum=4096
    )
    dropout: float = setting(0.5, "Share of numbers zeroed before each layer", minimum=0, maximum=0.9)
    penalty: float = setting(
        2e-5, "What the sum of the squares of all weights adds to the loss", minimum=0, maximum=10, log=True
    )


@dataclass(frozen=True, kw_only=True)
class ProbedTexts(TextClassification):
    """Texts in, one of several labels out, by way of the numbers inside a published network that has read them.

    Args:
        encoder: The published network, as it was added.
        digest: Of its files. A probe has learned from the numbers of these, and means nothing with others.
        dimensions: How many numbers there are for a text; 0 before a training, which finds it out.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "probed-texts"
    network_takes: ClassVar[str] = (
        "Numbers inside the published network for texts [text, number]: the means over their tokens."
    )
    encoder: str
    digest: str
    dimensions: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.dimensions) is not int or self.dimensions < 0:
            raise SpecError(
                "ProbedTexts: dimensions is not usable",
                expected="a whole number from 0 on",
                received=repr(self.dimensions),
            )

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The numbers for `inputs["text"]`, float32 [1, dimensions].

        Raises:
            InputError: There is no text.
        """
        return self.encode_batch([self.text_of(inputs)])

    def encode_batch(self, texts: Sequence[str]) -> np.ndarray:
        """The numbers for texts, float32 [texts, dimensions].

        Raises:
            NotFoundError: The published network was removed.
            WeightsError: It is another one now.
        """
        return encoder_of(self.encoder, self.digest).insides([str(text) for text in texts])

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With the number of dimensions. The published network has its vocabulary."""
        return dataclasses.replace(self, dimensions=self.encode_batch(["a"]).shape[1])

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, self.dimensions), "float32")

    def prepared(self, split: Split, purpose: str, progress: Callable[[int, int], None]) -> Split:
        """Numbers in the place of texts. They are kept in the cache, so that whoever trains on these texts again with
        other settings, or goes on, need not wait for them again.

        Args:
            purpose: Of which data they are, so that former ones of the same are thrown away.
            progress: Told how many are done, and of how many.
        """
        from layerwise import prepared
        from layerwise.splits import Split
        from layerwise_hub.library import folder_of
        from layerwise_hub.manifest import Manifest

        texts = [str(split.inputs[place]) for place in range(len(split))]

        def compute(folder: Path) -> dict[str, Any]:
            import numpy as np

            found = np.zeros((len(texts), self.dimensions), "float16")
            for start in range(0, len(texts), AT_ONCE):
                progress(start, len(texts))
                part = slice(start, start + AT_ONCE)
                found[part] = self.encode_batch(texts[part])
            progress(len(texts), len(texts))
            found.tofile(folder / "numbers")
            return {"shape": found.shape}

        state = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
        source = folder_of(Manifest().entry(self.encoder))
        folder, known = prepared.prepared(source, f"numbers inside for {purpose}", [self.digest, state], compute)
        return Split(prepared.memory_mapped(folder / "numbers", "float16", tuple(known["shape"])), split.targets)


@functools.lru_cache(maxsize=1)
def encoder_of(name: str, digest: str) -> Embedder:
    """The published network, in this process.

    Raises:
        NotFoundError: It was removed.
        MissingDependencyError: torch or transformers is not installed.
        WeightsError: Its files are other ones than those of the digest, or cannot be loaded.
    """
    from layerwise_hub.library import folder_of, require_framework
    from layerwise_hub.manifest import Manifest
    from layerwise_hub.runners.embeddings import Embedder

    entry = Manifest().entry(name)
    if digest_of(entry) != digest:
        raise WeightsError(
            f"{name} is not what it was when its probe was trained",
            remedy=f"train the probe again: layerwise train {name}{ENDING}",
        )
    require_framework()
    return Embedder(entry, folder_of(entry), Embedding(**Embedding.fields_from(dict(entry.task))))


def digest_of(entry: Entry) -> str:
    """One number for all files of a published network, in hex."""
    told = "\n".join(f"{name} {kept.sha256}" for name, kept in sorted(entry.files.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def build(config: ProbeConfig, task: ProbedTexts) -> keras.Model:
    """The network: numbers float32 [texts, dimensions] to logits [texts, classes]."""
    import keras
    from keras import layers

    from layerwise_hub.standardised import Standardised

    numbers = keras.Input((task.dimensions,), name="numbers")
    penalty = keras.regularizers.L2(config.penalty)
    x: Any = Standardised(name=STANDARDISED)(numbers)
    for place, units in enumerate(config.hidden_layers, start=1):
        x = layers.Dropout(config.dropout, name=f"dropout_{place}")(x)
        x = layers.Dense(units, activation="relu", kernel_regularizer=penalty, name=f"hidden_{place}")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    logits = layers.Dense(len(task.labels), kernel_regularizer=penalty, name="logits")(x)
    return keras.Model(numbers, logits, name="probe")


class _StopError(Exception):
    """Somebody asked for a stop while texts were read."""


def train(context: Context) -> None:
    """Train a probe: `ModelSpec.train`. First each text goes through the published network, once."""
    _use_torch()
    from layerwise.training import Supervised
    from layerwise_hub.library import require_framework

    require_framework()

    class OnInsides(Supervised):
        """Training on the numbers inside the published network."""

        def _build(self, keras: ModuleType) -> None:
            super()._build(keras)
            if context.run.start_from is None:
                # Whoever goes on from a version keeps what its weights have learned with.
                self.model.get_layer(STANDARDISED).learn(self.numbers)

        def to_train_on(self, split: Split, name: str) -> Split:
            def progress(done: int, total: int) -> None:
                if context.should_stop():
                    raise _StopError
                context.preparing("texts read by the published network", done, total)

            task = context.task
            assert isinstance(task, ProbedTexts)
            found = task.prepared(split, f"{context.run.data or context.spec.data} {name}", progress)
            if name == "train":
                self.numbers = found.inputs
            return found

    try:
        OnInsides(context).fit()
    except _StopError:
        return


def runner(version: Version) -> Runner:
    """What answers: the published network and the probe, both computed with torch."""
    _use_torch()
    from layerwise.tasks.text_runner import TextRunner
    from layerwise_hub.manifest import Manifest
    from layerwise_hub.models import probe_of

    task = version.task
    assert isinstance(task, ProbedTexts)
    # Said now rather than with the first text.
    encoder_of(task.encoder, task.digest)
    return TextRunner(version, probe_of(Manifest().entry(task.encoder)))


def _use_torch() -> None:
    """Let Keras compute with torch, which has to be here anyway. In a process of its own, before anything else uses
    Keras: two frameworks would want the same cores and the same GPU."""
    os.environ["KERAS_BACKEND"] = "torch"


def task_of(entry: Entry) -> ProbedTexts:
    """The task of a probe on a published network."""
    return ProbedTexts(labels=LABELS, encoder=entry.name, digest=digest_of(entry))
