"""Whatever a plugin does while it is loaded: this process goes on, the others are loaded, nothing is left over."""

import json
import sys

import pytest
from fresh_process import run_python
from plugins_sample.samples import GOOD, HEAD, install
from worker_helpers import FAULTS, left_over

from layerwise import paths
from layerwise.plugins.failures import FailureStore
from layerwise.registry import Registry
from layerwise.workers.rehearsal import fingerprint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="some of these faults are those of Linux")

PLACES = ("import", "models", "tasks", "datasets", "pages", "lessons", "commands")
DEADLY = {
    "loop": "did not finish loading in time",
    "gil": "did not finish loading in time",
    "os-exit": "ended itself with exit status 3",
    "segmentation-fault": "was killed by a segmentation fault",
    "kill": "was killed (SIGKILL)",
    "memory": "used more than",
    "closes": "let go of its connection to Layerwise",
    "garbage": "wrote into the connection of its process",
    "others": "ended itself with exit status 4",
    "leaves-thread": "left a thread running that keeps a process from ending",
    "leaves-process": "left a process running",
}
"""Faults that the process itself would not survive, or not end with, and what is said of them."""
CAUGHT = {"exception": "a mistake of the plugin", "sys-exit": "SystemExit", "own-class": "returned no sequence"}
"""Faults that an exception tells of."""
LOOK = """
    import json
    from layerwise.registry import Registry
    snapshot = Registry().snapshot()
    print(json.dumps({report.name: [report.status, report.reason] for report in snapshot.plugins}))
"""


def code_of(fault, place):
    """A plugin with one fault in one place."""
    head = f"{HEAD}\nimport sys\nsys.path.append({str(FAULTS)!r})\nfrom faulty import FAULTS\n\n"
    if place == "import":
        return f"{head}FAULTS[{fault!r}]()\n\n@hookimpl\ndef layerwise_models():\n    return []\n"
    argument = "app" if place == "commands" else ""
    return f"{head}@hookimpl\ndef layerwise_{place}({argument}):\n    return FAULTS[{fault!r}]() or []\n"


def statuses(seconds):
    """What a process that loads all plugins says of them: their statuses and the reasons.

    Args:
        seconds: For which each may load.
    """
    done = run_python(LOOK, LAYERWISE_PLUGIN_TIMEOUT=seconds, LAYERWISE_WORKER_MEMORY="400M")
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", [*DEADLY, *CAUGHT, "prints"])
def test_a_fault_in_each_hook_harms_no_other_plugin(site, home, fault):
    for place in PLACES:
        install(site, code_of(fault, place), name=f"bad-{place}")
    install(site, GOOD, name="good")
    seconds = "3" if fault in ("loop", "gil") else "60"
    first = statuses(seconds)
    assert first["good"][0] == first["toy"][0] == "loaded"
    for place in PLACES:
        status, reason = first[f"bad-{place}"]
        if fault in DEADLY:
            assert (status, DEADLY[fault] in reason) == ("quarantined", True), (place, status, reason)
            assert reason.endswith(f"layerwise plugins --enable bad-{place} tries again.")
        elif fault == "prints" or place == "commands" or (fault == "own-class" and place == "import"):
            assert status == "loaded", (place, reason)
        else:
            assert (status, CAUGHT[fault] in reason) == ("failed", True), (place, reason)
    assert not left_over(home)
    second = statuses(seconds)
    assert {name: status for name, (status, _) in second.items()} == {
        name: status for name, (status, _) in first.items()
    }


def test_a_plugin_that_would_end_the_process_is_found_before_and_the_author_sees_where(site, home):
    install(site, code_of("segmentation-fault", "models"), name="bad")
    install(site, GOOD, name="good")
    snapshot = Registry().snapshot()
    assert "sample/good" in snapshot.models
    report = next(report for report in snapshot.plugins if report.name == "bad")
    assert report.status == "quarantined"
    assert report.reason == (
        "When it was loaded in a process of its own first, it was killed by a segmentation fault. "
        "What to do: layerwise plugins --enable bad tries again."
    )
    assert "sample_bad.py" in report.traceback
    assert not list((home / "loading").iterdir())
    # Tried again it is found again, and the server that does so goes on.
    assert "sample/good" in Registry().set_enabled("bad", True).models


