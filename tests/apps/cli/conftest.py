"""The command line as a person meets it: words in; exit status, output and error output back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from layerwise.runs import RunStore

SAMPLES = Path(__file__).parents[2] / "plugins_sample"


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    status: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        """The output read as JSON, and nothing else may be in it."""
        return json.loads(self.output)


@pytest.fixture
def toy(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy plugin, here and in every process that is started; the home it is used with. Runs end with the test."""
    folder = str(SAMPLES / "toy")
    monkeypatch.setenv("PYTHONPATH", folder, prepend=":")
    monkeypatch.syspath_prepend(folder)
    yield home
    for run in RunStore(home).list():
        run.request_stop()


@pytest.fixture
def layerwise(toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """`layerwise(*words)`: run a command in this process."""
    from layerwise_app.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["layerwise", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return run
