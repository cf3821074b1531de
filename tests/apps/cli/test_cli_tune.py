"""`layerwise tune` and `layerwise studies`, as a person meets them."""

import os

import pytest

from layerwise.hyperparameters.studies import StudyStore
from layerwise.runs import RunStore


@pytest.fixture(autouse=True)
def _keras_tuner():
    """Without KerasTuner the tests are skipped, and fail where CI=true."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("keras_tuner")


@pytest.fixture(autouse=True)
def _no_study_is_left(toy):
    yield
    for study in StudyStore(toy).list():
        study.request_stop()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Name a model to search for, or a study to go on with"),
        (("toy/bars", "--resume", "x"), "Name a model to search for, or a study to go on with"),
        (("--resume", "x"), "There is no study 'x'"),
        (("toy/bars", "--fields", "speed"), "There is no field 'speed' to search"),
        (("toy/bars", "--range", "learning_rate=1..100"), "(learning_rate) is out of range"),
        (("toy/bars", "--algorithm", "grid"), "bayesian, random, hyperband"),
        (("toy/bars", "--data", "nowhere"), "There is no such folder to train on"),
    ],
)
def test_what_cannot_be_searched_is_said_before_anything_starts(layerwise, toy, words, expected):
    result = layerwise("tune", *words)
    assert result.status == 1
    assert expected in result.error
    assert StudyStore(toy).list() == []


def test_before_the_first_study_the_list_says_how_to_start_one(layerwise):
    assert "layerwise tune NAME starts one" in layerwise("studies").output
    assert layerwise("studies", "--json").json == []


@pytest.mark.slow
def test_from_a_search_to_the_command_that_trains_with_the_best(layerwise, toy):
    words = ("--trials", "2", "--epochs", "1", "--range", "hidden-units=4/8", "--fields", "learning_rate")
    result = layerwise("tune", "toy/bars", *words, "--algorithm", "random")
    assert result.status == 0, result.error
    assert "trial 1: learning_rate" in result.output
    assert "trial 2: learning_rate" in result.output
    assert "To train with the best: layerwise train toy/bars:small" in result.output
    (study,) = layerwise("studies", "--json").json
    assert (study["state"], study["trials"]) == ("finished", "2 of 2")
    report = layerwise("studies", study["study"][-4:], "--json").json
    assert report["trials"][0]["score"] == study["best"]
    assert {run.id for run in RunStore(toy).list()} == {trial["run"] for trial in report["trials"]}
    assert layerwise("promote", report["best"][-4:]).status == 0
    assert layerwise("tune", "--resume", study["study"]).status == 1, "it has finished"
    assert layerwise("studies", study["study"], "--delete").status == 0
    assert layerwise("studies", "--json").json == []
    assert len(RunStore(toy).list()) == 2