def test_what_survived_is_not_rehearsed_again_until_it_changes(site, home, processes):
    install(site, GOOD, name="good")
    Registry().snapshot()
    assert _rehearsals(processes) == 1
    Registry().snapshot()
    assert _rehearsals(processes) == 1
    install(site, GOOD + "\nanswer = 42\n", name="good")
    assert "sample/good" in Registry().snapshot().models
    assert _rehearsals(processes) == 2
    assert list((paths.cache() / "rehearsed").iterdir())


def test_without_isolation_nothing_is_rehearsed(site, home, processes, monkeypatch):
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")
    install(site, GOOD, name="good")
    assert "sample/good" in Registry().snapshot().models
    assert _rehearsals(processes) == 0


def _rehearsals(started):
    return sum("layerwise.workers.rehearsing" in process.args for process in started)


def test_a_fingerprint_follows_every_file_of_a_package(tmp_path, monkeypatch):
    from importlib.metadata import EntryPoint

    package = tmp_path / "some_package"
    (package / "inner").mkdir(parents=True)
    for path in (package / "__init__.py", package / "inner" / "more.py"):
        path.write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint(name="some", value="some_package", group="layerwise.plugins")
    seen = {fingerprint(point), fingerprint(point, "numpy-3.0.dist-info")}
    (package / "inner" / "more.py").write_text("answer = 42")
    seen.add(fingerprint(point))
    assert len(seen) == 3
    assert "" not in seen
    missing = EntryPoint(name="none", value="there_is_no_such_module", group="layerwise.plugins")
    assert fingerprint(missing) == ""


ADD_COMMANDS = """
    import typer
    from layerwise.registry import Registry
    Registry().snapshot().add_commands(typer.Typer())
"""
"""A hook that is asked later, in a process that has rehearsed nothing."""


def test_a_hook_that_is_asked_later_and_hangs_is_left(site, home):
    install(site, code_of("loop", "commands"), name="bad")
    done = run_python(ADD_COMMANDS, LAYERWISE_ISOLATION="off", LAYERWISE_PLUGIN_TIMEOUT="1")
    assert done.returncode == 0, done.stderr
    failure = FailureStore(home=home).find("bad", "layerwise_commands", "1.0")
    assert failure.reason == (
        "It did not come to an end within 1 seconds. What to do: LAYERWISE_PLUGIN_TIMEOUT sets the time."
    )
    assert "in loop" in failure.traceback


def test_a_hook_that_is_asked_later_and_ends_the_process_is_known_at_the_next_start(site, home):
    install(site, code_of("os-exit", "commands"), name="bad")
    assert run_python(ADD_COMMANDS, LAYERWISE_ISOLATION="off").returncode == 3
    report = next(report for report in Registry().snapshot().plugins if report.name == "bad")
    assert report.status == "quarantined"
    assert report.reason.startswith("A start ended while it was loading")


def test_a_page_that_ends_the_process_when_it_is_drawn_is_known_at_the_next_start(site, home):
    page = "from layerwise import Page\n\n@hookimpl\ndef layerwise_pages():\n"
    page += "    return [Page(name='bad-page', title='Bad', draw='json:dumps')]\n"
    install(site, HEAD + page, name="bad")
    draw = """
        import os
        from layerwise.registry import Registry
        snapshot = Registry().snapshot()
        with snapshot.noted(snapshot.plugin_of_page("bad-page")):
            os._exit(3)
    """
    assert run_python(draw).returncode == 3
    snapshot = Registry().snapshot()
    assert {report.name: report.status for report in snapshot.plugins}["bad"] == "quarantined"
    assert snapshot.plugin_of_page("bad-page") is None


@pytest.mark.slow
def test_callbacks_that_hang_or_end_a_training_harm_no_other_one(site, home):
    head = code_of("nothing", "models")
    for fault in ("loop", "os-exit"):
        hook = f"@hookimpl\ndef layerwise_callbacks(run):\n    return FAULTS[{fault!r}]()\n"
        install(site, f"{head}\n\n{hook}", name=f"bad-{fault}")
    code = "from layerwise.registry import Registry\nprint(Registry().snapshot().callbacks(None))"
    environment = {"LAYERWISE_PLUGIN_TIMEOUT": "3"}
    assert run_python(code, **environment).returncode == 3
    done = run_python(code, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[")
    found = {report.name: report.status for report in Registry().snapshot().plugins}
    assert (found["bad-os-exit"], found["bad-loop"]) == ("quarantined", "loaded")
    assert "did not come to an end" in FailureStore(home=home).find("bad-loop", "layerwise_callbacks", "1.0").reason
