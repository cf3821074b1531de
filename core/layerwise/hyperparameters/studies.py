"""Studies: searches for hyperparameters, a folder for each. A study's trials are runs like any other.

    studies/<id>/study.json      what was asked for: model, variant, config, ranges, algorithm, objective
                 oracle.json     what KerasTuner knows, replaced whole after each step
                 events.jsonl    started, trial (a run was begun), scored (it has ended), and how the study ended
                 log.txt, lock, process.json, starting, stop    as of every job (`layerwise.job_folders.job`)

Which runs belong to a study, what they tried and what they reached, is read from the runs themselves: each names its
study and its trial in its `run.json`. `layerwise.hyperparameters.tuning` is the process that searches.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.config import TrainingConfig, config_from, settings_of
from layerwise.errors import SpecError
from layerwise.hyperparameters.search_space import Range
from layerwise.job_folders.job import Job
from layerwise.job_folders.job_store import JobStore
from layerwise.runs import Run, RunStore

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec

ALGORITHMS = ("bayesian", "random", "hyperband")
_LESS_IS_BETTER = re.compile(r"(?:^|_)(?:loss|error|mae|mse|rmse|perplexity|wer|cer|bits)(?:_|$)")


def direction_of(objective: str) -> str:
    """Whether a metric is to be small or large, by its name: "min" for losses and the like, "max" for all others.

    Example:
        >>> direction_of("val_log_loss"), direction_of("val_accuracy")
        ('min', 'max')
    """
    return "min" if _LESS_IS_BETTER.search(objective) else "max"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run of a study.

    Args:
        number: Which trial of the study it is, as KerasTuner calls it.
        run: The run.
        values: What it tried, by field.
        score: The best value of the objective over its epochs, None before there is one.
    """

    number: str
    run: Run
    values: dict[str, Any]
    score: float | None


class Study(Job):
    """A search, seen through its folder."""

    KIND, PLURAL, MODULE = "study", "studies", "layerwise.hyperparameters.tuning"

    @property
    def algorithm(self) -> str:
        """One of `ALGORITHMS`."""
        return self.request["algorithm"]

    @property
    def objective(self) -> str:
        """The metric that counts."""
        return self.request["objective"]

    @property
    def num_trials(self) -> int:
        """How many trials there are to be at most."""
        return self.request["num_trials"]

    @property
    def ranges(self) -> tuple[Range, ...]:
        """What is tried."""
        return tuple(Range.of(item) for item in self.request["ranges"])

    def trials(self) -> list[Trial]:
        """Its runs, the oldest first. Those that were deleted are missing."""
        # The name of a run begins with its time, so none before the study's is its own.
        runs = (run for run in RunStore(self.folder.parent.parent).list() if run.id[:15] >= self.id[:15])
        found = []
        for run in runs:
            if run.request.get("study") == self.id:
                values = {item.name: run.config.get(item.name) for item in self.ranges}
                found.append(Trial(number=run.request["trial"], run=run, values=values, score=self.score_of(run)))
        return sorted(found, key=lambda trial: trial.number)

    def score_of(self, run: Run) -> float | None:
        """The best value of the objective over the epochs of a run so far."""
        values = [event[self.objective] for event in run.history() if self.objective in event]
        best = min if direction_of(self.objective) == "min" else max
        return best((value for value in values if math.isfinite(value)), default=None)

    def ranked(self) -> list[Trial]:
        """Its trials, the best first and those without a score last."""
        sign = 1 if direction_of(self.objective) == "min" else -1
        return sorted(self.trials(), key=lambda trial: (trial.score is None, sign * (trial.score or 0.0), trial.number))

    def config_of(self, spec: ModelSpec, values: dict[str, Any]) -> TrainingConfig:
        """The config that was searched around, with these values in it: what to train with after the search."""
        settings = {item.name: item for item in settings_of(spec.config)}
        parsed = {name: settings[name].parse(value) for name, value in values.items()}
        return replace(config_from(spec.config, self.request["config"]), **parsed)

    def report(self, spec: ModelSpec) -> dict[str, Any]:
        """The study as plain values: what was asked for, its state, its trials with the best first, and `command`,
        which trains with what was best."""
        trials = self.ranked()
        best = trials[0] if trials and trials[0].score is not None else None
        asked = ("name", "variant", "data", "created", "algorithm", "objective", "num_trials", "num_epochs", "ranges")
        return {
            "id": self.id,
            **{name: self.request[name] for name in asked},
            "state": self.state,
            "reason": self.reason,
            "trials": [
                {"trial": trial.number, "run": trial.run.id, "state": trial.run.state, "score": trial.score}
                | {"values": trial.values}
                for trial in trials
            ],
            "best": best.run.id if best else None,
            "command": self.command(spec, best) if best else None,
        }

    def command(self, spec: ModelSpec, trial: Trial) -> str:
        """The command that trains with what a trial tried, as long as the variant is trained."""
        from layerwise.context import train_command

        return train_command(spec, self.variant, self.config_of(spec, trial.values), self.data)


