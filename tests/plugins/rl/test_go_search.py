"""Tree search: finds what wins, batched as well as unbatched, and keeps its books."""

import numpy as np
import pyspiel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise_rl.go.gumbel import GumbelRoot, visits_of
from layerwise_rl.go.search import Node, main_line, most_tried, root_value, search, shares


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
        chosen = most_tried(root)
        assert -best_value(state.child(chosen), memory) == best_value(state, memory)


def test_a_win_in_one_is_found_and_valued():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [300])
    assert most_tried(root) == 2
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
    assert node.count == node.visits.sum()
    assert (node.visits[len(node.children) :] == 0).all()
    for place, following in enumerate(node.children):
        if following.actions is not None:
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


def test_a_tree_goes_on_growing():
    root, other = Node(tic_tac_toe()), Node(tic_tac_toe())
    search([root], knows_nothing, [200])
    search([root], knows_nothing, [300])
    search([other], knows_nothing, [300])
    assert root.visits.tolist() == other.visits.tolist()


def test_actions_that_are_not_allowed_are_not_looked_at():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [100], allowed=[[5, 8]])
    assert set(np.flatnonzero(shares(root, 9))) <= {5, 8}


def test_shares_are_those_of_the_visits():
    root = Node(tic_tac_toe(0, 3, 1, 4))
    search([root], knows_nothing, [300])
    found = shares(root, 9)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == most_tried(root) == 2
    assert found[[0, 1, 3, 4]].tolist() == [0] * 4


@pytest.mark.parametrize(("considered", "simulations"), [(1, 5), (2, 9), (3, 7), (4, 16), (16, 32), (16, 3)])
def test_halving_gives_each_simulation_an_action_that_can_have_its_turn(considered, simulations):
    visits = [0] * considered
    for turn in visits_of(considered, simulations):
        place = visits.index(turn)
        visits[place] += 1
    assert sum(visits) == simulations
    if simulations >= 2 * considered:
        assert min(visits) > 0
        assert max(visits) >= simulations / considered


def test_a_root_that_is_learned_from_finds_the_win_with_few_simulations():
    random = np.random.default_rng(0)
    chosen, improved = [], []
    for _ in range(20):
        root = GumbelRoot(tic_tac_toe(0, 3, 1, 4), 12, 8, random)
        search([root], knows_nothing, [12])
        assert root.count == 12
        chosen.append(root.chosen())
        improved.append(root.improved(9))
    assert chosen.count(2) >= 19
    assert np.mean(improved, axis=0)[2] > 0.9
    np.testing.assert_allclose(np.sum(improved, axis=1), 1, rtol=1e-5)


def test_where_all_is_alike_moves_are_drawn_as_the_network_thinks():
    chances = np.array([0.5, 0.2, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01])

    def thinks(states):
        return np.tile(np.log(chances), (len(states), 1)), np.zeros(len(states))

    class Drawn:
        """A game in which nobody ever wins."""

        def __init__(self, player=0):
            self.player = player

        def current_player(self):
            return self.player

        def legal_actions(self):
            return list(range(9))

        def child(self, action):
            return Drawn(1 - self.player)

        def is_terminal(self):
            return False

    random, counts = np.random.default_rng(1), np.zeros(9)
    for _ in range(400):
        root = GumbelRoot(Drawn(), 4, 4, random)
        search([root], thinks, [4])
        counts[root.chosen()] += 1
        np.testing.assert_allclose(root.improved(9), chances, rtol=1e-4)
    np.testing.assert_allclose(counts / 400, chances, atol=0.08)


def test_it_stops_when_it_is_asked_to():
    calls = []

    def stops():
        calls.append(1)
        return len(calls) > 5

    root = Node(tic_tac_toe())
    search([root], knows_nothing, [10_000], stops=stops)
    assert root.visits.sum() == 5
