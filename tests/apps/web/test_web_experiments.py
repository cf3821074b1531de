"""Comparing runs and searching for hyperparameters: what the pages and the HTTP API say."""

import csv
import io
import json
import re
from types import SimpleNamespace

import pytest

from layerwise.comparing.measurement import Measurement
from layerwise.hyperparameters.search_space import parse_ranges
from layerwise.hyperparameters.studies import Trial
from layerwise_app.web.pages import compare, tune
from layerwise_app.web.pages.own_data import located
from layerwise_app.web.scatter import axis_of, place, scatter_html

STARTED = {"event": "started", "num_epochs": 2, "device": "CPU"}
DRAWS = {"accuracy": [0.80, 0.82, 0.84] * 100}


def epoch(number, **metrics):
    return {"event": "epoch", "epoch": number, "learning_rate": 0.1, "seconds": 2.0, **metrics}


@pytest.fixture
def pair(make_run):
    """Two runs, the second of which failed."""
    one = make_run("demo/brightness", STARTED, epoch(1, loss=0.5, val_loss=0.4), epoch(2, loss=0.25, val_loss=0.3))
    other = make_run("demo/brightness", STARTED, epoch(1, loss=0.75, auc=0.5), ending="failed")
    return one, other


def measure(run, shift, examples="the same"):
    """Write down what a measurement would have given."""
    record = json.loads((run.version_folder / "version.json").read_text())
    result = {
        "weights": record["sha256"],
        "dataset": "pictures",
        "split": "test",
        "count": 1234,
        "metrics": {"accuracy": 0.82 + shift},
        "interval": {"accuracy": [0.8 + shift, 0.84 + shift]},
        "examples": examples,
        "resampled": {"accuracy": [value + shift for value in DRAWS["accuracy"]]},
    }
    folder = run.folder / "measurement"
    folder.mkdir(exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result))


@pytest.fixture
def page(site):
    return compare._Page(site)


def test_curves_of_every_metric_that_any_of_the_runs_reports(pair):
    shown = compare.curves_html([run.events() for run in pair], "epoch")
    assert re.findall(r"<figcaption><strong>(\w+)", shown) == ["Loss", "AUC"]
    assert "Loss: run 1, validation 0.3 after 2 epochs, run 2, training 0.75 after 1 epochs" in shown


def test_what_differs_is_a_table_and_nothing_is_said_so(pair, make_run):
    assert "Nothing." in compare.differences_html(pair)
    other = make_run("demo/echo", STARTED)
    shown = compare.differences_html([pair[0], other])
    assert "<code>model</code>" in shown
    assert "demo/echo" in shown
    assert "batch_size" not in shown


def test_figures_say_whether_they_differ_by_more_than_chance(pair):
    assert compare.measured_html(pair).count("not measured yet") == 2
    measure(pair[0], 0.0)
    measure(pair[1], 0.05)
    shown = compare.measured_html(pair)
    assert "test, 1,234" in shown
    assert "<b>0.8200</b> <small>(0.8000 to 0.8400)</small>" in shown
    assert "+0.0500 (+0.0500 to +0.0500): beyond chance" in shown
    measure(pair[1], 0.05, examples="others")
    assert "chance</small>" not in compare.measured_html(pair), "nothing is said of other examples"


def test_what_cannot_be_measured_and_how_far_it_is(pair, make_run):
    none = make_run("demo/brightness", threshold=None)
    Measurement(pair[0]).lock()  # makes its folder
    Measurement(pair[0]).note(30, 1200)
    Measurement(pair[1]).lock()
    Measurement(pair[1]).keep_error("The <data> are gone")
    shown = compare.measured_html([*pair, none])
    assert "30 of 1,200" in shown
    assert "The &lt;data&gt; are gone" in shown
    assert "no version yet" in shown


def test_the_page_finds_its_runs_and_forgets_those_that_are_gone(page, pair, workspace):
    ids = [run.id for run in pair]
    legend, curves, _, _, actions, measure_button, export, timer = page.look(ids, "epoch")
    assert legend.count('class="lw-number') == 2
    assert "data-points" in curves
    assert actions["visible"]
    assert measure_button["visible"]
    assert export.count(pair[0].id) == 3
    assert not timer["active"], "nothing goes on"
    assert "Choose two runs or more." in page.look([*ids[:1], "gone"], "epoch")[0]


