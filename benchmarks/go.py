"""How fast `rl/go` searches.

    python benchmarks/go.py [rl/go:9x9]

Searches from an empty board, alternately with the network asked about one position at a time and about several of a
game at once: positions a second, and the share of the time that is spent in the network. How well it plays is said by
a match, which goes on where it was interrupted:

    layerwise match rl/go:9x9 "gtp:gnugo --mode gtp --chinese-rules --level 10 --seed {seed}" --to games --games 100
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

SEARCHES, SIMULATIONS = 5, 400


def speed(workspace: Any, reference: str) -> None:
    """How fast it searches."""
    from layerwise_rl.go.network import Evaluator
    from layerwise_rl.go.position import new_state
    from layerwise_rl.go.search import Node, search

    with workspace.predictor.using(reference) as loaded:
        runner: Any = loaded.runner
        rates: dict[int, list[float]] = {1: [], 8: []}
        shares = []
        for number in range(SEARCHES + 1):
            for leaves, found in rates.items():
                spent = [0.0]
                evaluator = Evaluator(runner.policies.after(100), runner.task.size, runner.task.komi)

                def timed(states: Any, evaluator: Any = evaluator, spent: list[float] = spent) -> Any:
                    begin = time.perf_counter()
                    answer = evaluator(states)
                    spent[0] += time.perf_counter() - begin
                    return answer

                begin = time.perf_counter()
                root = Node(new_state(runner.task.size, runner.task.komi))
                search([root], timed, [SIMULATIONS], leaves=leaves)
                taken = time.perf_counter() - begin
                if number:  # the first one compiles
                    found.append(SIMULATIONS / taken)
                    shares += [spent[0] / taken] if leaves > 1 else []
    one, many = (statistics.median(found) for found in rates.values())
    print(
        f"{reference}: {one:,.0f} positions/s one at a time, {many:,.0f} eight at once, ratio {many / one:.1f}; "
        f"{statistics.median(shares):.0%} of the time in the network"
    )


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
