"""The run store and the pointers: what is in use, what was before, and that nothing is lost."""

import json
import multiprocessing
import secrets
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from layerwise import ModelCard, ModelSpec, TrainingConfig, Variant
from layerwise.errors import NotFoundError, RunError, WeightsError
from layerwise.job_folders import job
from layerwise.runs import RunStore
from layerwise.tasks import ImageClassification
from layerwise.versions import Reference, VersionStore, parse_reference
from layerwise.weights import save_arrays


@pytest.fixture
def spec(tmp_path):
    shipped = tmp_path / "shipped"
    record = {"name": "toy/model", "variant": "small", "task": {"labels": ["a", "b"]}, "config": {}}
    save_arrays({"w": np.zeros(1)}, shipped, record)
    return ModelSpec(
        name="toy/model",
        task=ImageClassification(labels=("a", "b"), size=(4, 4), channels=1),
        build="json:dumps",
        card=ModelCard(title="Title", summary="What it does."),
        variants=(Variant(name="small", weights=shipped), Variant(name="bare")),
    )


@pytest.fixture
def runs(tmp_path):
    return RunStore(tmp_path / "home")


@pytest.fixture
def versions(tmp_path):
    return VersionStore(tmp_path / "home")


def trained(runs, spec, variant="small", labels=("a", "b")):
    """A run that has finished and left a version."""
    run = runs.create(spec, variant, TrainingConfig(num_epochs=3))
    record = {"name": spec.name, "variant": variant, "task": {"labels": list(labels)}, "config": run.config}
    save_arrays({"w": np.ones(1)}, run.folder / "version", record)
    run.append("finished", metrics={})
    return run


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("vision/fashion", ("vision/fashion", None, None)),
        ("vision/fashion:dense", ("vision/fashion", "dense", None)),
        ("vision/fashion@shipped", ("vision/fashion", None, "shipped")),
        (" vision/fashion:dense@run-1 ", ("vision/fashion", "dense", "run-1")),
    ],
)
def test_references_are_read_and_written(text, parts):
    assert parse_reference(text) == Reference(*parts)
    assert str(parse_reference(text)) == text.strip()


@pytest.mark.parametrize("text", ["", "a b", "a:b:c", "a@b@c", ":x"])
def test_an_unreadable_reference_is_refused(text):
    with pytest.raises(NotFoundError, match="cannot be read"):
        parse_reference(text)


@pytest.mark.parametrize("length", [0, 5000, 100_000])
def test_the_last_event_is_read_whole_however_long_it_is(spec, runs, length):
    run = runs.create(spec, "small", TrainingConfig())
    assert run.event_log.last()["event"] == "queued"
    for number in range(20):
        run.append("progress", epoch=1, step=number)
    run.append("failed", reason="x" * length)
    assert run.event_log.last()["reason"] == "x" * length
    assert run.state == "failed"
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"event": "half a li')
    assert run.event_log.last()["event"] == "failed"
    assert run.event_log.last() == run.events()[-1]


def test_events_are_gone_on_with_from_where_one_was(spec, runs):
    run = runs.create(spec, "small", TrainingConfig())
    first, position = run.event_log.read_from(0)
    assert [event["event"] for event in first] == ["queued"]
    assert run.event_log.read_from(position) == ([], position)
    run.append("download", file="a", bytes=1, total_bytes=2)
    with run.lock():
        assert run.state == "running"
    run.append("started")
    later, end = run.event_log.read_from(position)
    assert [event["event"] for event in later] == ["download", "started"]
    assert end == (run.folder / "events.jsonl").stat().st_size
    assert run.events(1) == later


def test_the_shipped_version_is_in_use_until_another_is_promoted(spec, runs, versions):
    assert versions.current(spec).id == "shipped"
    run = trained(runs, spec, labels=("x", "y", "z"))
    version = versions.promote(spec, run)
    assert versions.current(spec) == version
    assert version.task.labels == ("x", "y", "z")
    assert version.config.num_epochs == 3
    assert versions.current(spec, "small").reference == f"toy/model:small@{run.id}"


def test_rollback_walks_back_to_the_shipped_version(spec, runs, versions):
    first, second = trained(runs, spec), trained(runs, spec)
    for run in (first, second, second):  # promoting what is in use changes nothing
        versions.promote(spec, run)
    assert versions.rollback(spec).id == first.id
    assert versions.rollback(spec).id == "shipped"
    with pytest.raises(RunError, match="no former version"):
        versions.rollback(spec)
    assert versions.current(spec).id == "shipped"


def test_before_the_first_version_there_is_nothing_to_go_back_to(spec, runs, versions):
    versions.promote(spec, trained(runs, spec, variant="bare"))
    assert versions.history(spec.name, "bare") == []
    with pytest.raises(RunError, match="no former version"):
        versions.rollback(spec, "bare")