def test_comparing_over_http(client, pair):
    asked = f"run={pair[0].id}&run={pair[1].id}"
    found = client.get(f"/api/v1/comparison?{asked}").json()
    assert [run["state"] for run in found["runs"]] == ["finished", "failed"]
    assert [len(run["history"]) for run in found["runs"]] == [2, 1]
    assert found["contrasts"] == {}
    answer = client.get(f"/api/v1/comparison/epochs.csv?{asked}")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["run"], row["epoch"]) for row in rows] == [(pair[0].id, "1"), (pair[0].id, "2"), (pair[1].id, "1")]
    assert client.get(f"/api/v1/comparison/none.csv?{asked}").status_code == 404
    assert client.get(f"/api/v1/comparison?run={pair[0].id}").status_code == 422


@pytest.fixture
def study(workspace, spec, make_run):
    """A study of two trials, as its process would have left it."""
    found = spec("demo/brightness")
    ranges = parse_ranges(found.variants[0].config, ["learning_rate=1e-4..1e-2", "optimizer=adam/sgd"])
    made = workspace.studies.create(found, None, ranges, num_trials=3)
    for number, loss in (("0", 0.5), ("1", 0.25)):
        run = make_run("demo/brightness", STARTED, epoch(1, loss=loss, val_loss=loss))
        request = json.loads((run.folder / "run.json").read_text())
        request |= {"study": made.id, "trial": number}
        (run.folder / "run.json").write_text(json.dumps(request))
    made.append("stopped", reason="Somebody asked it to stop.")
    yield made
    workspace.studies.delete(made.id)


def test_a_study_on_its_page(site, study):
    shown = tune._Page(site)
    status, charts, trials, command, actions, stop, resume, use, timer = shown.look(study.id)
    assert "<b>2</b> of at most 3 trials" in status
    assert "best val_loss <b>0.25</b>" in status
    assert charts.count("<figure") == 2
    assert charts.count("lw-best-dot") == 2
    assert trials.index("<b>0.25</b>") < trials.index("<b>0.5</b>")
    assert command["value"] == "layerwise train demo/brightness:default"
    assert actions["visible"]
    assert (stop["interactive"], resume["interactive"], use["interactive"]) == (False, True, True)
    assert not timer["active"]
    assert "There is no study" in shown.look("none")[0]


def test_a_search_takes_what_was_uploaded(site, workspace, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("a,b\n1,2\n")
    upload = workspace.uploads.add([table])
    try:
        data = tune._Page(site).open(SimpleNamespace(query_params={}))[2]
        assert [value for _, value in data["choices"]] == ["", upload.id]
        assert located(workspace.uploads, upload.id) == upload.folder
        assert located(workspace.uploads, "") is None
    finally:
        workspace.uploads.delete(upload.id)


def test_the_form_is_filled_with_the_usual_ranges(site):
    assert "learning_rate=3e-05..0.03" in tune._Page(site).ranges_of("demo/brightness:default").splitlines()


def test_studies_over_http(client, study):
    assert [item["id"] for item in client.get("/api/v1/studies").json()] == [study.id]
    found = client.get(f"/api/v1/studies/{study.id[-4:]}").json()
    assert [trial["score"] for trial in found["trials"]] == [0.25, 0.5]
    assert found["state"] == "stopped"
    assert client.post(f"/api/v1/studies/{study.id}/stop").status_code == 409
    refused = client.post("/api/v1/studies", json={"model": "vision/fashion", "ranges": {"dropout": "2..3"}})
    assert refused.status_code == 422
    assert "out of range" in refused.json()["error"]["message"]


def test_a_study_without_data_is_refused_over_http(client):
    pytest.importorskip("keras_tuner")
    assert client.post("/api/v1/studies", json={"model": "demo/brightness"}).status_code == 409


def test_places_on_the_axes_of_settings(study, pair):
    rate, optimizer = study.ranges
    assert [place(rate, value) for value in (1e-4, 1e-3, 1e-2)] == pytest.approx([0, 50, 100])
    assert [place(optimizer, value) for value in ("adam", "sgd")] == [25, 75]
    assert [text for _, text in axis_of(rate)] == ["0.0001", "0.001", "0.01"]
    trial = Trial(number="0", run=pair[0], values={"learning_rate": 1e-3}, score=0.5)
    assert 'aria-label="val_loss over learning_rate: best 0.5 at 0.001"' in scatter_html(rate, "val_loss", [trial])
