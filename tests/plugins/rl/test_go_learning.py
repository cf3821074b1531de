"""Go by self-play: what is learned from, boards that are turned, and a training that is stopped and goes on."""

import numpy as np
import pytest
from agent_helpers import assert_same_end, train
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import ModelCard, ModelSpec, Variant
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise_rl.go.elo import elo_of
from layerwise_rl.go.losses import loss, policy_loss
from layerwise_rl.go.network import Evaluator, residual_network
from layerwise_rl.go.planes import PLANES, all_liberties, points_turned, seen, turned, turned_back
from layerwise_rl.go.position import liberties, replay
from layerwise_rl.go.records import batch_of
from layerwise_rl.go.self_play import SelfPlay
from layerwise_rl.go.task import Go, GoConfig
from layerwise_rl.go.tournament import match
from layerwise_rl.memory import Memory

SIZE = 5


def build(config, task):
    return residual_network(task.size, config.filters, config.blocks)


SMALL = GoConfig(
    size=3,
    komi=0.5,
    num_epochs=2,
    steps_per_epoch=64,
    num_environments=4,
    batch_size=8,
    simulations=6,
    considered=3,
    moves_between=8,
    batches=2,
    filters=4,
    blocks=2,
    milestones=2,
    episodes_measured=2,
    remembered=200,
)
SPEC = ModelSpec(
    name="rl/small-go",
    task=Go(size=3, komi=0.5),
    build=build,
    config=GoConfig,
    train="layerwise_rl.go.alphazero:train",
    variants=(Variant(name="small", config=SMALL),),
    card=ModelCard(title="Small Go", summary="Go on a very small board."),
)


def knows_nothing(states):
    return np.zeros([len(states), states[0].num_distinct_actions()]), np.zeros(len(states))


def takes_ground(states):
    """Looks only at who has more stones."""
    values = []
    for state in states:
        stones = np.array(state.observation_tensor(0)).reshape(-1, SIZE * SIZE)[:2].sum(axis=1)
        values.append((stones[0] - stones[1]) / 25 * (1 - 2 * state.current_player()))
    return np.zeros([len(states), SIZE * SIZE + 1]), np.array(values)


def test_a_position_is_seen_by_whoever_is_to_play():
    position = replay(SIZE, 7, ["C3", "B2", "D3"])
    planes = seen(position.state, SIZE, 7)
    np.testing.assert_array_equal(planes[:, :, 0], position.grid == 2)
    np.testing.assert_array_equal(planes[:, :, 1], position.grid == 1)
    assert np.argwhere(planes[:, :, 2]).tolist() == [[2, 3]]
    assert np.argwhere(planes[:, :, 3]).tolist() == [[1, 1]]
    assert not planes[:, :, 4].any()
    assert planes[0, 0, 6] == pytest.approx(7 / 6.25)
    ko = replay(SIZE, 7, ["B1", "C1", "A2", "D2", "B3", "C3", "C2", "B2"])
    assert np.argwhere(seen(ko.state, SIZE, 7)[:, :, 4]).tolist() == [[1, 2]]


def test_liberties_are_those_that_a_walk_along_each_chain_finds():
    random = np.random.default_rng(0)
    boards = random.choice(3, (40, 6, 6), p=(0.35, 0.4, 0.25)).astype("int8")
    expected = [
        [[liberties(board, (row, column)) if board[row, column] else 0 for column in range(6)] for row in range(6)]
        for board in boards
    ]
    np.testing.assert_array_equal(all_liberties(boards), expected)


def test_stones_with_one_to_three_liberties_are_marked():
    planes = seen(replay(SIZE, 7, ["A1", "B1", "C3", "D4"]).state, SIZE, 7)
    assert np.argwhere(planes[:, :, 7]).tolist() == [[0, 0]]
    assert np.argwhere(planes[:, :, 8]).tolist() == [[0, 1]]
    assert not planes[:, :, 9].any()


@settings(deadline=None)
@given(st.integers(0, 7), st.integers(0, 100))
def test_a_board_that_is_turned_and_turned_back_is_the_same(symmetry, seed):
    boards = np.random.default_rng(seed).normal(size=(2, SIZE, SIZE, 3))
    np.testing.assert_array_equal(turned_back(turned(boards, symmetry), symmetry), boards)
    numbers = np.random.default_rng(seed).normal(size=(2, SIZE * SIZE + 1))
    there = points_turned(numbers, SIZE, symmetry)
    np.testing.assert_array_equal(there[:, -1], numbers[:, -1])
    np.testing.assert_array_equal(
        there[0, :-1].reshape(SIZE, SIZE), turned(numbers[0, :-1].reshape(SIZE, SIZE, 1), symmetry)[..., 0]
    )
    np.testing.assert_array_equal(points_turned(there, SIZE, symmetry, back=True), numbers)


def test_the_eight_ways_are_different():
    board = np.arange(SIZE * SIZE).reshape(SIZE, SIZE, 1)
    assert len({turned(board, symmetry).tobytes() for symmetry in range(8)}) == 8


def played(games=4, seed=0):
    """Records of games that are over."""
    play = SelfPlay(SIZE, 0.5, games, 8, 3, np.random.default_rng(seed))
    records = []
    while len(records) < games:
        records += play.move(takes_ground)
    return records


