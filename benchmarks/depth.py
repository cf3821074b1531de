"""Depth against width: the error at an equal number of parameters, and the parameters needed to reach an error.

    python benchmarks/depth.py                         # measure what is missing, draw docs/images/depth.svg
    python benchmarks/depth.py --targets parity --seeds 20 --results other.json --figure other.svg
    python benchmarks/depth.py --draw                  # draw what was measured

Every result is kept in a JSON file at once; a later call with the same settings goes on where this one was stopped.
Networks of 1 to 8 hidden layers, ReLU, Adam; ten seeds, each with weights and examples of its own. Fashion-MNIST is
among the targets where it is on this machine. It takes about half an hour on two cores; the figure needs matplotlib.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.devices import describe, prepare
from layerwise.errors import DataError
from layerwise.plots import LinePlot
from layerwise_learn.depth.lab import Result, Trial, error_by_depth, measure, parameters_needed
from layerwise_learn.depth.study import DEPTHS, MEASURED, PLANS, read, trials, write
from layerwise_learn.depth.targets import TARGETS

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def draw(path: Path, results: dict[Trial, Result], wanted: dict[str, list[Trial]]) -> None:
    """The figure: a column a target, the error at one budget above, the parameters needed for an error below."""
    import matplotlib

    matplotlib.use("svg")
    # The same results give the same file.
    matplotlib.rcParams |= {
        "svg.hashsalt": "depth",
        "svg.fonttype": "none",
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
    figure.legend(handles=axes[0, 0].lines, loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def _draw_plot(axes, plot: LinePlot) -> None:
    for line in plot.lines:
        if line.kind == "dots":
            continue  # the lines have markers here
        color = ("#23988c", "#c77d1e")[line.color]
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.2, linewidth=0)
        axes.plot(line.x, line.y, "o-", color=color, label=line.label, markersize=4)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label, xticks=DEPTHS, xlim=(0.5, 8.5))
    if plot.y_log:
        axes.set_yscale("log")
        for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            ticks(lambda value, _: f"{value:,g}")
    else:
        axes.set_ylim(bottom=0)


def main() -> int:
    """Measure, keep, draw. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, help="default: all")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--results", type=Path, default=MEASURED)
    parser.add_argument("--figure", type=Path, default=IMAGES / "depth.svg")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    results = read(options.results)
    settings: dict[str, Any] = {
        "num_seeds": options.seeds,
        "num_steps": options.steps,
        "learning_rate": options.learning_rate,
    }
    wanted = {target: list(trials(target, PLANS[target], **settings)) for target in options.targets or PLANS}
    if "fashion" in wanted and not options.targets and not _is_at_hand(wanted["fashion"], results):
        del wanted["fashion"]
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


def _is_at_hand(wanted: Sequence[Trial], results: dict[Trial, Result]) -> bool:
    """Whether Fashion-MNIST was measured already, or can be."""
    if all(trial in results for trial in wanted):
        return True
    try:
        TARGETS["fashion"].sample(np.random.default_rng(0), 1)
    except DataError as error:
        print(error)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
