"""`layerwise plugins --python`: which Python runs a plugin."""

import json
import sys

import pytest


def kept(home):
    return json.loads((home / "plugins.json").read_text(encoding="utf-8")).get("pythons", {})


def test_a_python_is_named_and_taken_away(layerwise, toy):
    # That of Layerwise itself, by which the plugin is loaded as ever.
    shown = layerwise("plugins", "--python", f"toy={sys.executable}", "--json").json
    assert next(report for report in shown if report["name"] == "toy")["status"] == "loaded"
    assert kept(toy) == {"toy": sys.executable}
    layerwise("plugins", "--python", "toy=")
    assert kept(toy) == {}


@pytest.mark.parametrize(
    ("word", "said"), [("toy", "NAME=PATH"), ("=python", "NAME=PATH"), ("toy=/nowhere/python", "There is no Python")]
)
def test_what_is_none_is_refused(layerwise, toy, word, said):
    done = layerwise("plugins", "--python", word)
    assert done.status == 1
    assert said in done.error
    assert not (toy / "plugins.json").exists()
