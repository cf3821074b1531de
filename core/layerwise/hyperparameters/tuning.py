"""The search for hyperparameters: KerasTuner proposes what to try and is told what it reached; each trial is a run.

`python -m layerwise.hyperparameters.tuning FOLDER` is the process of one study. It trains nothing itself: runs are
started as everywhere (`layerwise.jobs`), wait for their device, can be stopped, and go on when this process dies. What
KerasTuner
knows is in one file, replaced whole after each step, so a study that was killed at any moment goes on where it was: the
trial that was going on has its run, which may have ended meanwhile.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import jobs
from layerwise.config import config_from
from layerwise.errors import RunError, missing_extra
from layerwise.hyperparameters.studies import Study, StudyStore, direction_of
from layerwise.paths import write_atomically
from layerwise.runs import Run, RunStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_tuner import Oracle

    from layerwise.hyperparameters.search_space import Range
    from layerwise.specs import ModelSpec

POLL_SECONDS = 0.3
MAX_FAILURES = 5
"""After so many failed trials in a row a study ends: something else is wrong than the hyperparameters."""
_TUNER = "layerwise"
"""Who asks the oracle; it gives the same asker the same trial until that has ended."""


def start(store: StudyStore, spec: ModelSpec, variant: str | None, ranges: Sequence[Range], **options: Any) -> Study:
    """Start a search and return at once. The arguments are those of `StudyStore.create`.

    Raises:
        MissingDependencyError: KerasTuner is not installed.
        SpecError: What is asked for makes no sense.
        RunError: There is nothing to train on.
    """
    need_keras_tuner()
    jobs.check_data(spec, options.get("data"))
    study = store.create(spec, variant, ranges, **options)
    jobs.launch(study)
    return study


def resume(study: Study) -> None:
    """Let a study that was stopped or failed go on, and return at once.

    Raises:
        MissingDependencyError: KerasTuner is not installed.
        RunError: It is going on, or has finished.
    """
    need_keras_tuner()
    jobs.resume(study)


def need_keras_tuner() -> None:
    """Say so when KerasTuner, or scikit-learn, which its Bayesian search needs, is not installed.

    Raises:
        MissingDependencyError: It is not.
    """
    for module, package in (("keras_tuner", "keras-tuner"), ("sklearn", "scikit-learn")):
        if importlib.util.find_spec(module) is None:
            raise missing_extra(package, "tune", "The search for hyperparameters")


def search(study: Study) -> None:
    """Try until KerasTuner has no more to propose, or somebody asks for a stop."""
    from layerwise.registry import Registry

    home = study.folder.parent.parent
    runs, spec = RunStore(home), Registry(home).snapshot().model(study.name)
    oracle = make_oracle(study)
    study.append("started", num_trials=study.num_trials)
    failures = 0
    while not study.stop_requested:
        proposal = oracle.create_trial(_TUNER)
        if proposal.status != "RUNNING":
            study.append("finished")
            return
        run = _run_of(study, runs, spec, proposal)
        _wait(run, study)
        if study.stop_requested and run.state == "stopped":
            break  # for the study's sake: it is a part of this trial, which goes on with the study
        score = _tell(oracle, proposal, study, run)
        failures = 0 if score is not None else failures + 1
        if failures == MAX_FAILURES:
            raise RunError(f"{failures} trials in a row failed; the last one: {run.reason}", remedy="narrow the ranges")
    study.append("stopped", reason=jobs.ASKED)


def _run_of(study: Study, runs: RunStore, spec: ModelSpec, proposal: Any) -> Run:
    """The run of a trial: a new one, or the one that a former process of this study began."""
    former = next((trial.run for trial in study.trials() if trial.number == proposal.trial_id), None)
    if former is not None:
        if former.is_resumable:
            jobs.resume(former)
        return former
    values = {item.name: _rounded(proposal.hyperparameters.values[item.name]) for item in study.ranges}
    config = asdict(study.config_of(spec, values))
    # Hyperband trains few for long. It would have the same run go on; here each begins anew, since a schedule of the
    # learning rate that ends with the last epoch is another one for another number of epochs.
    num_epochs = proposal.hyperparameters.values.get("tuner/epochs", study.request["num_epochs"])
    run = jobs.start(
        runs,
        spec,
        variant=study.variant,
        config=config_from(spec.config, {**config, **({"num_epochs": num_epochs} if num_epochs else {})}),
        data=study.data,
        device=study.request["device"],
        study=study.id,
        trial=proposal.trial_id,
    )
    study.append("trial", trial=proposal.trial_id, run=run.id, values=values)
    return run


def _rounded(value: Any) -> Any:
    """Four digits, which a person can read and type, and which change nothing."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _wait(run: Run, study: Study) -> None:
    """Wait until a run has ended, and pass on a stop that the study is asked for."""
    while run.is_active:
        if study.stop_requested and not run.stop_requested:
            run.request_stop()
        time.sleep(POLL_SECONDS)


