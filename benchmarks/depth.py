"""Depth against width: the error at an equal number of parameters, and the parameters needed to reach an error.

    python benchmarks/depth.py                         # measure what is missing, draw docs/images/depth.svg
    python benchmarks/depth.py --targets parity --seeds 20 --results other.json --figure other.svg
    python benchmarks/depth.py --draw                  # draw what was measured

Every result is kept in a JSON file at once; a later call with the same settings goes on where this one was stopped.
Networks of 1 to 8 hidden layers, ReLU, Adam; ten seeds, each with weights and examples of its own. The pictures are
Fashion-MNIST where it is on this machine, and else pictures of strokes, which are made here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from layerwise.devices import describe, prepare
from layerwise.errors import DataError, SpecError
from layerwise.plots import LinePlot
from layerwise_learn.depth.lab import Result, Trial, error_by_depth, measure, parameters_needed
from layerwise_learn.depth.targets import TARGETS

DEPTHS = (1, 2, 3, 4, 6, 8)
IMAGES = Path(__file__).parents[1] / "docs" / "images"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured of a target: plain networks of all budgets, and one budget with skip connections too; the error
    whose parameters are counted."""

    budgets: tuple[int, ...]
    compared: int
    error: float


PLANS = {
    "sawtooth": Plan(budgets=(250, 500, 1_000, 2_000, 4_000), compared=2_000, error=0.1),
    "composed": Plan(budgets=(500, 1_000, 2_000, 4_000, 8_000), compared=2_000, error=0.2),
    "parity": Plan(budgets=(125, 250, 500, 1_000, 2_000), compared=500, error=0.01),
    "fashion": Plan(budgets=(4_000, 8_000, 16_000, 32_000), compared=8_000, error=0.13),
    "pictures": Plan(budgets=(4_000, 8_000, 16_000, 32_000), compared=8_000, error=0.01),
}


def trials(target: str, plan: Plan, **options: int | float) -> Iterator[Trial]:
    """What is to be measured, without networks that cannot meet their budget."""
    for residual, budgets in ((False, plan.budgets), (True, (plan.compared,))):
        for budget in budgets:
            for depth in DEPTHS:
                trial = Trial(target=target, depth=depth, budget=budget, residual=residual, **options)
                try:
                    _ = trial.widths
                except SpecError:
                    continue
                yield trial


def read(path: Path) -> dict[Trial, Result]:
    """The results that a file holds, by their trial."""
    kept = json.loads(path.read_text()) if path.exists() else []
    results = (Result(**{**item, "trial": Trial(**item["trial"]), "errors": tuple(item["errors"])}) for item in kept)
    return {result.trial: result for result in results}


def write(path: Path, results: dict[Trial, Result]) -> None:
    """Keep the results: a line each."""
    lines = ",\n".join(json.dumps(dataclasses.asdict(result)) for result in results.values())
    path.write_text(f"[\n{lines}\n]\n")


def draw(path: Path, results: dict[Trial, Result], wanted: dict[str, list[Trial]]) -> None:
    """The figure: a column a target, the error at one budget above, the parameters needed for an error below."""
    import matplotlib

    matplotlib.use("svg")
    # The same results give the same file.
    matplotlib.rcParams |= {
        "svg.hashsalt": "depth",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(wanted), figsize=(3.4 * len(wanted), 6), squeeze=False, layout="constrained")
    for column, (target, planned) in enumerate(wanted.items()):
        plan, found = PLANS[target], [results[trial] for trial in planned if trial in results]
        compared = [result for result in found if result.trial.budget == plan.compared]
        _draw_plot(
            axes[0, column], error_by_depth(compared, title=f"{TARGETS[target].title}\n{plan.compared:,} parameters")
        )
        goal = f"{plan.error:.0%} wrong" if TARGETS[target].classes else f"error {plan.error:g}"
        _draw_plot(axes[1, column], parameters_needed(found, plan.error, title=f"parameters needed for {goal}"))
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def _draw_plot(axes, plot: LinePlot) -> None:
    for line in plot.lines:
        color = ("#23988c", "#c77d1e")[line.color]
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.2, linewidth=0)
        axes.plot(line.x, line.y, "o-", color=color, label=line.label, markersize=4)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label, xticks=DEPTHS)
    if plot.y_log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)


def main() -> int:
    """Measure, keep, draw. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, help="default: all, with one kind of pictures")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("depth.json"))
    parser.add_argument("--figure", type=Path, default=IMAGES / "depth.svg")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    targets = options.targets or ["sawtooth", "composed", "parity", "fashion" if _has_fashion() else "pictures"]
    settings = {"num_seeds": options.seeds, "num_steps": options.steps, "learning_rate": options.learning_rate}
    wanted = {target: list(trials(target, PLANS[target], **settings)) for target in targets}
    results = read(options.results)
    if not options.draw:
        prepare()
        print(f"on {describe()[-1]['name']}, {options.seeds} seeds at once")
        _measure_missing(options.results, results, [trial for planned in wanted.values() for trial in planned])
    draw(options.figure, results, wanted)
    return 0


def _measure_missing(path: Path, results: dict[Trial, Result], wanted: Sequence[Trial]) -> None:
    for position, trial in enumerate(wanted, start=1):
        if trial in results:
            continue
        begin = time.perf_counter()
        result = results[trial] = measure(trial)
        write(path, results)
        low, high = result.interval
        print(
            f"{position:>4} of {len(wanted)}  {trial.target:<9} {result.parameters:>6,} parameters {trial.depth} layers"
            f", {'residual' if trial.residual else 'plain':<8}  error {result.median:.4f} ({low:.4f} to {high:.4f})"
            f"  {time.perf_counter() - begin:.1f} s",
            flush=True,
        )


def _has_fashion() -> bool:
    import numpy as np

    try:
        TARGETS["fashion"].sample(np.random.default_rng(0), 1)
    except DataError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
