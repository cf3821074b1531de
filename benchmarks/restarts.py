"""Runs lost when the server is killed: none.

    python benchmarks/restarts.py

The real server is started, a run is started by its API, and the server is killed (SIGKILL) at a random moment and
started again, as often as is asked for. After each start the run must be found, with every epoch of its history once
and none missing, and at the end it must finish. The exit status says whether all that was so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from served import served

TOY = Path(__file__).parents[1] / "tests" / "plugins_sample" / "toy"
PATIENCE = 300.0
"""Seconds for the run to finish once the server is left alone."""


def call(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """An answer of the HTTP API: GET, or POST where there is a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    try:
        with urlopen(Request(f"{address}/api/v1/{path}", data=data, headers=headers), timeout=60) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise SystemExit(f"{path}: {error}: {error.read().decode(errors='replace')}") from None


@contextmanager
def home() -> Iterator[None]:
    """An empty home, and a model that trains quickly on pictures that it draws itself."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["LAYERWISE_HOME"] = folder
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TOY), os.environ.get("PYTHONPATH"))))
        yield


def is_whole(address: str, identifier: str) -> bool:
    """Whether the run is listed, and its history and its events hold each epoch so far once, in order."""
    if identifier not in [run["id"] for run in call(address, "runs")]:
        return False
    found = call(address, f"runs/{identifier}")
    epochs = [event["epoch"] for event in found["history"]]
    told, start = [], 0
    while True:  # as one who follows it
        answer = call(address, f"runs/{identifier}/events?start={start}")
        told += [event["epoch"] for event in answer["events"] if event["event"] == "epoch"]
        if not answer["events"] or len(told) >= len(epochs):
            break
        start = answer["next"]
    wanted = list(range(1, len(epochs) + 1))
    return epochs == wanted and told[: len(epochs)] == wanted and found["state"] in ("queued", "running", "finished")


def restart(times: int, seed: int, epochs_a_restart: int) -> tuple[int, int, str]:
    """Kill and start the server that often.

    Args:
        epochs_a_restart: How long the run is, in epochs for each restart.

    Returns:
        How often the run was there and whole, how often it was still going on then, and how it ended.
    """
    rng, whole, going_on = random.Random(seed), 0, 0
    with served(kill=True) as app:
        config = {"num_epochs": epochs_a_restart * times}
        identifier = call(app.address, "runs", {"model": "toy/bars", "config": config})["id"]
        time.sleep(rng.uniform(0.0, 3.0))
    for number in range(1, times + 1):
        with served(kill=number < times) as app:
            whole += is_whole(app.address, identifier)
            going_on += call(app.address, f"runs/{identifier}")["state"] != "finished"
            print(f"restart {number}: {whole} of {number} times whole", flush=True)
            if number < times:
                time.sleep(rng.uniform(0.0, 3.0))
            else:
                ending = _end(app.address, identifier)
    return whole, going_on, ending


def _end(address: str, identifier: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while (state := call(address, f"runs/{identifier}")["state"]) in ("queued", "running"):
        if time.monotonic() > deadline:
            return f"still {state}"
        time.sleep(0.5)
    return state if is_whole(address, identifier) else f"{state}, but not whole"


def main() -> int:
    """Measure, print, and return 1 when the run was lost once, or did not finish."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=500, help="of the run, for each restart")
    arguments = parser.parse_args()
    with home():
        whole, going_on, ending = restart(arguments.times, arguments.seed, arguments.epochs)
    lost = arguments.times - whole
    print(f"{lost} runs lost in {arguments.times} restarts of the server ({going_on} of them while it trained)")
    print(f"the run: {ending}")
    return int(lost > 0 or ending != "finished")


if __name__ == "__main__":
    sys.exit(main())
