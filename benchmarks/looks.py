"""How long it takes to look at trainings: the list of hundreds of runs, and a run whose log has 100,000 events.

    python benchmarks/looks.py [--runs 500] [--events 100000]

A first look reads what there is; the looks after it, one a second on an open page, read what is new. Seconds are
medians of five; the exit status says whether the bars are met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from layerwise.runs import Run
from layerwise.specs import ModelSpec
from layerwise.workspace import Workspace, open_workspace
from layerwise_app.web.curves import curve, curve_html
from layerwise_app.web.pages.run_list import RunList

REPEATS = 5
BAR = 0.02
"""Seconds of a look at what was looked at before: a page does it each second, and so does each visitor."""


def write_run(workspace: Workspace, spec: ModelSpec, epochs: int, steps: int) -> Run:
    """A finished run with `epochs * steps` events of progress."""
    run = workspace.runs.create(spec, None, spec.variant().config)
    run.append("started", parameters=1000, epoch=1, step=0)
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            run.append("progress", epoch=epoch, step=step, steps=steps, loss=1 / epoch, accuracy=0.5)
        run.append("epoch", epoch=epoch, loss=1 / epoch, accuracy=0.5, val_loss=1.1 / epoch, val_accuracy=0.5)
    run.append("finished", epochs=epochs)
    return run


def seconds(look: Callable[[], object]) -> float:
    """How long a call takes."""
    begin = time.perf_counter()
    look()
    return time.perf_counter() - begin


def main() -> int:
    """Measure, print, and say whether the bars are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--events", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, open_workspace(Path(home)) as workspace:
        spec = next(iter(workspace.registry.snapshot().models.values()))
        for _ in range(arguments.runs):
            write_run(workspace, spec, epochs=5, steps=10)
        listed = RunList(workspace)
        first_list = seconds(listed.table_html)
        later_list = median(seconds(listed.table_html) for _ in range(REPEATS))

        steps = 100
        run = write_run(workspace, spec, epochs=max(1, arguments.events // steps), steps=steps)

        def look() -> object:
            events = workspace.runs.course(run).events()
            return curve_html("Loss", curve(events, "loss"), num_epochs=arguments.events / steps)

        first_look = seconds(look)
        later_look = median(seconds(look) for _ in range(REPEATS))
    print(f"the list of {arguments.runs} runs, first look       {1000 * first_list:8.1f} ms")
    print(f"the list of {arguments.runs} runs, again            {1000 * later_list:8.1f} ms")
    print(f"a run of {arguments.events:,} events, first look {1000 * first_look:8.1f} ms")
    print(f"a run of {arguments.events:,} events, again      {1000 * later_look:8.1f} ms")
    is_met = max(later_list, later_look) <= BAR
    print(f"a later look within {BAR * 1000:.0f} ms: {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
