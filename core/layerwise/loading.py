"""Runners in memory: each version loaded once, and closed when nobody uses it any more.

A runner is counted by those who use it (the slot of its model, requests, sessions), so that a request that began
with one version ends with it, whatever is promoted meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.runner import Runner, make_runner
from layerwise.specs import ModelSpec
from layerwise.versions import Version

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def explained(reference: str, doing: str) -> Iterator[None]:
    """Turn whatever a plugin's code raises into an error that a user can read. The original is chained to it
    and written to the log."""
    try:
        yield
    except LayerwiseError:
        raise
    except (Exception, SystemExit) as error:
        logger.exception("%s could not %s", reference, doing)
        if _is_out_of_memory(error):
            raise LayerwiseError(
                f"{reference} could not {doing}: the memory ran out", remedy="give a smaller input, or free memory"
            ) from error
        lines = str(error).strip().splitlines()
        raise LayerwiseError(
            f"{reference} could not {doing} because of a mistake in its code",
            received=f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__,
            remedy="report it to the author of its plugin; the log has the details",
        ) from error


def _is_out_of_memory(error: BaseException) -> bool:
    # TensorFlow's ResourceExhaustedError and torch's OutOfMemoryError are no MemoryError.
    return isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError")


class Loaded:
    """A runner in memory, with the number of those who use it."""

    def __init__(self, spec: ModelSpec, version: Version, runner: Runner) -> None:
        self.spec, self.version, self.runner = spec, version, runner
        self.users = 1


class Runners:
    """The runners in memory, one for each version. Loading one blocks only those who wait for the same.

    Args:
        registered: What is registered whenever it is asked.
    """

    def __init__(self, registered: Callable[[], Snapshot]) -> None:
        self._registered = registered
        self._lock = threading.Lock()
        self._loaded: dict[Any, Loaded] = {}
        self._building: dict[Any, threading.Lock] = {}

    def get(self, spec: ModelSpec, version: Version) -> Loaded:
        """The runner of `version`, loaded and warm; the caller releases it.

        Raises:
            LayerwiseError: It cannot be loaded.
        """
        key = self._key(version)
        with self._lock:
            building = self._building.setdefault(key, threading.Lock())
        with building:
            with self._lock:
                loaded = self._loaded.get(key)
                if loaded is not None and loaded.spec == spec:
                    loaded.users += 1
                    return loaded
            loaded = Loaded(spec, version, _load(spec, version, self._registered))
            with self._lock:
                self._loaded[key] = loaded
            return loaded

    def hold(self, loaded: Loaded) -> bool:
        """Use `loaded` once more; False when it has been closed."""
        with self._lock:
            if loaded.users == 0:
                return False
            loaded.users += 1
            return True

    def release(self, loaded: Loaded) -> None:
        """Use `loaded` once less, and close it when nobody uses it any more."""
        with self._lock:
            loaded.users -= 1
            if loaded.users:
                return
            key = self._key(loaded.version)
            if self._loaded.get(key) is loaded:
                del self._loaded[key]
                self._building.pop(key, None)
        _close(loaded)

    def all(self) -> list[Loaded]:
        """Every runner in memory."""
        with self._lock:
            return list(self._loaded.values())

    def state(self, version: Version) -> str:
        """cold, loading or ready."""
        key = self._key(version)
        with self._lock:
            if key in self._loaded:
                return "ready"
            building = self._building.get(key)
        return "loading" if building is not None and building.locked() else "cold"

    @staticmethod
    def _key(version: Version) -> Any:
        # With the checksum, since a run that still trains replaces its own version after a better epoch.
        return version.reference, version.record.get("sha256")


def _load(spec: ModelSpec, version: Version, registered: Callable[[], Snapshot]) -> Runner:
    with explained(f"{version.name}:{version.variant}", "be loaded"):
        runner = make_runner(spec, version, registered)
        try:
            runner.warm()
        except BaseException:
            runner.close()
            raise
        return runner


def _close(loaded: Loaded) -> None:
    try:
        loaded.runner.close()
    except Exception:
        logger.exception("The runner of %s did not close", loaded.version.reference)
