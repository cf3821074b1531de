"""An agent that plays Go: its answers, the page's questions, and the Go Text Protocol."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from agent_helpers import promote_untrained

from layerwise.errors import InputError
from layerwise.workspace import open_workspace
from layerwise_rl.go.gtp import Engine
from layerwise_rl.go.model import GO

SIZE, NAME = 5, "rl/go:5x5"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    home = tmp_path_factory.mktemp("go")
    config = replace(GO.variant("5x5").config, filters=4, blocks=2)
    promote_untrained(home, GO, "5x5", replace(GO.task, size=SIZE, komi=24.5), config)
    with open_workspace(home) as opened:
        yield opened


def ask(workspace, **inputs):
    return workspace.predictor.predict(NAME, inputs)


def test_it_moves_and_says_what_it_looked_at(workspace):
    answer = ask(workspace, moves=["C3"], simulations=40)
    assert answer["said"].startswith(f"White plays {answer['move']}, and expects to win with ")
    board = answer["board"]
    assert board["last"] == answer["move"]
    assert (np.array(board["stones"]) == 2).sum() == 1
    assert board["points"][0][0] == "A5"
    assert board["points"][-1][-1] == "E1"
    assert answer["move"] not in board["legal"]
    assert sum(line["looked at"] for line in answer["lines"]) <= 40
    assert answer["lines"][0]["move"] == answer["move"]
    assert np.sum(board["worth"]) == pytest.approx(1, abs=0.1)
    assert np.all((np.array(board["owners"]) >= 0) & (np.array(board["owners"]) <= 1))


def test_without_simulations_it_only_shows_the_board(workspace):
    answer = ask(workspace, moves=["C3", "B2"], simulations=0)
    assert (answer["move"], answer["lines"], answer["said"]) == ("", [], "Black to play.")
    assert answer["board"]["stones"][2][2] == 1
    assert answer["board"]["stones"][3][1] == 2


def test_the_end_is_counted(workspace):
    board = ask(workspace, moves=["C3", "pass", "pass"], komi=20)["board"]
    assert board["result"] == "Black wins by 5 points."
    assert board["to_play"] == 0
    assert np.all(np.array(board["owners"]) == 1)
    assert ask(workspace, moves=["pass", "pass"], komi=0)["said"] == "A draw."
    assert ask(workspace, moves=["pass", "pass"])["said"] == "White wins by 24.5 points."


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"moves": "C3"}, "list of names"),
        ({"moves": [3]}, "list of names"),
        ({"moves": ["C3", "C3"]}, "Move 2: White cannot play C3. There is a stone"),
        ({"moves": ["Z9"]}, "no point"),
        ({"simulations": -1}, "out of range"),
        ({"komi": 99}, "out of range"),
        ({"komi": 0.3}, "komi cannot be given"),
        ({"moves": ["pass", "pass", "C3"]}, "The game is over"),
    ],
)
def test_what_cannot_be_played_is_explained(workspace, inputs, said):
    with pytest.raises(InputError, match=said):
        ask(workspace, **inputs)


def test_it_ends_a_game_that_it_has_won(workspace):
    answer = ask(workspace, moves=["C3", "pass"], simulations=200, komi=20)
    assert answer["move"] == "pass"
    assert answer["said"].endswith("Black wins by 5 points.")
    # And goes on where a pass would lose.
    assert ask(workspace, moves=["C3", "B2", "pass"], simulations=200, komi=20)["move"] == "pass"
    assert ask(workspace, moves=["C3", "B2", "pass"], simulations=200, komi=-20)["move"] != "pass"


def test_partial_answers_come_while_it_thinks(workspace, monkeypatch):
    monkeypatch.setattr("layerwise_rl.go.runner.SHOWN_EVERY", 0.0)
    answers = list(workspace.predictor.stream(NAME, {"simulations": 60}))
    assert len(answers) > 2
    assert all(" thinks: " in answer["said"] for answer in answers[:-1])
    assert answers[-1]["move"]


def test_it_moves_at_once_when_it_is_stopped(workspace):
    cancelled = threading.Event()
    cancelled.set()
    *_, last = workspace.predictor.stream(NAME, {"simulations": 20_000}, cancelled=cancelled)
    assert last["move"]


def test_games_are_saved_and_opened(workspace):
    task = workspace.predictor.version(NAME).task
    text = task.written(["C3", "B2", "pass"], 6.5, "White wins by 3.5 points.")
    assert "RE[W+3.5]" in text
    assert task.read(text) == {"moves": ["C3", "B2", "pass"], "komi": 6.5}
    with pytest.raises(InputError, match="another board"):
        task.read("(;GM[1]SZ[9];B[ee])")
    with pytest.raises(InputError, match="Move 2"):
        task.read("(;GM[1]SZ[5];B[cc];W[cc])")


def test_the_text_protocol(workspace):
    engine = Engine(workspace.predictor, NAME, simulations=8)
    lines = """
    # a comment
    1 protocol_version
    2 boardsize 5
    komi 7.5
    clear_board
    play B C3
    play W C3
    play black pass
    genmove b
    7 boardsize 19
    known_command genmove
    known_command dance
    dance
    play purple A1
    play B
    undo
    final_score
    """.splitlines()
    answers = list(engine.answers([*lines, "quit", "name"]))
    assert answers[0] == "=1 2\n\n"
    assert answers[1:5] == ["=2\n\n", "=\n\n", "=\n\n", "=\n\n"]
    assert answers[5] == "? illegal move\n\n"
    assert answers[6] == "=\n\n"
    assert answers[7].startswith("= ")
    assert answers[8] == "?7 unacceptable size\n\n"
    assert answers[9:11] == ["= true\n\n", "= false\n\n"]
    assert answers[11] == "? unknown command\n\n"
    assert answers[12].startswith("?")
    assert answers[13].startswith("?")
    assert answers[14] == "=\n\n"
    assert answers[15].startswith("= ")
    assert answers[-1] == "=\n\n"
    assert len(answers) == 17


def test_two_engines_play_a_whole_game(workspace):
    one, other = (Engine(workspace.predictor, NAME, simulations=2) for _ in range(2))
    passes = 0
    for number in range(200):
        color = "bw"[number % 2]
        move = one.answer(f"genmove {color}").removeprefix("=").strip()
        assert not move.startswith("?")
        if move == "resign":
            break
        assert other.answer(f"play {color} {move}") == "=\n\n"
        passes = passes + 1 if move == "pass" else 0
        if passes == 2 or one.position.is_over:
            break
        one, other = other, one
    assert one.answer("final_score") == other.answer("final_score")
