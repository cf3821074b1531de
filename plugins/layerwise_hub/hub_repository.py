"""Published models, opened: a folder on this machine, or a repository at the hub of Hugging Face, whose failures
are said in a sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layerwise.datasets.downloads import ResumingDownloader
from layerwise.errors import DataError, InputError, WeightsError
from layerwise.hub import Progress, bar_of
from layerwise.specs import File
from layerwise_hub.hub_cache import cache_folder, endpoint, is_offline, kept_folder
from layerwise_hub.repository import LARGEST_SETTINGS, Folder, Offered, Repository, sha256_of, used_files

MAIN = "main"
"""The branch that is taken unless another one is asked for."""
_ID = re.compile(r"[\w.-]+/[\w.-]+")


class HubRepository:
    """A repository at the hub, at the commit that a branch or tag is at.

    Args:
        source: Its id, such as "google/vit-base-patch16-224".
        info: What the hub tells of it.
        asked: The branch, tag or commit that was asked for.
    """

    def __init__(self, source: str, info: Any, asked: str) -> None:
        self.source, self.revision, self.asked = source, str(info.sha), asked
        self.files: Mapping[str, Offered] = {
            file.rfilename: Offered(file.size or 0, file.lfs.sha256 if file.lfs is not None else None)
            for file in info.siblings or []
        }
        self.tags = tuple(tag for tag in (info.pipeline_tag, *(info.tags or ())) if tag)
        self.is_gated = bool(info.gated)

    def read(self, name: str) -> str | None:
        """See `Repository.read`."""
        if name not in self.files or self.files[name].size > LARGEST_SETTINGS:
            return None
        with explained(self.source):
            return self._download(name).read_text(encoding="utf-8", errors="replace")

    def fetch(self, progress: Progress) -> Path:
        """See `Repository.fetch`. What is there already is not downloaded again, and what was cut off goes on."""
        for name in used_files(self):
            with explained(self.source):
                self._bring(name, progress)
                self._download(name, bar_of(name, self.files[name].size, progress))
        return kept_folder(self.source, self.revision)

    def _bring(self, name: str, progress: Progress) -> None:
        """Download a file of weights to where the hub's library will find it. That one begins anew what was cut off
        when its process ended, which is no way to get some gigabytes."""
        offered, folder = self.files[name], kept_folder(self.source, self.revision)
        if offered.sha256 is None or (folder / name).exists():
            return
        from filelock import FileLock
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        blob = folder.parents[1] / "blobs" / offered.sha256
        blob.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(blob.with_suffix(".part.lock")):
            if blob.exists():
                return
            url = hf_hub_url(self.source, name, revision=self.revision, endpoint=endpoint())
            file = File(name=name, url=url, sha256=offered.sha256, size=offered.size)
            part, whole = blob.with_suffix(".part"), blob.with_suffix(".whole")
            ResumingDownloader(file, part, progress, build_hf_headers())(url, str(whole), None)
            if sha256_of(whole) != offered.sha256:
                whole.unlink()
                raise WeightsError(
                    f"{name} of {self.source} is not what the hub says, and was deleted",
                    expected=f"SHA-256 {offered.sha256[:12]}…",
                    remedy="try again",
                )
            whole.rename(blob)

    def _download(self, name: str, bar: Any = None) -> Path:
        from huggingface_hub import hf_hub_download

        return Path(
            hf_hub_download(
                self.source,
                name,
                revision=self.revision,
                cache_dir=cache_folder(),
                endpoint=endpoint(),
                tqdm_class=bar,
            )
        )


def open_repository(source: str, revision: str | None = None) -> Repository:
    """Where a model is, looked at without its weights.

    Args:
        source: A folder, or the id of a repository at the hub.
        revision: A branch, tag or commit of the repository; None is its main branch.

    Raises:
        InputError: It is neither.
        WeightsError: It cannot be had.
    """
    path = Path(source).expanduser()
    # The path first: the hub's library takes a missing folder for an id, and complains of its characters.
    if path.is_dir() or source.startswith((".", "/", "~")) or (os.sep != "/" and os.sep in source):
        if revision is not None:
            raise InputError("A folder has no revisions", received=revision, remedy="leave out --revision")
        return Folder(path)
    if not _ID.fullmatch(source):
        raise InputError(
            f"There is no published model {source!r}",
            expected="a folder, or the id of a repository, such as google/vit-base-patch16-224",
        )
    return _at_the_hub(source, revision or MAIN)


def _at_the_hub(source: str, asked: str) -> Repository:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if is_offline():
        return _kept(source, asked, None)
    try:
        with explained(source, is_listed=True):
            info = HfApi(endpoint=endpoint()).model_info(source, revision=asked, files_metadata=True)
    except WeightsError as error:
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError | HFValidationError):
            raise
        return _kept(source, asked, cause)
    return HubRepository(source, info, asked)


def _kept(source: str, asked: str, error: BaseException | None) -> Repository:
    """What is kept on this machine of a repository."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(source, revision=asked, cache_dir=cache_folder(), local_files_only=True)
    except (LocalEntryNotFoundError, OSError):
        # What was downloaded here was asked for by its commit, so nothing says which branch that was on.
        commits = kept_folder(source, "none").parent.glob("*/config.json") if asked == MAIN else ()
        if newest := max(commits, key=lambda path: path.parent.stat().st_mtime, default=None):
            return Folder(newest.parent, source, newest.parent.name, asked)
        why = "HF_HUB_OFFLINE is set" if error is None else _first_line(error)
        raise WeightsError(
            f"{source} is not on this machine, and the hub cannot be reached",
            received=why,
            remedy="try again with a connection to the internet, or give a folder: layerwise hub add FOLDER",
        ) from error
    return Folder(Path(found), source, Path(found).name, asked)


@contextlib.contextmanager
def explained(source: str, *, is_listed: bool = False) -> Iterator[None]:
    """Turn what the hub, the network or the disk does into one sentence.

    Args:
        source: The id of the repository.
        is_listed: Whether it is just being looked up.
    """
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RevisionNotFoundError

    try:
        yield
    except WeightsError:
        raise
    except DataError as error:
        raise WeightsError(
            f"{source} could not be downloaded", received=error.what, remedy="try again: what has arrived is kept"
        ) from error
    except GatedRepoError as error:
        raise WeightsError(
            f"{source} is given only to those who have accepted its terms",
            remedy=f"accept them at {endpoint()}/{source}, make a token there, and run: hf auth login",
        ) from error
    except RevisionNotFoundError as error:
        raise WeightsError(f"{source} has no such revision", remedy="look at its branches and tags") from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise WeightsError(
            f"The hub does not give {source}",
            received=_first_line(error),
            remedy="look at its page there: it may be called otherwise, or be private: hf auth login",
        ) from error
    except Exception as error:  # those of HTTP, those of the disk, whatever a missing network makes of it
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WeightsError(
                f"{source} does not fit on the disk", received="a full disk", remedy="make room, and try again"
            ) from error
        doing = "cannot be looked up" if is_listed else "could not be downloaded"
        raise WeightsError(
            f"{source} {doing}", received=_first_line(error), remedy="try again: what has arrived is kept"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