class StudyStore(JobStore[Study]):
    """All studies below one home folder."""

    kind = Study

    def create(
        self,
        spec: ModelSpec,
        variant: str | None,
        ranges: Sequence[Range],
        *,
        algorithm: str = "bayesian",
        objective: str = "val_loss",
        num_trials: int = 20,
        num_epochs: int | None = None,
        seed: int = 1,
        data: Path | str | None = None,
        device: str = "auto",
    ) -> Study:
        """A new study, queued. `layerwise.hyperparameters.tuning.start` calls this and starts its process.

        Args:
            ranges: What is tried; everything else is as in the variant's config.
            algorithm: One of `ALGORITHMS`.
            objective: A metric of the epochs; `direction_of` says whether less of it is better.
            num_trials: How many trials there are to be at most; "hyperband" may need fewer.
            num_epochs: How long each trial is trained, None for as long as the variant is; for "hyperband" the most.
            seed: The same seed proposes the same, when the trials reach the same.
            data: A folder of the user's own data, or None for the model's data set.
            device: As for `layerwise.jobs.start`.

        Raises:
            SpecError: What is asked for makes no sense.
        """
        chosen = spec.variant(variant)
        names = [item.name for item in ranges]
        _check(names, algorithm, objective, num_trials)
        config = asdict(chosen.config)
        if num_epochs is not None:
            config_from(spec.config, {**config, "num_epochs": num_epochs})  # says what is wrong with it
        application = spec.name.partition("/")[2]
        request = {
            "name": spec.name,
            "variant": chosen.name,
            "config": config,
            "ranges": [asdict(item) for item in ranges],
            "algorithm": algorithm,
            "objective": objective,
            "num_trials": num_trials,
            "num_epochs": num_epochs,
            "seed": seed,
            "data": str(Path(data).resolve()) if data is not None else None,
            "device": device,
        }
        return Study.create(self.folder, f"{application}-{chosen.name}", request)


def _check(names: Sequence[str], algorithm: str, objective: str, num_trials: int) -> None:
    """Whether a study makes sense."""
    if algorithm not in ALGORITHMS:
        raise SpecError("There is no such algorithm", expected=", ".join(ALGORITHMS), received=repr(algorithm))
    if not names:
        raise SpecError("There is nothing to search", remedy="name fields: --fields learning_rate,batch_size")
    if num_trials < 1:
        raise SpecError("A study needs trials", expected="at least 1", received=str(num_trials))
    if algorithm == "hyperband" and "num_epochs" in names:
        raise SpecError("hyperband itself says how long each trial is trained", remedy="leave num_epochs out")
    if "label_smoothing" in names and objective.endswith("loss"):
        raise SpecError(
            "label_smoothing changes the loss itself, so losses cannot be compared",
            remedy="search for another objective, such as val_accuracy",
        )
