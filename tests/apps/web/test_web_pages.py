"""What holds for every page, before a browser draws it: mistakes become notes, nothing is asked for twice."""

import html
import sys

import gradio as gr
import pytest

from layerwise.errors import InputError
from layerwise_app.web.app import build
from layerwise_app.web.guard import UNEXPECTED, drawn, guard
from layerwise_app.web.markup import link, note, table


def test_errors_become_one_message():
    def fail(error):
        raise error

    with pytest.raises(gr.Error, match=r"A &lt;b&gt; is wrong\. What to do: try c\."):
        guard(fail)(InputError("A <b> is wrong", remedy="try c"))
    with pytest.raises(gr.Error) as unexpected:
        guard(fail)(ZeroDivisionError("secret"))
    assert unexpected.value.message == html.escape(UNEXPECTED)

    def stream():
        yield 1
        raise InputError("No more")

    steps = guard(stream)()
    assert next(steps) == 1
    with pytest.raises(gr.Error, match=r"No more\."):
        next(steps)


def test_what_cannot_be_drawn_becomes_a_note():
    def half():
        gr.Textbox(label="half")
        raise RuntimeError("the <disk> is gone")

    blocks = drawn(half, "The page X")
    (only,) = blocks.children
    assert "The page X could not be drawn." in only.value
    assert "the &lt;disk&gt; is gone" in only.value
    (only,) = drawn(lambda: sys.exit("bye"), "The page X").children
    assert "SystemExit: bye" in only.value


def test_a_page_asks_for_its_own_and_for_nothing_twice(site):
    functions = list(build(site).fns.values())
    for function in functions:
        assert {output.page for output in function.outputs} <= {function.page}
        assert len(set(function.targets)) == len(function.targets)
    (own,) = (function for function in functions if function.page == "extra")
    assert own.fn() == "Read when the page is opened"


def test_only_what_can_be_trained_is_offered_for_training(site):
    offered = {reference.name for reference in site.references(trainable=True)}
    assert offered < {reference.name for reference in site.references()}
    assert {"demo/brightness", "vision/fashion"} <= offered
    assert offered.isdisjoint({"demo/echo", "vision/faces"})


def test_gradio_computes_no_statistics_after_each_event(site):
    queue = build(site)._queue
    queue.events_recorded = 1000
    event = {"function": "show", "status": "success", "process_time": 0.1}
    assert queue.compute_analytics_summary([event] * 1000) == {"functions": {}}


def test_html_of_the_apps_own_escapes_what_it_is_given():
    assert "<b>" not in note("<b>", "<b>") + link("<b>", "<b>")
    assert 'aria-label="&lt;Runs&gt;"' in table("<Runs>", ("A",), [("1",)])
