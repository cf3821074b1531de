"""How fast and how steady the server is: beside the bare network, beside a plain `gr.Interface`, with a class of two
hundred, and when it is killed.

    python benchmarks/serving.py                                  one client, and 32 clients beside gr.Interface
    python benchmarks/serving.py --visitors 200 --minutes 10      visitors of the pages and of the API, who think
    python benchmarks/serving.py --kills 20                       the server is killed while it answers and trains

Those who ask are a process of their own (benchmarks/serving_load.py), the same for both sides. Both sides are tried in
turn, round by round. What is measured beside another one is a ratio within this run. The exit status says whether the
bars are met.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from restarts import call, home, is_whole
from served import START_SECONDS, free_port, served, start, wait_for_first_byte

from layerwise.workers.memory import memory_of

LOAD, PEER = (Path(__file__).with_name(f"serving_{name}.py") for name in ("load", "peer"))
OVERHEAD_BARS = {"p50": 15.0, "p99": 60.0}
"""Milliseconds of an HTTP request more than the compiled call takes."""
RATIO_BAR = 5.0
"""Requests a second, as many times as the peer's."""
LATENCY_BAR, GROWTH_BAR, BACK_BAR = 2.0, 0.05, 10.0
"""Seconds within which 95 of 100 visitors are answered; growth of the memory; seconds until it is back after a kill."""
NUM_PICTURES = 512
TEXT_MODEL, TEXT = "language/sentiment", "The actors are wonderful, but the story goes nowhere."


