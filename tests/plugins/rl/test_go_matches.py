"""Matches: players of all sorts, games that are kept, and strengths that follow from them."""

import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import typer
from agent_helpers import promote_untrained
from typer.testing import CliRunner

from layerwise.errors import InputError, LayerwiseError
from layerwise.evaluation import evaluate, report_of
from layerwise.versions import MILESTONES
from layerwise.weights import read_record
from layerwise.workspace import open_workspace
from layerwise_rl.go.command import match
from layerwise_rl.go.elo import ratings
from layerwise_rl.go.matches import Match
from layerwise_rl.go.model import GO
from layerwise_rl.go.opponents import Anywhere, Program, maker_of
from layerwise_rl.go.position import Position
from layerwise_rl.go.sgf import read
from layerwise_rl.go.tournament import ladder, opening, play_games

SIZE, NAME = 5, "rl/go:5x5"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    home = tmp_path_factory.mktemp("go")
    config = replace(GO.variant("5x5").config, filters=4, blocks=2)
    promote_untrained(home, GO, "5x5", replace(GO.task, size=SIZE, komi=24.5, measured=8), config)
    with open_workspace(home) as opened:
        yield opened


@pytest.fixture
def program(tmp_path):
    """A program that passes, and knows who has won; told to, it does what is not allowed."""
    path = tmp_path / "engine.py"
    path.write_text(
        textwrap.dedent("""
            import sys
            move, score = sys.argv[1:]
            for line in sys.stdin:
                name = line.split()[0]
                if name == "known":
                    print("? unknown command\\n", flush=True)
                else:
                    print("=", {"genmove": move, "final_score": score}.get(name, ""), "\\n", flush=True)
        """)
    )
    return lambda move="PASS", score="B+3.5": f'gtp:{sys.executable} "{path}" {move} {score}'


def test_players_with_known_shares_have_known_strengths():
    one, other = np.array([0] * 100 + [1] * 100), np.array([1] * 100 + [2] * 100)
    shares = np.repeat([1.0, 0.0, 1.0, 0.0], [25, 75, 25, 75])
    found = ratings(one, other, shares, 3)
    np.testing.assert_allclose(found, [0, 189, 378], atol=1)
    # Who wins all is not endlessly strong, and whom nobody met stays at 0.
    assert 400 < ratings(np.zeros(20, int), np.ones(20, int), np.zeros(20), 3)[1] < 1000
    assert ratings(np.zeros(20, int), np.ones(20, int), np.zeros(20), 3)[2] == 0


