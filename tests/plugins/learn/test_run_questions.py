"""Questions from runs: each marked answer is found again by another way from the run's own record."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.job_folders.events import EventLog
from layerwise.runs import Run
from layerwise_learn.run_questions import questions

LOSS = st.floats(0.01, 3).map(lambda x: round(x, 6))
CONFIG = {"learning_rate": 0.01, "batch_size": 32, "validation_fraction": 0.1, "seed": 0, "label_smoothing": 0.0}


def run_of(folder: Path, number: int, columns: dict[str, list[float]], *, examples=460, **config) -> Run:
    """A finished run as its process would have left it."""
    asked = {**CONFIG, **config}
    found = folder / f"20261125-10000{number}-bars-small-000{number}"
    found.mkdir(parents=True)
    request = {"name": "toy/bars", "variant": "small", "config": asked, "created": "2026-11-25T10:00:00+00:00"}
    (found / "run.json").write_text(json.dumps(request))
    log = EventLog(found / "events.jsonl")
    log.append("started", steps_per_epoch=examples // asked["batch_size"], examples=examples)
    for epoch, values in enumerate(zip(*columns.values(), strict=True), start=1):
        log.append("epoch", epoch=epoch, **dict(zip(columns, values, strict=True)))
    log.append("finished")
    return Run(found)


def asked(*runs: tuple[dict[str, list[float]], dict]) -> tuple[list[Run], dict[str, object]]:
    """Runs of these columns and configs, and the questions they give, by the first word of their name."""
    with tempfile.TemporaryDirectory() as folder:
        made = [run_of(Path(folder), number, columns, **config) for number, (columns, config) in enumerate(runs)]
        found = list(questions(made))
        again = list(questions(made))
        assert [(q.name, q.choices, q.answer) for q in found] == [(q.name, q.choices, q.answer) for q in again]
        assert len({question.name for question in found}) == len(found)
        return made, {question.name.partition("-")[0]: question for question in found}


def columns(*names: str, values=LOSS, sizes=(1, 24)):
    """Histories with these metrics."""
    return st.integers(*sizes).flatmap(
        lambda size: st.fixed_dictionaries({name: st.lists(values, min_size=size, max_size=size) for name in names})
    )


def marked(question) -> str:
    return question.choices[question.answer]


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"[\d.,]*\d", text)]


@settings(deadline=None)
@given(columns("loss", "val_loss"))
def test_overfitting_begins_where_the_validation_loss_is_lowest(history):
    _, found = asked((history, {}))
    if (question := found.get("overfitting")) is None:
        return
    losses = history["val_loss"]
    (epoch,) = numbers(marked(question))
    others = [loss for number, loss in enumerate(losses, start=1) if abs(number - epoch) > 1]
    assert min(others) > losses[int(epoch) - 1] == min(losses)
    assert losses[-1] > 1.04 * min(losses)
    for choice in set(question.choices) - {marked(question), "It does not overfit"}:
        assert losses[int(numbers(choice)[0]) - 1] > min(losses)


@settings(deadline=None)
@given(st.integers(6, 30), st.integers(2, 30), st.floats(0.02, 0.2))
def test_a_plain_case_of_overfitting_is_asked_about_and_falling_losses_are_not(size, best, bend):
    falling = [2 * 0.8**epoch for epoch in range(size)]
    curve = [0.3 + bend * (epoch - best) ** 2 for epoch in range(size)]
    _, found = asked(({"loss": falling, "val_loss": curve}, {}))
    assert ("overfitting" in found) == (best <= size - 3)
    if "overfitting" in found:
        assert marked(found["overfitting"]) == f"After epoch {best + 1}"


@settings(deadline=None, max_examples=200)
@given(columns("val_loss", values=st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9]) | LOSS))
def test_patience_ends_where_as_many_epochs_in_a_row_were_no_better(history):
    _, found = asked((history, {}))
    if (question := found.get("patience")) is None:
        return
    losses, patience = history["val_loss"], int(re.findall(r"patience (\d)", question.text)[0])
    ends = [
        end + 1
        for end in range(patience, len(losses))
        if min(losses[end - patience + 1 : end + 1]) >= min(losses[: end - patience + 1])
    ]
    assert numbers(marked(question)) == ends[:1]
    assert ends[0] < len(losses), "the run must have gone on"
    assert len(question.choices) == 4


@settings(deadline=None)
@given(columns("accuracy", "val_accuracy", values=st.floats(0, 1).map(lambda x: round(x, 4))))
def test_the_best_accuracy_is_the_highest_of_validation(history):
    _, found = asked((history, {}))
    if (question := found.get("accuracy")) is None:
        return
    assert marked(question) == f"{100 * max(history['val_accuracy']):.1f}%"
    others = [numbers(choice)[0] for choice in question.choices if choice != marked(question)]
    assert len(others) >= 2
    assert all(abs(other - 100 * max(history["val_accuracy"])) > 1.8 for other in others)


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 600))
def test_only_the_marked_batch_size_gives_that_many_steps(examples, batch_size):
    _, found = asked(({"loss": [1.0]}, {"examples": examples, "batch_size": batch_size}))
    question = found.get("batch")
    assert (question is not None) == (examples // batch_size >= 2)
    if question is not None:
        steps = int(re.findall(r"\*\*([\d,]+) steps", question.text)[0].replace(",", ""))
        fitting = [choice for choice in question.choices if examples // int(numbers(choice)[0]) == steps]
        assert fitting == [marked(question)]
        assert int(numbers(marked(question))[0]) == batch_size


@settings(deadline=None)
@given(columns("loss"), st.data(), st.sampled_from([(0.01, 0.1), (0.1, 0.01), (0.001, 0.003)]))
def test_the_curve_of_each_learning_rate_is_that_of_its_run(history, data, rates):
    size = len(history["loss"])
    factor = data.draw(st.floats(0.3, 3))
    other = [round(factor * loss, 6) for loss in history["loss"]]
    if data.draw(st.booleans()):
        other = sorted(other, reverse=True)
    runs, found = asked(*zip([history, {"loss": other}], [{"learning_rate": rate} for rate in rates], strict=True))
    if (question := found.get("learning")) is None:
        return
    assert size >= 5
    by_letter = dict(zip("AB", numbers(re.sub("[AB] had", "", marked(question))), strict=True))
    for line in question.plots[0].lines:
        (owner,) = {rate for rate, loss in zip(rates, (history["loss"], other), strict=True) if loss == line.y.tolist()}
        assert by_letter[line.label] == owner
    assert runs[0].id in question.name
    assert runs[1].id in question.name


@pytest.mark.parametrize(
    ("small", "large", "reason"),
    [
        ([2.0, 1.8, 1.6, 1.5, 1.4, 1.3], [1.0, 0.7, 0.5, 0.4, 0.3, 0.2], "in smaller steps"),
        ([2.0, 1.0, 0.8, 0.7, 0.6, 0.5], [2.0, 3.0, 1.5, 4.0, 2.5, 6.0], "its steps are too large"),
        ([2.0, 1.0, 0.8, 0.7, 0.6, 0.5], [2.0, 1.01, 0.8, 0.7, 0.61, 0.5], None),
    ],
    ids=["creeps", "jumps", "alike"],
)
def test_learning_rates_are_asked_about_only_where_the_curves_tell(small, large, reason):
    _, found = asked(({"loss": small}, {"learning_rate": 0.001}), ({"loss": large}, {"learning_rate": 0.1}))
    assert ("learning" in found) == (reason is not None)
    if reason:
        assert reason in found["learning"].explanation


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_the_run_with_fewer_steps_had_the_larger_batches(one, other):
    runs, found = asked(*(({"loss": [1.0]}, {"batch_size": size, "examples": 2000}) for size in (one, other)))
    steps = [2000 // size for size in (one, other)]
    question = found.get("larger")
    assert (question is not None) == (one != other and max(steps) >= 1.5 * min(steps))
    if question is not None:
        shown = dict(re.findall(r"([AB])(?: took)? \*\*([\d,]+)", question.text))
        fewer = min("AB", key=lambda letter: int(shown[letter].replace(",", "")))
        assert marked(question) == fewer
        assert len(runs) == 2


@settings(deadline=None)
@given(columns("loss", "val_loss", sizes=(5, 6)), columns("loss", "val_loss", sizes=(5, 6)))
def test_the_run_to_use_has_the_lower_validation_loss(one, other):
    _, found = asked((one, {}), (other, {"learning_rate": 0.02}))
    if (question := found.get("generalisation")) is None:
        return
    training, validation = zip(*((float(a), float(b)) for _, a, b in question.plots[0].rows), strict=True)
    better = "AB"[validation.index(min(validation))]
    assert marked(question) == f"{better}, as its validation loss is lower"
    assert training.index(min(training)) != validation.index(min(validation))
    assert set(training) == {float(f"{history['loss'][-1]:.3g}") for history in (one, other)}


def test_runs_of_different_data_or_models_are_not_compared(tmp_path):
    fast, slow = [1.0, 0.7, 0.5, 0.4, 0.3], [2.0, 1.8, 1.6, 1.5, 1.4]
    runs = [
        run_of(tmp_path, 0, {"loss": slow}, learning_rate=0.001),
        run_of(tmp_path, 1, {"loss": fast}, learning_rate=0.1),
    ]
    assert any(question.name.startswith("learning") for question in questions(runs))
    request = json.loads((runs[1].folder / "run.json").read_text())
    (runs[1].folder / "run.json").write_text(json.dumps({**request, "data": "/my/pictures"}))
    assert not any("-and-" in question.name for question in questions([runs[0], Run(runs[1].folder)]))


def test_runs_without_a_word_are_passed_over(tmp_path):
    silent = run_of(tmp_path, 0, {"reward": [1.0] * 9})
    (silent.folder / "events.jsonl").unlink()
    broken = run_of(tmp_path, 1, {"loss": [float("nan")] * 9, "val_loss": [1.0] * 9})
    assert {question.name.partition("-")[0] for question in questions([silent, broken])} == {"batch", "patience"}


def test_few_of_a_kind_and_no_two_alike(tmp_path):
    sizes = [32, 32, 16, 64, 10, 20]
    runs = [run_of(tmp_path, number, {"loss": [1.0]}, batch_size=size) for number, size in enumerate(sizes)]
    found = [question for question in questions(runs) if question.name.startswith("batch-size")]
    assert [numbers(marked(question)) for question in found] == [[32], [16], [64]]
