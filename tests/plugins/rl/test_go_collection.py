"""Games of one's own: what is read of them, and a network that learns to play as they did."""

import json
from dataclasses import replace

import numpy as np
import pytest
from agent_helpers import train

from layerwise import ModelCard, ModelSpec, Variant
from layerwise.errors import DataError, InputError
from layerwise.evaluation import evaluate_version
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.versions import read_version
from layerwise.weights import read_arrays
from layerwise_rl.go.collection import in_eight_ways, positions_of, read_collection
from layerwise_rl.go.losses import loss_of_games, move_accuracy, winner_accuracy
from layerwise_rl.go.network import residual_network
from layerwise_rl.go.planes import PLANES, points_turned, turned
from layerwise_rl.go.position import Position, replay
from layerwise_rl.go.sgf import Game, write
from layerwise_rl.go.task import Go, GoConfig

SIZE, KOMI = 5, 0.5


def build(config, task):
    return residual_network(task.size, config.filters, config.blocks)


SPEC = ModelSpec(
    name="rl/small-go",
    task=Go(size=SIZE, komi=KOMI),
    build=build,
    config=GoConfig,
    train="layerwise_rl.go.alphazero:train",
    variants=(
        Variant(
            name="small",
            config=GoConfig(
                size=SIZE, komi=KOMI, num_epochs=6, batch_size=32, filters=8, blocks=2, learning_rate=5e-3, seed=1
            ),
        ),
    ),
    card=ModelCard(title="Small Go", summary="Go on a very small board."),
)


