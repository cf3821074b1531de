"""How long a person waits: for the import, for the help of the command line, for the first page; and how long every
process that computes takes to import Keras, beside Keras alone.

    python benchmarks/start.py

Each is a process of its own, started in turn, round by round, beside a Python that does nothing. The exit status says
whether the bars are met.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

from served import served

BARS = {"import layerwise": 0.15, "layerwise --help": 0.5, "first byte of /": 4.0}
"""The most seconds; the import is counted without the start of Python itself."""


def run(*arguments: str) -> float:
    """The seconds that a Python with these arguments takes."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def first_byte() -> float:
    """The seconds from the command to the first byte of the first page."""
    with served() as app:
        return app.seconds


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    ways = {
        "python -c pass": lambda: run("-c", "pass"),
        "import layerwise": lambda: run("-c", "import layerwise"),
        "layerwise --help": lambda: run("-m", "layerwise_app.cli", "--help"),
        "first byte of /": first_byte,
        "import keras": lambda: run("-c", "import keras"),
        "import keras, by us": lambda: run("-c", "from layerwise.devices import quiet_import; quiet_import()"),
    }
    for way in ways.values():
        way()  # files that are read for the first time come from the disk
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(way())
    medians = {name: median(found) for name, found in times.items()}
    medians["import layerwise"] -= medians["python -c pass"]
    print(f"{'seconds':24}median")
    for name, value in medians.items():
        bar = f"  bar {BARS[name]:g} s: {'met' if value <= BARS[name] else 'MISSED'}" if name in BARS else ""
        print(f"{name:24}{value:6.3f}{bar}")
    print(f"Keras takes {medians['import keras, by us'] / medians['import keras']:.2f} of its time when we import it")
    return int(any(medians[name] > bar for name, bar in BARS.items()))


if __name__ == "__main__":
    sys.exit(main())
