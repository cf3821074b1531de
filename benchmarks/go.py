"""How fast `rl/go` searches.

    python benchmarks/go.py [rl/go:9x9]

Searches from an empty board, alternately with the network asked about one position at a time, about several of a game
at once, as in play, and about several of many games at once, as when it learns: positions a second, and the share of
the time that is spent in the network. How well it plays is said by a match, which goes on where it was interrupted:

    layerwise match rl/go:9x9 "gtp:gnugo --mode gtp --chinese-rules --level 10 --seed {seed}" --to games --games 100
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

SEARCHES, SIMULATIONS = 5, 400
WAYS = {"one at a time": (1, 1), "8 of a game at once": (1, 8), "4 of each of 32 games at once": (32, 4)}
"""Games, and positions of each that the network is asked about together."""


def speed(workspace: Any, reference: str) -> None:
    """How fast it searches."""
    from layerwise_rl.go.network import Evaluator
    from layerwise_rl.go.position import new_state
    from layerwise_rl.go.search import Node, search

    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    shares: dict[str, list[float]] = {way: [] for way in WAYS}
    with workspace.predictor.using(reference) as loaded:
        runner: Any = loaded.runner
        size, komi = runner.task.size, runner.task.komi
        evaluator = Evaluator(runner.policies.after(100), size, komi)
        spent = 0.0

        def timed(states: Any) -> Any:
            nonlocal spent
            begin = time.perf_counter()
            answer = evaluator(states)
            spent += time.perf_counter() - begin
            return answer

        for number in range(SEARCHES + 1):
            for way, (games, leaves) in WAYS.items():
                spent, begin = 0.0, time.perf_counter()
                roots = [Node(new_state(size, komi)) for _ in range(games)]
                search(roots, timed, [SIMULATIONS] * games, leaves=leaves)
                taken = time.perf_counter() - begin
                if number:  # the first one compiles
                    rates[way].append(games * SIMULATIONS / taken)
                    shares[way].append(spent / taken)
    slowest = statistics.median(rates["one at a time"])
    print(reference)
    for way in WAYS:
        rate, share = statistics.median(rates[way]), statistics.median(shares[way])
        print(f"  {way:30} {rate:7,.0f} positions/s  {rate / slowest:5.1f} times  {share:4.0%} of it in the network")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", default="rl/go:9x9")
    arguments = parser.parse_args()
    import layerwise

    with layerwise.open_workspace() as workspace:
        speed(workspace, arguments.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
