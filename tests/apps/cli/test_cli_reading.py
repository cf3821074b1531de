"""The commands that read: models, show, predict, runs, plugins, data, doctor; and what happens to mistakes."""

import json
import os
import re
import subprocess
import sys

import pytest
from plugins_sample.samples import BUILT_IN, GOOD

from layerwise import deprecations
from layerwise.deprecations import Deprecated
from layerwise_app.words import moment

EXAMPLES = "plugins/layerwise_vision/examples/fashion"


def fresh(*words, **environment):
    """A command in a process of its own, which says at its end what it imported."""
    code = (
        "import sys, json\nfrom layerwise_app.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )
    return done, set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["models"], ["plugins"], ["train", "vision/fashion", "--help"]])
def test_what_only_reads_imports_nothing_heavy(words, home):
    done, imported = fresh(*words)
    assert done.returncode == 0
    assert "vision" in done.stdout or "layerwise" in done.stdout
    assert not imported & {"tensorflow", "keras", "gradio", "numpy", "PIL", "pandas", "requests", "transformers"}


def test_importing_the_package_imports_nothing_heavy(home):
    code = "import sys, layerwise; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"tensorflow", "keras", "gradio", "numpy", "PIL", "typer", "rich", "requests"}


def test_models_lists_built_in_and_foreign_ones(layerwise):
    found = {model["name"]: model for model in layerwise("models", "--json").json}
    assert [variant["name"] for variant in found["vision/fashion"]["variants"]] == ["conv", "dense"]
    assert found["toy/bars"]["task"] == "image-classification"
    table = layerwise("models")
    assert "toy/bars" in table.output
    assert "small, deep" in table.output


def test_show_gives_the_card_the_layers_and_the_versions(layerwise):
    found = layerwise("show", "vision/fashion:dense", "--json").json
    assert found["variant"] == "dense"
    assert [layer["shape"] for layer in found["layers"]][-1] == "(None, 10)"
    text = layerwise("show", "vision/fashion").output
    assert "Garments" in text
    assert "convolution_1_1" in text
    (shipped,) = layerwise("show", "vision/fashion", "--json").json["versions"]
    assert re.search(rf"shipped +{re.escape(moment(shipped['created']))}", text), "in local time, with its zone"


@pytest.mark.parametrize("variant", ["", ":conv", ":dense"])
def test_predict_names_the_garment(layerwise, pytestconfig, variant):
    picture = str(pytestconfig.rootpath / EXAMPLES / "9-ankle-boot-1.png")
    (found,) = layerwise("predict", f"vision/fashion{variant}", picture, "--json").json
    assert found["answer"]["label"] == "Ankle boot"
    assert sum(found["answer"]["probabilities"].values()) == pytest.approx(1)
    text = layerwise("predict", f"vision/fashion{variant}", picture, "--top", "3").output
    assert "label: Ankle boot" in text
    assert len([line for line in text.splitlines() if "0." in line]) == 3


def test_predict_answers_each_of_several_inputs(layerwise, pytestconfig):
    pictures = [str(pytestconfig.rootpath / EXAMPLES / name) for name in ("1-trouser-1.png", "8-bag-1.png")]
    found = layerwise("predict", "vision/fashion", *pictures, "--json").json
    assert [(item["input"], item["answer"]["label"]) for item in found] == [
        (pictures[0], "Trouser"),
        (pictures[1], "Bag"),
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("predict", "vision/fashion", "nowhere.png"), "There is no file nowhere.png"),
        (("predict", "vision/fashon", "nowhere.png"), "did you mean vision/fashion"),
        (("predict", "vision/fashion:deep", "nowhere.png"), "choose one of conv, dense"),
        (("predict", "vision/fashion@run-1", "nowhere.png"), "no version 'run-1'"),
        (("show", "one two"), "domain/application"),
        (("predict", "toy/bars", "nowhere.png"), "has no weights yet"),
        (("promote", "nowhere"), "There is no run 'nowhere'"),
        (("stop", "nowhere"), "layerwise runs lists them"),
        (("rollback", "toy/bars"), "no former version"),
        (("plugins", "--disable", "nowhere"), "There is no plugin 'nowhere'"),
    ],
)
def test_what_a_user_gets_wrong_is_one_sentence(layerwise, words, expected):
    result = layerwise(*words)
    assert result.status == 1
    assert expected in result.error
    assert "Traceback" not in result.error
    assert result.output == ""


def test_a_file_that_is_no_picture_is_said_to_be_none(layerwise, tmp_path):
    (tmp_path / "shoe.png").write_bytes(b"this is no picture")
    result = layerwise("predict", "vision/fashion", str(tmp_path / "shoe.png"))
    assert result.status == 1
    assert "Traceback" not in result.error
    assert "What to do" in result.error


