"""One bad plugin at a time: it contributes nothing, is reported, and everything else goes on."""

import json
import re
import sys
import textwrap

import pytest
from fresh_process import run_python
from plugins_sample.samples import BROKEN, BUILT_IN, GOOD, HEAD, describe, install, is_own

from layerwise import __version__
from layerwise.errors import PluginError
from layerwise.plugins.discovery import discover
from layerwise.plugins.failures import traceback_of
from layerwise.plugins.loading import DEFAULT_TIMEOUT, stdout_kept_clean, timeout_seconds
from layerwise.registry import Registry

LOOK = """
    import json
    from dataclasses import asdict
    from layerwise.registry import Registry
    snapshot = Registry().snapshot()
    print(json.dumps({"models": list(snapshot.models), "plugins": [asdict(report) for report in snapshot.plugins]}))
"""

REASONS = {
    "import-error": (
        "Importing it raised ModuleNotFoundError: No module named 'a_module_that_is_not_installed'. What to do: "
        "install what provides the module a_module_that_is_not_installed where Layerwise is installed, "
        "or reinstall the plugin."
    ),
    "syntax-error": "Importing it raised SyntaxError: invalid syntax (sample_syntax_error.py, line 1).",
    "exits": "Importing it raised SystemExit: it called sys.exit('bye'), where a plugin must raise an error.",
    "interrupts": "It raised KeyboardInterrupt.",
    "newer": (
        f"It was written for version 99 of the hooks, which Layerwise {__version__} does not have. "
        f'Expected: version 1. What to do: pip install "layerwise>{__version__}", or install an older release of the '
        "plugin."
    ),
    "misspelt": "There is no hook layerwise_modles. What to do: did you mean layerwise_models?",
    "wrong-signature": (
        "It does not fit the hooks. Expected: layerwise_callbacks(run). Received: layerwise_callbacks(run, epoch) "
        "Argument(s) {'epoch'} are declared in the hookimpl but can not be found in the hookspec. "
        "What to do: docs/hooks.md shows each hook."
    ),
    "unmarked": "layerwise_models would never be called. What to do: mark it with @layerwise.hookimpl.",
    "no-hook": re.compile(r"It implements no hook\. Received: .*sample_no_hook.* What to do: mark a function of it"),
    "name-clash": re.compile(
        r"It registers the model 'vision/fashion', which vision \(layerwise .*\) has\. What to do: give it another name"
    ),
    **{
        f"raises-in-{hook}": f"Its hook layerwise_{hook} raised RuntimeError: the {hook} are gone."
        for hook in ("models", "tasks", "datasets", "pages", "lessons")
    },
}
"""What a person reads of each."""

SHOWS_ITS_CODE = {"import-error", "exits", "interrupts"} | {name for name in REASONS if name.startswith("raises-in-")}


def only(snapshot, name):
    """The report of that name, after a look at the house: the built-in and the toy plugin have to work."""
    assert {"vision/fashion", "toy/bars"} <= set(snapshot.models)
    reports = {report.name: report for report in snapshot.plugins}
    assert reports["vision"].status == reports["toy"].status == "loaded"
    return reports[name]


@pytest.mark.parametrize("name", REASONS)
def test_a_broken_plugin_is_reported_and_everything_else_goes_on(site, name):
    module = install(site, BROKEN[name], name=name)
    snapshot = Registry().snapshot()
    report = only(snapshot, name)
    assert (report.status, report.models) == ("failed", ())
    expected = REASONS[name]
    assert report.reason == expected if isinstance(expected, str) else expected.match(report.reason)
    assert report.traceback
    if name in SHOWS_ITS_CODE:
        first = report.traceback.splitlines()[1]
        assert f"{module}.py" in first, "the first frame is the plugin's own"
    assert "sample/good" not in snapshot.models, "a plugin comes in as a whole or not at all"


