"""What answers: a tree search with the network."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.devices import quiet_import
from layerwise.plots import BarPlot
from layerwise.runner import Runner
from layerwise.tasks.episodes.policies import Policies
from layerwise_othello.games import greedy, play, playouts
from layerwise_othello.network import Evaluator
from layerwise_othello.position import COLORS, LETTERS, PASS, SIZE, name_of, replay, result_of, stones_of
from layerwise_othello.task import OPPONENTS
from layerwise_rl.go.search import Node, main_line, most_tried, root_value, search, shares

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Answer
    from layerwise.versions import Version

LEAVES = 8
"""Positions of a game that the network is asked about at once."""
SHOWN_MOVES = 6


class OthelloRunner(Runner):
    """Plays Othello.

    Args:
        version: The weights, with the task's parameters and the config.
        spec: The model, which builds the network.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        self.task: Any = version.task
        self.policies = Policies(version, spec)
        self.model = self.policies.model

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        state = replay(self.task.moves_of(inputs.get("moves") or []))
        simulations = int(inputs.get("simulations", self.task.simulations))
        evaluate = Evaluator(self.policies.after(float(inputs.get("training", 100))))
        if state.is_terminal() or not simulations:
            return {"said": said_of(state), "move": "", "board": drawn(state, evaluate), "chances": [], "lines": []}
        root = Node(state)
        search([root], evaluate, [simulations], leaves=LEAVES, stops=lambda: root.count > 0 and cancelled.is_set())
        chosen, wins = most_tried(root), (root_value(root) + 1) / 2
        after, player = state.child(chosen), state.current_player()
        said = f"{COLORS[player]} plays {name_of(chosen)}, and expects to win with {wins:.0%}."
        black = round(100 * (wins if player == 0 else 1 - wins))
        return {
            "said": f"{said} {said_of(after) if after.is_terminal() else ''}".strip(),
            "move": name_of(chosen),
            "board": drawn(after, evaluate, shares(root, PASS + 1)),
            "chances": [BarPlot(labels=list(COLORS), values=[black, 100 - black], unit="%", value_range=(0, 100))],
            "lines": lines_of(root),
        }

    def outputs(self, batch: Any) -> Any:
        """What games come to, "share" and "opponent" [games], or what the network says of boards [examples, ...]."""
        if not isinstance(batch, Mapping):
            return self.policies.after(100)(np.asarray(batch, "float32"))
        numbers = np.asarray(batch["game"])
        opponent = numbers // 2 % len(OPPONENTS)
        evaluate, share = Evaluator(self.policies.after(100)), np.zeros(len(numbers))
        for at, other in enumerate((greedy, playouts)):
            chosen = opponent == at
            share[chosen] = play(evaluate, other, numbers[chosen].tolist(), random=np.random.default_rng(at))
        return {"share": share, "opponent": opponent}

    def warm(self) -> None:
        policy = self.policies.after(100)
        for count in (1, LEAVES):
            policy(np.repeat(self.task.warm_input(), count, axis=0))


def said_of(state: Any) -> str:
    """Whose turn it is, or how the game ended."""
    if state.is_terminal():
        return result_of(state)
    if state.legal_actions() == [PASS]:
        return f"{COLORS[state.current_player()]} can turn no stone, and passes."
    return f"{COLORS[state.current_player()]} to play."


def drawn(state: Any, evaluate: Evaluator, worth: np.ndarray | None = None) -> dict[str, Any]:
    """A position as `layerwise.tasks.BoardGame` says a board is drawn."""
    stones, moves = stones_of(state), state.history()
    owners = np.array([0.5, 1.0, 0.0])[stones] if state.is_terminal() else evaluate.ownership(state)
    return {
        "stones": stones.tolist(),
        "points": [[f"{letter}{row + 1}" for letter in LETTERS] for row in range(SIZE)],
        "to_play": 0 if state.is_terminal() else state.current_player() + 1,
        "legal": [name_of(action) for action in state.legal_actions()],
        "last": name_of(moves[-1]) if moves else "",
        "result": result_of(state),
        "owners": np.round(owners, 2).tolist(),
        "worth": None if worth is None else np.round(worth[:-1].reshape(SIZE, SIZE), 3).tolist(),
    }


def lines_of(root: Node) -> list[dict[str, Any]]:
    """The moves that were looked at most, each with how it would go on."""
    assert root.actions is not None
    visits, totals = root.visits, root.totals
    return [
        {
            "move": name_of(root.actions[place]),
            "looked at": int(visits[place]),
            "wins": f"{50 * (totals[place] / visits[place] + 1):.0f} %",
            "at first sight": f"{100 * root.priors[place]:.0f} %",
            "goes on": " ".join(name_of(action) for action in main_line(root.children[place], 4)),
        }
        for place in np.argsort(-visits, kind="stable")[:SHOWN_MOVES].tolist()
        if visits[place]
    ]
