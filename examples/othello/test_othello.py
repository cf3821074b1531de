"""The plugin as its users meet it: a game by its rules, an agent that learns, and what every plugin promises."""

from __future__ import annotations

import numpy as np
import pytest
from layerwise_othello.games import greedy, play, playouts
from layerwise_othello.learning import games_of, in_any_way
from layerwise_othello.network import seen
from layerwise_othello.position import PASS, action_of, new_state, replay, result_of, stones_of
from layerwise_othello.runner import said_of
from layerwise_othello.task import Othello

from layerwise.errors import InputError
from layerwise.testing import contract

SHORTEST = ["E6", "F4", "E3", "F6", "G5", "D6", "E7", "F5", "C5"]
"""The shortest game there is: White has no stone left."""


def blind(states):
    """A network that finds every move and every position alike."""
    return np.zeros((len(states), PASS + 1)), np.zeros(len(states))


def test_stones_that_are_enclosed_turn():
    state = replay(["D3"])
    stones = stones_of(state)
    assert [int(stones.flat[action_of(name)]) for name in ("D3", "D4", "D5", "E5", "E4")] == [1, 1, 1, 2, 1]
    assert said_of(state) == "White to play."


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        (["D4"], "There is a stone on D4 already"),
        (["A1"], "turns none"),
        (["pass"], "must not pass"),
        (["J9"], "A1 to H8, or pass"),
        (["D3", "D3"], "Move 2: White"),
    ],
)
def test_a_move_that_may_not_be_done_is_explained(moves, why):
    with pytest.raises(InputError, match=why):
        replay(moves)


def test_a_game_ends_when_nobody_can_move():
    state = replay(SHORTEST)
    assert result_of(state) == said_of(state) == "Black wins, 13 to 0."
    with pytest.raises(InputError, match="the game is over"):
        replay([*SHORTEST, "A1"])


def test_games_are_written_and_read():
    task = Othello()
    moves = ["D3", "C5", "D6"]
    assert task.read(task.written(moves, None, "Black resigns.")) == {"moves": moves}
    for text in ("", "no game", "A1"):
        with pytest.raises(InputError):
            task.read(text)


def test_the_network_sees_its_own_stones_first():
    boards = seen([replay([]), replay(["D3"])])
    assert boards.shape == (2, 8, 8, 4)
    assert boards[..., :2].sum((1, 2)).tolist() == [[2, 2], [1, 4]]
    assert boards[0, ..., 2].sum() == 4  # there are four first moves
    assert (boards[..., 3] == 1).all()


def test_games_against_itself_are_learned_from_by_both_sides():
    examples, results = games_of(blind, 3, simulations=2, considered=2, random=np.random.default_rng(0))
    assert sum(length for _, length in results) == len(examples["value"])
    # In the first position of each game it is Black's turn: what is his at the end, and whether he wins.
    for place, (lead, _) in enumerate(results):
        assert examples["owner"][place].sum() == lead
        assert examples["value"][place] == np.sign(lead)
    assert examples["policy"].astype("float32").sum(1) == pytest.approx(np.ones(len(examples["value"])), abs=1e-2)
    boards, targets = in_any_way(examples, np.arange(64), np.random.default_rng(0))
    # A policy that was turned like its board lies on squares that may be played.
    on_board = (targets["policy"][:, :-1].reshape(-1, 8, 8) > 0.01) <= (boards[..., 2] > 0)
    assert on_board.all()
    assert set(np.unique(targets["value"])) <= {0.0, 0.5, 1.0}


def test_a_search_with_playouts_is_stronger_than_greed():
    random = np.random.default_rng(0)
    won = 0.0
    for number in range(6):
        state = new_state()
        while not state.is_terminal():
            mover = (greedy, playouts)[(state.current_player() + number) % 2]
            state = state.child(mover(state, random))
        won += (state.returns()[(1 + number) % 2] + 1) / 2
    assert won >= 4


def test_who_plays_is_measured_with_colours_by_turns():
    shares = play(blind, greedy, range(4), random=np.random.default_rng(0))
    assert shares.shape == (4,)
    assert set(shares.tolist()) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("promise", contract("othello"))
def test_it_keeps_what_every_plugin_promises(promise):
    promise.keep()
