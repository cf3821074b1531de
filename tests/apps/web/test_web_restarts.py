"""A run is not lost when the server is killed: the benchmark with few restarts."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "restarts.py"


@pytest.mark.slow
def test_no_run_is_lost_when_the_server_is_killed():
    words = [sys.executable, str(BENCHMARK), "--times", "2", "--epochs", "300"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 runs lost in 2 restarts" in done.stdout
