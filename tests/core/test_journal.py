"""Plugins that do not let a start go on, where no rehearsal has found them: real processes that are killed, end, hang,
or load at the same time."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import pytest
from fresh_process import run_python
from plugins_sample.samples import BROKEN, BUILT_IN, GOOD, install, is_own

from layerwise.errors import NotFoundError, PluginError
from layerwise.plugins import journal as journals
from layerwise.plugins.journal import Journal, left_behind
from layerwise.plugins.switches import SwitchFile
from layerwise.registry import Registry

LOOK = """
    from layerwise.registry import Registry
    snapshot = Registry().snapshot()
    print(*(f"{report.name}={report.status}" for report in snapshot.plugins), *snapshot.models)
"""

WAITING = """
    import pathlib, time
    here = pathlib.Path(__file__).parent
    here.joinpath("waiting").touch()
    while not here.joinpath("go").exists():
        time.sleep(0.02)
"""
"""A plugin that says when it is being loaded, and goes on when it is told to."""


@pytest.fixture(autouse=True)
def _no_rehearsal(monkeypatch):
    """As for a plugin that behaves only when it counts (test_rehearsal.py has the others)."""
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")


def start(code):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(path, seconds=30):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.02)


def told(text):
    """What LOOK prints: the plugins with their states, and the models, of built-ins only that there are some."""
    plugins = [word for word in text.split() if "=" in word]
    models = [word for word in text.split() if "=" not in word]
    others = [model for model in models if not is_own(model)]
    assert len(models) > len(others)
    return plugins, others


@pytest.mark.parametrize(("name", "status"), [("kills", -signal.SIGKILL), ("ends", 0)])
def test_a_plugin_that_ends_the_process_is_quarantined_at_the_next_start(site, home, name, status):
    install(site, BROKEN[name], name=name)
    install(site, GOOD, name="good")
    dead = run_python(LOOK)
    assert (dead.returncode, dead.stdout) == (status, "")
    for _ in range(2):
        done = run_python(LOOK)
        assert done.returncode == 0, done.stderr
        plugins, models = told(done.stdout)
        assert {"vision=loaded", "good=loaded", "toy=loaded", f"{name}=quarantined"} < set(plugins)
        assert models == ["sample/good", "toy/bars"]
    registry = Registry()
    report = {report.name: report for report in registry.snapshot().plugins}[name]
    assert report.reason == (
        "A start ended while it was loading: it killed the process or did not let it go on. "
        f"What to do: layerwise plugins --enable {name} tries again."
    )
    # A person who has repaired it enables it again.
    install(site, GOOD.replace("sample/good", "sample/repaired"), name=name)
    assert "sample/repaired" in registry.set_enabled(name, True).models
    assert f"{name}=loaded" in run_python(LOOK).stdout


def test_enabling_one_that_still_kills_quarantines_it_again(site, home):
    install(site, BROKEN["kills"], name="kills")
    run_python(LOOK)
    enable = "from layerwise.registry import Registry\nRegistry().set_enabled('kills', True)"
    assert run_python(enable).returncode == -signal.SIGKILL
    assert "kills=quarantined" in run_python(LOOK).stdout


def test_a_plugin_that_hangs_costs_its_time_once(site, home, monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "1.5")
    install(site, BROKEN["hangs"], name="hangs")
    code = (
        LOOK
        + """
    report = {report.name: report for report in snapshot.plugins}["hangs"]
    print(report.reason)
    print(report.traceback)
    """
    )
    first = run_python(code)
    assert first.returncode == 0, first.stderr
    head, reason, _, place, *_ = first.stdout.splitlines()
    plugins, models = told(head)
    assert plugins == [*(f"{name}=loaded" for name in BUILT_IN), "hangs=quarantined", "toy=loaded"]
    assert models == ["toy/bars"]
    assert reason == (
        "It did not finish loading within 1.5 seconds. What to do: layerwise plugins --enable hangs tries again; "
        "LAYERWISE_PLUGIN_TIMEOUT sets the time."
    )
    assert "sample_hangs.py" in place, "the stack begins where the plugin hangs"
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "60")
    began = time.monotonic()
    assert "hangs=quarantined" in run_python(LOOK).stdout
    assert time.monotonic() - began < 20, "it was not loaded at all"


def test_what_a_hanging_plugin_registers_too_late_is_not_seen(site, home):
    code = f"""
        import pathlib, threading
        from layerwise.registry import Registry
        registry = Registry()
        first = registry.snapshot()
        pathlib.Path({str(site)!r}, "go").touch()
        for thread in threading.enumerate():
            if thread.name == "load slow":
                thread.join()
        print("sample/good" in first.models, "sample/good" in registry.reload().models)
        print("sample/good" in registry.set_enabled("slow", True).models)
    """
    install(site, textwrap.dedent(WAITING) + GOOD, name="slow")
    done = run_python(code, LAYERWISE_PLUGIN_TIMEOUT="1")
    assert done.stdout.split() == ["False", "False", "True"], done.stderr


def test_requests_go_on_while_a_plugin_hangs(site, home):
    code = f"""
        import pathlib, threading, time
        from layerwise.registry import Registry
        registry = Registry()
        former = registry.snapshot()
        site = pathlib.Path({str(site)!r})
        (site / "late_plugin-1.0.dist-info").mkdir()
        (site / "late_plugin-1.0.dist-info" / "METADATA").write_text("Name: late-plugin\\nVersion: 1.0\\n")
        (site / "late_plugin-1.0.dist-info" / "entry_points.txt").write_text("[layerwise.plugins]\\nlate = late\\n")
        (site / "late.py").write_text({textwrap.dedent(WAITING) + GOOD!r})
        thread = threading.Thread(target=registry.reload)
        thread.start()
        while not (site / "waiting").exists():
            time.sleep(0.02)
        went_on = registry.snapshot() is former
        (site / "go").touch()
        thread.join()
        print(went_on, registry.snapshot().number, "sample/good" in registry.snapshot().models)
    """
    done = run_python(code)
    assert done.stdout.split() == ["True", "2", "True"], done.stderr


def test_a_start_that_is_killed_from_outside_while_a_plugin_hangs(site, home):
    install(site, WAITING, name="stuck")
    process = start(LOOK)
    wait_for(site / "waiting")
    process.kill()
    process.communicate()
    assert "stuck=quarantined" in run_python(LOOK).stdout


@pytest.mark.slow
@pytest.mark.parametrize(("patience", "status"), [(0, "stuck=quarantined"), (1000, "stuck=loaded")])
def test_ctrl_c_tells_impatience_from_a_change_of_mind(site, home, patience, status):
    install(
        site,
        WAITING
        + "    from layerwise import hookimpl\n\n    @hookimpl\n    def layerwise_models():\n        return []\n",
        name="stuck",
    )
    process = start(
        f"from layerwise.plugins import journal\njournal.PATIENCE_SECONDS = {patience}\n{textwrap.dedent(LOOK)}"
    )
    wait_for(site / "waiting")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    (site / "go").touch()
    assert status in run_python(LOOK).stdout


def test_a_start_that_ends_while_the_python_of_another_plugin_is_asked(site, home, tmp_path):
    """The plugin that was loaded before it has nothing to do with that."""
    install(site, GOOD, name="good")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -9 $PPID\n")
    python.chmod(0o755)
    SwitchFile(home).set_python("other", python)
    assert run_python(LOOK).returncode == -signal.SIGKILL
    SwitchFile(home).set_python("other", None)
    plugins, _ = told(run_python(LOOK).stdout)
    assert plugins == [*(f"{name}=loaded" for name in (*BUILT_IN, "good", "toy"))]


def test_a_built_in_is_never_quarantined(site, home):
    """A start that dies while a built-in is loading was killed from outside, so nothing is written of it."""
    code = """
        import os
        import layerwise_vision
        from layerwise import registry
        registry.load = lambda point, plugin: os._exit(3)
        registry.Registry().snapshot()
    """
    assert run_python(code).returncode == 3
    assert "vision=loaded" in run_python(LOOK).stdout


def test_two_processes_loading_at_once_do_not_blame_each_other(site, home):
    install(site, textwrap.dedent(WAITING) + GOOD, name="slow")
    first = start(LOOK)
    wait_for(site / "waiting")
    (site / "waiting").unlink()
    second = start(LOOK)
    wait_for(site / "waiting")
    assert len(list((home / "loading").glob("*.json"))) == 2
    assert left_behind(home) == [], "both are alive"
    second.kill()
    second.communicate()
    assert left_behind(home) == ["slow"], "only the file of the dead one is taken"
    (site / "go").touch()
    out, err = first.communicate(timeout=30)
    assert "slow=loaded" in out, err
    assert list((home / "loading").iterdir()) == [], "the other one has tidied up after itself"


def test_a_home_that_cannot_be_written_to(site, tmp_path, monkeypatch):
    """Where the home should be is a file: plugins load, hangs are survived, and switching says what to do."""
    (tmp_path / "file").touch()
    registry = Registry(tmp_path / "file" / "home")
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "1")
    install(site, textwrap.dedent(WAITING), name="hangs")
    assert [(report.name, report.status) for report in registry.snapshot().plugins] == [
        *((name, "loaded") for name in BUILT_IN),
        ("hangs", "quarantined"),
        ("toy", "loaded"),
    ]
    (site / "go").touch()
    with pytest.raises(PluginError, match="LAYERWISE_HOME"):
        registry.set_enabled("toy", False)
    with pytest.raises(NotFoundError, match="toy"):
        registry.set_enabled("tyo", False)


def test_a_journal_that_ended_well_leaves_nothing(home):
    with Journal(home) as journal:
        journal.loading("some")
        assert left_behind(home) == []
    with suppress(ValueError), Journal(home) as journal:
        journal.loading("some")
        raise ValueError("a mistake of ours, which is not the plugin's fault")
    assert list((home / "loading").iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"other": 1}', '{"plugin": ["some"]}', "[" * 100_000])
def test_a_journal_that_cannot_be_read_blames_nobody(home, content):
    folder = home / "loading"
    folder.mkdir()
    (folder / f"{os.getpid()}-0000.json").write_text(content)
    assert left_behind(home) == []
    assert list(folder.iterdir()) == []


def noted(home):
    """The plugins that are loading by the files of the journals."""
    return sorted(json.loads(path.read_text())["plugin"] for path in (home / "loading").glob("*.json"))


def test_each_journal_has_a_file_of_its_own(tmp_path):
    home = tmp_path / "not" / "yet"
    with Journal(home) as first:
        first.loading("a")
        with Journal(home) as second:
            second.loading("b")
            assert noted(home) == ["a", "b"]
            second.loading("c")
            assert noted(home) == ["a", "c"], "one plugin at a time"
            assert left_behind(home) == [], "this process is alive"
        assert noted(home) == ["a"]
        assert left_behind(home) == []
    assert list((home / "loading").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "patience", "stays"),
    [
        (KeyboardInterrupt, 0, True),
        (KeyboardInterrupt, 1000, False),
        (SystemExit, 0, True),
        (ValueError, 0, False),
        (None, 0, False),
    ],
)
def test_only_a_plugin_that_was_given_up_after_a_while_is_to_blame(home, monkeypatch, error, patience, stays):
    monkeypatch.setattr(journals, "PATIENCE_SECONDS", patience)
    with suppress(KeyboardInterrupt, SystemExit, ValueError), Journal(home) as journal:
        journal.loading("some")
        if error is not None:
            raise error
    assert bool(list((home / "loading").iterdir())) is stays
    assert left_behind(home) == ["some"] * stays
    assert list((home / "loading").iterdir()) == []


def test_the_patience_begins_with_each_plugin(home, monkeypatch):
    monkeypatch.setattr(journals, "PATIENCE_SECONDS", 1000)
    with suppress(KeyboardInterrupt), Journal(home) as journal:
        journal.loading("slow")
        journal._since -= 2000  # so long ago
        journal.loading("next")
        raise KeyboardInterrupt
    assert left_behind(home) == []


def test_who_is_impatient_before_the_first_plugin_blames_nobody(home, monkeypatch):
    monkeypatch.setattr(journals, "PATIENCE_SECONDS", 0)
    with suppress(KeyboardInterrupt), Journal(home):
        raise KeyboardInterrupt
    assert list((home / "loading").iterdir()) == []


def test_what_is_no_file_is_no_journal(home):
    (home / "loading" / "0.json").mkdir(parents=True)
    (home / "loading" / "1.json").write_text('{"plugin": "some"}')
    assert left_behind(home) == ["some"]
    assert [path.name for path in (home / "loading").glob("*.json")] == ["0.json"]


def test_those_of_dead_processes_are_blamed_in_one_order_and_once(home):
    """Beside one that is alive."""
    with Journal(home) as journal:
        journal.loading("alive")
        for number, name in (("0", "früh"), ("zz", "late"), ("1", "früh")):
            (home / "loading" / f"{number}.json").write_text(json.dumps({"plugin": name}))
        assert left_behind(home) == ["früh", "früh", "late"]
        assert left_behind(home) == []
        assert noted(home) == ["alive"]
    assert list((home / "loading").iterdir()) == []


def test_without_a_journal_plugins_load_all_the_same(tmp_path, caplog):
    home = tmp_path / "file"
    home.touch()
    with Journal(home) as journal:
        journal.loading("some")
    assert left_behind(home) == []
    (message,) = (record.getMessage() for record in caplog.records)
    assert f"in {home / 'loading'}:" in message
    assert os.strerror(errno.ENOTDIR) in message


def test_a_journal_that_is_taken_away_stops_nobody(home):
    with Journal(home) as journal:
        shutil.rmtree(home / "loading")
        (home / "loading").touch()  # as read-only as a folder can become
        journal.loading("some")
        journal.loaded()
        journal.loading("other")
    assert left_behind(home) == []
