"""Each backend's engine does what `keras.Model.fit` does, in one call or in several."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_process import require


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def result(request):
    backend = request.param
    require(backend)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("engine_probe.py"))],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == backend
    return found


def test_the_steps_are_those_of_fit(result):
    assert result["to_fit"] < 2e-5
    assert result["iterations"] == 40


def test_calls_of_any_length_give_the_same_bits(result):
    assert result["in_pieces"] == 0
    assert result["dropout_in_pieces"] == 0
    assert result["convolutions_in_pieces"] == 0


def test_the_same_seed_gives_the_same_bits(result):
    assert result["twins"] == 0


def test_it_learns_and_says_so(result):
    assert result["epoch"]["loss"] < 0.9
    assert result["epoch"]["accuracy"] > 0.6


def test_evaluation_is_that_of_the_forward_pass(result):
    assert result["evaluated"] == pytest.approx(result["accuracy"], abs=1e-6)


def test_the_compiled_forward_pass_is_the_plain_one(result):
    assert result["predict"] < 1e-5
    assert result["predict_is_numpy"]


def test_an_overflow_in_half_precision_skips_the_step(result):
    assert result["skipped"] == 0
    assert result["mixed_loss"] < 1.0
