"""The guard around one plugin by itself: what it lets through, what it catches, and for how long it waits."""

import contextvars
import sys
import threading
import time
from importlib.metadata import EntryPoint

import pytest
from plugins_sample.samples import GOOD, HEAD, install

from layerwise import deprecations
from layerwise.deprecations import Deprecated
from layerwise.errors import InputError, PluginError
from layerwise.plugins import loading
from layerwise.plugins.files import PluginFile
from layerwise.plugins.loading import (
    DEFAULT_TIMEOUT,
    HangingError,
    Plugin,
    PluginReport,
    in_thread,
    load,
    timeout_seconds,
)


def unloaded(name, *, built_in=False):
    return Plugin(report=PluginReport(name=name, distribution=f"{name}-plugin", version="1.0", built_in=built_in))


def loaded(site, code, name, *, built_in=False):
    """What becomes of a plugin with that code, without a registry around it."""
    module = install(site, code, name=name)
    return load(EntryPoint(name=name, value=module, group="layerwise.plugins"), unloaded(name, built_in=built_in))


def test_a_loaded_plugin_says_what_it_is(site):
    code = HEAD + "@hookimpl\ndef layerwise_tasks():\n    return []\n\n@hookimpl\ndef layerwise_models():\n"
    plugin = loaded(site, code + "    return [model('sample/b'), model('sample/a')]\n", "pair")
    assert plugin.report == PluginReport(
        name="pair",
        distribution="pair-plugin",
        version="1.0",
        built_in=False,
        hooks=("layerwise_models", "layerwise_tasks"),
        models=("sample/b", "sample/a"),
        module="sample_pair",
    )
    assert plugin.origin == "pair (pair-plugin 1.0)"
    assert plugin.manager is not None
    assert {hook: len(items) for hook, items in plugin.registered.items()} == {
        "layerwise_models": 2,
        "layerwise_tasks": 0,
    }
    with pytest.raises(TypeError):
        plugin.registered["layerwise_pages"] = ()  # pyright: ignore[reportIndexIssue]


def test_a_plugin_that_is_a_file_is_the_module_of_its_name(site, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (site / "my_file.py").write_text(GOOD)
    plugin = load(PluginFile(path=site / "my_file.py"), unloaded("my-file"))
    assert (plugin.report.status, plugin.report.module) == ("loaded", "my_file")
    assert plugin.report.models == ("sample/good",)


def test_a_file_that_raises_says_that_its_file_was_run(site, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (site / "bad_file.py").write_text("1 / 0")
    plugin = load(PluginFile(path=site / "bad_file.py"), unloaded("bad-file"))
    assert plugin.report.reason == "Running its file raised ZeroDivisionError: division by zero."


def test_what_a_plugin_uses_that_will_be_gone_is_in_its_report(site, monkeypatch):
    entry = Deprecated(name="layerwise.ModelDescription", replacement="layerwise.ModelSpec", since="0.1", gone_in="0.4")
    monkeypatch.setattr(deprecations, "DEPRECATED", (entry,))
    with pytest.warns(DeprecationWarning, match="ModelDescription"):
        plugin = loaded(site, GOOD.replace("import ModelCard", "import ModelDescription, ModelCard"), "elder")
    assert plugin.report.deprecated == (str(entry),)


def test_what_failed_or_is_off_keeps_its_name_and_nothing_that_it_registered(site):
    plugin = loaded(site, GOOD, "good")
    failed = plugin.failed(InputError("It is broken"))
    assert (failed.report.status, failed.report.reason) == ("failed", "It is broken.")
    assert "InputError" in failed.report.traceback
    assert (failed.report.models, failed.report.hooks) == ((), ("layerwise_models",))
    off = plugin.off("disabled", "Somebody said so.", "a stack")
    assert (off.report.status, off.report.reason, off.report.traceback) == ("disabled", "Somebody said so.", "a stack")
    assert plugin.off("disabled", "").report.traceback == ""
    for former in (failed, off):
        assert (former.report.name, former.report.distribution, former.report.version) == ("good", "good-plugin", "1.0")
        assert (former.manager, dict(former.registered)) == (None, {})


@pytest.mark.parametrize("built_in", [True, False])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys\nsys.exit(3)", "Importing it raised SystemExit: it called sys.exit(3)"),
        ("1 / 0", "Importing it raised ZeroDivisionError: division by zero."),
        (GOOD.replace("return", "raise MemoryError; return"), "Its hook layerwise_models raised MemoryError"),
    ],
)
def test_no_plugin_ends_the_house(site, code, reason, built_in):
    plugin = loaded(site, code, "bad", built_in=built_in)
    assert plugin.report.status == "failed"
    assert plugin.report.reason.startswith(reason)
    assert plugin.report.built_in == built_in


