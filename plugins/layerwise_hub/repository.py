"""Where published models are: a folder on this machine, or a repository at the hub of Hugging Face.

Of either, only data is ever read: JSON, tokenizers, and weights as safetensors. The variables of the hub's own library
say where it is and what is kept: HF_ENDPOINT, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_TOKEN.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol

from layerwise.datasets.downloads import ResumingDownloader
from layerwise.errors import DataError, InputError, WeightsError
from layerwise.hub import Progress, bar_of
from layerwise.published import CODE_FILES
from layerwise.specs import File

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
USED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "normalizer.json",
    "source.spm",
    "target.spm",
    "spiece.model",
    "modules.json",
    "sentence_bert_config.json",
    "*_Pooling/config.json",
    *WEIGHTS,
)
"""The names of the files that are used of a model, or patterns of them."""
CARD = "README.md"
MAIN = "main"
"""The branch that is taken unless another one is asked for."""
_ID = re.compile(r"[\w.-]+/[\w.-]+")
_LARGEST_SETTINGS = 64 * 2**20
"""No file of settings is larger; a tokenizer of a quarter of a million tokens has 17 MB."""


@dataclass(frozen=True)
class Offered:
    """A file of a repository.

    Args:
        size: Its length in bytes.
        sha256: Where the hub tells it.
    """

    size: int
    sha256: str | None = None


class Repository(Protocol):
    """Files by their names, and what is said of them."""

    source: str
    revision: str
    asked: str
    files: Mapping[str, Offered]
    tags: tuple[str, ...]

    def read(self, name: str) -> str | None:
        """The text of a file of settings, None when there is none.

        Raises:
            WeightsError: It cannot be had.
        """
        ...

    def fetch(self, progress: Progress) -> Path:
        """The folder that holds all files that are used, once they are on this machine.

        Raises:
            WeightsError: They cannot be had.
        """
        ...


class Folder:
    """A folder on this machine.

    Args:
        path: The folder.
        source, revision, asked: Of a repository whose files are in it; None for what is just a folder.
    """

    def __init__(self, path: Path, source: str | None = None, revision: str = "", asked: str = "") -> None:
        self.path = path.expanduser().absolute()
        if not self.path.is_dir():
            raise WeightsError(f"There is no folder {self.path}", remedy="give the one with the model's config.json")
        self.source, self.revision, self.asked = source or str(self.path), revision, asked
        self.tags: tuple[str, ...] = ()
        # Not all of what is below: a folder may be anything.
        found = sorted([*self.path.glob("*"), *self.path.glob("*_Pooling/config.json")])
        names = (file.relative_to(self.path).as_posix() for file in found if file.is_file())
        self.files: Mapping[str, Offered] = {name: Offered((self.path / name).stat().st_size) for name in names}

    def read(self, name: str) -> str | None:
        """See `Repository.read`."""
        if name not in self.files or self.files[name].size > _LARGEST_SETTINGS:
            return None
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise WeightsError(f"{self.path / name} cannot be read", received=str(error)) from error

    def fetch(self, progress: Progress) -> Path:
        """See `Repository.fetch`."""
        return self.path


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
        if name not in self.files or self.files[name].size > _LARGEST_SETTINGS:
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


def kept_folder(source: str, revision: str) -> Path:
    """Where the files of a repository are at a commit, whether or not they are there."""
    from huggingface_hub.file_download import repo_folder_name

    return cache_folder() / repo_folder_name(repo_id=source, repo_type="model") / "snapshots" / revision


def forget(source: str, revision: str) -> int:
    """Delete what is kept of a repository at a commit. Returns how many bytes became free."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        kept = scan_cache_dir(cache_folder())
    except CacheNotFound:
        return 0
    hashes = {item.commit_hash for repo in kept.repos if repo.repo_id == source for item in repo.revisions}
    if revision not in hashes:
        return 0
    strategy = kept.delete_revisions(revision)
    strategy.execute()
    return strategy.expected_freed_size


def cache_folder() -> Path:
    """Where the hub's library keeps what it has downloaded, for every program of the user's."""
    from huggingface_hub import constants

    return Path(os.environ.get("HF_HUB_CACHE") or constants.HF_HUB_CACHE).expanduser()


def endpoint() -> str:
    """The address of the hub."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def is_offline() -> bool:
    """Whether the user wants nothing to be downloaded."""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in ("1", "ON", "YES", "TRUE")


def sha256_of(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def used_files(repository: Repository) -> list[str]:
    """The names of the files that are used of a model."""
    return [name for name in repository.files if any(fnmatch(name, pattern) for pattern in USED)]


def weights_of(repository: Repository) -> list[str]:
    """The names of the files with its weights.

    Raises:
        WeightsError: It has none that are data only.
    """
    found = [name for name in repository.files if any(fnmatch(name, pattern) for pattern in WEIGHTS[:2])]
    if not found:
        refused = [name for name in repository.files if name.endswith(CODE_FILES)]
        pickle = f"{refused[0]}, a pickle, which can execute code when it is loaded" if refused else None
        raise WeightsError(
            f"{repository.source} has no weights that are data only",
            expected="model.safetensors",
            received=pickle or ", ".join(list(repository.files)[:5]) or "no files",
            remedy="choose another model, or a revision that has them: layerwise hub add ID --revision refs/pr/1",
        )
    return found


def read_settings(repository: Repository, name: str) -> dict[str, Any]:
    """A JSON file of a model, empty where there is none.

    Raises:
        WeightsError: It cannot be had, or is no JSON object.
    """
    text = repository.read(name)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} of {repository.source} cannot be read", received=str(error)) from error
    if not isinstance(found, dict):
        raise WeightsError(f"{name} of {repository.source} cannot be used", expected="a JSON object")
    return found


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
