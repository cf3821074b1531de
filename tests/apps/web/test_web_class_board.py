"""The class board: everyone's runs of a model, the best first."""

import pytest

from layerwise_app.web.pages import class_board
from layerwise_app.web.pages.class_board import _Page


@pytest.fixture
def board(site):
    return _Page(site)


def epoch(number, accuracy):
    return {"event": "epoch", "epoch": number, "loss": 0.5, "accuracy": accuracy, "val_accuracy": accuracy - 0.01}


def test_it_ranks_runs_while_they_train_and_says_whose_they_are(board, make_run, monkeypatch):
    monkeypatch.setattr(class_board, "POLL_SECONDS", 0)
    less = make_run("demo/brightness", epoch(1, 0.6), epoch(2, 0.7), ending=None)
    more = make_run("demo/brightness", epoch(1, 0.8))
    more.request["by"] = "anna"  # as the server writes it
    shown = board.look("demo/brightness")
    assert shown.index(more.id) < shown.index(less.id)
    assert "<b>79.0%</b> <small>in epoch 1</small>" in shown
    assert "<b>69.0%</b> <small>in epoch 2</small>" in shown
    assert "2 of " in shown
    less.append(**epoch(3, 0.95))
    shown = board.look("demo/brightness")
    assert shown.index(less.id) < shown.index(more.id), "it has overtaken"
    assert shown.count("lw-charts") == 1
    assert ">By<" not in shown, "nobody had to sign in"


def test_names_are_shown_where_one_signs_in_and_cannot_become_markup(board, make_run, workspace):
    run = make_run("demo/brightness", epoch(1, 0.8))
    run.request["by"] = "<b>anna"
    found = class_board.standings([(run, run.history())])
    shown = class_board.table_html(found)
    assert ">By<" in shown
    assert "&lt;b&gt;anna" in shown


def test_a_class_looks_at_what_was_drawn_for_one(board, make_run, monkeypatch):
    run = make_run("demo/brightness", epoch(1, 0.8))
    drawn = []
    monkeypatch.setattr(board, "_drawn", lambda model: drawn.append(model) or run.id)
    assert [board.look("demo/brightness") for _ in range(200)] == [run.id] * 200
    assert drawn == ["demo/brightness"]


def test_before_the_first_run_it_says_what_to_do(board):
    assert "./train" in board.look(None)
