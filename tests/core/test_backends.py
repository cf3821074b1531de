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
    # The moving averages of its batch normalisation need some hundred steps to forget where they began.
    "convolutional": ["--num-epochs", "30", "--filters", "8"],
}


@pytest.mark.slow
@pytest.mark.parametrize("network", [pytest.param("dense", marks=pytest.mark.long), "convolutional"])
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
        accuracies[backend] = json.loads(done.stdout)["history"][-1]["val_accuracy"]
    assert min(accuracies.values()) > 0.9, accuracies
    # 51 examples are held out: two of them are noise.
    assert max(accuracies.values()) - min(accuracies.values()) <= 2.5 / 51, accuracies
