"""How long own data take to be read, and how much memory: a table of a million rows; pictures that are decoded, read
again, and trained on in chunks as if they did not fit in memory.

    python benchmarks/own_data.py [--pictures 20000] [--rows 1000000]

Each part runs in a process of its own; memory is its peak beyond what its imports take, without the pages of mapped
files, which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE = 64
"""Height and width of the decoded pictures."""


def make_pictures(folder: Path, count: int) -> None:
    """Pictures of noise in ten classes."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for index in range(count):
        path = folder / str(index % 10) / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)).save(path)


def make_table(path: Path, rows: int) -> None:
    """Four columns of numbers, one of words, and a label."""
    import numpy as np

    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, 4)).round(4).astype(str)
    words, labels = rng.choice(["red", "green", "blue"], rows), rng.choice(["yes", "no"], rows)
    with path.open("w") as file:
        file.write("a,b,c,d,colour,label\n")
        file.writelines(",".join((*row, *rest)) + "\n" for row, *rest in zip(numbers, words, labels, strict=True))


def resident_bytes() -> int:
    """The memory of this process without mapped files (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def measured(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds, and the peak of the memory in MB beyond what was there before."""
    before, peak, is_done = resident_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(0.02):
            peak = max(peak, resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    is_done.set()
    watcher.join()
    return {"seconds": round(seconds, 2), "peak_mb": round(max(peak - before, 0) / 1e6, 1)}


def read_table(path: Path) -> dict[str, float]:
    """A table of a user's own."""
    from layerwise.tasks import Column, TabularClassification

    task = TabularClassification(labels=("a", "b"), columns=(Column(name="a", kind="number"),))
    return measured(lambda: task.read_folder(path))


def read_pictures(path: Path) -> dict[str, float]:
    """Pictures of a user's own, decoded unless the cache has them."""
    from layerwise.tasks import ImageClassification

    task = ImageClassification(labels=("a", "b"), size=(SIDE, SIDE))
    return measured(lambda: task.read_folder(path))


def stream_pictures(path: Path) -> dict[str, float]:
    """One epoch over decoded pictures in chunks, without a network."""
    from layerwise.datasets.feed import Feed
    from layerwise.tasks import ImageClassification

    class Placing:
        def place(self, inputs: Any, targets: Any) -> Any:
            return inputs, targets

    split = ImageClassification(labels=("a", "b"), size=(SIDE, SIDE)).read_folder(path).splits["train"]
    feed = Feed(split, 128, 0, resident_bytes=0)
    return measured(lambda: [None for _ in feed.chunks(Placing(), 1)])  # type: ignore[arg-type]


PARTS = {"table": read_table, "decode": read_pictures, "again": read_pictures, "stream": stream_pictures}


def main() -> None:
    """Measure all parts, and print them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part[0]](Path(options.part[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_table(Path(folder, "table.csv"), options.rows)
        make_pictures(Path(folder, "pictures"), options.pictures)
        environment = {**os.environ, "LAYERWISE_CACHE": str(Path(folder, "cache"))}
        found: dict[str, Any] = {"rows": options.rows, "pictures": options.pictures}
        found["decoded_mb"] = round(options.pictures * SIDE * SIDE * 3 / 1e6, 1)
        for part in PARTS:
            path = Path(folder, "table.csv" if part == "table" else "pictures")
            words = [sys.executable, __file__, "--part", part, str(path)]
            done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
            found[part] = json.loads(done.stdout)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
