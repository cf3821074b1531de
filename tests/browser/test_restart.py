"""The server is killed while a run trains, and started again: an open page and a new one find the run, whole."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

from layerwise.registry import Registry
from layerwise.runs import RunStore


@contextmanager
def killed_server(home, port):
    """A server on that port, killed without a word."""
    code = f"from layerwise_app.web.server import serve; serve(port={port}, open_browser=False, home={str(home)!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("Layerwise is at ")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def points(page):
    return int(page.locator("#loss figure").get_attribute("data-points") or 0)


def wait_for_points(page, more_than):
    page.wait_for_function(f"+document.querySelector('#loss figure')?.dataset.points > {more_than}")


def test_a_killed_server_loses_nothing(visit, plugins, tmp_path):
    from layerwise import jobs
    from layerwise.config import config_from

    spec, port = Registry(tmp_path).snapshot().model("toy/bars"), free_port()
    run = jobs.start(RunStore(tmp_path), spec, config=config_from(spec.config, {"num_epochs": 10_000}))
    try:
        with killed_server(tmp_path, port) as address:
            visitor = visit("train?model=toy/bars:small", address=address)
            page = visitor.page
            wait_for_points(page, 2)
            assert page.url.endswith(f"run={run.id}")
            before = points(page)
            page.get_by_label("Hidden units").fill("17, 5")
            page.get_by_label("Optimizer").click()
            page.get_by_role("option", name="rmsprop").click()
            page.get_by_label("Number of epochs").fill("1")
            page.get_by_label("Number of epochs").press_sequentially("23")
            visitor._is_leaving = True  # what it says while nobody answers is no complaint
            page.evaluate("window.former = true")
        with killed_server(tmp_path, port) as address:
            page.wait_for_function("!window.former")
            visitor._is_leaving = False
            wait_for_points(page, before)
            typed = ("Hidden units", "Optimizer", "Number of epochs")
            assert [page.get_by_label(name).input_value() for name in typed] == ["17, 5", "rmsprop", "123"]
            other = visit(f"train?run={run.id}", phone=True, address=address)
            wait_for_points(other.page, before)
            visitor.button("Stop").click()
            page.locator("#progress .lw-stopped").wait_for()
            other.page.locator("#progress .lw-stopped").wait_for()
            other.says("Resume goes on from its checkpoint")
            other.button("Resume").click()
            page.locator("#progress .lw-running").wait_for()
            page.get_by_text("went on from").wait_for()
            os.kill(json.loads((run.folder / "process.json").read_text())["pid"], signal.SIGKILL)
            page.locator("#progress .lw-failed").wait_for()
            visitor.says("Its process was killed.")
            assert visitor.button("Resume").is_enabled()
            visitor._is_leaving = other._is_leaving = True
    finally:
        run.request_stop()
