"""Code run in a Python process of its own: for what only a first import, or an exit, can show."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BACKENDS = ("tensorflow", "jax", "torch")


def require(package):
    """Skip the test where a package is not installed; fail it in CI, where all are."""
    if importlib.util.find_spec(package) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{package} must be installed in CI")
        pytest.skip(f"needs {package}")


def run_python(code, **environment):
    """Run code in a fresh process; the environment variables are added to this one's."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **environment},
    )


def probe(script, backend):
    """What a script beside this file prints as JSON in its last line when Keras computes with `backend`."""
    require(backend)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script))],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == backend
    return found
