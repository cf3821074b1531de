"""A training spread over two logical CPU devices takes the steps of one device with the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_process import require

from layerwise.errors import DeviceError
from layerwise.hardware.distribution import share

pytestmark = pytest.mark.slow


def probe(backend, kind):
    require(backend)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("replicas_probe.py")), kind],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def backend(request):
    return request.param


@pytest.mark.parametrize("kind", ["dense", "convolutional"])
def test_two_devices_take_the_steps_of_one(backend, kind):
    found = probe(backend, kind)
    assert found["kinds"] == [backend, f"{backend}_replicas"]
    for one, two in zip(found["one"], found["two"], strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert two["accuracy"] == pytest.approx(one["accuracy"], abs=1e-6)
    assert found["distance"] < 1e-5
    assert found["one"][1]["loss"] < 0.9 * found["one"][0]["loss"]
    for one, two in zip(*found["evaluated"], strict=True):
        assert two == pytest.approx(one, rel=1e-5)
    assert found["agreed"] == [3, 1, 0.1]
    assert found["resumed"] < 1e-6
    assert "31 examples" in found["uneven"]
    assert "30 or 32" in found["uneven"]


def test_an_overflow_on_one_device_skips_the_step_on_all(backend):
    found = probe(backend, "dense_half")
    assert found["skipped"] == 0
    assert found["went_on"] > 0
    # 16 bits keep three digits.
    assert found["two"][1]["loss"] == pytest.approx(found["one"][1]["loss"], rel=1e-3)


def test_dropout_and_batch_normalisation_learn_and_resume(backend):
    found = probe(backend, "dense_random")
    assert found["two"][1]["loss"] < 0.9 * found["two"][0]["loss"]
    assert found["resumed"] < 1e-6


def test_a_batch_is_shared_out_evenly_or_not_at_all():
    assert share(128, 4) == 32
    with pytest.raises(DeviceError, match=r"128 examples.*3 devices.*126 or 129"):
        share(128, 3)
    with pytest.raises(DeviceError, match="set batch_size to 8"):
        share(3, 8)