def test_games_are_learned_from_with_their_results():
    for record in played():
        examples = record.examples
        final = replay(SIZE, 0.5, [replay(SIZE, 0.5, []).name_of(action) for action in record.moves])
        assert final.is_over
        assert record.lead == final.lead() + 0.5
        black = (final.owners() == 1).astype(int) - (final.owners() == 2)
        for place, player in enumerate(examples["player"]):
            np.testing.assert_array_equal(examples["owner"][place].reshape(SIZE, SIZE), black * (1 - 2 * int(player)))
        np.testing.assert_allclose(examples["policy"].astype("float32").sum(axis=1), 1, atol=0.01)
        assert examples["player"].tolist() == [number % 2 for number in range(len(record.moves))]


def test_batches_have_boards_and_targets_turned_alike():
    memory = Memory(500)
    for record in played():
        memory.add(record.examples)
    places = np.arange(len(memory))
    boards, targets = batch_of(memory.arrays, places, np.random.default_rng(0), komi=0.5)
    for place in places:
        # Nothing is put where a stone stands, however the board was turned.
        stones = boards[place, :, :, :2].sum(axis=-1).reshape(-1)
        assert (targets["policy"][place, :-1][stones > 0] == 0).all()
    plain = memory.arrays
    wins = (1 - 2 * plain["player"][places]) * (plain["lead"][places] - 0.5) > 0
    np.testing.assert_array_equal(targets["value"], wins)
    signs = np.sign(boards[:, 0, 0, 6])
    np.testing.assert_array_equal(signs, 2 * plain["player"][places] - 1.0)


def test_the_newest_positions_are_remembered():
    memory = Memory(3)
    for number in range(5):
        memory.add({"player": np.array([number])})
    assert sorted(memory.arrays["player"].tolist()) == [2, 3, 4]
    other = Memory(3)
    other.restore(memory.state())
    for one in (memory, other):
        one.add({"player": np.array([9])})
    assert other.arrays["player"].tolist() == memory.arrays["player"].tolist()


def test_a_match_is_won_by_the_better_one():
    random = np.random.default_rng(0)
    assert match(SIZE, 0.5, takes_ground, knows_nothing, 8, 30, random) >= 0.75
    assert match(SIZE, 0.5, takes_ground, takes_ground, 4, 4, random, stops=lambda: True) == 0.5


def test_the_loss_is_least_where_all_is_known():
    policy = np.array([[0.5, 0.5, 0.0]], "float32")
    targets = {"policy": policy, "owner": np.array([[1.0, 0.0]], "float32"), "value": np.array([1.0], "float32")}
    known = {
        "policy": np.log(np.maximum(policy, 1e-9)),
        "ownership": np.array([[20.0, -20.0]], "float32"),
        "value": np.array([[20.0]], "float32"),
    }
    assert float(policy_loss(targets, known)) == pytest.approx(0, abs=1e-4)
    assert float(loss(targets, known)) == pytest.approx(0, abs=1e-4)
    even = {"policy": np.zeros([1, 3]), "ownership": np.zeros([1, 2]), "value": np.zeros([1, 1])}
    even = {name: part.astype("float32") for name, part in even.items()}
    expected = np.log(3) - np.log(2) + np.log(2) + 0.3 * np.log(2)
    assert float(loss(targets, even)) == pytest.approx(expected, abs=1e-4)


def test_elo_says_by_how_much_one_is_better():
    assert elo_of(0.5, 10) == 0
    assert elo_of(1.0, 10) == pytest.approx(-elo_of(0.0, 10))
    assert elo_of(1.0, 10) == elo_of(0.95, 10)


def test_the_network_sees_boards_of_all_sizes_with_the_same_weights():
    small, large = residual_network(5, 4, 2), residual_network(9, 4, 2)
    large.set_weights(small.get_weights())
    outputs = large(np.zeros([2, 9, 9, PLANES], "float32"))
    assert {name: tuple(part.shape) for name, part in outputs.items()} == {
        "policy": (2, 82),
        "ownership": (2, 81),
        "value": (2, 1),
    }


@pytest.mark.parametrize("symmetry", range(8))
def test_what_a_network_says_of_a_turned_board_is_turned_back(symmetry):
    def sees_stones(boards):
        """Says of each point whether an own stone stands there, and 7 of a pass."""
        own = boards[..., 0].reshape(len(boards), -1)
        return {"policy": np.concatenate([own, np.full([len(own), 1], 7.0)], axis=1), "value": np.zeros([len(own), 1])}

    class Always:
        def integers(self, _):
            return symmetry

    position = replay(SIZE, 0.5, ["C3", "B2", "D4"])
    logits, _ = Evaluator(sees_stones, SIZE, 0.5, Always())([position.state])
    np.testing.assert_array_equal(logits[0, :-1].reshape(SIZE, SIZE), position.grid == 2)
    assert logits[0, -1] == 7


@pytest.fixture
def snapshot(home):
    return Registry(home).snapshot()


@pytest.mark.slow
def test_a_stop_and_a_resume_change_not_a_bit(home, snapshot, monkeypatch):
    monkeypatch.setattr(type(snapshot), "model", lambda self, name: SPEC)
    runs = RunStore(home)
    whole, parts = (runs.create(SPEC, None, SMALL) for _ in range(2))
    train(whole, snapshot)
    for looks in (1, 2, None):
        train(parts, snapshot, looks)
    assert_same_end(parts, whole)
    last = whole.history()[-1]
    assert {"policy_loss", "value_loss", "owner_loss", "elo"} <= set(last)
