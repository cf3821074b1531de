"""Othello as a task, and what a run learns with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise import setting
from layerwise.errors import InputError
from layerwise.tasks import BoardGame
from layerwise_rl.settings import PlayingConfig

if TYPE_CHECKING:
    import numpy as np

    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version

OPPONENTS = ("greedy", "playouts")
"""Whom `evaluate` lets it play against: who turns the most stones at once, and a tree search with random playouts."""


@dataclass(frozen=True, kw_only=True)
class Othello(BoardGame):
    """Othello on 8 by 8 squares.

    Args:
        measured: Games that `evaluate` plays.
    """

    type_name: ClassVar[str] = "othello"
    grid: ClassVar[str] = "cells"
    metric: ClassVar[str] = "won_against_playouts"
    network_takes: ClassVar[str] = (
        "Boards [example, row, column, plane]: own stones, the opponent's, the squares that may be played, and ones."
    )
    network_gives: ClassVar[str] = (
        'A mapping: "policy", logits of squares row by row and of a pass [example, 65]; "value", a logit of winning '
        '[example, 1]; "ownership", logits that a square will be of whoever is to play [example, 64].'
    )
    players: tuple[str, str] = ("Black", "White")
    measured: int = 64

    def written(self, moves: Sequence[str], komi: float | None = None, result: str = "") -> str:
        return f"{' '.join(moves)}\n{result}\n".strip() + "\n"

    def read(self, text: str) -> dict[str, Any]:
        from layerwise_othello.position import action_of, name_of, replay

        words = (text.splitlines() or [""])[0].split()
        if not words or len(words) > 200:
            raise InputError("This is no game of Othello", expected="moves in the first line, such as D3 C5 D6")
        moves = [name_of(action_of(word)) for word in words]
        replay(moves)
        return {"moves": moves}

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise_othello.runner import OthelloRunner

        return OthelloRunner(version, spec)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The board after the moves so far, [1, 8, 8, planes]."""
        from layerwise_othello.network import seen
        from layerwise_othello.position import replay

        return seen([replay(self.moves_of(inputs.get("moves") or []))])

    def decode(self, outputs: Any) -> list[dict[str, Any]]:
        """What the network would play at first sight, whether or not that is allowed."""
        from layerwise_othello.position import name_of

        moves = [name_of(int(logits.argmax())) for logits in outputs["policy"]]
        return [{"said": f"At first sight: {move}", "move": move} for move in moves]

    def warm_input(self) -> np.ndarray:
        return self.encode({})

    def own_splits(self) -> Mapping[str, Split]:
        """The games that `evaluate` plays, by their numbers."""
        import numpy as np

        from layerwise.splits import Split

        return {"test": Split({"game": np.arange(self.measured)}, np.zeros(self.measured, "float32"))}

    def evaluate(self, outputs: Mapping[str, np.ndarray], targets: np.ndarray) -> dict[str, float]:
        """The share of games that it wins against each opponent; a draw counts half."""
        shares = {name: outputs["share"][outputs["opponent"] == at] for at, name in enumerate(OPPONENTS)}
        return {f"won_against_{name}": float(shares[name].mean()) for name in reversed(OPPONENTS) if len(shares[name])}


@dataclass(frozen=True, kw_only=True)
class OthelloConfig(PlayingConfig):
    """The settings of learning by self-play. Steps are moves; environments are games."""

    filters: int = setting(24, "Filters of each convolution", minimum=4, maximum=512)
    blocks: int = setting(2, "Residual blocks", minimum=1, maximum=40)
    simulations: int = setting(16, "Positions looked at for a move", minimum=2, maximum=10_000)
    considered: int = setting(8, "Moves that are looked at, at most", minimum=2, maximum=64)
    remembered: int = setting(
        20_000, "Positions that are remembered", minimum=100, maximum=10_000_000, unit="positions", log=True
    )
    batches: int = setting(32, "Batches that are learned from after each round of games", minimum=1, maximum=10_000)
