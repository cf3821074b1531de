"""What it costs that a stranger's model answers in a process of its own: the same runner, there and here.

    python benchmarks/workers.py

Each value is asked for in turn, round by round, so that whatever else the machine does meets both sides alike. The
times are of warm calls, in milliseconds; after them, how long a worker takes from its start to its first answer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import layerwise

PLUGIN = """
from layerwise import ModelCard, ModelSpec, hookimpl
from layerwise.runner import Runner
from layerwise.tasks.base import Task


from layerwise.tasks.fields import Field


class Same(Task):
    type_name = "same"
    inputs = outputs = (Field(name="value", kind="json"),)


class Back(Runner):
    def __init__(self, version):
        pass

    def run(self, inputs, session, cancelled):
        if isinstance(inputs["value"], str) and inputs["value"] == "parts":
            return ({"value": number} for number in range(100))
        return {"value": inputs["value"]}


@hookimpl
def layerwise_models():
    card = ModelCard(title="Back", summary="Gives back what it is given.")
    return [ModelSpec(name="measured/back", task=Same(), build="json:dumps", runner=Back, card=card)]
"""
VALUES: dict[str, Any] = {
    "a text": "The actors are wonderful, but the story goes nowhere.",
    "a picture of 28 x 28": np.zeros((28, 28), np.uint8),
    "a picture of 640 x 480": np.zeros((480, 640, 3), np.uint8),
    "ten seconds of sound": np.zeros(160_000, np.float32),
    "an answer in 100 parts": "parts",
}


def measure(calls: dict[str, Callable[[], object]], rounds: int, repeats: int) -> dict[str, float]:
    """The milliseconds of the median call of each, by name."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name, call in list(calls.items())[:: 1 if number % 2 else -1]:
            for _ in range(repeats):
                begin = time.perf_counter()
                call()
                times[name].append(1000 * (time.perf_counter() - begin))
    return {name: float(np.median(values)) for name, values in times.items()}


def seconds_to_first_answer(home: Path, times: int) -> list[float]:
    """How long the first answer takes in a worker, each time in another workspace in which plugins are loaded."""
    found = []
    for _ in range(times):
        with layerwise.open_workspace(home) as workspace:
            workspace.registry.snapshot()
            begin = time.perf_counter()
            workspace.predictor.predict("measured/back", "")
            found.append(time.perf_counter() - begin)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=50, help="calls of each side in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "plugins").mkdir()
        (home / "plugins" / "measured_plugin.py").write_text(PLUGIN, encoding="utf-8")
        os.environ["LAYERWISE_ISOLATION"] = "off"
        here = layerwise.open_workspace(home)
        os.environ["LAYERWISE_ISOLATION"] = "on"
        with here, layerwise.open_workspace(home) as there:
            print(f"{'':24}{'in process':>12}{'in a worker':>12}{'more':>12}{'ratio':>8}")
            for name, value in VALUES.items():
                sides = {
                    side: lambda asked=workspace.predictor, value=value: asked.predict("measured/back", value)
                    for side, workspace in (("here", here), ("there", there))
                }
                found = measure(sides, options.rounds, options.repeats)
                more, ratio = found["there"] - found["here"], found["there"] / found["here"]
                print(f"{name:24}{found['here']:9.3f} ms{found['there']:9.3f} ms{more:9.3f} ms{ratio:8.1f}")
        starts = seconds_to_first_answer(home, 5)
    print(f"from the start of a worker to its first answer: {np.median(starts):.2f} s (of {len(starts)}, median)")


if __name__ == "__main__":
    main()
