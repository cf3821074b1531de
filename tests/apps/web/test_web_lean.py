"""A start leaves work out, and nothing else: what is imported and drawn is the same."""

import gc
import inspect
import json
import subprocess
import sys
from functools import partial

import gradio as gr
import gradio.blocks
import pytest

from layerwise_app.web.lean import lean_drawing, lean_imports, replaced, without_collections

START = """
import gc, inspect, json, sys

opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)

from layerwise_app.web.lean import lean_imports

with lean_imports():
    import layerwise_app.web.server
at_first = sorted({"mcp", "pandas"} & set(sys.modules))

from gradio.caching import cache_hash
from gradio.component_meta import inspect as seen_by_gradio

used = "pandas" not in sys.modules and cache_hash(__import__("pandas").DataFrame({"a": [1]}))
import mcp.types
print(json.dumps({
    "types": [path for path in opened if path.endswith(".pyi")],
    "at_first": at_first,
    "hash": used,
    "mcp": mcp.types.Tool.__name__,
    "collecting": gc.isenabled(),
    "frozen": gc.get_freeze_count(),
    "file": seen_by_gradio.getfile(json.dumps) == json.__file__,
}))
"""


@pytest.fixture(scope="module")
def started():
    """What a process found that imported the server as `layerwise serve` does."""
    pytest.importorskip("mcp")
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_start_imports_neither_pandas_nor_mcp(started):
    assert started["at_first"] == []


def test_a_start_writes_no_types_beside_gradios_components(started):
    assert started["types"] == []


def test_what_was_left_out_is_there_for_whoever_uses_it(started):
    from gradio.caching import cache_hash
    from pandas import DataFrame

    assert started["hash"] == cache_hash(DataFrame({"a": [1]}))
    assert started["mcp"] == "Tool"
    assert started["file"]


def test_garbage_is_looked_for_after_a_start_but_not_in_what_was_imported(started):
    assert started["collecting"]
    assert started["frozen"] > 100_000


def test_what_is_imported_already_stays(monkeypatch):
    import pandas

    monkeypatch.setattr(gc, "freeze", lambda: None)  # the tests' own garbage is to go
    file_of = inspect.getfile

    def start():
        assert sys.modules["pandas"] is pandas
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), lean_imports():
        start()
    assert sys.modules["pandas"] is pandas
    assert inspect.getfile is file_of


def drawing():
    """Pages with a component of each kind that the drawing of a demo needs, and a function that cannot be hashed."""
    with gr.Blocks() as blocks:
        text, number = gr.Textbox(label="Text"), gr.Number(3, label="Number")
        html = gr.HTML("<p>Answer</p>")
        gr.Button("Ask").click(
            partial(lambda start, text, number: f"{start}{text}{number}", "It is "), [text, number], html
        )
        with gr.Accordion("More", open=False):
            gr.Dropdown(["a", "b"], label="Choice")
    return blocks


def description(blocks):
    return {key: value for key, value in blocks.get_config_file().items() if key not in ("app_id", "username")}


def test_pages_are_the_same(monkeypatch):
    monkeypatch.setattr(gradio.context.Context, "id", 0)
    plain = description(drawing())
    monkeypatch.setattr(gradio.context.Context, "id", 0)
    with lean_drawing():
        lean = description(drawing())
    assert lean == plain
    assert gradio.blocks.inspect is inspect


def test_a_class_is_taken_apart_once(monkeypatch):
    asked = []

    def signature(function):
        asked.append(function)
        return inspect.Signature()

    with replaced(inspect, "signature", signature), lean_drawing():
        for _ in range(3):
            gradio.blocks.inspect.signature(drawing)
    assert asked == [drawing]


def test_no_garbage_is_looked_for_meanwhile():
    with without_collections():
        assert not gc.isenabled()
        with without_collections():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
