"""Each hook: documented, with an example that works as a plugin, and guarded when it fails."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from plugins_sample.samples import BROKEN, HEAD, install
from typer.testing import CliRunner

from layerwise import jobs
from layerwise.plugins.implementations import HOOKS
from layerwise.registry import Registry
from layerwise.runs import Run, RunStore

DOCUMENT = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `(\w+\([^`]*\))`\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
LATE = {"layerwise_callbacks": "raises-in-callbacks", "layerwise_commands": "raises-in-commands"}


def example(hook):
    return "\n".join(re.findall(r"^```python\n(.*?)^```", SECTIONS[hook], re.MULTILINE | re.DOTALL))


@pytest.fixture
def documented(site):
    """The plugin of the document, and what is registered with it."""
    code = "\n\n".join(re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL))
    module = install(site, code, name="documented")
    snapshot = Registry().snapshot()
    report = report_of(snapshot, "documented")
    assert (report.status, report.reason) == ("loaded", "")
    return importlib.import_module(module), snapshot


def report_of(snapshot, name):
    return next(report for report in snapshot.plugins if report.name == name)


def test_each_hook_has_a_section_and_a_test():
    signatures = {f"{hook}({', '.join(arguments)})" for hook, arguments in HOOKS.items()}
    assert set(SECTIONS) == signatures, "docs/hooks.md has a heading for each hook: its signature"
    for signature in signatures:
        hook = signature.partition("(")[0]
        assert f"def {hook}" in example(signature), f"the section of {hook} has an example"
        assert f"](#{signature.replace('(', '').replace(')', '')})" in DOCUMENT, f"the table links to {hook}"
        assert f"test_{hook}" in globals(), f"{hook} has a test here"
        assert f"raises-in-{hook.removeprefix('layerwise_')}" in BROKEN, f"a sample raises in {hook}"


def test_layerwise_models(documented):
    module, snapshot = documented
    assert snapshot.model("shapes/fill").build is module.build
    assert report_of(snapshot, "documented").models == ("shapes/fill",)
    assert [spec.name for spec in snapshot.domains["shapes"]] == ["shapes/fill"]


def test_layerwise_datasets(documented):
    module, snapshot = documented
    splits = module.read({})
    assert snapshot.dataset("fills").splits == tuple(splits)
    assert [len(split) for split in splits.values()] == [200, 40]


def test_layerwise_tasks(documented):
    module, snapshot = documented
    assert snapshot.tasks["image-captioning"] is module.ImageCaptioning
    assert "image-classification" in snapshot.tasks


def test_layerwise_pages(documented):
    module, snapshot = documented
    assert snapshot.pages["letters"].draw is module.draw


@pytest.mark.slow
def test_the_page_of_the_document_can_be_drawn(documented):
    import gradio as gr

    with gr.Blocks() as blocks:
        documented[0].draw(None)
    assert len(blocks.fns) == 1


def test_layerwise_lessons(documented):
    module, snapshot = documented
    lesson, card, question = (item for item in snapshot.lessons if item.name in ("fill", "grey", "size"))
    assert card.lesson == question.lesson == lesson.name == "fill"
    (experiment,) = lesson.experiments
    ((numbers, formula),) = experiment.run(module.Square(side=3))
    assert numbers.values.tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert formula.latex == r"3 \cdot 3 = 9"


def test_layerwise_callbacks(documented, tmp_path):
    (callback,) = documented[1].callbacks(Run(tmp_path))
    callback.on_epoch_end(0, {"loss": 0.5})
    assert (tmp_path / "losses.txt").read_text() == "0 0.5000\n"


def test_layerwise_commands(documented, tmp_path):
    app = command_line()
    documented[1].add_commands(app)
    (tmp_path / "cat.png").touch()
    assert CliRunner().invoke(app, ["count-pictures", str(tmp_path)]).output == "1\n"


def command_line():
    """An app with a command, and one that a plugin could take for its own."""
    app = typer.Typer()
    app.command()(print)
    app.command(name="train")(lambda: typer.echo("built in"))
    return app


BUILT_IN = {"print", "train", "gtp", "hub", "match"}
"""Commands that are there without any plugin of a test."""


def call(snapshot, hook, tmp_path):
    """What the hook gives: callbacks, or the names of commands."""
    if hook == "layerwise_callbacks":
        return snapshot.callbacks(Run(tmp_path))
    app = command_line()
    snapshot.add_commands(app)
    return sorted(set(typer.main.get_group(app).commands) - BUILT_IN)


BAD_LATE = {
    "layerwise_callbacks": [
        ("raise SystemExit(2)", "Its hook layerwise_callbacks raised SystemExit: it called sys.exit(2)"),
        ("return None", "layerwise_callbacks returned nothing."),
        ("return [print]", "layerwise_callbacks returned something else. Expected: a list of Callback."),
        (
            "import keras; yield keras.callbacks.Callback(); 1 / 0",
            "Its hook layerwise_callbacks raised ZeroDivisionErr",
        ),
    ],
    "layerwise_commands": [
        ("app.command()(lambda: 1); raise SystemExit", "Its hook layerwise_commands raised SystemExit"),
        ("app.command(name='train')(print)", "It adds the command 'train', which is there."),
        (
            "app.command(name='a')(lambda x: 1); app.command(name='b')(bad)",
            "Its hook layerwise_commands raised AssertionError: List",
        ),
    ],
}


@pytest.mark.parametrize(
    ("hook", "body", "reason"), [(hook, *case) for hook, cases in BAD_LATE.items() for case in cases]
)
def test_a_late_hook_comes_in_as_a_whole_or_not_at_all(documented, site, tmp_path, hook, body, reason):
    bad = "def bad(x: list[list[int]]): pass\n\n\n"
    install(site, f"{HEAD}{bad}@hookimpl\ndef {hook}({HOOKS[hook][0]}):\n    {body}\n", name="a-bad-one")
    registry = Registry()
    assert len(call(registry.snapshot(), hook, tmp_path)) == 1, "the one of the document"
    report = report_of(registry.check(), "a-bad-one")
    assert report.reason.startswith(reason)


@pytest.mark.parametrize(("hook", "name"), LATE.items())
def test_the_failure_of_a_late_hook_is_seen_by_every_process(site, home, tmp_path, hook, name, caplog):
    module = install(site, BROKEN[name], name=name)
    elsewhere = Registry()
    assert report_of(elsewhere.snapshot(), name).reason == ""
    assert call(Registry().snapshot(), hook, tmp_path) == []
    sentence = f"Its hook {hook} raised RuntimeError: the {hook.removeprefix('layerwise_')} are gone."
    assert caplog.messages == [f"The plugin {name} ({name}-plugin 1.0) is left out here. {sentence}"]
    snapshot = elsewhere.check()
    report = report_of(snapshot, name)
    assert (report.status, report.reason, snapshot.number) == ("loaded", sentence, 2)
    assert f"{module}.py" in report.traceback.splitlines()[1]
    assert "sample/good" in snapshot.models, "what it registered stays"
    # Another version of the plugin begins with a clean sheet.
    (site / f"{name.replace('-', '_')}_plugin-1.0.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.1\n"
    )
    assert report_of(Registry().snapshot(), name).reason == ""


def test_a_late_hook_that_succeeds_again_is_forgiven(site, home, tmp_path):
    body = f"open({str(tmp_path / 'needed')!r})\n    app.command('b')(print)"
    install(site, f"{HEAD}@hookimpl\ndef layerwise_commands(app):\n    {body}\n", name="moody")
    registry = Registry()
    call(registry.snapshot(), "layerwise_commands", tmp_path)
    assert "FileNotFoundError" in report_of(registry.check(), "moody").reason
    (tmp_path / "needed").touch()
    assert call(registry.snapshot(), "layerwise_commands", tmp_path) == ["b"]
    assert report_of(registry.check(), "moody").reason == ""


@pytest.mark.slow
def test_a_training_goes_on_without_callbacks_that_failed(site, home):
    install(site, BROKEN["raises-in-callbacks"], name="raises-in-callbacks")
    registry = Registry(home)
    spec = registry.snapshot().model("toy/bars")
    run = jobs.start(RunStore(home), spec)
    last = list(jobs.follow(run, poll=0.1))[-1]
    assert last["event"] == "finished", run.log_text()
    listing = [sys.executable, "-m", "layerwise_app.cli", "plugins"]
    shown = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    assert "RuntimeError: the callbacks are gone" in shown
    assert "sample_raises_in_callbacks.py" in shown
