"""How smoothly the playground learns: frames and steps a second on the server, and seconds to the last point.

python benchmarks/playground.py
"""

from __future__ import annotations

import json
import time

from layerwise_learn.playground import service

NETWORKS = {
    "the default, 8-8-8 tanh": {},
    "the smallest, 4 ReLU": {"data": "circle", "units": [4], "activations": "relu"},
    "the largest, 7 x 16 ReLU": {
        "units": [16] * 7,
        "activations": ",".join(["relu"] * 7),
        "features": "x1,x2,x1x1,x2x2,x1x2,sin-x1,sin-x2",
    },
    "the slowest, 7 x 16 GELU": {"units": [16] * 7, "activations": ",".join(["gelu"] * 7)},
}
SECONDS = 3.0


def rates(config: dict) -> tuple[float, float, int]:
    """Frames a second, steps a second and bytes a frame, each call from JSON to JSON as over the network."""
    answer = service.begin({"config": config})
    frames, text, end = 0, "", time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        request = json.loads(json.dumps({"state": answer["state"], "steps": "auto"}))
        answer = service.advance(request)
        text = json.dumps(answer)
        frames += 1
    return frames / SECONDS, answer["state"]["step"] / SECONDS, len(text)


def seconds_to_no_error(seed: int) -> tuple[float, int]:
    """Until the default network makes no error on the spirals it learns from; and the steps it took."""
    answer, begun = service.begin({"config": {"seed": seed}}), time.perf_counter()
    while answer["frame"]["measures"]["train"]["errors"] and time.perf_counter() < begun + 60:
        answer = service.advance({"state": answer["state"], "steps": "auto"})
    return time.perf_counter() - begun, answer["state"]["step"]


def main() -> None:
    for name, config in NETWORKS.items():
        frames, steps, size = rates(config)
        print(f"{name:28} {frames:6.1f} frames/s {steps:8,.0f} steps/s {size / 1024:6.0f} KiB a frame", flush=True)
    for seed in range(5):
        seconds, steps = seconds_to_no_error(seed)
        print(f"spirals, seed {seed}: no training error after {seconds:.1f} s, {steps:,} steps", flush=True)


if __name__ == "__main__":
    main()