def line_by_line(number, result="B+24.5"):
    """Black fills the board row by row, from a corner that differs; White passes."""
    names = Position(SIZE, KOMI)
    order = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    order = np.rot90(order if number % 2 else order[::-1], number // 2 % 4).reshape(-1)
    moves = [name for action in order[: 8 + number % 7] for name in (names.name_of(int(action)), "pass")]
    return Game(SIZE, KOMI, tuple([*moves, "pass", "pass"][: len(moves) + 1]), result)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("games")
    for number in range(40):
        (path / f"{number}.sgf").write_text(write(line_by_line(number)))
    return path


def test_positions_are_seen_before_their_moves_by_whoever_played_them():
    game = Game(SIZE, KOMI, ("C3", "B2", "D3", "pass", "pass"), "B+24.5")
    found = positions_of(game, SIZE)
    assert found.boards.shape == (5, SIZE, SIZE, PLANES)
    assert found.targets.shape == (5, 2 + 25)
    names = Position(SIZE, KOMI)
    assert [names.name_of(int(move)) for move in found.targets[:, 0]] == list(game.moves)
    assert found.targets[:, 1].tolist() == [1, 0, 1, 0, 1]
    # White's stone on B2 stands, so the board is nobody's, and what the file says cannot be.
    assert (found.targets[:, 2:] == -1).all()
    np.testing.assert_array_equal(found.boards[2, :, :, 0], replay(SIZE, KOMI, ["C3", "B2"]).grid == 1)


def test_whose_each_point_is_is_known_where_the_file_agrees_with_the_board():
    found = positions_of(line_by_line(0), SIZE)
    assert (found.targets[::2, 2:] == 1).all()
    assert (found.targets[1::2, 2:] == 0).all()


@pytest.mark.parametrize(("result", "black", "owned"), [("W+R", 0, -1), ("", -1, -1), ("0", 0.5, -1), ("B+", 1, -1)])
def test_results_of_all_sorts(result, black, owned):
    found = positions_of(line_by_line(0, result), SIZE)
    assert found.targets[0, 1] == black
    assert (found.targets[0, 2:] == owned).all()


@pytest.mark.parametrize(
    ("game", "said"),
    [
        (Game(9, 7.0, ("E5",)), "not of 5 by 5"),
        (Game(SIZE, KOMI, ()), "no moves"),
        (Game(SIZE, KOMI, ("C3", "C3")), "its move 2, C3, is not allowed"),
        (Game(SIZE, KOMI, ("pass", "pass", "C3")), "its move 3"),
    ],
)
def test_games_that_cannot_be_learned_from_are_explained(game, said):
    with pytest.raises(InputError, match=said):
        positions_of(game, SIZE)


def test_splits_are_made_by_games(folder):
    splits, report = read_collection(folder, SIZE)
    assert set(splits) == {"train", "validation", "test"}
    assert sum(len(part) for part in splits.values()) == sum(report.splits.values())
    games = sum(int((part.inputs[..., :2].sum(axis=(1, 2, 3)) == 0).sum()) for part in splits.values())
    assert games == 40  # each begins with an empty board
    assert report.summary.startswith(f"{sum(report.splits.values()):,} positions")
    assert Go(size=SIZE, komi=KOMI).read_folder(folder).report == report


def test_a_few_bad_files_are_left_out_and_many_are_refused(folder, tmp_path):
    for file in folder.glob("*.sgf"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "bad.sgf").write_text("(;GM[2])")
    (tmp_path / "notes.txt").write_text("of no interest")
    _, report = read_collection(tmp_path, SIZE)
    assert report.num_unreadable == 1
    assert "bad.sgf (This is a game of another sort)" in report.warnings[0]
    with pytest.raises(DataError, match="not of 9 by 9"):
        read_collection(folder, 9)
    for file in sorted(tmp_path.glob("*.sgf"))[5:]:
        file.unlink()
    with pytest.raises(DataError, match="too few games"):
        read_collection(tmp_path, SIZE)


def test_each_position_comes_in_eight_ways_with_its_targets_turned_alike(folder):
    splits, _ = read_collection(folder, SIZE)
    plain = splits["test"]
    all_ways = in_eight_ways(plain, SIZE)
    assert len(all_ways) == 8 * len(plain)
    place = 8 * 3 + 5
    np.testing.assert_array_equal(all_ways.inputs[place], turned(plain.inputs[3], 5))
    np.testing.assert_array_equal(all_ways.inputs[np.array([place, 24])][0], all_ways.inputs[place])
    move = np.eye(SIZE * SIZE + 1)[int(plain.targets[3, 0])]
    target = all_ways.targets[place]
    assert int(target[0]) == points_turned(move[None], SIZE, 5)[0].argmax()
    assert target[1] == plain.targets[3, 1]
    np.testing.assert_array_equal(np.asarray(all_ways.targets)[::8], plain.targets)


def test_the_loss_leaves_out_what_is_not_known():
    outputs = {
        "policy": np.log(np.array([[0.5, 0.5], [0.25, 0.75]], "float32")),
        "value": np.array([[0.0], [9.0]], "float32"),
        "ownership": np.array([[0.0], [9.0]], "float32"),
    }
    targets = np.array([[0, 1.0, 0.5], [1, -1.0, -1.0]], "float32")
    expected = -(np.log(0.5) + np.log(0.75)) / 2 + np.log(2) + 0.3 * np.log(2)
    assert float(loss_of_games(targets, outputs)) == pytest.approx(expected, rel=1e-5)
    assert float(move_accuracy(targets, outputs)) == 1
    assert float(winner_accuracy(targets, outputs)) == 0


@pytest.mark.slow
def test_a_network_learns_to_play_as_games_did_and_goes_on_by_itself(home, folder, monkeypatch):
    snapshot = Registry(home).snapshot()
    monkeypatch.setattr(type(snapshot), "model", lambda self, name: SPEC)
    runs = RunStore(home)
    run = runs.create(SPEC, None, SPEC.variant().config, data=folder)
    train(run, snapshot)
    last = run.history()[-1]
    assert last["val_move_accuracy"] > 0.6
    assert json.loads((run.folder / "data_report.json").read_text())["what"] == "positions"
    version = read_version(SPEC, "small", run.id, run.version_folder)
    found = evaluate_version(snapshot, version)
    assert found["metrics"]["move_accuracy"] > 0.6
    assert found["metrics"]["winner_accuracy"] == 1
    by_itself = replace(
        SPEC.variant().config,
        num_epochs=1,
        steps_per_epoch=32,
        num_environments=2,
        simulations=4,
        considered=2,
        moves_between=4,
        milestones=1,
        episodes_measured=2,
    )
    further = runs.create(SPEC, None, by_itself, start_from=run.id)
    train(further, snapshot)
    begun = read_version(SPEC, "small", further.id, further.version_folder).milestones[0]
    ours, theirs = read_arrays(begun.folder), read_arrays(version.folder)
    assert all(np.array_equal(ours[name], theirs[name].astype(ours[name].dtype)) for name in theirs)