def test_each_broken_plugin_is_tested_here_or_beside():
    late = {"raises-in-callbacks", "raises-in-commands"}  # test_hooks.py
    deadly = {"kills", "ends", "hangs"}  # test_journal.py
    assert set(BROKEN) == set(REASONS) | late | deadly


def test_all_broken_plugins_at_once(site):
    for name in REASONS:
        install(site, BROKEN[name], name=name)
    install(site, GOOD, name="good")
    snapshot = Registry().snapshot()
    assert only(snapshot, "good").models == ("sample/good",)
    assert {report.name for report in snapshot.plugins if report.status == "failed"} == set(REASONS)


def test_a_plugin_that_needs_a_later_release_is_not_told_to_install_this_one(site):
    install(site, f"from layerwise.tasks import Telepathy\n{GOOD}", name="ahead")
    reason = only(Registry().snapshot(), "ahead").reason
    assert reason.startswith("Importing it raised ImportError: cannot import name 'Telepathy' from 'layerwise.tasks'")
    assert reason.endswith("What to do: update Layerwise, or install a release of the plugin that fits this one.")


def test_a_plugin_for_later_hooks_says_by_its_requirements_which_release_it_needs(site):
    install(site, BROKEN["newer"], name="newer")
    metadata = site / "newer_plugin-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + "Requires-Dist: layerwise>=98.5\n")
    assert 'What to do: pip install "layerwise>=98.5", or' in only(Registry().snapshot(), "newer").reason


def test_two_entry_points_of_one_name(site):
    install(site, GOOD, name="twin", module="first_twin", distribution="a-twin")
    install(site, "raise SystemError", name="twin", module="second_twin", distribution="b-twin")
    first, second = [report for report in Registry().snapshot().plugins if report.name == "twin"]
    assert (first.status, first.distribution) == ("loaded", "a-twin")
    assert second.reason == (
        "Its entry point has the name 'twin', which twin (a-twin 1.0) has. What to do: uninstall one of the two."
    )
    assert "second_twin" not in sys.modules


def test_a_stranger_cannot_take_the_place_of_a_built_in(site):
    install(site, GOOD, name="vision", distribution="aaa")
    snapshot = Registry().snapshot()
    mine, strange = [report for report in snapshot.plugins if report.name == "vision"]
    assert (mine.built_in, mine.status, strange.status) == (True, "loaded", "failed")
    assert "vision/fashion" in snapshot.models


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("None", "layerwise_models returned nothing. Expected: a list of ModelSpec, empty if there are none"),
        (
            "model('sample/good')",
            "layerwise_models returned no sequence. Expected: a list of ModelSpec. Received: Model",
        ),
        (
            "'sample/good'",
            "layerwise_models returned no sequence. Expected: a list of ModelSpec. Received: 'sample/good'",
        ),
        (
            "[model('sample/good'), 3]",
            "layerwise_models returned something else. Expected: a list of ModelSpec. Received: 3",
        ),
        ("[model('Sample')]", "ModelSpec has an unusable name. Expected: domain/application in lower case"),
        ("(model(f'sample/{1 // n}') for n in (1, 0))", "Its hook layerwise_models raised ZeroDivisionError: "),
        (
            "[model('sample/a'), model('sample/a')]",
            "It registers the model 'sample/a' twice. What to do: give it another",
        ),
        (
            "[model('sample/a', data='lost')]",
            "The model sample/a needs the data set 'lost', which no plugin registers.",
        ),
    ],
)
def test_what_layerwise_models_must_not_return(site, returned, reason):
    install(site, f"{HEAD}@hookimpl\ndef layerwise_models():\n    return {returned}\n", name="odd")
    report = only(Registry().snapshot(), "odd")
    assert report.status == "failed"
    assert report.reason.startswith(reason)
    assert len(report.reason) < 400


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("type_name = 'half'", "The task of sample/half is not complete. Received: Half must say what goes in."),
        (
            "type_name = 'half'\n    inputs = outputs = (Field(name='text', kind='text'),)",
            "The task of sample/half is not complete. Received: a Half without encode and decode.",
        ),
        (
            "type_name = 'half'\n    inputs = outputs = ('text',)",
            "The inputs of the task of sample/half cannot be shown.",
        ),
        ("inputs = outputs = (Field(name='text', kind='text'),)", "The task type Half has no name."),
    ],
)
def test_a_task_that_pages_could_not_show(site, body, reason):
    code = f"""\
        from layerwise.tasks import Field, Task


        class Half(Task):
            {body.replace("    ", " " * 12)}


        @hookimpl
        def layerwise_models():
            return [model("sample/half", Half())]
        """
    install(site, HEAD + textwrap.dedent(code), name="half")
    assert only(Registry().snapshot(), "half").reason.startswith(reason)


