"""Runners in memory: each version loaded once, and closed when nobody uses it any more.

A runner is counted by those who use it (the slot of its model, requests, sessions), so that a request that began
with one version ends with it, whatever is promoted meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.runner import Runner, make_runner
from layerwise.specs import ModelSpec
from layerwise.versions import Version
from layerwise.workers.memory import own_memory

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.workers.pool import Workers

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
    """A runner in memory, with the number of those who use it, when somebody did last (`used_at`, by the monotonic
    clock) and how many bytes it takes, about (`bytes`)."""

    def __init__(self, spec: ModelSpec, version: Version, runner: Runner, key: Any = None, num_bytes: int = 0) -> None:
        self.spec, self.version, self.runner, self.key, self.bytes = spec, version, runner, key, num_bytes
        self.users = 1
        self.used_at = time.monotonic()


class Runners:
    """The runners in memory, one for each version. Loading one blocks only those who wait for the same.

    Args:
        registered: What is registered whenever it is asked.
        workers: Where strangers' models answer; None for this process, as those that are built in.
        make_room: Called before a model is loaded with about how many bytes it needs, and afterwards with what was
            loaded.
    """

    def __init__(
        self,
        registered: Callable[[], Snapshot],
        workers: Workers | None = None,
        make_room: Callable[[int, Loaded | None], None] = lambda *_: None,
    ) -> None:
        self._registered, self._workers, self._make_room = registered, workers, make_room
        self._lock = threading.Lock()
        self._loaded: dict[Any, Loaded] = {}
        self._building: dict[Any, threading.Lock] = {}

    def isolates(self, spec: ModelSpec) -> bool:
        """Whether a model answers in a process of its own."""
        return self._workers is not None and self._workers.isolates(spec)

    def get(self, spec: ModelSpec, version: Version, *, in_process: bool = False) -> Loaded:
        """The runner of `version`, loaded and warm; the caller releases it.

        Args:
            in_process: Whether it shall be in this process in any case.

        Raises:
            LayerwiseError: It cannot be loaded.
        """
        workers = self._workers if not in_process and self.isolates(spec) else None
        key = self._key(version, workers is not None)
        with self._lock:
            building = self._building.setdefault(key, threading.Lock())
        with building:
            with self._lock:
                loaded = self._loaded.get(key)
                if loaded is not None and loaded.spec == spec:
                    loaded.users += 1
                    loaded.used_at = time.monotonic()
                    return loaded
            self._make_room(_size_of(version.folder), None)
            # What the backend itself takes, which the first model brings, does not go with that model.
            before = own_memory() if "keras" in sys.modules else None
            runner = self._load(spec, version, workers)
            grown = 0 if before is None else own_memory() - before
            taken = max(runner.memory() or grown, _size_of_parameters(runner))
            loaded = Loaded(spec, version, runner, key, taken)
            with self._lock:
                self._loaded[key] = loaded
        self._make_room(0, loaded)
        return loaded

    def hold(self, loaded: Loaded) -> bool:
        """Use `loaded` once more; False when it has been closed."""
        with self._lock:
            if loaded.users == 0:
                return False
            loaded.users += 1
            loaded.used_at = time.monotonic()
            return True

    def release(self, loaded: Loaded) -> None:
        """Use `loaded` once less, and close it when nobody uses it any more."""
        with self._lock:
            loaded.users -= 1
            loaded.used_at = time.monotonic()
            if loaded.users:
                return
            if self._loaded.get(loaded.key) is loaded:
                del self._loaded[loaded.key]
                self._building.pop(loaded.key, None)
        _close(loaded)

    def all(self) -> list[Loaded]:
        """Every runner in memory."""
        with self._lock:
            return list(self._loaded.values())

    def state(self, spec: ModelSpec, version: Version) -> str:
        """cold, loading or ready."""
        key = self._key(version, self.isolates(spec))
        with self._lock:
            if key in self._loaded:
                return "ready"
            building = self._building.get(key)
        return "loading" if building is not None and building.locked() else "cold"

    def _load(self, spec: ModelSpec, version: Version, workers: Workers | None) -> Runner:
        with explained(f"{version.name}:{version.variant}", "be loaded"):
            if workers is not None:
                return workers.runner(spec, version)
            runner = make_runner(spec, version, self._registered)
            try:
                runner.warm()
            except BaseException:
                runner.close()
                raise
            return runner

    @staticmethod
    def _key(version: Version, is_isolated: bool) -> Any:
        # With the checksum, since a run that still trains replaces its own version after a better epoch.
        return version.reference, version.record.get("sha256"), is_isolated


def _close(loaded: Loaded) -> None:
    try:
        loaded.runner.close()
    except Exception:
        logger.exception("The runner of %s did not close", loaded.version.reference)


def _size_of(folder: Path) -> int:
    """The bytes of the files of a version."""
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return 0


def _size_of_parameters(runner: Runner) -> int:
    """The bytes of the parameters of its network, as far as it shows one."""
    try:
        return sum(math.prod(weight.shape) * _width(weight.dtype) for weight in runner.model.weights)
    except (AttributeError, TypeError, ValueError):  # no network, or not one of Keras
        return 0


def _width(dtype: str) -> int:
    """The bytes of a number: 2 of "bfloat16"."""
    digits = "".join(filter(str.isdigit, str(dtype)))
    return max(1, int(digits or 8) // 8)
