"""`layerwise new-plugin`: what it writes and says, and what it refuses."""

import re
import shlex

import pytest

from layerwise.scaffold import tasks
from layerwise_app.cli.app import make_app


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The folder in which the commands are given."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_it_writes_a_folder_and_says_what_comes_next(layerwise, here):
    done = layerwise("new-plugin", "bird-songs")
    assert (done.status, done.error) == (0, "")
    assert (here / "bird-songs" / "bird_songs" / "model.py").is_file()
    first, *commands = done.output.splitlines()
    assert str(here / "bird-songs") in first
    assert "vision/bird-songs" in first
    assert commands[0] == "  cd bird-songs"
    assert "  layerwise train vision/bird-songs --promote" in commands


@pytest.mark.parametrize("task", tasks())
def test_each_task_goes_where_it_is_told(layerwise, here, task):
    done = layerwise("new-plugin", "bird-songs", "--task", task, "--to", "my plugins/birds")
    assert done.status == 0
    assert f"({task})" not in done.output
    assert "  cd 'my plugins/birds'" in done.output.splitlines()
    assert f"of the task {task}" in (here / "my plugins" / "birds" / "README.md").read_text(encoding="utf-8")


def test_what_it_refuses_is_one_sentence_and_writes_nothing(layerwise, here):
    for words, what in (
        (["Bird Songs"], "a name such as bird-songs"),
        (["fashion"], "the model vision/fashion"),
        (["bars"], "the data set bars"),  # of the toy plugin, which is installed here
        (["bird-songs", "--task", "poetry"], f"choose one of {', '.join(tasks())}"),
    ):
        done = layerwise("new-plugin", *words)
        assert (done.status, done.output) == (1, "")
        assert what in done.error
        assert "Traceback" not in done.error
    assert list(here.iterdir()) == []


def test_its_help_names_the_tasks(layerwise):
    text = " ".join(layerwise("new-plugin", "--help").output.split())
    assert all(task in text for task in tasks())


def test_the_readme_that_it_writes_shows_commands_that_there_are(layerwise, here):
    layerwise("new-plugin", "bird-songs")
    text = (here / "bird-songs" / "README.md").read_text(encoding="utf-8")
    lines = [
        line
        for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    lines += re.findall(r"`(layerwise [^`\n]+)`", text)
    app = make_app()
    known = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    known |= {group.typer_instance.info.name for group in app.registered_groups}
    shown = {words[1] for line in lines if (words := shlex.split(line))[0] == "layerwise"}
    assert {"train", "evaluate", "predict", "serve", "check"} <= shown <= known