def test_on_a_ladder_each_pair_plays_both_colours_from_the_same_opening():
    games = [ladder(4, number) for number in range(10)]
    assert {frozenset(pair) for pair, _ in games} == {
        frozenset(pair) for pair in [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    }
    by_opening = {}
    for pair, number in games:
        by_opening.setdefault(number, []).append(pair)
    assert all(one == other[::-1] for one, other in by_opening.values())
    assert ladder(2, 1) == ((1, 0), 0)


def test_games_side_by_side_are_played_to_their_ends():
    random = np.random.default_rng(0)

    def passes(states):
        logits = np.zeros([len(states), SIZE * SIZE + 1])
        logits[:, -1] = 20
        return logits, np.zeros(len(states))

    openings = [opening(SIZE, 0.5, np.random.default_rng(number)) for number in range(4)]
    states = play_games(openings, (passes, passes), [(0, 1)] * 4, 4, random)
    assert all(state.is_terminal() and len(state.history()) == 4 for state in states)
    states = play_games(openings, (None, None), [(0, 1)] * 4, 1, random)
    assert all(state.is_terminal() and len(state.history()) > 20 for state in states)


def test_a_match_is_kept_game_by_game_and_goes_on(tmp_path, program):
    def begin(made):
        makers = (lambda number: made.append(number) or Anywhere(number), maker_of(program(), None, None))
        return Match(
            names=("anywhere", "passes"), makers=makers, size=SIZE, komi=0.5, folder=tmp_path / "games", drawn=3
        )

    made = []
    begun = begin(made)
    first = dict(begun.play(3))
    assert made == [1, 2, 3]
    games = [read(begun.file(number).read_text()) for number in (1, 2, 3)]
    assert [(game.black, game.result) for game in games] == [
        ("anywhere", "B+3.5"),
        ("passes", "B+3.5"),
        ("anywhere", "B+3.5"),
    ]
    assert first == {1: 1.0, 2: 0.0, 3: 1.0}
    assert games[0].moves[:3] == games[1].moves[:3]  # drawn, the same for both
    again = []
    assert dict(begin(again).play(4, jobs=2)) == first | {4: 0.0}
    assert again == [4]
    other = Match(names=("a", "b"), makers=begun.makers, size=SIZE, komi=0.5, folder=begun.folder)
    with pytest.raises(InputError, match="another match"):
        list(other.play(3))


def test_games_begin_as_they_are_told_to(tmp_path, program):
    makers = (maker_of("random", None, None), maker_of(program(), None, None))
    options = {"names": ("random", "passes"), "makers": makers, "size": SIZE, "komi": 0.5, "folder": tmp_path}
    played = Match(**options, opening=("C3", "C4"), drawn=1)
    list(played.play(2))
    one, other = (read(played.file(number).read_text()).moves for number in (1, 2))
    assert one[:2] == ("C3", "C4")
    assert one[:3] == other[:3]
    with pytest.raises(InputError, match="C3"):
        Match(**options, opening=("C3", "C3"))


def test_who_does_what_is_not_allowed_or_resigns_has_lost(tmp_path, program):
    def result(one, folder):
        makers = (maker_of(one, None, None), maker_of("random", None, None))
        played = Match(names=("one", "random"), makers=makers, size=SIZE, komi=0.5, folder=tmp_path / folder)
        assert dict(played.play(1)) == {1: 0.0}
        return read(played.file(1).read_text()).result

    assert result(program("A1"), "twice") == "W+F"
    assert result(program("resign"), "resigned") == "W+R"


def test_programs_that_cannot_go_on_are_explained(program):
    with pytest.raises(InputError, match="no program no-such-program"):
        Program(["no-such-program"])
    with pytest.raises(InputError, match="no program named"):
        maker_of("gtp:", None, None)
    player = maker_of(program(), None, None)(1)
    with pytest.raises(LayerwiseError, match="unknown command"):
        player.ask("known")
    player.close()
    ended = Program([sys.executable, "-c", "pass"])
    with pytest.raises(LayerwiseError, match="it has ended"):
        ended.begin(SIZE, 0.5)
    ended.close()


@pytest.mark.slow
def test_an_agent_plays_by_command(workspace, tmp_path, program, monkeypatch):
    app = typer.Typer()
    app.command()(match)
    monkeypatch.setenv("LAYERWISE_HOME", str(workspace.home))
    words = [NAME, program(), "--games", "2", "--simulations", "2", "--to", str(tmp_path / "games")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"{NAME} against" in done.output
    assert "1 of 2 won, 50.0%" in done.output
    assert "as Black 1 of 1, as White 0 of 1" in done.output
    assert "s a move, at most" in done.output
    assert sorted(path.name for path in (tmp_path / "games").iterdir()) == ["00001.sgf", "00002.sgf"]


def test_only_players_of_go_play(workspace):
    with pytest.raises(InputError, match="does not play Go"):
        maker_of("rl/cartpole", workspace.predictor, None)
    player = maker_of(NAME, workspace.predictor, 2)(1)
    player.begin(SIZE, 0.5)
    position = Position(SIZE, 0.5)
    assert position.refusal(position.action_of(player.move(position, []))) is None


@pytest.mark.slow
def test_its_strength_is_measured_by_games(workspace):
    found = evaluate(workspace, NAME)
    assert found["count"] == 8
    low, high = found["interval"]["elo"]
    assert low <= found["metrics"]["elo"] <= high
    snapshot = workspace.registry.snapshot()
    version = workspace.predictor.version(NAME)
    (plot,) = report_of(snapshot, version)
    assert plot.lines[0].y.shape == plot.lines[0].low.shape


@pytest.mark.parametrize(("name", "least"), [("9x9", 800), ("5x5", 600)])
def test_the_shipped_agents_are_there_and_were_measured(name, least):
    """How they play against GNU Go is said by matches, which take hours: their card has the figures."""
    assert [variant.name for variant in GO.variants if variant.weights] == ["9x9", "5x5"]
    shipped = GO.variant(name)
    record = read_record(shipped.weights)
    assert record["measured"]["count"] == 400
    assert record["measured"]["interval"]["elo"][0] > least
    assert record["task"]["size"] == shipped.config.size
    assert read_record(shipped.weights / MILESTONES / "00000")["epoch"] == 0


@pytest.mark.slow
def test_the_whole_of_the_small_board_is_the_shipped_agents_who_begins_in_its_centre(tmp_path):
    """As it has to be: 5 by 5 is solved. It holds all 25 points at once, against itself too."""
    with open_workspace(tmp_path / "home") as opened:
        for rival in ("random", NAME):
            makers = tuple(maker_of(player, opened.predictor, 100) for player in (NAME, rival))
            games = Match(
                names=("agent", "rival"),
                makers=makers,
                size=SIZE,
                komi=24.5,
                folder=tmp_path / rival.replace("/", "-").replace(":", "-"),
                opening=("C3",),
            )
            assert dict(games.play(1)) == {1: 1.0}