def test_rollback_skips_what_was_deleted(spec, runs, versions):
    first, second = trained(runs, spec), trained(runs, spec)
    versions.promote(spec, first)
    versions.promote(spec, second)
    runs.delete(first.id)
    assert versions.rollback(spec).id == "shipped"


def test_a_variant_without_weights_says_how_to_train_it(spec, versions):
    with pytest.raises(NotFoundError, match="layerwise train toy/model:bare --promote"):
        versions.current(spec, "bare")
    assert versions.list(spec, "bare") == []


def test_versions_are_listed_newest_first(spec, runs, versions):
    first, second = trained(runs, spec), trained(runs, spec)
    trained(runs, spec, variant="bare")
    found = [version.id for version in versions.list(spec)]
    assert set(found[:2]) == {first.id, second.id}
    assert found[:2] == sorted(found[:2], reverse=True)
    assert found[2:] == ["shipped"]


def test_a_run_without_weights_or_of_another_model_is_not_promoted(spec, runs, versions):
    with pytest.raises(RunError, match="no weights to promote"):
        versions.promote(spec, runs.create(spec, None, TrainingConfig()))
    other = ModelSpec(name="toy/other", task=spec.task, build="json:dumps", card=spec.card)
    with pytest.raises(RunError, match="another model"):
        versions.promote(other, trained(runs, spec))


@pytest.mark.parametrize("identifier", ["../../etc", "a/b", "", ".", "..", "-x", "x\n"])
def test_an_id_never_leaves_the_store(spec, versions, identifier):
    with pytest.raises(NotFoundError):
        versions.get(spec, None, identifier)


def test_a_corrupted_pointer_is_said_and_not_guessed(spec, runs, versions):
    versions.promote(spec, trained(runs, spec))
    versions.pointer("toy/model", "small").write_text("{")
    with pytest.raises(WeightsError, match="unknown which version is in use"):
        versions.current(spec)


def test_readers_never_see_half_a_pointer(spec, runs, versions):
    first, second = trained(runs, spec), trained(runs, spec)
    known = {"shipped", first.id, second.id}
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(versions.current(spec).id)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(30):
        versions.promote(spec, first)
        versions.promote(spec, second)
    done.set()
    for reader in readers:
        reader.join()
    assert seen <= known
    assert len(json.loads(versions.pointer("toy/model", "small").read_text())["history"]) == 60


def test_a_run_remembers_what_was_asked_for(spec, runs, tmp_path):
    run = runs.create(spec, "bare", TrainingConfig(seed=7), data=tmp_path)
    again = runs.get(run.id)
    assert (again.name, again.variant, again.data) == ("toy/model", "bare", str(tmp_path.resolve()))
    assert again.config["seed"] == 7
    assert again.state == "queued"
    assert [event["event"] for event in again.events()] == ["queued"]
    assert again.request["environment"]


def test_a_run_says_how_it_was_asked_for(spec, runs):
    plain = runs.create(spec, None, TrainingConfig())
    assert plain.id.rpartition("-")[0].endswith("-model-small"), "the application and the variant"
    assert (plain.variant, plain.data, plain.device) == ("small", None, "auto")
    assert (plain.by, plain.cluster, plain.start_from, plain.workers) == (None, None, None, 1)
    assert plain.request["data"] is None
    assert {"git", "environment"} < plain.request.keys()
    more = {"by": "ada", "cluster": "ray://there", "start_from": "shipped", "workers": 3}
    run = runs.create(spec, "bare", TrainingConfig(), data="pictures", device="gpu:1", **more)
    assert (run.by, run.cluster, run.start_from, run.workers) == ("ada", "ray://there", "shipped", 3)
    assert (run.data, run.device) == (str(Path("pictures").resolve()), "gpu:1")
    assert run.folder.parent == runs.folder
    with pytest.raises(NotFoundError):
        runs.create(spec, "huge", TrainingConfig())


def rows(run):
    """The lines of its metrics.csv, each cut at the commas."""
    return [line.split(",") for line in (run.folder / "metrics.csv").read_text(encoding="utf-8").splitlines()]


