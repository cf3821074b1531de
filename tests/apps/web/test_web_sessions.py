"""What is kept of visitors who never say that they leave."""

import gradio as gr
import pytest
from gradio import state_holder

from layerwise_app.web import sessions


@pytest.fixture
def blocks(site, monkeypatch):
    """A small app that keeps little."""
    monkeypatch.setattr(state_holder, "SessionState", state_holder.SessionState)
    monkeypatch.setattr(sessions, "KEPT_SESSIONS", 10)
    with gr.Blocks() as made:
        made.count = gr.State(0)
        gr.Textbox("a text" * 1000)
        sessions.keep_little(site, made)
    return made


def test_of_a_visitor_only_what_they_did_is_kept(blocks):
    holder = state_holder.StateHolder()
    holder.set_blocks(blocks)
    ann = holder["ann"]
    assert ann.config_values == {}
    assert ann[blocks.count._id] == 0
    ann[blocks.count._id] = 3
    assert holder["ann"][blocks.count._id] == 3
    assert holder["bob"][blocks.count._id] == 0


def test_what_a_page_shows_a_visitor_is_theirs_and_is_not_kept_twice(blocks):
    holder = state_holder.StateHolder()
    holder.set_blocks(blocks)
    ann, shown = holder["ann"], next(key for key, made in blocks.blocks.items() if isinstance(made, gr.Textbox))
    ann._update_value_in_config(shown, "a long answer" * 1000)
    ann[shown] = gr.Textbox("another one", render=False)
    assert ann[shown].value == "another one"
    assert holder["bob"][shown].value == "a text" * 1000
    assert ann.config_values == {}
    assert len(ann.blocks_config.blocks.maps[0]) == 1


def test_thousands_of_visitors_take_the_room_of_a_few(blocks):
    holder = state_holder.StateHolder()
    holder.set_blocks(blocks)
    holder["ann"][blocks.count._id] = 1
    for number in range(2000):
        holder[f"visitor {number}"]
        assert holder["ann"][blocks.count._id] == 1, "one who goes on is not forgotten"
    assert len(holder.session_data) <= 10
    assert len(holder.time_last_used) <= 10


def test_a_visitor_who_leaves_is_forgotten_by_models(site, blocks, monkeypatch):
    ended = []
    monkeypatch.setattr(type(site.predictor), "end_session", lambda _, session: ended.append(session))
    leaving = [function for function in blocks.fns.values() if "unload" in [event for _, event in function.targets]]
    assert len(leaving) == 1
    leaving[0].fn(gr.Request(session_hash="ann"))
    leaving[0].fn(gr.Request(session_hash=None))
    assert ended == ["ann"]
