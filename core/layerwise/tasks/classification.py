"""What all classifications have in common, whatever goes in: labels, loss, metrics, answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.tasks.labels import check_labels

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.plots import Plot


@dataclass(frozen=True, kw_only=True)
class Classification(Task):
    """Exclusive classes: a network gives logits [examples, classes], targets are class numbers [examples].

    Subclasses add what goes in: `inputs`, `encode`, `warm_input`, `read_folder`.

    Args:
        labels: The name of each class, in the order of the network's outputs.
    """

    metric: ClassVar[str] = "accuracy"
    network_gives: ClassVar[str] = (
        "Logits, one for each label in the order of the labels; softmax turns them into probabilities."
    )
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", check_labels(self.labels, type(self).__name__))

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="label", kind="text", label="Most probable"),
            Field(name="probabilities", kind="label-probabilities", label="Probabilities"),
        )

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """For each example the most probable label, and the probability of all labels, most probable first.

        Args:
            outputs: Logits [examples, classes].
        """
        from layerwise.from_scratch.losses import softmax

        return [self._answer(row) for row in softmax(self._check_logits(outputs).astype("float64"))]

    def _answer(self, probabilities: np.ndarray) -> Answer:
        # Stable: of equally probable labels the first is named, as by argmax.
        order = (-probabilities).argsort(kind="stable")
        ranked = {self.labels[index]: float(probabilities[index]) for index in order}
        return {"label": next(iter(ranked)), "probabilities": ranked}

    def _check_logits(self, outputs: np.ndarray) -> np.ndarray:
        import numpy as np

        logits = np.asarray(outputs)
        if logits.ndim != 2 or logits.shape[1] != len(self.labels):
            raise SpecError(
                "The network's outputs do not fit the task",
                expected=f"logits [examples, {len(self.labels)}], one for each label",
                received=f"shape {list(logits.shape)}",
                remedy="build the network with one output for each of task.labels",
            )
        return logits

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats, its targets smoothed by `config.label_smoothing` (Szegedy et al. 2016,
        arXiv:1512.00567, section 7)."""
        num_classes, smoothing = len(self.labels), config.label_smoothing

        def cross_entropy(targets: Any, logits: Any) -> Any:
            from keras import ops

            logits = ops.convert_to_tensor(logits)
            targets = ops.one_hot(ops.cast(targets, "int32"), num_classes, dtype=logits.dtype)
            smoothed = (1 - smoothing) * targets + smoothing / num_classes
            return ops.mean(ops.categorical_crossentropy(smoothed, logits, from_logits=True))

        return cross_entropy

    def training_metrics(self) -> dict[str, Callable]:
        """The share of right guesses."""

        def accuracy(targets: Any, logits: Any) -> Any:
            from keras import ops

            hits = ops.equal(ops.argmax(logits, axis=-1), ops.cast(targets, "int32"))
            return ops.mean(ops.cast(hits, "float32"))

        return {"accuracy": accuracy}

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.metrics.classification_metrics`."""
        from layerwise.tasks.metrics import classification_metrics

        return classification_metrics(self._check_logits(outputs), targets)

    def hits(self, outputs: Any, targets: np.ndarray) -> np.ndarray:
        """Whether the most probable label of each example is the right one."""
        import numpy as np

        return self._check_logits(outputs).argmax(axis=1) == np.asarray(targets)

    def report(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """See `layerwise.tasks.classification_report`."""
        from layerwise.tasks.classification_report import report

        return report(self.labels, self._check_logits(outputs), targets)
