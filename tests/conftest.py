"""What all tests share: they never touch the user's own files, and data sets that may be missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from layerwise import paths

# The same examples in every run. `pytest --hypothesis-profile=random` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The home and the cache of the whole session, child processes included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("LAYERWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of one test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("LAYERWISE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def require_data() -> Callable[[str], Path]:
    """`require_data(name)`: the folder of a data set in LAYERWISE_DATA. Without it the test is skipped, and
    fails where CI=true, unless CI_DATA=some says that not every one is there."""

    def find(name: str) -> Path:
        for folder in paths.data_folders():
            for candidate in (folder / name, folder / name.replace("-", "_")):
                if candidate.is_dir():
                    return candidate
        reason = f"needs the data set {name}: put it into FOLDER/{name} and set LAYERWISE_DATA=FOLDER"
        if os.environ.get("CI") == "true" and os.environ.get("CI_DATA") != "some":
            pytest.fail(reason)
        pytest.skip(reason)

    return find


@pytest.fixture(scope="session")
def fashion_mnist_folder(require_data: Callable[[str], Path]) -> Path:
    """The folder with Fashion-MNIST's four files."""
    return require_data("fashion-mnist")