def test_a_metric_that_comes_later_has_a_column_of_its_own(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    run.append_metrics({"epoch": 1, "loss": 0.5})
    run.append_metrics({"epoch": 2, "loss": 0.25})
    assert rows(run) == [["epoch", "loss"], ["1", "0.5"], ["2", "0.25"]]
    run.append_metrics({"epoch": 3, "größe": 9})
    run.append_metrics({"loss": 0.1, "epoch": 4})
    assert rows(run) == [
        ["epoch", "loss", "größe"],
        ["1", "0.5", ""],
        ["2", "0.25", ""],
        ["3", "", "9"],
        ["4", "0.1", ""],
    ]


def test_a_table_of_metrics_that_a_full_disk_tore_is_gone_on_with(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    table = run.folder / "metrics.csv"
    table.touch()
    run.append_metrics({"epoch": 1, "loss": 0.5})
    assert rows(run) == [["epoch", "loss"], ["1", "0.5"]]
    with table.open("a") as file:
        file.write("2")
    run.append_metrics({"epoch": 3, "accuracy": 0.9})
    assert rows(run) == [["epoch", "loss", "accuracy"], ["1", "0.5", ""], ["2", "", ""], ["3", "", "0.9"]]


def test_after_a_resume_the_metrics_are_those_of_the_history(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    run.rewrite_metrics()
    assert not (run.folder / "metrics.csv").exists()
    for epoch in (1, 2, 3):
        run.append("epoch", epoch=epoch, loss=1 / epoch)
        run.append_metrics({"epoch": epoch, "loss": 1 / epoch})
    run.append("started", epoch=3, step=0)
    assert [event["epoch"] for event in run.history()] == [1, 2]
    run.rewrite_metrics()
    assert rows(run) == [["epoch", "loss"], ["1", "1.0"], ["2", "0.5"]]


def test_the_course_of_a_run_is_remembered_until_it_is_deleted(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    remembered = runs.course(run)
    assert runs.course(runs.get(run.id)) is remembered
    run.append("failed", reason="It diverged.")
    assert [event["event"] for event in remembered.events()] == ["queued", "failed"]
    runs.delete(run.id)
    assert runs.course(run) is not remembered
    assert runs.course(run).events() == []


def test_a_run_that_goes_on_is_not_deleted_though_its_version_is_in_use(spec, runs, versions):
    run = trained(runs, spec)
    versions.promote(spec, run)
    run.append("started", device="CPU")
    with run.lock(), pytest.raises(RunError, match="stop it first"):
        runs.delete(run.id[-4:])
    assert run.folder.is_dir()


def test_runs_are_found_by_the_ends_of_their_id(spec, runs):
    run, other = runs.create(spec, None, TrainingConfig()), runs.create(spec, None, TrainingConfig())
    assert runs.get(run.id[-4:]).id == run.id
    with pytest.raises(NotFoundError, match="2 runs are called"):
        runs.get(run.id[:4])
    with pytest.raises(NotFoundError, match="There is no run"):
        runs.get("nothing")
    assert {found.id for found in runs.list()} == {run.id, other.id}


def test_a_half_written_event_waits_for_the_next_look(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"event": "progr')
    assert len(run.events()) == 1
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('ess", "step": 1}\n')
    assert run.events(1) == [{"event": "progress", "step": 1}]


def hold(folder, ready):
    from layerwise.runs import Run

    with Run(Path(folder)).lock():
        ready.set()
        time.sleep(60)


def test_a_killed_process_makes_a_failed_run(spec, runs):
    run = runs.create(spec, None, TrainingConfig())
    run.append("started", device="CPU")
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(str(run.folder), ready), daemon=True)
    process.start()
    try:
        assert ready.wait(30)
        assert run.state == "running"
        with pytest.raises(RunError, match="stop it first"):
            runs.delete(run.id)
    finally:
        process.kill()
        process.join()
    assert run.state == "failed"
    assert "killed" in run.reason


def test_a_run_in_use_is_not_deleted(spec, runs, versions):
    run = trained(runs, spec)
    versions.promote(spec, run)
    with pytest.raises(
        RunError, match=rf"version made by {run.id} is in use. What to do: layerwise rollback toy/model:small first"
    ):
        runs.delete(run.id)
    versions.rollback(spec)
    runs.delete(run.id)
    assert runs.list() == []
    assert list(runs.folder.iterdir()) == []


def test_two_runs_of_one_second_that_draw_the_same_digits_get_folders_of_their_own(runs, spec, monkeypatch):
    drawn = iter(["22bf", "22bf", "0a1c"])
    real = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn) if size == 2 else real(size))
    monkeypatch.setattr(job, "datetime", StoppedClock)
    made = [runs.create(spec, "small", TrainingConfig()) for _ in range(2)]
    assert [run.id[-4:] for run in made] == ["22bf", "0a1c"]
    assert [run.state for run in made] == ["queued"] * 2
    assert sorted(path.name for path in runs.folder.iterdir()) == sorted(run.id for run in made)


def test_a_version_is_found_by_the_end_of_its_id(runs, versions, spec, monkeypatch):
    monkeypatch.setattr(job, "datetime", StoppedClock)
    first, second = trained(runs, spec), trained(runs, spec)
    assert versions.get(spec, "small", second.id[-4:]).id == second.id
    with pytest.raises(NotFoundError, match="has no version '20260102'"):
        versions.get(spec, "small", "20260102")
    with pytest.raises(NotFoundError):
        versions.get(spec, "small", "*")
    assert versions.get(spec, "small", first.id).id == first.id


class StoppedClock(datetime):
    """It is always the same moment."""

    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)
