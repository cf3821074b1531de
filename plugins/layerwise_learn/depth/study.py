"""The study behind the figure: what is measured of each target, and the results, which are kept as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layerwise.errors import SpecError
from layerwise_learn.depth.lab import Result, Trial

DEPTHS = (1, 2, 3, 4, 6, 8)
MEASURED = Path(__file__).with_name("measured.json")
"""What `python benchmarks/depth.py` measured; the page of the lab shows it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured of a target.

    Args:
        budgets: Numbers of parameters, for plain networks of every depth.
        compared: The one of them at which depths are compared, also with skip connections and normalization.
        error: The error for which the parameters are counted that it takes.
    """

    budgets: tuple[int, ...]
    compared: int
    error: float


PLANS = {
    "sawtooth": Plan(budgets=(250, 500, 1_000, 2_000, 4_000), compared=2_000, error=0.1),
    "composed": Plan(budgets=(500, 1_000, 2_000, 4_000, 8_000), compared=2_000, error=0.2),
    "parity": Plan(budgets=(125, 250, 500, 1_000, 2_000), compared=500, error=0.01),
    "pictures": Plan(budgets=(4_000, 8_000, 16_000, 32_000), compared=8_000, error=0.05),
    "fashion": Plan(budgets=(4_000, 8_000, 16_000, 32_000), compared=8_000, error=0.14),
}


def trials(target: str, plan: Plan, **options: Any) -> Iterator[Trial]:
    """All that is to be measured of a target, without networks that cannot meet their budget.

    Args:
        options: Fields of every Trial.
    """
    for residual, budgets in ((False, plan.budgets), (True, (plan.compared,))):
        for budget in budgets:
            for depth in DEPTHS:
                trial = Trial(target=target, depth=depth, budget=budget, residual=residual, **options)
                if can_be_built(trial):
                    yield trial


def can_be_built(trial: Trial) -> bool:
    """Whether a network of its depth meets the budget within 2 %."""
    try:
        _ = trial.widths
    except SpecError:
        return False
    return True


def read(path: Path) -> dict[Trial, Result]:
    """The results that a file holds, by their trial; none where there is no file."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    results = (Result(**{**item, "trial": Trial(**item["trial"]), "errors": tuple(item["errors"])}) for item in kept)
    return {result.trial: result for result in results}


def write(path: Path, results: Mapping[Trial, Result]) -> None:
    """Keep results, a line each."""
    lines = ",\n".join(json.dumps(dataclasses.asdict(result)) for result in results.values())
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
