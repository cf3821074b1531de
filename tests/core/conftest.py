"""What the tests of the plugin door share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOY = Path(__file__).parents[1] / "plugins_sample" / "toy"


@pytest.fixture
def site(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for plugins on the path of this process and of those that it starts, where the toy plugin is
    installed already. Its modules are forgotten after the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    for path in (folder, TOY):
        monkeypatch.syspath_prepend(str(path))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, (str(folder), str(TOY), os.environ.get("PYTHONPATH"))))
    )
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