def pictures(count: int = NUM_PICTURES) -> list[str]:
    """Small pictures that are all different, as PNG in base64: a garment of sorts, 28 by 28 pixels, with noise."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:28, 0:28]
    shape = np.where((rows > 3) & (rows < 25) & (np.abs(columns - 14) < 5 + rows // 6), 180, 0)
    found = []
    for _ in range(count):
        file = io.BytesIO()
        noisy = np.clip(shape + random.normal(0, 20, shape.shape), 0, 255).astype("uint8")
        Image.fromarray(noisy).save(file, "PNG")
        found.append(base64.b64encode(file.getvalue()).decode())
    return found


def load(plan: dict[str, Any]) -> dict[str, Any]:
    """What a load does, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        done = subprocess.run([sys.executable, str(LOAD), str(path)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


# One client, beside the bare network


def bare_call(model: str, shown: list[str]) -> Callable[[int], None]:
    """The compiled forward pass in this process."""
    import layerwise
    from layerwise.devices import quiet_import
    from layerwise.runner import NetworkRunner

    quiet_import()
    workspace = layerwise.open_workspace()
    spec = workspace.registry.snapshot().model(model.partition(":")[0])
    network = NetworkRunner(workspace.predictor.version(model), spec)
    batches = [network.task.encode({"image": Image.open(io.BytesIO(base64.b64decode(one)))}) for one in shown]
    return lambda number: network.outputs(batches[number % len(batches)])


def http_call(address: str, model: str, shown: list[str]) -> Callable[[int], None]:
    """A request over a connection that stays open."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    name, _, variant = model.partition(":")
    bodies = [
        json.dumps({"inputs": {"image": f"data:image/png;base64,{one}"}, "variant": variant or None}) for one in shown
    ]

    def ask(number: int) -> None:
        connection.request("POST", f"/api/v1/predict/{name}", bodies[number % len(bodies)])
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"The app answered {answer.status}: {content.decode()[:300]}")

    return ask


def overhead(address: str, model: str, shown: list[str], rounds: int, repeats: int) -> dict[str, Any]:
    """The milliseconds of both calls, and how many more those of HTTP are."""
    calls = {"bare": bare_call(model, shown), "http": http_call(address, model, shown)}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for ask in calls.values():
        for number in range(20):
            ask(number)
    for turn in range(rounds):
        for name, ask in list(calls.items())[:: 1 if turn % 2 else -1]:
            for number in range(repeats):
                begin = time.perf_counter()
                ask(turn * repeats + number)
                times[name].append(1000 * (time.perf_counter() - begin))
    percentiles = {name: np.percentile(values, [50, 99]) for name, values in times.items()}
    more = percentiles["http"] - percentiles["bare"]
    return {
        **{name: {"p50": float(p50), "p99": float(p99)} for name, (p50, p99) in percentiles.items()},
        "overhead": {"p50": float(more[0]), "p99": float(more[1])},
    }


# Many clients, beside gr.Interface


@contextlib.contextmanager
def peer(model: str) -> Iterator[str]:
    """The peer, served; its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(PEER), model, str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for_first_byte(process, port, time.perf_counter() + START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def throughput(
    model: str, shown: list[str], *, clients: int, rounds: int, seconds: float, address: str
) -> dict[str, Any]:
    """Requests a second of both sides in each round, their ratio, and what went wrong."""
    rates: dict[str, list[float]] = {"layerwise": [], "gradio": []}
    errors: dict[str, dict[str, int]] = {"layerwise": {}, "gradio": {}}
    latencies: dict[str, list[float]] = {"layerwise": [], "gradio": []}
    plan = {"kind": "clients", "model": model, "pictures": shown, "clients": clients}
    with peer(model) as other:
        urls = {"layerwise": address, "gradio": other}
        for way, url in urls.items():
            load({**plan, "way": way, "url": url, "seconds": min(5.0, seconds)})  # until all is compiled
        for turn in range(rounds):
            for way, url in list(urls.items())[:: 1 if turn % 2 else -1]:
                done = load({**plan, "way": way, "url": url, "seconds": seconds, "first": turn * 100_000})
                rates[way].append(len(done["latencies"]) / done["seconds"])
                latencies[way] += done["latencies"]
                errors[way] |= done["errors"]
    ratios = [ours / max(theirs, 1e-9) for ours, theirs in zip(rates["layerwise"], rates["gradio"], strict=True)]
    medians = {way: float(np.median(values or [np.nan])) for way, values in latencies.items()}
    return {
        "requests_per_second": {way: float(np.median(values)) for way, values in rates.items()},
        "median_latency": medians,
        "ratio": float(np.median(ratios)),
        "errors": errors,
    }


# Visitors


def visitors(count: int, minutes: float, think: float) -> dict[str, Any]:
    """So many visitors at a time; what they waited for, what went wrong, and what became of the memory."""
    own = [["vision/fashion", {"image": pictures()}], [TEXT_MODEL, {"text": TEXT}]]
    plan = {"kind": "visitors", "visitors": count, "seconds": 60 * minutes, "think": think, "own": own}
    memory: list[tuple[float, int]] = []
    is_over = threading.Event()
    with served() as app:

        def look() -> None:
            while not is_over.wait(min(5.0, minutes)):
                memory.append((time.perf_counter(), memory_of(app.pid)))

        watching = threading.Thread(target=look)
        watching.start()
        try:
            done = load({**plan, "url": app.address})
        finally:
            is_over.set()
            watching.join()
    everything = [seconds for values in done["latencies"].values() for seconds in values]
    return {
        "requests": len(everything),
        "p50": float(np.percentile(everything, 50)),
        "p95": float(np.percentile(everything, 95)),
        "p95_by_kind": {kind: float(np.percentile(values, 95)) for kind, values in done["latencies"].items() if values},
        "errors": done["errors"],
        "memory_growth": growth([taken for _, taken in memory]),
        "memory": max((taken for _, taken in memory), default=0),
    }


def growth(taken: list[int]) -> float:
    """By how much the last tenth is more than the tenth after the first fifth, in which all is loaded and compiled."""
    after = taken[len(taken) // 5 :]
    tenth = max(1, len(after) // 10)
    return float(np.mean(after[-tenth:]) / np.mean(after[:tenth]) - 1) if after else float("nan")


# Kills


class Supervisor:
    """Starts the server again whenever it has ended, as the service manager of a machine does."""

    def __init__(self) -> None:
        self.port, self._is_over = free_port(), threading.Event()
        self.process = start(self.port)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> float:
        """Kill the server; the seconds until it answers again."""
        before = self.process
        begin = time.perf_counter()
        os.kill(before.pid, signal.SIGKILL)
        while self.process is before:
            time.sleep(0.005)
        wait_for_first_byte(self.process, self.port, begin + START_SECONDS)
        return time.perf_counter() - begin

    def close(self) -> None:
        """End the server for good."""
        self._is_over.set()
        self.process.terminate()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.process.wait()
            if self._is_over.is_set():
                return
            self.process = start(self.port)


def kills(times: int, epochs: int) -> dict[str, Any]:
    """Kill the server so often while it answers and jobs run; what was lost, and how soon it was back."""
    random = np.random.default_rng(0)
    with home(), contextlib.ExitStack() as stack:
        server = Supervisor()
        stack.callback(server.close)
        wait_for_first_byte(server.process, server.port, time.perf_counter() + START_SECONDS)
        first = call(server.address, "runs", {"model": "toy/bars", "config": {"num_epochs": 1}})["id"]
        _wait_for_end(server.address, first)
        call(server.address, f"runs/{first}/promote", {})
        second = call(server.address, "runs", {"model": "toy/bars", "config": {"num_epochs": 1}})["id"]
        _wait_for_end(server.address, second)
        jobs = [call(server.address, "runs", {"model": "toy/bars", "config": {"num_epochs": epochs}})["id"]]
        asking = stack.enter_context(_clients(server.address, seconds=36000))
        back, lost_jobs, lost_versions, promoted = [], 0, 0, first
        for number in range(1, times + 1):
            time.sleep(random.uniform(0.0, 3.0))
            back.append(server.kill())
            lost_jobs += sum(not is_whole(server.address, job) for job in jobs)
            lost_versions += _version_in_use(server.address) != promoted
            promoted = second if promoted == first else first
            call(server.address, f"runs/{promoted}/promote", {})
            jobs.append(call(server.address, "runs", {"model": "toy/bars", "config": {"num_epochs": 2}})["id"])
            print(f"kill {number}: back in {back[-1]:.1f} s", flush=True)
        asking.terminate()
        endings = [_wait_for_end(server.address, job) for job in jobs]
    return {
        "back_seconds": {"median": float(np.median(back)), "most": max(back)},
        "jobs": len(jobs),
        "lost_jobs": lost_jobs + sum(ending != "finished" for ending in endings),
        "lost_versions": lost_versions,
    }


@contextlib.contextmanager
def _clients(address: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Eight clients that go on whatever happens."""
    plan = {"kind": "clients", "way": "layerwise", "model": "vision/fashion", "pictures": pictures(64), "clients": 8}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps({**plan, "url": address, "seconds": seconds}), encoding="utf-8")
        process = subprocess.Popen([sys.executable, str(LOAD), str(path)], stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _version_in_use(address: str) -> str:
    return next(iter(call(address, "models/toy/bars")["variants"].values()))["version"]


def _wait_for_end(address: str, identifier: str, patience: float = 600.0) -> str:
    deadline = time.monotonic() + patience
    while (state := call(address, f"runs/{identifier}")["state"]) in ("queued", "running"):
        if time.monotonic() > deadline:
            return f"still {state}"
        time.sleep(0.2)
    return state


# What is printed


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="vision/fashion", help="a classification of small pictures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=200, help="calls of one client in a round")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each side in a round")
    parser.add_argument("--visitors", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--think", type=float, default=8.0, help="seconds that a visitor thinks, on average about")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10_000, help="of the run that goes on while it is killed")
    options = parser.parse_args()
    if options.visitors:
        found, misses = _visitors(options)
    elif options.kills:
        found, misses = _kills(options)
    else:
        found, misses = _speed(options)
    print(json.dumps(found, indent=2))
    for miss in misses:
        print(f"MISSED: {miss}")
    return int(bool(misses))


def _speed(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    shown = pictures()
    # Every picture is computed: an answer that is given again would be quicker than any network.
    with served(LAYERWISE_ANSWER_CACHE="0") as app:
        more = overhead(app.address, options.model, shown, options.rounds, options.repeats)
        many = throughput(
            options.model,
            shown,
            clients=options.clients,
            rounds=options.rounds,
            seconds=options.seconds,
            address=app.address,
        )
    misses = [
        f"the overhead of HTTP is {more['overhead'][name]:.1f} ms at {name}, and may be {bar:g}"
        for name, bar in OVERHEAD_BARS.items()
        if more["overhead"][name] > bar
    ]
    if many["ratio"] < RATIO_BAR:
        misses.append(f"{many['ratio']:.1f} times the requests of gr.Interface, and should be {RATIO_BAR:g}")
    if many["errors"]["layerwise"]:
        misses.append(f"errors: {many['errors']['layerwise']}")
    return {"milliseconds": more, "clients": options.clients, **many}, misses


def _visitors(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    found = visitors(options.visitors, options.minutes, options.think)
    misses = [f"errors: {found['errors']}"] if found["errors"] else []
    if found["p95"] > LATENCY_BAR:
        misses.append(f"95 of 100 are answered within {found['p95']:.2f} s, and should be within {LATENCY_BAR:g}")
    if not found["memory_growth"] <= GROWTH_BAR:
        misses.append(f"the memory grew by {found['memory_growth']:.1%}, and may by {GROWTH_BAR:.0%}")
    return found, misses


def _kills(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    found = kills(options.kills, options.epochs)
    misses = [f"{found[name]} {name.replace('_', ' ')}" for name in ("lost_jobs", "lost_versions") if found[name]]
    if found["back_seconds"]["most"] > BACK_BAR:
        misses.append(f"it was back after {found['back_seconds']['most']:.1f} s, and should be within {BACK_BAR:g}")
    return found, misses


if __name__ == "__main__":
    sys.exit(main())
