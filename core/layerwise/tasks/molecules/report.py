"""How predictions of molecules go, as plots: against what was measured, by how unlike the molecules are, the worst."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise.plots import Line, LinePlot, Plot, Table, Text
from layerwise.tasks.molecules.metrics import average_precision, number_metrics, roc_auc
from layerwise.tasks.molecules.neighbours import TrainingMolecules
from layerwise.tasks.molecules.predictions import Predicted
from layerwise.tasks.molecules.standardise import read_molecule

if TYPE_CHECKING:
    from layerwise.tasks.molecule_property import MoleculeProperty

NUM_WORST = 8
SIMILARITY_EDGES = (0.0, 0.3, 0.4, 0.5, 1.01)


def report(task: MoleculeProperty, predicted: Predicted, targets: np.ndarray, smiles: Sequence[str]) -> list[Plot]:
    """What a reader wants to see beside the metrics.

    Args:
        targets: What was right, [molecules, targets], NaN where nobody knows.
        smiles: The molecules.
    """
    if task.kind == "yes-no":
        return [_by_property(task, predicted, targets)]
    plots: list[Plot] = [_against_measured(task, predicted, targets, place) for place in range(len(task.targets))]
    if task.molecules is not None:
        plots.append(_by_similarity(task, predicted, targets, smiles))
    return [*plots, _worst(task, predicted, targets, smiles)]


def _by_property(task: MoleculeProperty, predicted: Predicted, targets: np.ndarray) -> Table:
    rows = []
    for place, name in enumerate(task.targets):
        known = np.isfinite(targets[:, place])
        values, right = predicted.values[known, place], targets[known, place] > 0.5
        if right.any() and not right.all():
            figures = [f"{measure(values, right):.3f}" for measure in (roc_auc, average_precision)]
        else:
            figures = ["–", "–"]
        rows.append((name, int(known.sum()), int(right.sum()), *figures))
    columns = ("property", "molecules", "of them yes", "ROC-AUC", "average precision")
    return Table(title="Property by property", columns=columns, rows=rows)


def _against_measured(task: MoleculeProperty, predicted: Predicted, targets: np.ndarray, place: int) -> LinePlot:
    known = np.flatnonzero(np.isfinite(targets[:, place]))
    order = known[np.argsort(targets[known, place], kind="stable")]
    right, said = targets[order, place], predicted.values[order, place]
    ends = [float(min(right.min(), said.min())), float(max(right.max(), said.max()))]
    unit = f" ({task.unit})" if task.unit else ""
    return LinePlot(
        title=task.targets[place],
        lines=(
            Line(label="molecules", x=right, y=said, kind="dots"),
            Line(label="as measured", x=ends, y=ends, kind="dashed"),
        ),
        x_label=f"measured{unit}",
        y_label=f"predicted{unit}",
    )


def _by_similarity(
    task: MoleculeProperty, predicted: Predicted, targets: np.ndarray, smiles: Sequence[str]
) -> Table | Text:
    assert task.molecules is not None
    training = TrainingMolecules.of(task.molecules)
    nearest = np.array([training.nearest_similarity(read_molecule(text).mol) for text in smiles])
    rows = []
    for low, high in itertools.pairwise(SIMILARITY_EDGES):
        chosen = np.flatnonzero((low <= nearest) & (nearest < high))
        if not len(chosen):
            continue
        part = Predicted(*(values[chosen] for values in vars(predicted).values()))
        found = number_metrics(part, targets[chosen])
        name = f"{100 * low:.0f} to {100 * min(high, 1):.0f} %"
        figures = (found["rmse"], found["coverage_90"], found["interval_width"])
        rows.append((name, len(chosen), *(f"{figure:.3f}" for figure in figures)))
    columns = ("similarity to the nearest", "molecules", "RMSE", "within their interval", "width of the interval")
    return Table(title="By how like the training molecules they are", columns=columns, rows=rows)


def _worst(task: MoleculeProperty, predicted: Predicted, targets: np.ndarray, smiles: Sequence[str]) -> Table:
    errors = np.nan_to_num(np.abs(predicted.values - targets)).max(axis=1)
    rows = []
    for at in np.argsort(-errors, kind="stable")[:NUM_WORST]:
        target = int(np.nan_to_num(np.abs(predicted.values[at] - targets[at])).argmax())
        ends = f"{predicted.low[at, target]:.2f} to {predicted.high[at, target]:.2f}"
        rows.append((str(smiles[at]), f"{targets[at, target]:.2f}", f"{predicted.values[at, target]:.2f}", ends))
    columns = ("molecule", "measured", "predicted", "90 % interval")
    return Table(title="The molecules with the largest errors", columns=columns, rows=rows)