def test_a_task_that_brings_its_runner_needs_no_decode(site):
    """As docs/writing-a-plugin.md says of those that write token by token."""
    tasks = "from layerwise.tasks import Dialogue, TextGeneration\n"
    models = "[model('sample/writes', TextGeneration()), model('sample/talks', Dialogue())]"
    install(site, f"{tasks}{HEAD}@hookimpl\ndef layerwise_models():\n    return {models}\n", name="writers")
    report = only(Registry().snapshot(), "writers")
    assert (report.status, report.models) == ("loaded", ("sample/writes", "sample/talks"))


def test_a_runner_answers_without_encode(site):
    code = """\
        from layerwise.tasks import Field, Task


        class Saying(Task):
            type_name = "saying"
            inputs = outputs = (Field(name="text", kind="text"),)


        @hookimpl
        def layerwise_models():
            return [model("sample/saying", Saying(), runner="json:dumps")]
        """
    install(site, HEAD + textwrap.dedent(code), name="saying")
    assert only(Registry().snapshot(), "saying").models == ("sample/saying",)


def test_the_task_types_of_the_core_cannot_be_replaced(site):
    code = "@hookimpl\ndef layerwise_tasks():\n    return [ImageClassification]\n"
    install(site, HEAD + code, name="thief")
    reason = only(Registry().snapshot(), "thief").reason
    assert reason.startswith("It registers the task 'image-classification', which Layerwise itself has.")


def test_what_a_failed_plugin_registered_is_free_for_others(site):
    """The first has the name but lacks its data; the second, which comes later, must not suffer from that."""
    code = HEAD + "@hookimpl\ndef layerwise_models():\n    return [model('sample/good', data={})]\n"
    install(site, code.format("'lost'"), name="a-first")
    install(site, GOOD, name="b-second")
    snapshot = Registry().snapshot()
    assert only(snapshot, "a-first").status == "failed"
    assert only(snapshot, "b-second").models == ("sample/good",)


def test_an_exception_that_cannot_be_printed(site):
    code = """
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError

        raise Mute
        """
    install(site, code, name="mute")
    assert only(Registry().snapshot(), "mute").reason == "Importing it raised Mute."


def test_the_traceback_keeps_the_chain_of_the_author():
    def inner():
        raise KeyError("weights")

    try:
        try:
            inner()
        except KeyError as error:
            raise ValueError("no weights") from error
    except ValueError as error:
        try:
            raise PluginError("Importing it raised ValueError") from error
        except PluginError as wrapped:
            trace = traceback_of(wrapped)
    assert trace.index("KeyError: 'weights'") < trace.index("direct cause") < trace.index("ValueError: no weights")
    assert "PluginError" not in trace


def test_what_a_plugin_prints_does_not_spoil_the_answer_of_a_command(site):
    install(
        site, "print('hello from import')\n" + GOOD.replace("return [", "print('and hook'); return ["), name="chatty"
    )
    done = run_python(LOOK)
    assert "vision/fashion" in json.loads(done.stdout)["models"], done.stdout + done.stderr
    assert "hello from import\nand hook\n" in done.stderr


