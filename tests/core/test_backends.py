"""The same short training on each backend, by the command that a user types, reaches the same accuracy within noise."""

import json
import os
import subprocess
import sys

import pytest
from fresh_process import require

BACKENDS = ("tensorflow", "jax", "torch")
NETWORKS = {
    "dense": ["--num-epochs", "8"],
    "convolutional": ["--num-epochs", "8", "--filters", "8"],
}


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_every_backend_reaches_the_same_accuracy(network, snapshot, home):
    accuracies = {}
    for backend in BACKENDS:
        require(backend)
        done = subprocess.run(
            [sys.executable, "-m", "layerwise_app.cli", "train", "toy/bars", *NETWORKS[network], "--json"],
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
        events = [json.loads(line) for line in done.stdout.splitlines()]
        accuracies[backend] = [event for event in events if event["event"] == "epoch"][-1]["val_accuracy"]
    assert min(accuracies.values()) > 0.9, accuracies
    # 51 examples are held out: two of them are noise.
    assert max(accuracies.values()) - min(accuracies.values()) <= 2.5 / 51, accuracies