def _tell(oracle: Oracle, proposal: Any, study: Study, run: Run) -> float | None:
    """Tell KerasTuner what a run reached; the score. A run that somebody stopped counts with what it reached."""
    history, score = run.history(), study.score_of(run)
    if score is None and history and run.state == "finished":
        names = ", ".join(name for name in history[-1] if isinstance(history[-1][name], float))
        raise RunError(f"The trials report no {study.objective}", expected=names, received=study.objective)
    if score is None:
        proposal.status, proposal.message = "FAILED", run.reason
    else:
        oracle.update_trial(proposal.trial_id, {study.objective: score})
        proposal.status = "COMPLETED"
    oracle.end_trial(proposal)
    # Only now it does not count as going on any more.
    oracle.save()
    study.append("scored", trial=proposal.trial_id, run=run.id, score=score, state=run.state)
    return score


def make_oracle(study: Study) -> Oracle:
    """KerasTuner's oracle of a study, as it was when it was saved last."""
    from layerwise.devices import quiet_import

    quiet_import()
    import keras_tuner
    from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

    hyperparameters = keras_tuner.HyperParameters()
    for item in study.ranges:
        item.add_to(hyperparameters)
    options: dict[str, Any] = {
        "objective": keras_tuner.Objective(study.objective, direction_of(study.objective)),
        "hyperparameters": hyperparameters,
        "seed": study.request["seed"],
        "max_consecutive_failed_trials": sys.maxsize,  # `search` counts them
    }
    if study.algorithm == "hyperband":
        config = study.request["config"]
        oracle = _durable(HyperbandOracle)(max_epochs=study.request["num_epochs"] or config["num_epochs"], **options)
        # It has its own number of trials, and no argument for less.
        oracle.max_trials = study.num_trials
    elif study.algorithm == "random":
        oracle = _durable(RandomSearchOracle)(max_trials=study.num_trials, **options)
    else:
        # At random at first: by default three times as many as there are fields, which may be all there are.
        at_random = max(3, min(3 * len(study.ranges), study.num_trials // 2))
        oracle = _durable(BayesianOptimizationOracle)(
            max_trials=study.num_trials, num_initial_points=at_random, **options
        )
    oracle.verbose = 0
    oracle.open(study.folder / "oracle.json")
    return oracle


def _durable(kind: type[Any]) -> type[Any]:
    """An oracle that keeps all that it knows in one file, replaced whole: KerasTuner itself writes several files, and a
    process that is killed meanwhile leaves them torn."""
    from keras_tuner.engine.trial import Trial

    class Durable(kind):
        path: Path | None = None

        def open(self, path: Path) -> None:
            """Keep it at `path`, and go on from what is there."""
            if path.exists():
                kept = json.loads(path.read_text(encoding="utf-8"))
                self.trials = {name: Trial.from_state(state) for name, state in kept["trials"].items()}
                self.set_state(kept["oracle"])
                self.ongoing_trials = {
                    asker: trial for asker, trial in self.ongoing_trials.items() if trial.status == "RUNNING"
                }
            self.path = path

        def save(self) -> None:
            """Keep all that it knows."""
            if self.path is not None:
                trials = {name: trial.get_state() for name, trial in self.trials.items()}
                write_atomically(self.path, json.dumps({"oracle": self.get_state(), "trials": trials}))

        def _save_trial(self, trial: Any) -> None:
            """With all the rest, by `save`."""

    return Durable


def main(folder: str) -> int:
    """The process of one study. Returns the exit status."""
    study = Study(Path(folder))
    return jobs.conduct(study, lambda: search(study))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
