"""The rules of Go, beside OpenSpiel's and by hand."""

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise_rl.go.position import Position, owners, replay


def drawn(*rows):
    """A board as one draws it, the first row on top."""
    kinds = {".": 0, "X": 1, "O": 2}
    return np.array([[kinds[letter] for letter in row] for row in reversed(rows)], "int8")


@pytest.mark.slow
@pytest.mark.parametrize("games", [40, pytest.param(1000, marks=pytest.mark.long)])
def test_random_games_are_openspiels(games):
    random = np.random.default_rng(0)
    for number in range(games):
        size = int(random.choice([3, 5, 7, 9]))
        komi = 0.5 + number % 8
        parameters = {"board_size": size, "komi": komi, "max_game_length": 3 * size**2}
        state = pyspiel.load_game("go", parameters).new_initial_state()
        position = Position(size, komi)
        while not state.is_terminal():
            legal = position.legal()
            # What is forbidden beside is what would come back.
            assert set(legal) <= set(state.legal_actions())
            points = [action for action in legal if action < size**2]
            action = int(random.choice(points)) if points and random.random() < 0.97 else size**2
            state.apply_action(action)
            position = position.play(action)
        assert position.is_over
        assert position.lead() == -(komi) + np.sum(position.owners() == 1) - np.sum(position.owners() == 2)
        assert np.sign(position.lead()) == state.returns()[0]


def brute_owners(grid):
    """By growing from the stones: an empty point is of a colour if only that colour reaches it through empty points."""
    reached = []
    for color in (1, 2):
        mask = grid == color
        while True:
            grown = mask.copy()
            grown[1:] |= mask[:-1]
            grown[:-1] |= mask[1:]
            grown[:, 1:] |= mask[:, :-1]
            grown[:, :-1] |= mask[:, 1:]
            grown &= (grid == 0) | (grid == color)
            if (grown == mask).all():
                break
            mask = grown
        reached.append(mask)
    return np.where(reached[0] & ~reached[1], 1, np.where(reached[1] & ~reached[0], 2, 0))


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(0, 10_000))
def test_points_belong_to_those_who_alone_reach_them(size, seed):
    grid = np.random.default_rng(seed).choice([0, 0, 1, 2], (size, size)).astype("int8")
    np.testing.assert_array_equal(owners(grid), brute_owners(grid))


def test_a_taken_stone_is_gone():
    position = replay(5, 0.5, ["B2", "C2", "D2", "A1", "C1", "A2", "C3"])
    np.testing.assert_array_equal(position.grid, drawn(".....", ".....", "..X..", "OX.X.", "O.X.."))


def test_what_may_not_be_played_is_explained():
    ko = replay(5, 0.5, ["B1", "C1", "A2", "D2", "B3", "C3", "C2", "B2"])
    assert "ko" in ko.refusal(ko.action_of("C2"))
    suicide = replay(5, 0.5, ["B1", "E5", "A2", "E4"])
    white = suicide.play(suicide.action_of("C3"))
    assert "suicide" in white.refusal(white.action_of("A1"))
    assert "already" in white.refusal(white.action_of("B1"))
    with pytest.raises(InputError, match="suicide"):
        white.play(white.action_of("A1"))


def test_a_position_does_not_come_back():
    # Two kos at which both take in turn, with nothing played between.
    found = 0
    random = np.random.default_rng(1)
    for _ in range(60):
        position = Position(3, 0.5)
        seen = {position.grid.tobytes()}
        while not position.is_over:
            points = [action for action in position.legal() if action < 9]
            forbidden = set(position.state.legal_actions()) - set(position.legal())
            for action in forbidden:
                found += 1
                assert "superko" in position.refusal(action)
            if not points:
                break
            position = position.play(int(random.choice(points)))
            assert position.grid.tobytes() not in seen
            seen.add(position.grid.tobytes())
    assert found > 0


def test_two_passes_end_the_game():
    position = replay(5, 0.5, ["C3", "pass", "pass"])
    assert position.is_over
    assert position.legal() == []
    assert position.lead() == 24.5
    with pytest.raises(InputError, match="over"):
        position.play(0)


@pytest.mark.parametrize(("name", "action"), [("A1", 0), ("j9", 80), ("H1", 7), (" pass ", 81)])
def test_points_have_names(name, action):
    position = Position(9, 7)
    assert position.action_of(name) == action
    assert position.name_of(action) == name.strip().upper().replace("PASS", "pass")


@pytest.mark.parametrize("name", ["I5", "A0", "A10", "", "Ä1", "A-1", "5A"])
def test_what_is_no_point_is_explained(name):
    with pytest.raises(InputError, match="A1 to J9"):
        Position(9, 7).action_of(name)


@pytest.mark.parametrize(("size", "komi"), [(1, 0), (20, 7), (9, 7.3), (9, 100), (9, float("nan"))])
def test_boards_and_komis_that_cannot_be_are_explained(size, komi):
    with pytest.raises(InputError, match=r"board|komi"):
        Position(size, komi)


def test_a_wrong_move_of_many_is_named():
    with pytest.raises(InputError, match="Move 2: White cannot play C3"):
        replay(5, 0.5, ["C3", "C3"])
