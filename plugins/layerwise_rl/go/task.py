"""Go as a task: its board, its komi, and what a run learns with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise import setting
from layerwise.errors import InputError, SpecError
from layerwise.tasks import Answer, BoardGame, Field
from layerwise_rl.settings import PlayingConfig

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.context import Context
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version


RESIGN = "resign"


@dataclass(frozen=True, kw_only=True)
class Go(BoardGame):
    """Go on a board of some size.

    Args:
        size: Points along a side.
        komi: What White is given for being second, in points.
        measured: Games that `evaluate` plays.
    """

    type_name: ClassVar[str] = "go"
    file_ending: ClassVar[str] = ".sgf"
    metric: ClassVar[str] = "elo"
    folder_format: ClassVar[str] = """SGF files of games on this board; the network learns to play as they did:

    games/monday.sgf
    games/tuesday.sgf

A fifth of them is held out to test the result; or divide them yourself into `train` and `test`. Games that are played
on until all dead stones are taken also teach whose each point will be.
"""
    network_takes: ClassVar[str] = (
        "Boards [example, row, column, plane]: own stones, the opponent's, the last move, the one before it, empty "
        "points that are forbidden, ones, the komi that whoever is to play has, in quarters of a board, and stones of "
        "chains with one liberty, two, and three."
    )
    network_gives: ClassVar[str] = (
        'A mapping: "policy", logits of points row by row and of a pass [example, points + 1]; "value", a logit of '
        'winning [example, 1]; "ownership", logits that a point will be of whoever is to play [example, points].'
    )
    players: tuple[str, str] = ("Black", "White")
    size: int = 9
    komi: float = 7.0
    measured: int = 400

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.size <= 19:
            raise SpecError("Go: size is out of range", expected="2 to 19", received=repr(self.size))
        if not 1 <= self.measured <= 10_000:
            raise SpecError("Go: measured is out of range", expected="1 to 10,000", received=repr(self.measured))

    @property
    def inputs(self) -> tuple[Field, ...]:
        komi = Field(
            name="komi",
            kind="number",
            label="Komi: points that White is given",
            minimum=-(self.size**2),
            maximum=self.size**2,
            default=self.komi,
            advanced=True,
        )
        return (*super().inputs, komi)

    def written(self, moves: Sequence[str], komi: float | None = None, result: str = "") -> str:
        from layerwise_rl.go.sgf import Game, coded_result, write

        return write(Game(self.size, self.komi if komi is None else komi, tuple(moves), coded_result(result)))

    def read(self, text: str) -> dict[str, Any]:
        from layerwise_rl.go.position import replay
        from layerwise_rl.go.sgf import read

        game = read(text)
        if game.size != self.size:
            raise InputError(
                "This game is of another board",
                expected=f"{self.size} by {self.size}",
                received=f"{game.size} by {game.size}",
                remedy="choose the network for that board first",
            )
        replay(game.size, game.komi, game.moves)
        return {"moves": list(game.moves), "komi": game.komi}

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise_rl.go.runner import GoRunner

        return GoRunner(version, spec)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The board after the moves so far, [1, size, size, planes]."""
        from layerwise_rl.go.planes import seen
        from layerwise_rl.go.position import replay

        position = replay(self.size, self.komi, self.moves_of(inputs.get("moves") or []))
        return seen(position.state, self.size, self.komi)[None]

    def decode(self, outputs: Any) -> list[Answer]:
        """What the network would play at first sight, whether or not that is allowed."""
        from layerwise_rl.go.position import Position

        names = Position(self.size, self.komi)
        moves = [names.name_of(int(logits.argmax())) for logits in outputs["policy"]]
        return [{"said": f"At first sight: {move}", "move": move} for move in moves]

    def warm_input(self) -> np.ndarray:
        return self.encode({})

    def read_folder(self, folder: Path) -> OwnData[Go]:
        """Games: the splits "train", "validation" and "test" of their positions. See `folder_format`.

        Raises:
            DataError: The folder is not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise_rl.go.collection import read_collection

        splits, report = read_collection(folder, self.size)
        return OwnData(task=self, splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Games in which both sides play near the middle of the board."""
        from layerwise_rl.go.collection import write_sample

        write_sample(folder, self.size)

    def to_train_on(self, split: Split) -> Split:
        """Each position in eight ways."""
        from layerwise_rl.go.collection import in_eight_ways

        return in_eight_ways(split, self.size)

    def loss(self, config: TrainingConfig) -> Callable:
        """Of games that others have played."""
        from layerwise_rl.go.losses import loss_of_games

        return loss_of_games

    def training_metrics(self) -> dict[str, Callable]:
        """The share of moves that were thought of first, and of winners that were known."""
        from layerwise_rl.go.losses import move_accuracy, winner_accuracy

        return {"move_accuracy": move_accuracy, "winner_accuracy": winner_accuracy}

    def own_splits(self) -> Mapping[str, Split]:
        """The games that `evaluate` plays, by their numbers."""
        import numpy as np

        from layerwise.splits import Split

        return {"test": Split({"game": np.arange(self.measured)}, np.zeros(self.measured, "float32"))}

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """How strong it is in Elo's points, where somebody who puts stones anywhere has 0: by games of what it was at
        each milestone of its training. Of positions of others' games: how often the move that was played is the one
        that it thinks of first, and how often it knows who wins.

        Args:
            outputs: As `GoRunner.outputs` gives them.
        """
        from layerwise_rl.go.measures import accuracies, elo

        return accuracies(outputs, targets) if "policy" in outputs else elo(outputs)

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """Its strength over the training."""
        from layerwise_rl.go.measures import course

        return () if "policy" in outputs else [course(outputs)]


@dataclass(frozen=True, kw_only=True)
class GoConfig(PlayingConfig):
    """The settings of learning Go by self-play. Steps are moves; environments are games."""

    size: int = setting(9, "Points along a side of the board", minimum=3, maximum=19)
    komi: float = setting(7.0, "What White is given", minimum=-361, maximum=361, unit="points")
    filters: int = setting(64, "Filters of each convolution", minimum=4, maximum=512)
    blocks: int = setting(6, "Residual blocks", minimum=1, maximum=40)
    simulations: int = setting(32, "Positions looked at for a move", minimum=2, maximum=10_000)
    considered: int = setting(16, "Moves that are looked at, at most", minimum=2, maximum=362)
    remembered: int = setting(
        100_000, "Positions that are remembered", minimum=100, maximum=10_000_000, unit="positions", log=True
    )
    moves_between: int = setting(8, "Moves in each game between learning", minimum=1, maximum=1000, unit="moves")
    batches: int = setting(16, "Batches that are learned from then", minimum=1, maximum=10_000)
    gradient_norm: float = setting(5.0, "Largest norm of the gradients", minimum=1e-6, maximum=1e6, advanced=True)


def task_of(context: Context) -> Go:
    """The task of a run, on the board that its config asks for."""
    task = context.task
    assert isinstance(task, Go)
    context.task = task = dataclasses.replace(task, size=context.config.size, komi=context.config.komi)
    return task
