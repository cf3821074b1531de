"""What the tests of real trainings share."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from layerwise import jobs
from layerwise.config import config_from
from layerwise.weights import read_arrays


def config_of(spec, **changes):
    """The config of the default variant with some fields changed."""
    return config_from(spec.config, {**asdict(spec.variant().config), **changes})


def finish(run, seconds=120):
    """The events of a run that ends by itself."""
    deadline = time.monotonic() + seconds
    found = []
    for event in jobs.follow(run, poll=0.05):
        found.append(event)
        assert time.monotonic() < deadline, run.log_text()
    return found


def wait_for(run, kind):
    """The first event of that kind."""
    for event in jobs.follow(run, poll=0.01):
        if event["event"] == kind:
            return event
    raise AssertionError(f"{kind} never came: {run.events()} {run.log_text()}")


def everything(run):
    """All that a training ends with: weights, random states, optimizer; and the version that was the best."""
    checkpoint, version = run.checkpoints.latest(), read_arrays(run.version_folder)
    return checkpoint.arrays | {f"version/{name}": array for name, array in version.items()}


def assert_same_bits(run, reference):
    """Two trainings ended with the very same numbers."""
    ours, theirs = everything(run), everything(reference)
    assert ours.keys() == theirs.keys()
    differing = [name for name, array in ours.items() if array.tobytes() != theirs[name].tobytes()]
    assert differing == []
    assert run.checkpoints.latest().state["place"]["best"] == reference.checkpoints.latest().state["place"]["best"]


def noise_pictures(folder: Path, count: int = 60) -> Path:
    """A folder of pictures whose labels mean nothing: what is learned by heart makes the validation loss worse."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for label in ("heads", "tails"):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype="uint8")).save(folder / label / f"{index}.png")
    return folder
