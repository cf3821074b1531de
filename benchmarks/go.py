"""`rl/go` against GNU Go, and how fast it searches.

    apt-get install gnugo
    python benchmarks/go.py [rl/go:9x9] [--level 1] [--games 100] [--simulations 400] [--games-file FILE]
    python benchmarks/go.py [rl/go:9x9] --speed

A match is played by the Go Text Protocol: komi 7 (or the agent's usual one), colours by turns, area scoring; GNU Go
says what the end is worth, dead stones taken off. Each game is written to a file when it is over, so that a match that
was interrupted goes on with the next game. Given are the share of games that the agent won with its 95 % interval
(Wilson), and the seconds of its moves.

`--speed` times searches from an empty board: positions a second when the network is asked about one at a time and about
eight of a game at once, and the share of the time that is spent in the network.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LONGEST = 250
"""Moves, after which a game is counted as it is."""
SEARCHES, SIMULATIONS = 5, 400


class GnuGo:
    """GNU Go as a process.

    Args:
        size, komi: Of the board.
        level: From 1 to 10.
        seed: Of its random numbers.
    """

    def __init__(self, size: int, komi: float, level: int, seed: int) -> None:
        program = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
        if program is None:
            raise SystemExit("needs GNU Go: apt-get install gnugo")
        self.process = subprocess.Popen(
            [
                *(program, "--mode", "gtp", "--chinese-rules", "--boardsize", str(size), "--komi", str(komi)),
                *("--level", str(level), "--seed", str(seed)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> str:
        """The answer to a command."""
        stdin: Any = self.process.stdin
        stdout: Any = self.process.stdout
        stdin.write(command + "\n")
        stdin.flush()
        lines = []
        while (line := stdout.readline()).strip() or not lines:
            lines.append(line)
        answer = "".join(lines).strip()
        if not answer.startswith("="):
            raise SystemExit(f"GNU Go to {command!r}: {answer}")
        return answer[1:].strip()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def played(predictor: Any, reference: str, task: Any, level: int, number: int, simulations: int) -> dict[str, Any]:
    """One game. The agent is Black in those of even numbers."""
    gnugo = GnuGo(task.size, task.komi, level, seed=number + 1)
    moves: list[str] = []
    seconds: list[float] = []
    resigned = False
    try:
        while len(moves) < LONGEST and moves[-2:] != ["pass", "pass"]:
            color = "bw"[len(moves) % 2]
            if (len(moves) + number) % 2 == 0:
                begin = time.perf_counter()
                move = predictor.predict(reference, {"moves": moves, "simulations": simulations})["move"]
                seconds.append(time.perf_counter() - begin)
                if move == "resign":
                    resigned = True
                    break
                gnugo.ask(f"play {color} {move}")
            else:
                move = gnugo.ask(f"genmove {color}")
                move = "pass" if move.upper() == "PASS" else move
            moves.append(move)
        result = ("W+R" if number % 2 == 0 else "B+R") if resigned else gnugo.ask("final_score")
    finally:
        gnugo.close()
    won = result.startswith("BW"[number % 2])
    return {
        "number": number,
        "won": 0.5 if result == "0" else float(won),
        "result": result,
        "moves": moves,
        "slowest": round(max(seconds, default=0.0), 3),
        "median": round(statistics.median(seconds or [0.0]), 3),
    }


def match(workspace: Any, arguments: argparse.Namespace) -> None:
    """A match, which goes on where its file ends."""
    from layerwise.intervals import wilson

    task = workspace.predictor.version(arguments.model).task
    path = arguments.games_file or Path(
        f"{arguments.model.replace('/', '-').replace(':', '-')}-{arguments.level}.jsonl"
    )
    games = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    for number in range(len(games), arguments.games):
        games.append(played(workspace.predictor, arguments.model, task, arguments.level, number, arguments.simulations))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(games[-1]) + "\n")
        won = sum(game["won"] for game in games)
        print(f"game {number + 1}: {games[-1]['result']}, {won:g} of {len(games)} won", flush=True)
    won = sum(game["won"] for game in games)
    low, high = wilson(round(won), len(games))
    slowest = max(game["slowest"] for game in games)
    median = statistics.median(game["median"] for game in games)
    print(
        f"{arguments.model} against GNU Go, level {arguments.level}: {won:g} of {len(games)} won, "
        f"{won / len(games):.1%} ({low:.1%} to {high:.1%}); {median:.2f} s a move, at most {slowest:.2f}"
    )


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
    parser.add_argument("--level", type=int, default=1)
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--games-file", type=Path)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    import layerwise

    with layerwise.open_workspace() as workspace:
        if arguments.speed:
            speed(workspace, arguments.model)
        else:
            match(workspace, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
