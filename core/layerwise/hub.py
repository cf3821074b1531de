"""The hub of Hugging Face: files of published networks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from layerwise.errors import WeightsError

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
"""What the files with the weights are called."""
Progress = Callable[[str, int, int], None]
"""`(file, bytes that are here, its size)`."""
_ID = re.compile(r"[\w.-]+/[\w.-]+")


def download(repository: str, needed: Sequence[str], progress: Progress, *, expected: str) -> Path:
    """The folder of a repository at the hub, in the cache that other programs use too. What is there already is not
    downloaded again, and what was cut off goes on.

    Args:
        repository: Its id.
        needed: The names of the files, or patterns of them.
        progress: Told how much of a file is here.
        expected: What could be given instead of the id, for the message where it is none.

    Raises:
        WeightsError: It cannot be had.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if not _ID.fullmatch(repository):
        raise WeightsError(
            f"There are no published weights {repository!r}",
            expected=expected,
        )
    try:
        found = HfApi().model_info(repository, files_metadata=True)
    except (HfHubHTTPError, HFValidationError) as error:
        raise WeightsError(
            f"The hub does not give {repository}",
            received=str(error).splitlines()[0],
            remedy="look at its page there: it may be called otherwise, or ask for a licence to be accepted",
        ) from error
    except Exception as error:  # whatever a missing network makes of it
        try:
            return Path(snapshot_download(repository, allow_patterns=[*needed], local_files_only=True))  # nosec B615
        except LocalEntryNotFoundError:
            raise WeightsError(
                f"{repository} is not on this machine, and the hub cannot be reached",
                received=f"{type(error).__name__}: {error}",
                remedy="try again with a connection to the internet, or name what is on this machine",
            ) from error
    wanted = [file for file in found.siblings or [] if any(fnmatch(file.rfilename, name) for name in needed)]
    folder = Path()
    for file in wanted:
        bar = bar_of(file.rfilename, file.size or 0, progress)
        try:
            path = hf_hub_download(repository, file.rfilename, tqdm_class=bar)  # nosec B615
        except Exception as error:  # its own, those of HTTP, those of the disk
            raise WeightsError(
                f"{file.rfilename} of {repository} could not be downloaded",
                received=f"{type(error).__name__}: {error}",
                remedy="try again: what has arrived is kept",
            ) from error
        folder = Path(path).parent
    if not wanted:
        raise WeightsError(f"{repository} has no files of weights", expected=", ".join(needed))
    return folder


def bar_of(name: str, size: int, progress: Progress) -> Any:
    """A progress bar as the hub's library wants one, which draws nothing and tells how much of a file is here."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            # Elsewhere than in a terminal, bars count nothing unless they are told to.
            super().__init__(*arguments, **{**options, "disable": False, "file": io.StringIO()})

        def display(self, *_: Any, **__: Any) -> None:
            pass

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            progress(name, int(self.n), int(self.total or size))
            return shown

    return Bar
