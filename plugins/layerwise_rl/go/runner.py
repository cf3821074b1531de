"""What answers for an agent that plays Go: a tree search with its network."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.devices import quiet_import
from layerwise.plots import BarPlot, Plot
from layerwise.runner import Batch, Runner
from layerwise.tasks.base import Answer
from layerwise.tasks.episodes.policies import Policies
from layerwise_rl.go.network import Evaluator
from layerwise_rl.go.position import COLORS, Position, replay
from layerwise_rl.go.search import Node, main_line, most_tried, root_value, search, shares
from layerwise_rl.go.task import RESIGN, Go

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

LEAVES = 8
"""Positions of a game that the network is asked about at once."""
SHOWN_EVERY = 0.5
"""Seconds between what is shown of a search that goes on."""
SHOWN_MOVES = 6
HOPELESS = -0.96
"""An agent resigns that expects less, on a board of which a third is played."""


class GoRunner(Runner):
    """Plays Go.

    Args:
        version: The weights, with the task's parameters and the config.
        spec: The model, which builds the network.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        task = version.task
        assert isinstance(task, Go)
        self.task, self.epoch = task, int(version.record.get("epoch", 0))
        self.policies = Policies(version, spec)
        self.model = self.policies.model

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        task = self.task
        komi = float(inputs.get("komi", task.komi))
        position = replay(task.size, komi, task.moves_of(inputs.get("moves") or []))
        simulations = int(inputs.get("simulations", task.simulations))
        evaluate = Evaluator(self.policies.after(float(inputs.get("training", 100))), task.size, komi)
        if position.is_over or not simulations:
            yield self._answer(position, evaluate, position)
            return
        root, done = Node(position.state), 0
        allowed = position.legal()
        while done < simulations:
            # Each time at least one look, so that it goes on, and there is a move whenever it is stopped.
            until = time.monotonic() + SHOWN_EVERY

            def stops(until: float = until, done: int = done) -> bool:
                has_looked = root.count > done
                return has_looked and (time.monotonic() > until or cancelled.is_set())

            search(
                [root],
                evaluate,
                [simulations],
                leaves=LEAVES,
                allowed=[allowed],
                stops=stops,
            )
            done = root.count
            if cancelled.is_set():
                break
            if done < simulations:
                yield self._answer(position, evaluate, position, root)
        yield self._played(position, evaluate, root)

    def outputs(self, batch: Batch) -> Any:
        """What games come to, or what the network says of boards.

        Args:
            batch: "game", the numbers of games that are played by what the agent was on its way; or boards [examples,
                size, size, planes].

        Returns:
            As `layerwise_rl.go.measures.played` says; or what the network gives.
        """
        if isinstance(batch, Mapping):
            from layerwise_rl.go.measures import played

            return played(self.policies, self.epoch, self.task, np.asarray(batch["game"]))
        return self.policies.after(100)(np.asarray(batch, "float32"))

    def warm(self) -> None:
        policy = self.policies.after(100)
        for count in (1, LEAVES):
            policy(np.repeat(self.task.warm_input(), count, axis=0))

    def _played(self, position: Position, evaluate: Evaluator, root: Node) -> Answer:
        """The answer with the agent's move."""
        chosen = most_tried(root)
        if root_value(root) < HOPELESS and len(position.moves) > position.size**2 / 3:
            return {**self._answer(position, evaluate, position, root), "move": RESIGN, "said": _resigns(position)}
        return self._answer(position.play(chosen), evaluate, position, root, position.name_of(chosen))

    def _answer(
        self, shown: Position, evaluate: Evaluator, thought: Position, root: Node | None = None, move: str = ""
    ) -> Answer:
        """What is shown.

        Args:
            shown: The board.
            thought: The position that was thought about.
            root: Its tree, if it was.
            move: What the agent does.
        """
        if root is None or not root.count:
            return {"said": said_of(shown), "move": move, "board": drawn(shown, evaluate), "chances": [], "lines": []}
        worth = shares(root, thought.size**2 + 1)
        player = COLORS[thought.to_play]
        wins = (root_value(root) + 1) / 2
        said = f"{player} plays {move}" if move else f"{player} thinks: {root.count:,} positions"
        return {
            "said": f"{said}, and expects to win with {wins:.0%}. {said_of(shown) if shown.is_over else ''}".strip(),
            "move": move,
            "board": drawn(shown, evaluate, worth),
            "chances": _chances(thought, root),
            "lines": _lines(thought, root),
        }


def said_of(position: Position) -> str:
    """Whose turn it is, or how the game ended."""
    if not position.is_over:
        return f"{COLORS[position.to_play]} to play."
    return result_of(position)


def result_of(position: Position) -> str:
    """How a game ended, "" while it goes on."""
    if not position.is_over:
        return ""
    lead = position.lead()
    return f"{COLORS[lead < 0]} wins by {abs(lead):g} points." if lead else "A draw."


def drawn(position: Position, evaluate: Evaluator, worth: np.ndarray | None = None) -> dict[str, Any]:
    """A position as `layerwise.tasks.BoardGame` says a board is drawn."""
    size, last = position.size, position.moves[-1:]
    if position.is_over:
        owned = position.owners()
        owners = np.where(owned == 1, 1.0, np.where(owned == 2, 0.0, 0.5))
    else:
        owners = evaluate.ownership(position.state)
    return {
        "stones": position.grid[::-1].tolist(),
        "points": [[position.name_of(row * size + column) for column in range(size)] for row in reversed(range(size))],
        "to_play": 0 if position.is_over else position.to_play + 1,
        "legal": [position.name_of(action) for action in position.legal()],
        "last": position.name_of(last[0]) if last else "",
        "result": result_of(position),
        "owners": np.round(owners[::-1], 2).tolist(),
        "worth": None if worth is None else np.round(worth[:-1].reshape(size, size)[::-1], 3).tolist(),
    }


def _resigns(position: Position) -> str:
    return f"{COLORS[position.to_play]} resigns. {COLORS[1 - position.to_play]} wins."


def _chances(position: Position, root: Node) -> list[Plot]:
    wins = round(50 * (root_value(root) + 1))
    values = [wins, 100 - wins] if position.to_play == 0 else [100 - wins, wins]
    return [BarPlot(labels=list(COLORS), values=values, unit="%", value_range=(0, 100))]


def _lines(position: Position, root: Node) -> list[dict[str, Any]]:
    """The moves that were looked at most, each with how it would go on."""
    assert root.actions is not None
    found, visits, totals = [], root.visits, root.totals
    for place in np.argsort(-visits, kind="stable")[:SHOWN_MOVES].tolist():
        if not visits[place]:
            break
        found.append(
            {
                "move": position.name_of(root.actions[place]),
                "looked at": int(visits[place]),
                "wins": f"{50 * (totals[place] / visits[place] + 1):.0f} %",
                "at first sight": f"{100 * root.priors[place]:.0f} %",
                "goes on": " ".join(position.name_of(action) for action in main_line(root.children[place], 4)),
            }
        )
    return found
