"""Requests made from the schema, by schemathesis: no mistake of the server, no status and no answer that the schema
does not know, nothing taken that it refuses."""

import shutil
import subprocess

import pytest

from layerwise import jobs

pytestmark = pytest.mark.slow

ROUTES = r"^/api/v1/(health|models|predict/demo|stream/demo|runs|data|comparison|studies)"
OPTIONS = (
    *("--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--max-time", "30"),
    # That a picture which is none is refused, and a run that is not there, is right.
    *("--exclude-checks", "positive_data_acceptance"),
    *("--no-shrink", "--generation-deterministic", "--no-color"),
)


@pytest.mark.timeout(900)
def test_what_schemathesis_finds(address, tmp_path, monkeypatch):
    program = shutil.which("schemathesis")
    if program is None:
        pytest.skip("needs schemathesis")
    # Some of the requests are right, and would begin to train.
    monkeypatch.setattr(jobs, "launch", lambda _: None)
    words = [program, "run", f"{address}/api/v1/openapi.json", "--include-path-regex", ROUTES]
    words += ["--exclude-path-regex", "export|example.zip", *OPTIONS]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested:" in done.stdout
