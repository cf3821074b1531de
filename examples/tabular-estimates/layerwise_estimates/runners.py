"""What answers, whatever gives the quantiles: with what each column adds, and by which columns it goes in all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.plots import BarPlot
from layerwise.runner import NetworkRunner, Runner
from layerwise.weights import read_arrays
from layerwise_estimates.task import LEVELS
from layerwise_estimates.trees import Trees

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.versions import Version


class Estimates(Runner):
    """Answers with what it knows of rows; subclasses say the quantiles."""

    task: Any

    def quantiles(self, rows: np.ndarray) -> np.ndarray:
        """The quantiles of encoded rows [rows, features], standardised [rows, 3]."""
        raise NotImplementedError

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        row = self.task.encode(inputs)
        (answer,) = self.task.decode(self.quantiles(row))
        added = answer["value"] - self._without_each(row)
        order = np.argsort(-np.abs(added))
        plot = BarPlot(
            title="Beside the same row with an average value there",
            labels=[self.task.columns[place].name for place in order],
            values=added[order],
            unit=f" {self.task.unit}" if self.task.unit else "",
        )
        return {**answer, "adds": [plot]}

    def run_batch(self, batch: Any) -> list[Answer]:
        return Runner.run_batch(self, batch)

    def outputs(self, batch: Any) -> dict[str, np.ndarray]:
        """The "quantiles" [rows, 3]; and "shuffled" [rows, columns], the medians when the values of a column are dealt
        out anew among the rows."""
        rows = np.asarray(batch, "float32")
        order = np.random.default_rng(0).permutation(len(rows))
        medians = []
        for features in self._features():
            shuffled = rows.copy()
            shuffled[:, features] = rows[order][:, features]
            medians.append(self.quantiles(shuffled)[:, 1])
        return {"quantiles": self.quantiles(rows), "shuffled": np.stack(medians, axis=1)}

    def warm(self) -> None:
        self.quantiles(self.task.warm_input())

    def _without_each(self, row: np.ndarray) -> np.ndarray:
        """The answers, in the target's unit [columns], when a number is the mean of its column, or as the mean over all
        choices."""
        rows, owners = [], []
        for place, (column, features) in enumerate(zip(self.task.columns, self._features(), strict=True)):
            for value in [None] if column.kind == "number" else column.choices:
                changed = row[0].copy()
                changed[features] = column.encode([value])[0]
                rows.append(changed)
                owners.append(place)
        medians = self.task.ends(self.quantiles(np.stack(rows)))[:, 1]
        return np.bincount(owners, medians) / np.bincount(owners)

    def _features(self) -> list[slice]:
        """Where the numbers of each column are among the features."""
        ends = np.cumsum([column.width for column in self.task.columns])
        return [slice(end - column.width, end) for end, column in zip(ends.tolist(), self.task.columns, strict=True)]


class NetworkEstimates(Estimates, NetworkRunner):
    """Of a network."""

    def quantiles(self, rows: np.ndarray) -> np.ndarray:
        return NetworkRunner.outputs(self, rows)


class TreeEstimates(Estimates):
    """Of boosted trees.

    Args:
        version: The trained one.
    """

    def __init__(self, version: Version) -> None:
        self.task, arrays = version.task, read_arrays(version.folder)
        self.trees = [Trees.of(arrays, place) for place in range(len(LEVELS))]

    def quantiles(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([trees.predict(rows) for trees in self.trees], axis=1)