def test_ctrl_c_while_one_loads_is_for_the_house(site, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        loaded(site, "raise KeyboardInterrupt", "interrupted", built_in=True)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "in_thread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loaded(site, GOOD, "waited-for")


def test_one_that_hangs_is_quarantined_with_its_stack(site, monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "0.25")
    code = "import pathlib, time\nwhile not pathlib.Path(__file__).with_name('go').exists():\n    time.sleep(0.01)\n"
    plugin = loaded(site, code, "hangs")
    (site / "go").touch()
    assert plugin.report.status == "quarantined"
    assert plugin.report.reason == (
        "It did not finish loading within 0.25 seconds. What to do: layerwise plugins --enable hangs tries again; "
        "LAYERWISE_PLUGIN_TIMEOUT sets the time."
    )
    assert "sample_hangs.py" in plugin.report.traceback


def test_a_built_in_is_loaded_in_this_thread_and_others_in_one_of_their_own(site):
    code = "import threading\nNAME = threading.current_thread().name\nDAEMON = threading.current_thread().daemon\n"
    for name, built_in in (("ours", True), ("theirs", False)):
        loaded(site, code + GOOD, name, built_in=built_in)
    ours, theirs = sys.modules["sample_ours"], sys.modules["sample_theirs"]
    here = threading.current_thread()
    assert (here.name, here.daemon) == (ours.NAME, ours.DAEMON)
    assert (theirs.NAME, theirs.DAEMON) == ("load theirs", True)


@pytest.mark.parametrize(
    ("missing", "reason", "remedy"),
    [
        (
            "sample_lost",
            "Its entry point names the module sample_lost, which was not installed",
            'py-modules = ["sample_',
        ),
        ("sample_deep.part", "Its entry point names the module sample_deep, which", 'py-modules = ["sample_deep"]'),
    ],
)
def test_a_module_that_was_not_installed_is_told_from_one_that_the_plugin_needs(site, missing, reason, remedy):
    point = EntryPoint(name="lost", value=missing, group="layerwise.plugins")
    plugin = load(point, unloaded("lost"))
    assert plugin.report.reason.startswith(reason)
    assert remedy in plugin.report.reason
    needs = loaded(site, "raise ModuleNotFoundError('not there')", "nameless")
    assert needs.report.reason == "Importing it raised ModuleNotFoundError: not there."


def test_a_submodule_that_is_missing_was_not_installed_either(site):
    plugin = loaded(site, "import sample_parts.inner", "parts")
    assert plugin.report.reason.startswith("Its entry point names the module sample_parts.inner, which was not")


def test_work_in_a_thread_gives_what_it_gives():
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("ours")
    assert in_thread("name", variable.get) == "ours", "with the context of who asks"
    assert in_thread("name", lambda: None) is None
    assert in_thread("some name", lambda: threading.current_thread().name) == "some name"
    assert in_thread("name", lambda: threading.current_thread().daemon)


def test_work_in_a_thread_raises_what_it_raises():
    def interrupted():
        raise KeyboardInterrupt("not by a person")

    for kind in (ValueError, SystemExit):
        error = kind("ours")

        def fails(error=error):
            raise error

        with pytest.raises(kind) as found:
            in_thread("name", fails)
        assert found.value is error
    with pytest.raises(PluginError, match=r"^It raised KeyboardInterrupt\.$") as found:
        in_thread("name", interrupted)
    assert repr(found.value.__cause__) == "KeyboardInterrupt('not by a person')"


def test_work_that_does_not_end_costs_its_time(monkeypatch):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", "0.25")
    done = threading.Event()
    began = time.monotonic()
    with pytest.raises(HangingError) as found:
        in_thread("name", done.wait)
    assert 0.2 < time.monotonic() - began < 10
    done.set()
    assert found.value.seconds == 0.25
    assert found.value.stack.startswith("Stack (most recent call last):")
    assert str(found.value) == (
        "It did not come to an end within 0.25 seconds. What to do: LAYERWISE_PLUGIN_TIMEOUT sets the time."
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (str(threading.TIMEOUT_MAX), threading.TIMEOUT_MAX),
        (str(threading.TIMEOUT_MAX * 2), DEFAULT_TIMEOUT),
        ("0.001", 0.001),
        ("1", 1.0),
    ],
)
def test_the_longest_and_the_shortest_time(monkeypatch, value, seconds):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", value)
    assert timeout_seconds() == seconds


def test_the_time_when_nobody_says_any(monkeypatch):
    monkeypatch.delenv("LAYERWISE_PLUGIN_TIMEOUT", raising=False)
    assert timeout_seconds() == DEFAULT_TIMEOUT
