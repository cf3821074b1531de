"""Studies: what they are asked for and what they report, what KerasTuner is told, and that none is lost."""

import dataclasses
import json
import os
import time

import pytest

from layerwise import jobs
from layerwise.config import config_from
from layerwise.errors import MissingDependencyError, NotFoundError, RunError, SpecError
from layerwise.hyperparameters import tuning
from layerwise.hyperparameters.search_space import parse_ranges, usual_ranges
from layerwise.hyperparameters.studies import StudyStore, direction_of
from layerwise.hyperparameters.tuning import make_oracle
from layerwise.runs import RunStore

RANGES = ("learning_rate=1e-3..1e-1", "hidden_units=4/16")


@pytest.fixture
def ranges(spec):
    return parse_ranges(spec.variant().config, RANGES)


@pytest.fixture
def studies(home, runs):
    store = StudyStore(home)
    yield store
    for study in store.list():
        study.request_stop()


@pytest.fixture
def _keras_tuner():
    """Without KerasTuner a test is skipped, and fails where CI=true."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("keras_tuner")


@pytest.fixture
def make_trial(home, spec):
    """`make_trial(study, "3", val_loss=(0.5, 0.4))`: a run of a study as its process would have left it."""

    def make(study, number, *, ending="finished", learning_rate=0.01, **metrics):
        config = dataclasses.replace(spec.variant().config, learning_rate=learning_rate)
        run = RunStore(home).create(spec, None, config, study=study.id, trial=number)
        for epoch in range(max(map(len, metrics.values()), default=0)):
            run.append("epoch", epoch=epoch + 1, **{name: values[epoch] for name, values in metrics.items()})
        run.append(ending, reason="" if ending == "finished" else "It diverged")
        return run

    return make


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_loss", "min"),
        ("loss", "min"),
        ("val_accuracy", "max"),
        ("val_rmse", "min"),
        ("expected_calibration_error", "min"),
        ("r2", "max"),
        ("val_glossiness", "max"),
    ],
)
def test_the_direction_of_an_objective_is_in_its_name(name, direction):
    assert direction_of(name) == direction


@pytest.mark.parametrize(
    ("options", "fields", "reason"),
    [
        ({"algorithm": "grid"}, RANGES, "no such algorithm"),
        ({"num_trials": 0}, RANGES, "at least 1"),
        ({"num_epochs": 0}, RANGES, r"\(num_epochs\) is out of range"),
        ({}, (), "nothing to search"),
        ({"algorithm": "hyperband"}, ("num_epochs=2..8",), "itself says how long"),
        ({}, ("label_smoothing=0..0.2",), "changes the loss itself"),
    ],
)
def test_what_makes_no_sense_is_refused_before_there_is_a_folder(studies, spec, options, fields, reason):
    with pytest.raises(SpecError, match=reason):
        studies.create(spec, None, parse_ranges(spec.variant().config, fields), **options)
    assert studies.list() == []


def test_a_report_has_the_best_first_and_the_command_that_trains_with_it(studies, spec, ranges, make_trial):
    study = studies.create(spec, None, ranges, num_epochs=2)
    make_trial(study, "0", val_loss=(0.5, 0.6), learning_rate=0.02)
    best = make_trial(study, "1", val_loss=(0.7, 0.3), learning_rate=0.03)
    make_trial(study, "2", ending="failed", learning_rate=0.04)
    make_trial(study, "3", val_loss=(0.4, float("nan")), ending="failed")
    other = studies.create(spec, None, ranges)
    make_trial(other, "0", val_loss=(0.1,))
    report = study.report(spec)
    assert [(trial["trial"], trial["score"]) for trial in report["trials"]] == [
        ("1", 0.3),
        ("3", 0.4),
        ("0", 0.5),
        ("2", None),
    ]
    assert report["best"] == best.id
    assert report["trials"][0]["values"] == {"learning_rate": 0.03, "hidden_units": [16]}
    # As long as the variant is trained, not as short as the trials were.
    assert report["command"] == "layerwise train toy/bars:small --learning-rate 0.03"
    assert json.loads(json.dumps(report)) == report


def test_more_is_better_where_the_objective_says_so(studies, spec, ranges, make_trial):
    study = studies.create(spec, None, ranges, objective="val_accuracy")
    make_trial(study, "0", val_accuracy=(0.5, 0.8, 0.7))
    make_trial(study, "1", val_accuracy=(0.9, 0.2, 0.1))
    assert [trial.score for trial in study.ranked()] == [0.9, 0.8]


def test_studies_are_found_listed_and_deleted_and_their_runs_stay(studies, spec, ranges, make_trial, home):
    one, other = (studies.create(spec, None, ranges) for _ in range(2))
    run = make_trial(one, "0", val_loss=(0.5,))
    assert {study.id for study in studies.list()} == {one.id, other.id}
    assert studies.get(one.id[-4:]).id == one.id
    with pytest.raises(NotFoundError, match="layerwise studies lists them"):
        studies.get("none")
    with pytest.raises(RunError, match="stop it first"):
        studies.delete(one.id)
    one.append("finished")
    studies.delete(one.id)
    assert [study.id for study in studies.list()] == [other.id]
    assert RunStore(home).get(run.id).id == run.id


def test_without_keras_tuner_the_remedy_is_the_extra(studies, spec, ranges, monkeypatch):
    monkeypatch.setattr(tuning.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"layerwise\[tune\]"):
        tuning.start(studies, spec, None, ranges)
    assert studies.list() == []


def proposals(oracle, count, score_of):
    """What an oracle proposes when each proposal gets a score."""
    found = []
    for _ in range(count):
        trial = oracle.create_trial("layerwise")
        if trial.status != "RUNNING":
            break
        found.append(dict(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {"val_loss": score_of(found[-1])})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
        oracle.save()
    return found


def loss_of(values):
    return abs(float(values["learning_rate"]) - 0.02) + len(str(values["hidden_units"]))


@pytest.mark.usefixtures("_keras_tuner")
@pytest.mark.parametrize("algorithm", ["bayesian", "random", "hyperband"])
def test_a_search_that_is_read_again_goes_on_as_if_it_had_not_been_interrupted(studies, spec, ranges, algorithm):
    whole, parted = (
        studies.create(spec, None, ranges, algorithm=algorithm, num_trials=7, num_epochs=4) for _ in range(2)
    )
    expected = proposals(make_oracle(whole), 20, loss_of)
    assert len(expected) == 7
    found = proposals(make_oracle(parted), 2, loss_of)
    begun = make_oracle(parted).create_trial("layerwise")  # and then its process is killed
    again = make_oracle(parted)
    assert again.create_trial("layerwise").trial_id == begun.trial_id
    found += proposals(again, 20, loss_of)
    assert found == expected


@pytest.mark.usefixtures("_keras_tuner")
def test_every_proposal_is_a_valid_config(studies, spec):
    study = studies.create(spec, None, usual_ranges(spec.variant().config), num_trials=12)
    for values in proposals(make_oracle(study), 12, lambda values: 1.0):
        config = study.config_of(spec, values)
        assert config_from(spec.config, dataclasses.asdict(config)) == config
        assert config.batch_size in (8, 16, 32, 64, 128)


def wait_for(holds, study, seconds=120):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, study.log_text()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("_keras_tuner")
def test_a_study_that_is_killed_goes_on_with_the_run_that_it_had_begun(studies, spec, ranges, processes):
    study = tuning.start(studies, spec, None, ranges, num_trials=3, num_epochs=2, algorithm="random")
    wait_for(lambda: len(study.trials()) == 1, study)
    processes[0].kill()
    processes[0].wait()
    assert study.state == "failed"
    first = study.trials()[0].run
    list(jobs.follow(first))
    assert first.state == "finished", "a run needs no study to go on"
    tuning.resume(study)
    assert list(jobs.follow(study))[-1]["event"] == "finished", study.log_text()
    trials = study.trials()
    assert [trial.number for trial in trials] == ["0", "1", "2"]
    assert trials[0].run.id == first.id
    assert all(trial.score is not None for trial in trials)
    assert all(trial.run.config["num_epochs"] == 2 for trial in trials)
    assert len({trial.run.config["learning_rate"] for trial in trials}) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("_keras_tuner")
def test_a_study_that_is_stopped_stops_its_run_and_goes_on_with_it(studies, spec, ranges):
    study = tuning.start(studies, spec, None, ranges, num_trials=2, num_epochs=4000, algorithm="random")
    wait_for(lambda: any(trial.run.history() for trial in study.trials()), study)
    jobs.stop(study)
    assert list(jobs.follow(study))[-1]["event"] == "stopped"
    (trial,) = study.trials()
    assert trial.run.state == "stopped"
    tuning.resume(study)
    wait_for(lambda: trial.run.is_active, study)
    # Somebody has seen enough of the first trial: it counts with what it reached, and the next one begins.
    jobs.stop(trial.run)
    wait_for(lambda: len(study.trials()) == 2, study)
    jobs.stop(study)
    list(jobs.follow(study))
    scored = [event for event in study.events() if event["event"] == "scored"]
    assert [(event["trial"], event["state"]) for event in scored] == [("0", "stopped")]
    assert scored[0]["score"] == study.score_of(trial.run)


@pytest.mark.slow
@pytest.mark.usefixtures("_keras_tuner")
def test_an_objective_that_no_run_reports_ends_the_study_with_a_sentence(studies, spec, ranges):
    study = tuning.start(studies, spec, None, ranges, num_trials=2, num_epochs=1, objective="val_f1")
    assert list(jobs.follow(study))[-1]["event"] == "failed"
    assert study.reason.startswith("The trials report no val_f1. Expected:")
    assert "val_accuracy" in study.reason