def test_two_threads_that_load_at_once_leave_standard_output_as_it_was():
    stdout = sys.stdout
    first, second = stdout_kept_clean(), stdout_kept_clean()
    first.__enter__()
    second.__enter__()
    assert sys.stdout is sys.stderr
    first.__exit__(None, None, None)
    assert sys.stdout is sys.stderr
    second.__exit__(None, None, None)
    assert sys.stdout is stdout


@pytest.mark.parametrize(
    "content",
    [b"[layerwise.plugins]\nno equals sign\n", b"\xff\xfe[layerwise.plugins]\nx = y\n"],
    ids=["line", "bytes"],
)
def test_entry_points_that_cannot_be_read(site, content):
    describe(site, "damaged-plugin", content)
    report = only(Registry().snapshot(), "damaged-plugin")
    assert report.status == "failed"
    assert report.reason.startswith("Its entry_points.txt cannot be read. Received: ")
    assert report.reason.endswith("What to do: reinstall the plugin.")


def test_damage_of_other_packages_is_none_of_our_business(site):
    describe(site, "unrelated", b"[console_scripts]\nno equals sign\n")
    assert [report.name for report in Registry().snapshot().plugins] == [*BUILT_IN, "toy"]


def test_a_plugin_without_metadata_and_one_with_a_senseless_entry_point(site):
    install(site, GOOD, name="bare")
    (site / "bare_plugin-1.0.dist-info" / "METADATA").unlink()
    describe(site, "senseless", "[layerwise.plugins]\nsenseless = a file.py\n")
    snapshot = Registry().snapshot()
    assert only(snapshot, "bare").distribution == "bare_plugin"
    assert only(snapshot, "senseless").reason.startswith("Its entry point cannot be read.")


def test_a_plugin_that_was_installed_without_its_module(site):
    (site / f"{install(site, GOOD, name='hollow')}.py").unlink()
    assert only(Registry().snapshot(), "hollow").reason == (
        "Its entry point names the module sample_hollow, which was not installed with it. What to do: have its "
        'pyproject.toml list the modules, such as [tool.setuptools] py-modules = ["sample_hollow"], '
        "and install it again."
    )


def test_the_order_does_not_depend_on_the_path(site, monkeypatch):
    for name in ("zebra", "ant", "bee"):
        install(site / name, HEAD + f"@hookimpl\ndef layerwise_models():\n    return [model('x/{name}')]\n", name=name)
    orders = []
    for names in (("zebra", "ant", "bee"), ("bee", "zebra", "ant")):
        with monkeypatch.context() as patch:
            for name in names:
                patch.syspath_prepend(str(site / name))
            orders.append((list(Registry().snapshot().models), [plugin.report.name for _, plugin in discover(site)]))
    assert orders[0] == orders[1]
    own, others = [], []
    for name in orders[0][0]:
        (own if is_own(name) else others).append(name)
    assert orders[0][0] == own + others
    assert others == ["x/ant", "x/bee", "toy/bars", "x/zebra"]


def test_the_first_copy_of_a_distribution_counts(site, monkeypatch):
    install(site / "old", GOOD, name="twice", version="1.0", distribution="My.Twice")
    install(site / "new", GOOD, name="twice", version="2.0", distribution="my-twice")
    monkeypatch.syspath_prepend(str(site / "old"))
    monkeypatch.syspath_prepend(str(site / "new"))
    assert [report.version for report in Registry().snapshot().plugins if report.name == "twice"] == ["2.0"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0.5", 0.5), ("60", 60.0)] + [(x, DEFAULT_TIMEOUT) for x in ("", "soon", "nan", "inf", "-1", "0")],
)
def test_the_timeout(monkeypatch, value, seconds):
    monkeypatch.setenv("LAYERWISE_PLUGIN_TIMEOUT", value)
    assert timeout_seconds() == seconds
