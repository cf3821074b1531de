"""Probes: a small dense network, trained here, on what a published one, which stays as it is, makes of a text or a
picture.

How far the numbers inside a frozen network tell classes apart is what linear probes measure (Alain and Bengio 2016,
arXiv:1610.01644); with few examples they are also a good classifier, and fast to train without a GPU, since each
example goes through the large network once. Where that is not enough, the published network learns too, by small
matrices beside its own (`layerwise_hub.adapters`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from layerwise import TrainingConfig, setting
from layerwise.errors import SpecError

if TYPE_CHECKING:
    from types import ModuleType

    import keras
    import numpy as np

    from layerwise.context import Context
    from layerwise.runner import Runner
    from layerwise.splits import Split
    from layerwise.versions import Version
    from layerwise_hub.probed import Probed

STANDARDISED = "standardised"
"""The layer that brings all numbers to one size."""
ENOUGH = 512
"""From so many examples it learns how large the numbers are that a published network gives which learns too."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(TrainingConfig):
    """The settings of a probe."""

    unused: ClassVar[tuple[str, ...]] = ("frozen_epochs", "lora_rank", "precision")
    hidden_layers: tuple[int, ...] = setting(
        (), "Neurons of each hidden layer; none for a linear probe", minimum=1, maximum=4096
    )
    dropout: float = setting(0.5, "Share of numbers zeroed before each layer", minimum=0, maximum=0.9)
    penalty: float = setting(
        1e-6, "What the sum of the squares of all weights adds to the loss", minimum=0, maximum=10, log=True
    )
    adapter_rank: int = setting(
        8,
        "Of the variant lora: rank of the two matrices that learn beside each of the published network",
        minimum=1,
        maximum=1024,
        advanced=True,
    )
    adapter_scale: float = setting(
        2.0,
        "Of the variant lora: what their product is multiplied by",
        minimum=0.01,
        maximum=100,
        log=True,
        advanced=True,
    )


def build(config: ProbeConfig, task: Probed) -> keras.Model:
    """The network: numbers float32 [examples, dimensions] to logits [examples, classes]; with the published one in it,
    where that learns too, from what that takes.

    Raises:
        SpecError: The published network learns too, and Keras does not compute with torch.
    """
    import keras
    from keras import layers

    if task.is_adapted:
        if (backend := keras.backend.backend()) != "torch":
            raise SpecError(
                "A network with a published one in it is computed with PyTorch",
                expected="KERAS_BACKEND=torch",
                received=f"KERAS_BACKEND={backend}",
            )
        from layerwise_hub.adapters import adapted

        given, x = adapted(config, task)
    else:
        from layerwise_hub.standardised import Standardised

        given = keras.Input((task.dimensions,), name="numbers")
        x: Any = Standardised(name=STANDARDISED)(given)
    penalty = keras.regularizers.L2(config.penalty)
    for place, units in enumerate(config.hidden_layers, start=1):
        x = layers.Dropout(config.dropout, name=f"dropout_{place}")(x)
        x = layers.Dense(units, activation="relu", kernel_regularizer=penalty, name=f"hidden_{place}")(x)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    logits = layers.Dense(len(task.labels), kernel_regularizer=penalty, name="logits")(x)
    return keras.Model(given, logits, name="probe")


class _StopError(Exception):
    """Somebody asked for a stop while examples went through the published network."""


def train(context: Context) -> None:
    """Train a probe: `ModelSpec.train`. First each example goes through the published network, once."""
    _use_torch(context.task)
    from layerwise.training import Supervised

    class OnInsides(Supervised):
        """Training on the numbers inside the published network."""

        def _build(self, keras: ModuleType) -> None:
            super()._build(keras)
            if context.run.start_from is None and self.checkpoint is None:
                # Whoever goes on from a version keeps what its weights have learned with.
                task: Any = context.task
                numbers = self._features(keras) if task.is_adapted else self.given.inputs
                self.model.get_layer(STANDARDISED).learn(numbers)

        def to_train_on(self, split: Split, name: str) -> Split:
            task: Any = context.task
            found = task.prepared(split, f"{context.run.data or context.spec.data} {name}", self._progress)
            if name == "train":
                self.given = found
            return found

        def _progress(self, done: int, total: int) -> None:
            if context.should_stop():
                raise _StopError
            task: Any = context.task
            context.preparing(f"{task.done} by the published network", done, total)

        def _features(self, keras: ModuleType) -> np.ndarray:
            """What the published network makes of some examples from all over the data, before it learns."""
            import numpy as np

            from layerwise import engines
            from layerwise.datasets.feed import take
            from layerwise_hub.adapters import ADAPTED

            first = keras.Model(self.model.inputs, self.model.get_layer(ADAPTED).output)
            forward, task = engines.current().compile_predict(first), cast("Any", context.task)
            places = np.linspace(0, len(self.given) - 1, min(len(self.given), ENOUGH), dtype=int)
            found = []
            for start in range(0, len(places), task.at_once):
                self._progress(start, len(places))
                found.append(forward(take(self.given, places[start : start + task.at_once])[0]))
            self._progress(len(places), len(places))
            return np.concatenate(found)

    try:
        OnInsides(context).fit()
    except _StopError:
        return


def runner(version: Version) -> Runner:
    """What answers: the published network and the probe, both computed with torch."""
    task: Any = version.task
    _use_torch(task)
    from layerwise_hub.manifest import Manifest
    from layerwise_hub.models import probe_of
    from layerwise_hub.probe_runner import ProbeRunner

    return ProbeRunner(version, probe_of(Manifest().entry(task.encoder)))


def _use_torch(task: Any) -> None:
    """Let Keras compute with torch, which has to be here anyway. In a process of its own, before anything else uses
    Keras: two frameworks would want the same cores and the same GPU.

    Raises:
        MissingDependencyError: Something is not installed; the text has the command.
    """
    from layerwise_hub.library import require_framework

    require_framework(*(("peft",) if task.is_adapted else ()))
    os.environ["KERAS_BACKEND"] = "torch"