def test_unknown_words_are_a_usage_error(layerwise):
    for words in (("fly",), ("models", "--fly"), ("train", "toy/bars", "--fly", "1")):
        result = layerwise(*words)
        assert result.status == 2
        assert "fly" in result.error


def test_plugins_are_switched_off_and_on(layerwise):
    def states():
        return {report["name"]: report["status"] for report in layerwise("plugins", "--json").json}

    assert states() == dict.fromkeys((*BUILT_IN, "toy"), "loaded")
    assert "disabled" in layerwise("plugins", "--disable", "toy").output
    assert states()["toy"] == "disabled"
    assert layerwise("show", "toy/bars").status == 1
    layerwise("plugins", "--enable", "toy")
    assert states()["toy"] == "loaded"


def test_plugins_tells_authors_what_goes(layerwise, home, monkeypatch):
    entry = Deprecated(name="layerwise_networks", replacement="layerwise_models", since="0.1", gone_in="0.4")
    monkeypatch.setattr(deprecations, "DEPRECATED", (entry,))
    (home / "plugins").mkdir()
    code = GOOD.replace("layerwise_models", "layerwise_networks")
    (home / "plugins" / "elder_plugin.py").write_text(code, encoding="utf-8")
    with pytest.warns(DeprecationWarning, match="layerwise_networks"):
        shown = layerwise("plugins").output
    assert f"elder-plugin, for its author:\n{entry}\n" in shown
    (report,) = [one for one in layerwise("plugins", "--json").json if one["name"] == "elder-plugin"]
    assert report["deprecated"] == [str(entry)]


def test_doctor_says_what_is_there_and_what_is_not(layerwise):
    found = layerwise("doctor", "--json")
    assert found.status == 0
    assert found.json["packages"]["keras"]
    assert found.json["devices"][0]["kind"] == "CPU"
    missing = {item["extra"]: item["install"] for item in found.json["missing_extras"]}
    assert missing.get("mlflow") == 'pip install "layerwise[mlflow]"' or found.json["packages"]["mlflow-skinny"]
    assert "Everything that is installed works." in layerwise("doctor").output


def test_doctor_fails_when_a_plugin_does(layerwise, tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, "broken", "import nowhere_to_be_found")
    result = layerwise("doctor")
    assert result.status == 1
    assert "The plugin broken is failed" in result.error
    table = layerwise("plugins")
    assert "nowhere_to_be_found" in table.output
    assert "Traceback" in table.output  # of the plugin, for its author


def test_data_says_whether_it_is_here(layerwise):
    found = {item["name"]: item for item in layerwise("data", "--json").json}
    assert found["fashion-mnist"]["licence"] == "MIT"
    assert found["bars"]["here"] == "generated"
    assert "bars" in layerwise("data").output


COMMANDS = """
from layerwise import hookimpl

@hookimpl
def layerwise_commands(app):
    @app.command()
    def greet(name: str):
        print(f"Hello {name}")

    @app.command()
    def stumble():
        1 / 0
"""


def write_plugin(folder, monkeypatch, name, code):
    """A plugin of that name, its module and its entry point, made visible to this process."""
    (folder / f"{name}_plugin.py").write_text(code)
    information = folder / f"{name}_plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[layerwise.plugins]\n{name} = {name}_plugin\n")
    monkeypatch.syspath_prepend(str(folder))


def test_plugins_add_commands(layerwise, tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, "polite", COMMANDS)
    assert layerwise("greet", "you").output == "Hello you\n"
    assert "greet" in layerwise("--help").output


def test_the_home_that_is_named_is_used_for_everything(layerwise, tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, "polite", COMMANDS)
    other = tmp_path / "other"
    layerwise("--home", str(other), "plugins", "--disable", "polite")
    assert (other / "plugins.json").exists()
    assert layerwise("greet", "you").status == 2  # the environment names that home now
    layerwise("--home", str(other), "plugins", "--enable", "polite")
    assert layerwise("--home", str(other), "greet", "you").output == "Hello you\n"


def test_a_mistake_of_ours_is_one_line_and_a_log(layerwise, tmp_path, monkeypatch, home):
    write_plugin(tmp_path, monkeypatch, "clumsy", COMMANDS)
    result = layerwise("stumble")
    assert result.status == 70
    assert "Traceback" not in result.error
    (log,) = (home / "logs").iterdir()
    assert str(log) in result.error
    assert "ZeroDivisionError" in log.read_text()
    monkeypatch.setenv("LAYERWISE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        layerwise("stumble")


def test_output_that_nobody_reads_ends_in_silence(home):
    command = f"{sys.executable} -m layerwise_app.cli models --json | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
