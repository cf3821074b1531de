"""What depth brings at an equal number of parameters: measured over several seeds, and drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from layerwise.comparing.intervals import Interval, median_interval
from layerwise.plots import Line, LinePlot
from layerwise_learn.depth.budget import parameters_of, widths_for
from layerwise_learn.depth.targets import TARGETS, Target

NUM_TRAIN, NUM_TEST = 16_384, 2_048
BATCH_SIZE = 128


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Networks of one shape, a member for each seed.

    Args:
        target: A name from TARGETS.
        depth: The number of hidden layers.
        budget: The number of parameters to come close to.
        residual: Whether hidden layers have skip connections and layer normalization.
        num_seeds: The number of networks, each with weights and examples of its own.
        num_steps: Of Adam, on batches of 128 examples.
        learning_rate: Where the cosine begins.
    """

    target: str
    depth: int
    budget: int
    residual: bool = False
    num_seeds: int = 10
    num_steps: int = 5_000
    learning_rate: float = 0.01

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the hidden layers.

        Raises:
            SpecError: No network of this depth meets the budget within 2 %.
        """
        target = TARGETS[self.target]
        return widths_for(
            self.budget, self.depth, inputs=target.inputs, outputs=target.outputs, normalization=self.residual
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a trial gave.

    Args:
        parameters: Of each network.
        errors: On examples that were not trained on, one for each seed.
    """

    trial: Trial
    parameters: int
    errors: tuple[float, ...]

    @property
    def median(self) -> float:
        """The error that half of the seeds stay below."""
        return median(self.errors)

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the median; with fewer than six seeds the least and the greatest error."""
        return median_interval(self.errors) or (min(self.errors), max(self.errors))


def measure(trial: Trial) -> Result:
    """Train all seeds of a trial at once, and test them.

    Raises:
        SpecError: No network of this depth meets the budget within 2 %.
        DataError: The examples are not on this machine.
    """
    from layerwise_learn.depth.networks import predict, stacked_network, train

    target, seeds, widths = TARGETS[trial.target], range(trial.num_seeds), trial.widths
    sizes = {"inputs": target.inputs, "outputs": target.outputs}
    network = stacked_network(
        widths, **sizes, seeds=seeds, normalization=trial.residual, skip_connections=trial.residual
    )
    inputs, targets = _examples(target, "train", NUM_TRAIN, seeds)
    for _ in train(
        network,
        inputs,
        targets,
        num_steps=trial.num_steps,
        batch_size=BATCH_SIZE,
        learning_rate=trial.learning_rate,
    ):
        pass
    inputs, targets = _examples(target, "test", NUM_TEST, seeds)
    errors = target.errors(predict(network, inputs), targets)
    return Result(
        trial=trial,
        parameters=parameters_of(widths, **sizes, normalization=trial.residual),
        errors=tuple(float(error) for error in errors),
    )


def _examples(target: Target, split: str, count: int, seeds: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Examples of each seed's own: inputs [examples, seeds, inputs], targets [examples, seeds]."""
    draw = target.sample_test if split == "test" and target.sample_test else target.sample
    drawn = [draw(np.random.default_rng([seed, split == "test"]), count) for seed in seeds]
    return np.stack([inputs for inputs, _ in drawn], axis=1), np.stack([targets for _, targets in drawn], axis=1)


def error_by_depth(results: Sequence[Result], *, title: str = "") -> LinePlot:
    """The error at each depth: medians, with bands that are their 95 % intervals. The results are of one target."""
    target = TARGETS[results[0].trial.target]
    lines = []
    for residual, label in ((False, "plain"), (True, "with skip connections and normalization")):
        chosen = sorted((r for r in results if r.trial.residual == residual), key=lambda result: result.trial.depth)
        if chosen:
            low, high = zip(*(result.interval for result in chosen), strict=True)
            depths, medians = [r.trial.depth for r in chosen], [r.median for r in chosen]
            lines += _line(label, depths, medians, low, high, color=int(residual))
    return LinePlot(
        title=title,
        lines=lines,
        x_label="hidden layers",
        y_label=target.error,
        # A share of wrong answers may be 0, for which a logarithmic axis has no place.
        y_log=not target.classes,
    )


def parameters_needed(results: Sequence[Result], error: float, *, title: str = "") -> LinePlot:
    """How many parameters plain networks of each depth need to reach an error.

    For each seed the number is read between the last budget that missed the error and the first that reached it, along
    a straight line of both logarithms. Where half of the seeds never reach it, the line is interrupted; a band that
    would end above the largest budget ends there.
    """
    plain = [result for result in results if not result.trial.residual]
    largest = max(result.parameters for result in plain)
    depths = sorted({result.trial.depth for result in plain})
    medians, lows, highs = [], [], []
    for depth in depths:
        grown = sorted((r for r in plain if r.trial.depth == depth), key=lambda result: result.parameters)
        needed = [
            needed_by_seed([r.parameters for r in grown], errors, error)
            for errors in zip(*(r.errors for r in grown), strict=True)
        ]
        middle, (low, high) = median(needed), median_interval(needed) or (min(needed), max(needed))
        is_reached = math.isfinite(middle)
        medians.append(middle if is_reached else math.nan)
        lows.append(low if is_reached else math.nan)
        highs.append(min(high, largest) if is_reached else math.nan)
    return LinePlot(
        title=title,
        lines=_line("", depths, medians, lows, highs, color=0),
        x_label="hidden layers",
        y_label="parameters",
        y_log=True,
    )


def _line(
    label: str, x: Sequence[float], y: Sequence[float], low: Sequence[float], high: Sequence[float], *, color: int
) -> list[Line]:
    """A line with a band, and dots where something was measured."""
    return [
        Line(label=label, x=x, y=y, low=low, high=high, color=color),
        Line(x=x, y=y, kind="dots", color=color),
    ]


def needed_by_seed(parameters: Sequence[int], errors: Sequence[float], error: float) -> float:
    """The number of parameters at which `error` is first reached; infinite when it is not.

    Args:
        parameters: Rising.
        errors: At each number of parameters.

    Example:
        >>> round(needed_by_seed([100, 1000], [1.0, 0.01], 0.1), 1)
        316.2
    """
    if errors[0] <= error:
        return float(parameters[0])
    for (few, missed), (many, reached) in pairwise(zip(parameters, errors, strict=True)):
        if reached <= error:
            # An error of 0 has no logarithm; a thousandth of the goal stands for it.
            fall = math.log(missed / max(reached, error / 1000))
            return float(few * (many / few) ** (math.log(missed / error) / fall))
    return math.inf
