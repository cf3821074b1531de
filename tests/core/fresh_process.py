"""Code run in a Python process of its own: for what only a first import, or an exit, can show."""

import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest


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
        timeout=120,
        env={**os.environ, **environment},
    )
