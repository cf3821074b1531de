"""What the tests of trainings of agents share."""

from dataclasses import asdict, replace

import numpy as np

from layerwise.context import Context
from layerwise.specs import resolve


class Stopping(Context):
    """The context of a run that somebody asks to stop after so many looks."""

    looks_left = 10**9

    def should_stop(self):
        self.looks_left -= 1
        return self.looks_left < 0


def start(runs, snapshot, name, **changes):
    """A run of a model that has not begun, with some settings changed."""
    spec = snapshot.model(name)
    return runs.create(spec, None, replace(spec.variant().config, **changes))


def train(run, snapshot, looks=None):
    """Train a run in this process, up to a stop after `looks` rounds."""
    context = Stopping.of(run, snapshot)
    if looks is not None:
        context.looks_left = looks
    resolve(context.spec.train)(context)
    context.write_version()
    return context


def assert_same_end(run, other):
    """Two trainings kept the very same numbers at their end."""
    ours, theirs = run.checkpoints.latest(), other.checkpoints.latest()
    assert ours.arrays.keys() == theirs.arrays.keys()
    differing = [name for name in ours.arrays if not np.array_equal(ours.arrays[name], theirs.arrays[name])]
    assert differing == []
    assert ours.state == theirs.state


def promote_untrained(home, spec, variant, task, config):
    """Put the network of a variant in use as it is before any training, drawn by a fixed seed."""
    import keras

    from layerwise import weights
    from layerwise.runs import RunStore
    from layerwise.versions import VersionStore

    keras.utils.set_random_seed(0)
    run = RunStore(home).create(spec, variant, config)
    record = {
        "name": spec.name,
        "variant": variant,
        "task": task.parameters(),
        "config": asdict(config),
    }
    weights.save(resolve(spec.build)(config, task), run.folder / "version", record)
    VersionStore(home).promote(spec, run)
    return run
