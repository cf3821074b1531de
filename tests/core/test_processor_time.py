"""What a training takes of a processor, as its record says it."""

import numpy as np
from training_helpers import config_of

from layerwise.context import Context
from layerwise.hardware.environment import cpu_seconds
from layerwise.training import fit
from layerwise.weights import read_record


def test_what_was_before_a_resume_counts_and_what_was_in_vain_does_not(runs, spec, snapshot):
    run = runs.create(spec, None, spec.variant().config)
    context, begin = Context.of(run, snapshot), cpu_seconds()
    np.linalg.svd(np.random.default_rng(0).normal(size=(300, 300)))
    assert 0 <= context.cpu_seconds <= cpu_seconds() - begin + 1
    run.append("checkpoint", epoch=1, step=0, cpu_seconds=700.0)
    run.append("checkpoint", epoch=2, step=0, cpu_seconds=1000.0)
    assert 1000 <= Context.of(run, snapshot).cpu_seconds < 1060
    # Of a run that began before it was counted.
    run.append("checkpoint", epoch=3, step=0)
    assert Context.of(run, snapshot).cpu_seconds < 60


def test_nobody_counts_that_of_a_cluster(runs, spec, snapshot):
    run = runs.create(spec, None, spec.variant().config, cluster="local")
    assert Context.of(run, snapshot).cpu_seconds is None


def test_the_record_says_what_the_whole_training_took(runs, spec, snapshot):
    run, begin = runs.create(spec, None, config_of(spec, num_epochs=2)), cpu_seconds()
    fit(Context.of(run, snapshot))
    record = read_record(run.version_folder)
    assert 0 < record["cpu_seconds"] <= cpu_seconds() - begin + 0.1
    kept = [event["cpu_seconds"] for event in run.events() if event["event"] == "checkpoint"]
    assert kept
    assert kept == sorted(kept)
    assert kept[-1] <= record["cpu_seconds"]
