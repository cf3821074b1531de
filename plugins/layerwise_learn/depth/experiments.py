"""What the page of the depth lab shows: the study as it was measured, and a small one that is measured here and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from layerwise.errors import SpecError
from layerwise.plots import Plot, Row, Table, Text
from layerwise_learn.depth.lab import Result, Trial, error_by_depth, measure, parameters_needed
from layerwise_learn.depth.study import MEASURED, PLANS, can_be_built, read
from layerwise_learn.depth.targets import TARGETS
from layerwise_learn.experiments.drawing import counted

if TYPE_CHECKING:
    from layerwise_learn.depth.page import MeasuredSettings, OwnSettings

NUM_SEEDS = 6
"""The least that a 95 % interval of a median can be made of."""


def measured(settings: MeasuredSettings) -> list[Plot]:
    target, plan = TARGETS[settings.target], PLANS[settings.target]
    results = [result for result in read(MEASURED).values() if result.trial.target == settings.target]
    compared = [result for result in results if result.trial.budget == plan.compared]
    goal = f"{plan.error:.0%} wrong answers" if target.classes else f"an error of {plan.error:g}"
    return [
        Text(text=f"**{target.title}.** {target.about}"),
        Row(
            plots=[
                error_by_depth(compared, title=f"Error with {plan.compared:,} parameters"),
                parameters_needed(results, plan.error, title=f"Parameters needed for {goal}"),
            ]
        ),
        _table(compared),
    ]


def own(settings: OwnSettings) -> Iterator[list[Plot]]:
    wanted = [
        Trial(
            target=settings.target,
            depth=depth,
            budget=settings.budget,
            residual=residual,
            num_seeds=NUM_SEEDS,
            num_steps=settings.num_steps,
            learning_rate=settings.learning_rate,
        )
        for depth in range(1, settings.deepest + 1)
        for residual in ((False, True) if settings.residual else (False,))
    ]
    possible = [trial for trial in wanted if can_be_built(trial)]
    if not possible:
        raise SpecError(
            f"No network for this target has about {settings.budget:,} parameters",
            expected="a network within 2 % of the number",
            remedy="take more parameters",
        )
    target = TARGETS[settings.target]
    about = Text(text=f"**{target.title}.** {target.about}")
    results: list[Result] = []
    for trial in possible:
        now = Text(text=f"Training {NUM_SEEDS} networks with {counted(trial.depth, 'hidden layer')} ...")
        yield [about, *_shown(results), now]
        results.append(measure(trial))
    left_out = sorted({trial.depth for trial in wanted} - {trial.depth for trial in possible})
    note = f"No network with {_listed(left_out)} hidden layers has this number of parameters within 2 %."
    yield [about, *_shown(results), *([Text(text=note)] if left_out else [])]


def _shown(results: Sequence[Result]) -> list[Plot]:
    if not results:
        return []
    return [error_by_depth(results, title=f"Error with {results[0].trial.budget:,} parameters"), _table(results)]


def _table(results: Sequence[Result]) -> Table:
    return Table(
        columns=["hidden layers", "kind", "widths", "parameters", "median error", "95 % interval"],
        rows=[
            [
                str(result.trial.depth),
                "skip, normalization" if result.trial.residual else "plain",
                _listed(sorted(set(result.trial.widths), reverse=True)),
                f"{result.parameters:,}",
                f"{result.median:.4f}",
                "{:.4f} to {:.4f}".format(*result.interval),
            ]
            for result in sorted(results, key=lambda result: (result.trial.depth, result.trial.residual))
        ],
    )


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
