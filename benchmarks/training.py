"""How fast training is: Layerwise's engine beside what one would use or write instead of it (benchmarks/peers.py).

    python benchmarks/training.py                   both networks, all sides that are installed
    python benchmarks/training.py --network dense
    python benchmarks/training.py --json FILE       the figures as JSON, too

Every side is a process of its own with as many threads as there are cores. They are built at first and then train an
epoch each in turn, round by round, so that whatever else the machine does meets them alike; the figures are medians.
The exit status says whether the bars are met. `pip install "layerwise[bench]"` brings all peers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from peers import EXAMPLES, SIDES, Side

from layerwise.hardware.environment import cpu_name, nvidia_gpus

OURS, JAX = "layerwise", "layerwise on JAX"
BOUNDS = ("matrix products only", "products and update only")
FIT_BARS = {"dense": 2.0, "conv": 1.5}
"""How many times as fast as Keras' fit, at least."""
BOUND_SHARE = 0.75
"""The share of the speed of nothing but the matrix products, at least."""


class Runner:
    """The process of one side. `options` are further words for its command line."""

    def __init__(self, name: str, side: Side, network: str, *options: str) -> None:
        threads = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
        limits = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), threads)
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("peers.py")), name, network, *options],
            env={**os.environ, **limits, "KERAS_BACKEND": side.backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def is_ready(self) -> bool:
        """Whether it could be built; waits until it is."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip() == "ready"

    def epoch(self) -> dict[str, float]:
        """Train an epoch. Returns its seconds and mean loss."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def started(network: str, names: list[str]) -> dict[str, Runner]:
    """The sides that can train the network, ready for the first round."""
    runners: dict[str, Runner] = {}
    for name in names:
        side = SIDES[name]
        if side.missing:
            print(f'{name} is left out: {" and ".join(side.missing)} not installed; pip install "layerwise[bench]"')
            continue
        runners[name] = Runner(name, side, network)
    for name, runner in list(runners.items()):
        if not runner.is_ready():
            runners.pop(name).close()
            print(f"{name} is left out: it failed; see python benchmarks/peers.py {name!r} {network}")
    return runners


def measured(network: str, names: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """By side: examples per second (the median of the rounds) and the loss of the last epoch."""
    runners = started(network, names)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    try:
        for number in range(rounds):
            for name, runner in list(runners.items())[:: 1 if number % 2 else -1]:
                found[name].append(runner.epoch())
    finally:
        for runner in runners.values():
            runner.close()
    return {
        name: {
            "examples_per_second": EXAMPLES[network] / median(epoch["seconds"] for epoch in epochs),
            "loss": epochs[-1]["loss"],
        }
        for name, epochs in found.items()
    }


def judged(network: str, figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """The ratios that there are bars for, by what they say; each bar is 1."""
    speeds = {name: figure["examples_per_second"] for name, figure in figures.items()}
    peers = {name: speed for name, speed in speeds.items() if name not in (OURS, JAX, *BOUNDS)}
    ratios = {}
    if OURS in speeds and peers:
        fastest = max(peers, key=lambda name: peers[name])
        ratios[f"{OURS} to the fastest peer, {fastest}"] = speeds[OURS] / peers[fastest]
    if OURS in speeds and "keras fit" in peers:
        bar = FIT_BARS[network]
        ratios[f"{OURS} to {bar:g} times keras fit"] = speeds[OURS] / (bar * peers["keras fit"])
    if OURS in speeds and BOUNDS[0] in speeds:
        ratios[f"{OURS} to {BOUND_SHARE:g} of its {BOUNDS[0]}"] = speeds[OURS] / (BOUND_SHARE * speeds[BOUNDS[0]])
    if JAX in speeds and "JAX with optax" in peers:
        ratios[f"{JAX} to JAX with optax"] = speeds[JAX] / peers["JAX with optax"]
    return ratios


def report(network: str, figures: dict[str, dict[str, float]], ratios: dict[str, float]) -> None:
    """Print a table and how the bars were met."""
    ours = figures.get(OURS, {}).get("examples_per_second", float("nan"))
    print(f"\n{network:28}examples/s   {OURS} to it   loss")
    for name, figure in sorted(figures.items(), key=lambda item: -item[1]["examples_per_second"]):
        speed = figure["examples_per_second"]
        print(f"{name:28}{speed:10,.0f}{ours / speed:15.2f}{figure['loss']:9.3f}")
    for what, ratio in ratios.items():
        print(f"{what}: {ratio:.2f}  bar 1: {'met' if ratio >= 1 else 'MISSED'}")


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=tuple(FIT_BARS), help="one of them; both by default")
    parser.add_argument("--side", choices=tuple(SIDES), action="append", help="a side to measure; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    devices = [cpu_name(), *(gpu["name"] for gpu in nvidia_gpus())]
    print(f"on {', '.join(devices)}")
    results: dict[str, Any] = {"devices": devices, "rounds": options.rounds}
    for network in [options.network] if options.network else FIT_BARS:
        names = [name for name in options.side or SIDES if network in SIDES[name].networks]
        figures = measured(network, names, options.rounds)
        results[network] = {"figures": figures, "ratios": judged(network, figures)}
        report(network, figures, results[network]["ratios"])
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))
    met = [ratio >= 1 for network in FIT_BARS for ratio in results.get(network, {}).get("ratios", {}).values()]
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
