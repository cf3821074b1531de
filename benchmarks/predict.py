"""How long one picture takes: through the Python API and the HTTP API, beside what Keras offers; and one text.

    python benchmarks/predict.py                      starts an app of its own for the HTTP figures
    python benchmarks/predict.py --url http://...     uses an app that runs already
    python benchmarks/predict.py --url none           without HTTP

All ways are tried in turn, round by round, so that whatever else the machine does meets them alike. The times are
of warm calls, in milliseconds; the exit status says whether the bars are met.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import json
import os
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from served import served

import layerwise
from layerwise.devices import quiet_import
from layerwise.runner import NetworkRunner

BARS = {"Python API": 3.0, "HTTP API": 60.0, "a text, Python API": 5.0}
"""The most milliseconds that the median call may take."""
TEXT_MODEL, TEXT = "language/sentiment", "The actors are wonderful, but the story goes nowhere."


def picture() -> Image.Image:
    """A garment of sorts: a light trapezium on black, 28 by 28 pixels."""
    rows, columns = np.mgrid[0:28, 0:28]
    is_inside = (rows > 3) & (rows < 25) & (np.abs(columns - 14) < 5 + rows // 6)
    return Image.fromarray(np.where(is_inside, 200, 0).astype("uint8"))


def ways(reference: str, image: Image.Image) -> dict[str, Callable[[], object]]:
    """What is measured in this process, by name."""
    quiet_import()
    workspace = layerwise.open_workspace()
    predictor = workspace.predictor
    spec = workspace.registry.snapshot().model(reference.partition(":")[0])
    network = NetworkRunner(predictor.version(reference), spec)
    batch = network.task.encode({"image": image})
    return {
        "Python API": lambda: predictor.predict(reference, {"image": image}),
        "compiled forward pass": lambda: network.outputs(batch),
        "model(batch)": lambda: network.model(batch, training=False),
        "model.predict(batch)": lambda: network.model.predict(batch, verbose=0),
        "a text, Python API": lambda: predictor.predict(TEXT_MODEL, {"text": TEXT}),
    }


def http_way(url: str, reference: str, image: Image.Image) -> Callable[[], object]:
    """A request to a running app, each over a connection of its own."""
    parts = urlsplit(url)
    file = io.BytesIO()
    image.save(file, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    name, _, variant = reference.partition(":")
    body = json.dumps({"inputs": {"image": uri}, "variant": variant or None})

    def request() -> object:
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=60)
        connection.request("POST", f"/api/v1/predict/{name}", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SystemExit(f"The app answered {response.status}: {answer.decode()[:500]}")
        return json.loads(answer)

    return request


def measure(calls: dict[str, Callable[[], object]], rounds: int, repeats: int) -> dict[str, list[float]]:
    """The milliseconds of each call, by name: `repeats` of each in each of `rounds`."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(5):
            call()
    for number in range(rounds):
        order = list(calls.items())
        for name, call in order[:: 1 if number % 2 else -1]:
            for _ in range(repeats):
                begin = time.perf_counter()
                call()
                found[name].append(1000 * (time.perf_counter() - begin))
    return found


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="vision/fashion", help="an image classification, name[:variant]")
    parser.add_argument("--url", default="", help="the address of a running app, or none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=100, help="calls of each way in a round")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    # An answer that is given again says nothing of how long it takes.
    os.environ["LAYERWISE_ANSWER_CACHE"] = "0"
    image = picture()
    with contextlib.ExitStack() as stack:
        calls = ways(options.model, image)
        if options.url != "none":
            url = options.url or stack.enter_context(served()).address
            calls["HTTP API"] = http_way(url, options.model, image)
        times = measure(calls, options.rounds, options.repeats)
    figures = {
        name: dict(zip(("p50", "p99"), np.percentile(values, [50, 99]), strict=True)) for name, values in times.items()
    }
    show(options.model, figures, as_json=options.json)
    return int(any(figures[name]["p50"] > bar for name, bar in BARS.items() if name in figures))


def show(model: str, figures: dict[str, dict[str, float]], *, as_json: bool) -> None:
    """Print the figures: for each way p50 and p99 in milliseconds, and how often it fits into `model.predict`."""
    if as_json:
        print(json.dumps({"model": model, "milliseconds": figures, "bars": BARS}, indent=2))
        return
    slowest = figures["model.predict(batch)"]["p50"]
    print(f"One picture, {model}, and one text, {TEXT_MODEL}")
    print(f"{'':40}p50 ms    p99 ms    model.predict takes")
    for name, values in figures.items():
        bar = f"bar {BARS[name]:g} ms: {'met' if values['p50'] <= BARS[name] else 'MISSED'}" if name in BARS else ""
        print(f"{name:38}{values['p50']:7.2f}{values['p99']:10.2f}{slowest / values['p50']:10.1f} times as long  {bar}")


if __name__ == "__main__":
    sys.exit(main())
