"""Runs as pages show them: the list, how far one is, and what can be done with it."""

import json
import re

import pytest

from layerwise.hardware.slots import parse_device
from layerwise_app.web.curves import curve, curve_html
from layerwise_app.web.forms import device_control
from layerwise_app.web.pages.run_list import RunList
from layerwise_app.web.pages.run_view import RunView
from layerwise_app.web.progress import progress_html, resumes_of


def test_the_list_of_runs(workspace, make_run):
    epoch = {"event": "epoch", "epoch": 1, "loss": 0.5, "val_loss": 0.4, "accuracy": 0.8, "val_accuracy": 0.75}
    run = make_run("demo/brightness", {"event": "started", "num_epochs": 3, "device": "CPU"}, epoch, ending="stopped")
    runs = RunList(workspace)
    for _ in range(2):  # read, then remembered
        shown = runs.table_html()
        assert "1 of 10" in shown
        assert f"{run.created[:10]} {run.created[11:16]} UTC ({run.id[-4:]})" in shown
        assert "validation accuracy 75.0%" in shown
        assert "Somebody asked it to stop." in shown
    assert not runs.is_promoted(run)
    run.append("queued")  # it was resumed
    assert "lw-queued" in runs.table_html()
    run.append("failed", reason="The <disk> is full.")
    assert "The &lt;disk&gt; is full." in runs.table_html()
    workspace.runs.delete(run.id)
    assert "No run yet." in runs.table_html()


def test_ended_runs_are_not_read_again(workspace, make_run, monkeypatch):
    make_run("demo/brightness")
    runs = RunList(workspace)
    shown = runs.table_html()
    monkeypatch.setattr(
        "layerwise.job_folders.events.EventLog.backwards", lambda self: pytest.fail("it was read again")
    )
    assert runs.table_html() == shown


def test_of_many_runs_the_newest_are_shown_and_those_that_go_on(workspace, make_run, monkeypatch):
    monkeypatch.setattr("layerwise_app.web.pages.run_list.SHOWN_RUNS", 2)
    made = [make_run("demo/brightness", ending="" if number == 1 else "finished") for number in range(5)]
    oldest = sorted(made, key=lambda run: run.id)[0]
    made.remove(oldest)
    runs = RunList(workspace)
    shown = [run.id for run in runs.newest()]
    assert shown[:2] == [run.id for run in workspace.runs.list()[:2]]
    going_on = [run.id for run in workspace.runs.list() if run.is_active]
    assert set(going_on) <= set(shown)
    assert f"{5 - len(shown)} older runs are not shown" in runs.table_html()


def test_the_trials_of_a_search_stand_together(workspace, make_run):
    for number in range(4):
        run = make_run("demo/brightness")
        request = json.loads((run.folder / "run.json").read_text())
        study = "colours" if number != 2 else None
        (run.folder / "run.json").write_text(json.dumps({**request, "study": study}))
    shown = RunList(workspace).table_html()
    assert shown.count("scope=rowgroup") == 1
    assert "3 of these 3 trials have ended" in shown
    rows = re.findall(r"<tr>(.*?)</tr>", shown)[1:]
    heading = next(index for index, row in enumerate(rows) if "rowgroup" in row)
    assert len(rows) == 5
    assert heading in (0, 1)


def test_progress_in_words(make_run):
    started = {"event": "started", "num_epochs": 4, "device": "<CPU>", "steps_per_epoch": 10}
    progress = {"event": "progress", "epoch": 2, "step": 5, "steps": 10, "loss": 0.25, "samples_per_second": 12345.6}
    run = make_run("demo/brightness", started, progress, ending="")
    shown = progress_html(run, "running", run.events())
    assert '<progress max="4" value="1.500"' in shown
    assert "epoch <b>2</b> of 4 &middot; loss <b>0.25</b> &middot; <b>12,346</b> examples per second" in shown
    assert "on &lt;CPU&gt;" in shown
    assert "went on" not in shown
    assert "Its process is starting." in progress_html(run, "queued", [])
    run.append("checkpoint", epoch=2, step=5)
    run.append(**{**started, "epoch": 2, "step": 5})
    resumed = progress_html(run, "running", run.events())
    assert "went on from epoch 2, step 5 &middot; checkpoint just now" in resumed
    assert resumes_of(run.events()) == [1.5]
    assert 'title="resumed here"' in curve_html("Loss", curve(run.events(), "loss"), 4, resumes_of(run.events()))


def test_what_a_queued_run_waits_for(make_run):
    run = make_run("demo/brightness", ending="")
    other = make_run("demo/brightness").id
    waiting = {"event": "waiting", "reason": f"It waits for {other}, which has the device.", "run": other}
    linked = f'It waits for <a href="./train?run={other}">{other}</a>, which'
    assert linked in progress_html(run, "queued", [waiting])
    waiting = {"event": "waiting", "reason": "It waits for another run, which has it.", "run": "another run"}
    assert "It waits for another run" in progress_html(run, "queued", [waiting])
    download = {"event": "download", "file": "<a>.gz", "bytes": 50, "total_bytes": 200}
    for state in ("queued", "running"):
        assert "Downloading &lt;a&gt;.gz, 25%." in progress_html(run, state, [download])
    run.request_stop()
    assert "It leaves the queue." in progress_html(run, "queued", [])


@pytest.mark.parametrize(("count", "labels"), [(0, ["CPU"]), (1, ["GPU", "CPU"]), (2, None)])
def test_only_devices_that_are_there_can_be_chosen(monkeypatch, count, labels):
    monkeypatch.setattr("layerwise_app.web.forms.num_gpus", lambda: count)
    control = device_control()
    assert control.value == "auto"
    expected = labels or ["The first free GPU", "GPU 0", "GPU 1", "All GPUs together", "CPU"]
    assert [label for label, _ in control.choices] == expected
    assert ("no NVIDIA GPU" in control.info) == (count == 0)
    for _, word in control.choices:
        parse_device(word, count)


def buttons(site, run):
    """Which buttons of a run can be pressed."""
    values = RunView(site).look(run.id)
    names = ("stop", "resume", "promote", "rollback", "delete")
    return {name for name, value in zip(names, values[4:9], strict=True) if value["interactive"]}


def test_what_can_be_done_with_a_run_depends_on_its_state(site, make_run):
    epoch = {"event": "epoch", "epoch": 1, "loss": 0.5}
    assert buttons(site, make_run("demo/brightness")) == {"promote", "delete"}
    failed = make_run("demo/brightness", epoch, ending="failed", threshold=None)
    assert buttons(site, failed) == {"resume", "delete"}
    assert "Without a checkpoint yet, Resume begins anew." in RunView(site).look(failed.id)[0]
    failed.checkpoints.save({}, {})
    assert "Resume goes on from its checkpoint of just now." in RunView(site).look(failed.id)[0]
    active = make_run("demo/brightness", epoch, ending="", threshold=None)
    with active.lock():
        assert buttons(site, active) == {"stop"}
        active.request_stop()
        assert buttons(site, active) == set()
    assert "killed" in RunView(site).look(active.id)[0]
