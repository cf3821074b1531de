"""Tree search: finds what wins, batched as well as unbatched, and keeps its books."""

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise_rl.go.search import Node, child_of, main_line, root_value, search, shares


def knows_nothing(states):
    """All actions are alike, and nobody is ahead."""
    return np.zeros([len(states), states[0].num_distinct_actions()]), np.zeros(len(states))


def best_value(state, memory):
    """By minimax, for whoever is to play."""
    if state.is_terminal():
        return state.returns()[0] * (1 if state.move_number() % 2 == 0 else -1)
    key = str(state)
    if key not in memory:
        memory[key] = max(-best_value(state.child(action), memory) for action in state.legal_actions())
    return memory[key]


def tic_tac_toe(*actions):
    state = pyspiel.load_game("tic_tac_toe").new_initial_state()
    for action in actions:
        state.apply_action(action)
    return state


@pytest.mark.parametrize("leaves", [1, 8])
def test_it_plays_tic_tac_toe_without_a_mistake(leaves):
    memory, random = {}, np.random.default_rng(0)
    for _ in range(25):
        state = tic_tac_toe()
        for _ in range(int(random.integers(2, 6))):
            state.apply_action(int(random.choice(state.legal_actions())))
            if state.is_terminal():
                break
        if state.is_terminal():
            continue
        root = Node(state)
        search([root], knows_nothing, [1200], leaves=leaves)
        chosen = int(shares(root, 9, temperature=0).argmax())
        assert -best_value(state.child(chosen), memory) == best_value(state, memory)


def test_a_win_in_one_is_found_and_valued():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [300])
    assert shares(root, 9, temperature=0).argmax() == 2
    assert root_value(root) > 0.7
    assert main_line(root)[0] == 2


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 200), st.integers(1, 16), st.integers(1, 4))
def test_visits_are_as_many_as_were_asked_for(simulations, leaves, games):
    roots = [Node(tic_tac_toe(place)) for place in range(games)]
    search(roots, knows_nothing, [simulations] * games, leaves=leaves)
    for root in roots:
        assert root.visits.sum() == simulations
        check(root)


def check(node):
    """What was counted as lost for a while is counted no more: each value is a mean of results."""
    assert (np.abs(node.totals) <= node.visits + 1e-3).all()
    for place, following in enumerate(node.children):
        if following is None:
            assert node.visits[place] == 0
        elif following.actions is not None:
            # Once when it was found, and each time that somebody went on from there.
            assert node.visits[place] == following.visits.sum() + 1
            check(following)


def test_games_side_by_side_do_not_change_each_other():
    def alone(place):
        root = Node(tic_tac_toe(place))
        search([root], knows_nothing, [150])
        return root.visits.tolist()

    roots = [Node(tic_tac_toe(place)) for place in range(4)]
    search(roots, knows_nothing, [150] * 4)
    assert [root.visits.tolist() for root in roots] == [alone(place) for place in range(4)]


def test_a_tree_goes_on_after_a_move():
    root = Node(tic_tac_toe())
    search([root], knows_nothing, [200])
    following = child_of(root, 4)
    before = following.visits.sum()
    assert before > 0
    search([following], knows_nothing, [100 + int(before)])
    assert following.visits.sum() == 100 + before
    assert child_of(Node(tic_tac_toe()), 0).state.history() == [0]


def test_actions_that_are_not_allowed_are_not_looked_at():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [100], allowed=[[5, 8]])
    assert set(np.flatnonzero(shares(root, 9))) <= {5, 8}


def test_noise_makes_other_actions_worth_a_look():
    def noise(game, count):
        return np.eye(count)[-1]

    plain, noisy = Node(tic_tac_toe()), Node(tic_tac_toe())
    search([plain], knows_nothing, [30])
    search([noisy], knows_nothing, [30], noise=noise)
    assert noisy.visits[-1] > plain.visits[-1]


def test_shares_are_the_more_equal_the_higher_the_temperature():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [300])
    cold, warm = shares(root, 9, 0.5), shares(root, 9, 2.0)
    assert cold.sum() == pytest.approx(1)
    assert cold.max() > shares(root, 9).max() > warm.max()


def test_it_stops_when_it_is_asked_to():
    calls = []

    def stops():
        calls.append(1)
        return len(calls) > 5

    root = Node(tic_tac_toe())
    search([root], knows_nothing, [10_000], stops=stops)
    assert root.visits.sum() == 5
