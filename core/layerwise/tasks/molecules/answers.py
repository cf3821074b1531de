"""What is said of a molecule, in words and as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerwise.tasks.molecule_property import MoleculeProperty
    from layerwise.tasks.molecules.neighbours import Neighbour
    from layerwise.tasks.molecules.predictions import Predicted
    from layerwise.tasks.molecules.standardise import Molecule

LOW, HIGH = "90 % interval from", "to"
LEAST, MOST = "least sure member", "surest member"


def rows_of(task: MoleculeProperty, predicted: Predicted, place: int) -> list[dict[str, Any]]:
    """A row for each property of a molecule: its value and the ends of its interval, or its probability and what the
    members of the ensemble say at least and at most; the most probable first.

    Args:
        place: Of the molecule among those predicted.
    """
    names = (value_name(task), LOW, HIGH) if task.kind == "number" else ("probability", LEAST, MOST)
    parts = (predicted.values[place], predicted.low[place], predicted.high[place])
    rows = [
        {"property": target, **{name: float(part[number]) for name, part in zip(names, parts, strict=True)}}
        for number, target in enumerate(task.targets)
    ]
    return sorted(rows, key=lambda row: -row["probability"]) if task.kind == "yes-no" else rows


def value_name(task: MoleculeProperty) -> str:
    """What the column of values is called."""
    return f"value ({task.unit})" if task.unit else "value"


def sentence(task: MoleculeProperty, rows: Sequence[Mapping[str, Any]]) -> str:
    """The first row of `rows_of` in words, and how many more there are."""
    row = rows[0]
    if task.kind == "number":
        value, low, high = (rounded(row[name]) for name in (value_name(task), LOW, HIGH))
        unit = f" {task.unit}" if task.unit else ""
        said = f"{row['property']}: {value}{unit}, with 90 % certainty from {low} to {high}"
    else:
        shares = [f"{100 * row[name]:.0f} %" for name in ("probability", LEAST, MOST)]
        said = f"{row['property']}: {shares[0]} probable (members say {shares[1]} to {shares[2]})"
    more = f"; {len(rows) - 1} more below" if len(rows) > 1 else ""
    return f"{said}{more}."


def rounded(value: float) -> str:
    """A number with three digits, its minus a real one.

    Example:
        >>> rounded(-2.3456), rounded(123.4)
        ('−2.35', '123')
    """
    return f"{value:.3g}".replace("-", "−")


def domain_sentence(task: MoleculeProperty, molecule: Molecule, nearest: float) -> str:
    """Whether a molecule is like those that the network was trained on.

    Args:
        nearest: The similarity of the nearest training molecule.
    """
    if nearest >= 1:
        found = "The network was trained on this very molecule, or on one with the same groups of atoms"
    else:
        found = f"The nearest training molecule is {100 * nearest:.0f} % similar (Tanimoto)"
    limit = f"{100 * task.similarity:.0f} %, which 95 % of the training molecules reach among themselves"
    if is_inside(task, molecule, nearest):
        return f"Yes. {found}; the domain begins at {limit}."
    why = "the molecule itself is unusual" if nearest >= task.similarity else f"the domain begins at {limit}"
    return f"No: take the answer for a guess. {found}; {why}."


def is_inside(task: MoleculeProperty, molecule: Molecule, nearest: float) -> bool:
    """Whether a molecule is in the domain of the network."""
    return molecule.is_usual and nearest >= task.similarity


def caption(task: MoleculeProperty, neighbour: Neighbour) -> str:
    """What stands below a similar molecule: how similar it is, and what is known of it."""
    known = [(name, value) for name, value in zip(task.targets, neighbour.values, strict=True) if math.isfinite(value)]
    if task.kind == "number":
        said = ", ".join(rounded(value) for _, value in known)
    elif len(task.targets) == 1:
        said = "yes" if known and known[0][1] > 0.5 else "no" if known else "unknown"
    else:
        said = f"yes in {sum(value > 0.5 for _, value in known)} of {len(known)}"
    return f"{100 * neighbour.similarity:.0f} %: {said}"
