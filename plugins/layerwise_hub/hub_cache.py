"""Where the hub is, and what its own library keeps of it on this machine. That library's variables say both:
HF_ENDPOINT, HF_HUB_CACHE, HF_HUB_OFFLINE; HF_TOKEN says who asks."""

from __future__ import annotations

import os
from pathlib import Path


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
