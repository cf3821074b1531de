"""Rows of a table in, a number out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import DataError, SpecError
from layerwise.tasks.base import Answer
from layerwise.tasks.columns import Column, in_digits, is_number, mean_and_deviation
from layerwise.tasks.fields import Field
from layerwise.tasks.tabular import FOLDER_FORMAT, Tabular

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData


@dataclass(frozen=True, kw_only=True)
class TabularRegression(Tabular):
    """A number for a row of a table.

    The network gives [examples, 1]: the target standardised, (value - mean) / deviation. Targets of a split are
    in the target's own unit, [examples].

    Args:
        columns: The input columns, in the order of the network's inputs.
        target: The name of the column with the number.
        unit: The unit of the target ("kg"), empty when it has none.
        mean, deviation: Of the target over the training data, in its unit.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "tabular-regression"
    folder_format: ClassVar[str] = FOLDER_FORMAT.format(
        name="price",
        first="99",
        second="120",
        target="The number to be predicted is in the last column, or in the one named `target` or `label`.",
    )
    metric: ClassVar[str] = "rmse"
    network_gives: ClassVar[str] = "The target standardised, (value - mean) / deviation, with those of the task."
    target: str = "target"
    unit: str = ""
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # A Column has the same statistics and checks them in the same way.
        Column(name=self.target, kind="number", mean=self.mean, deviation=self.deviation)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="value", kind="number", label=f"{self.target} ({self.unit})" if self.unit else self.target),)

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """For each example the number, in the target's unit.

        Args:
            outputs: [examples, 1].
        """
        return [{"value": float(value)} for value in self._values(outputs)]

    def _values(self, outputs: np.ndarray) -> np.ndarray:
        """The outputs [examples, 1] in the target's unit, float64 [examples]."""
        import numpy as np

        outputs = np.asarray(outputs, "float64")
        if outputs.ndim != 2 or outputs.shape[1] != 1:
            raise SpecError(
                "The network's outputs do not fit the task",
                expected="[examples, 1]",
                received=f"shape {list(outputs.shape)}",
            )
        return outputs[:, 0] * self.deviation + self.mean

    def loss(self, config: TrainingConfig) -> Callable:
        """The mean squared error of the standardised target."""

        def squared_error(targets: Any, outputs: Any) -> Any:
            from keras import ops

            return ops.mean(ops.square(self._errors(targets, outputs)))

        return squared_error

    def training_metrics(self) -> dict[str, Callable]:
        """The mean absolute error, in the target's unit."""

        def mae(targets: Any, outputs: Any) -> Any:
            from keras import ops

            return ops.mean(ops.abs(self._errors(targets, outputs) * self.deviation))

        return {"mae": mae}

    def _errors(self, targets: Any, outputs: Any) -> Any:
        """Output minus standardised target, [examples], in `keras.ops`."""
        from keras import ops

        standardised: Any = ops.convert_to_tensor(outputs)
        standardised = standardised[:, 0]
        wanted: Any = ops.cast(targets, standardised.dtype)
        return standardised - (wanted - self.mean) / self.deviation

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.metrics.regression_metrics`."""
        from layerwise.tasks.metrics import regression_metrics

        return regression_metrics(self._values(outputs), targets)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """A table: this task with the columns found there, and the splits "train" and "test". See `folder_format`.

        Raises:
            DataError: The file is not like that, or its target is no number or always the same.
        """
        from layerwise.own_data import OwnData
        from layerwise.splits import Split
        from layerwise.tasks.table_folder import describe_tables, divided, learn_columns, read_tables

        tables = read_tables(folder, (self.target, "target", "label"))
        target = tables.target
        tables = divided(tables, self._groups(tables.targets()["train"]))
        values = {name: self._numbered(texts) for name, texts in tables.targets().items()}
        if values["train"].min() == values["train"].max():
            raise DataError(f"The column {target!r} always has the same value", received=f"{values['train'][0]:g}")
        mean, deviation = mean_and_deviation(values["train"])
        learned = learn_columns(tables)
        task = dataclasses.replace(
            self,
            columns=learned.columns,
            target=target,
            unit=self.unit if target == self.target else "",
            mean=mean,
            deviation=deviation,
        )
        return OwnData(
            task=task,
            splits={name: Split(learned.inputs[name], numbers) for name, numbers in values.items()},
            report=describe_tables(tables, learned),
        )

    def _groups(self, targets: Sequence[str]) -> Sequence[str]:
        return [""] * len(targets)

    def _numbered(self, targets: Sequence[str]) -> np.ndarray:
        import numpy as np

        wrong = sorted({text for text in targets if not is_number(text)})
        if wrong:
            raise DataError(
                "The column of the target must hold numbers",
                received=", ".join(map(repr, wrong[:5])),
                remedy="choose a model for classification, or name the column of numbers 'target'",
            )
        # Float64, so that `evaluate` measures against every digit of the file.
        return np.array([float(text) for text in targets], "float64")

    def _sample_targets(self, scores: np.ndarray) -> list[str]:
        return [in_digits(self.mean + self.deviation * score, self.deviation) for score in scores.tolist()]
