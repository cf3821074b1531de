"""Tracking in MLflow: what arrives there, and that a server that is gone costs a training nothing."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layerwise import jobs
from layerwise.registry import Registry
from layerwise.runs import RunStore

TOY = Path(__file__).parents[1] / "plugins_sample" / "toy"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A tracking store in a folder, and its address. Without MLflow the test is skipped, and fails where CI=true."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("mlflow")
    address = (tmp_path / "mlflow").as_uri()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return address


@pytest.fixture
def run(home, monkeypatch):
    """A run that was asked for, of a model that any process finds."""
    monkeypatch.setenv("PYTHONPATH", str(TOY))
    monkeypatch.syspath_prepend(str(TOY))
    spec = Registry(home).snapshot().model("toy/bars")
    return RunStore(home).create(spec, None, spec.variant().config, study="a-study", trial="0")


def told(store):
    """All runs in the store."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(store)
    return client, client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])


def test_nothing_is_tracked_unless_somebody_says_where(run, monkeypatch):
    import layerwise_tracking

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert layerwise_tracking.layerwise_callbacks(run) == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(layerwise_tracking.importlib.util, "find_spec", lambda name: None)
    assert layerwise_tracking.layerwise_callbacks(run) == []


def test_a_run_arrives_with_its_config_metrics_tags_and_end(store, run):
    from layerwise_tracking.mlflow import Sender

    sender = Sender(run)
    for epoch, loss in ((1, 0.5), (2, 0.25)):
        sender.tell_metrics(epoch, {"loss": loss, "val_accuracy": 0.75, "word": "ignored"})
    sender.tell_end("FINISHED")
    sender.close(60)
    client, (found,) = told(store)
    assert found.info.status == "FINISHED"
    assert found.data.params["learning_rate"] == "0.01"
    assert found.data.params["hidden_units"] == "[16]"
    assert found.data.metrics == {"loss": 0.25, "val_accuracy": 0.75}
    assert [(item.step, item.value) for item in client.get_metric_history(found.info.run_id, "loss")] == [
        (1, 0.5),
        (2, 0.25),
    ]
    assert found.data.tags["layerwise.run"] == found.data.tags["layerwise.version"] == run.id
    assert found.data.tags["layerwise.study"] == "a-study"
    assert client.get_experiment(found.info.experiment_id).name == "toy/bars"
    assert client.list_artifacts(found.info.run_id) == []


def test_a_resumed_run_goes_on_in_the_same_place_and_one_that_broke_down_is_failed(store, run):
    from layerwise_tracking.mlflow import Sender

    for epoch in (1, 2):
        sender = Sender(run)
        sender.tell_metrics(epoch, {"loss": 1 / epoch})
        sender.close(60)
    client, (found,) = told(store)
    assert found.info.status == "FAILED"
    assert len(client.get_metric_history(found.info.run_id, "loss")) == 2


def test_the_version_is_stored_when_asked_for(store, run, monkeypatch):
    from layerwise_tracking.mlflow import Sender

    monkeypatch.setenv("LAYERWISE_MLFLOW_ARTIFACTS", "1")
    (run.folder / "version").mkdir()
    (run.folder / "version" / "version.json").write_text("{}")
    sender = Sender(run)
    sender.tell_end("FINISHED")
    sender.close(60)
    client, (found,) = told(store)
    assert [item.path for item in client.list_artifacts(found.info.run_id, "version")] == ["version/version.json"]


def test_a_server_that_never_answers_holds_nobody_up(store, run, monkeypatch, caplog):
    from layerwise_tracking.mlflow import Sender

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        sender = Sender(run)
        begin = time.perf_counter()
        for epoch in range(1000):
            sender.tell_metrics(epoch, {"loss": 1.0})
        sender.tell_end("FINISHED")
        assert time.perf_counter() - begin < 0.5
        sender.close(60)
    assert caplog.text.count("MLflow is told nothing more of this run") == 1


@pytest.mark.slow
def test_a_training_is_tracked_from_its_own_process(store, home, run):
    spec = Registry(home).snapshot().model("toy/bars")
    tracked = jobs.start(RunStore(home), spec)
    assert list(jobs.follow(tracked))[-1]["event"] == "finished", tracked.log_text()
    deadline = time.monotonic() + 60
    while not (runs := told(store)[1]) or runs[0].info.status == "RUNNING":
        assert time.monotonic() < deadline, tracked.log_text()
        time.sleep(0.1)
    assert runs[0].info.status == "FINISHED"
    assert runs[0].data.metrics["val_accuracy"] == pytest.approx(tracked.history()[-1]["val_accuracy"], rel=1e-4)


@pytest.mark.slow
def test_a_dead_server_changes_nothing_of_a_training(store, home, run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    spec = Registry(home).snapshot().model("toy/bars")
    alone = jobs.start(RunStore(home), spec)
    assert list(jobs.follow(alone))[-1]["event"] == "finished"
    assert len(alone.history()) == 8
    assert alone.log_text().count("MLflow is told nothing more") <= 1


def test_mlflow_is_not_imported_by_loading_the_plugin():
    code = "import layerwise_tracking, sys; sys.exit('mlflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
