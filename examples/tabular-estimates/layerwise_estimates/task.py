"""A number and the interval in which it lies nine times in ten, for a row of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.plots import BarPlot
from layerwise.tasks import Field, TabularRegression
from layerwise.tasks.metrics import regression_metrics

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Answer
    from layerwise.versions import Version

LEVELS = (0.05, 0.5, 0.95)
"""Of the quantiles that a model gives: the ends of the interval, and between them the median, which is the answer."""
CERTAINTY = 0.9


@dataclass(frozen=True, kw_only=True)
class Estimate(TabularRegression):
    """A number with an interval.

    A model gives three quantiles [examples, 3] of the target, standardised. They come from the training data, which it
    knows too well; so the interval is made wider by what rows need that it has not learned from (conformalised quantile
    regression, Romano, Patterson and Candès 2019, arXiv:1905.03222).

    Args:
        margin: By how much either end is moved outwards, in deviations of the target.
    """

    type_name: ClassVar[str] = "tabular-estimate"
    network_gives: ClassVar[str] = (
        "The 5 %, 50 % and 95 % quantiles of the target, standardised, (value - mean) / deviation. The interval is "
        "wider at either end by the margin of the task."
    )
    margin: float = 0.0

    @property
    def outputs(self) -> tuple[Field, ...]:
        (value,) = super().outputs
        return (
            value,
            Field(name="interval", kind="text", label="Nine times in ten it is"),
            Field(name="adds", kind="plot", label="What each column adds"),
        )

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise_estimates.runners import NetworkEstimates

        return NetworkEstimates(version, spec)

    def ends(self, outputs: np.ndarray) -> np.ndarray:
        """The interval and the median in the target's unit, float64 [examples, 3], in this order: low, median, high.

        Args:
            outputs: [examples, 3].
        """
        import numpy as np

        # The quantiles of a model may cross.
        low, median, high = np.sort(np.asarray(outputs, "float64"), axis=1).T
        half = -(high - low) / 2
        margin = np.maximum(self.margin, half)  # an interval that is made narrower does not turn inside out
        return np.stack([low - margin, median, high + margin], axis=1) * self.deviation + self.mean

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """For each example the number and its interval.

        Args:
            outputs: [examples, 3].
        """
        unit = f" {self.unit}" if self.unit else ""
        return [
            {"value": median, "interval": f"from {low:.4g} to {high:.4g}{unit}"}
            for low, median, high in self.ends(outputs).tolist()
        ]

    def loss(self, config: TrainingConfig) -> Callable:
        """The pinball loss, the mean over the quantiles, of the standardised target."""

        def pinball(targets: Any, outputs: Any) -> Any:
            from keras import ops

            errors = (ops.cast(targets, outputs.dtype)[:, None] - self.mean) / self.deviation - outputs
            levels = ops.cast(LEVELS, outputs.dtype)
            return ops.mean(ops.maximum(levels * errors, (levels - 1) * errors))

        return pinball

    def training_metrics(self) -> dict[str, Callable]:
        """The mean absolute error of the median, in the target's unit."""

        def mae(targets: Any, outputs: Any) -> Any:
            from keras import ops

            medians = outputs[:, 1] * self.deviation + self.mean
            return ops.mean(ops.abs(ops.cast(targets, outputs.dtype) - medians))

        return {"mae": mae}

    def calibrated(self, outputs: Any, targets: np.ndarray) -> Self:
        """This task with the margin that intervals need to hold of examples that were not learned from."""
        import numpy as np

        low, _, high = np.sort(np.asarray(outputs, "float64"), axis=1).T
        wanted = (np.asarray(targets, "float64") - self.mean) / self.deviation
        missed = np.sort(np.maximum(low - wanted, wanted - high))
        # One more than the share of them, since the next one is not among them.
        place = min(int(np.ceil((len(missed) + 1) * CERTAINTY)), len(missed)) - 1
        return dataclasses.replace(self, margin=float(missed[place]))

    def evaluate(self, outputs: Mapping[str, np.ndarray], targets: np.ndarray) -> dict[str, float]:
        """The measures of every regression, of the median; "coverage", the share of targets in their interval; and
        "width" of the intervals, in the target's unit, the mean.

        Args:
            outputs: As the runners of this plugin give them: "quantiles" [examples, 3].
        """
        low, median, high = self.ends(outputs["quantiles"]).T
        return {
            **regression_metrics(median, targets),
            "coverage": float(((low <= targets) & (targets <= high)).mean()),
            "width": float((high - low).mean()),
        }

    def report(self, outputs: Mapping[str, np.ndarray], targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """How much worse the answers are when a column says nothing any more (permutation importance, Breiman 2001).

        Args:
            outputs: With "shuffled" [examples, columns], the medians when the values of a column are dealt out anew.
        """
        import numpy as np

        median = self.ends(outputs["quantiles"])[:, 1]
        error = np.abs(median - targets).mean()
        shuffled = np.asarray(outputs["shuffled"], "float64") * self.deviation + self.mean
        worse = np.abs(shuffled - targets[:, None]).mean(0) - error
        order = np.argsort(-worse)
        unit = f" {self.unit}" if self.unit else ""
        return [
            BarPlot(
                title=f"How much the mean error of {error:.3g}{unit} grows when a column is shuffled",
                labels=[self.columns[place].name for place in order],
                values=worse[order],
                unit=unit,
            )
        ]
