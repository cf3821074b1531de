"""What is in memory to answer with: runners, each loaded once, swapped when another version is promoted.

A runner is counted by those who use it (the slot of its model, requests, sessions) and closed when the last of
them lets go, so that a request that began with one version ends with it, whatever is promoted meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.runner import Runner, make_runner
from layerwise.specs import ModelSpec
from layerwise.versions import SHIPPED, Version, VersionStore
from layerwise.weights import RECORD_FILE

logger = logging.getLogger(__name__)

CODE = "code"
"""The id of the version of a model that has no weights at all: its code is everything."""
SWITCH_SECONDS = 10.0
"""How long requests wait for a newly promoted version before the former one answers them meanwhile."""


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
        lines = str(error).strip().splitlines()
        raise LayerwiseError(
            f"{reference} could not {doing} because of a mistake in its code",
            received=f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__,
            remedy="report it to the author of its plugin; the log has the details",
        ) from error


def find_version(versions: VersionStore, spec: ModelSpec, variant: str | None, identifier: str | None) -> Version:
    """The version with that id, or the one in use when it is None.

    A model that brings its own runner and has nothing to be trained on needs no weights; its version is "code".

    Raises:
        NotFoundError: There is none.
        WeightsError: Its record is unreadable.
    """
    needs_weights = spec.runner is None or spec.data is not None or spec.train is not None
    try:
        if identifier not in (None, CODE):
            return versions.get(spec, variant, identifier)
        return versions.current(spec, variant)
    except NotFoundError:
        if needs_weights or identifier not in (None, CODE):
            raise
        chosen = spec.variant(variant)
        return Version(
            name=spec.name,
            variant=chosen.name,
            id=CODE,
            folder=versions.home / "models" / spec.name / chosen.name,
            task=spec.task,
            config=chosen.config,
            record={},
        )


class Loaded:
    """A runner in memory, with the number of those who use it."""

    def __init__(self, spec: ModelSpec, version: Version, runner: Runner) -> None:
        self.spec, self.version, self.runner = spec, version, runner
        self.users = 1


class Runners:
    """The runners in memory, one for each version. Loading one blocks only those who wait for the same."""

    def __init__(self) -> None:
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
            loaded = Loaded(spec, version, _load(spec, version))
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


def _load(spec: ModelSpec, version: Version) -> Runner:
    with explained(f"{version.name}:{version.variant}", "be loaded"):
        runner = make_runner(spec, version)
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


class Slot:
    """What answers for one variant of one model: the runner of its version in use.

    Whether another version was promoted is seen by looking at two files at each request. Loading runs in a
    thread of its own; when it fails, the runner that was there goes on, and `warnings` says why.
    """

    def __init__(self, runners: Runners, versions: VersionStore, name: str, variant: str) -> None:
        self.runners, self.versions, self.name, self.variant = runners, versions, name, variant
        self.loaded: Loaded | None = None
        self.warnings: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._spec: ModelSpec | None = None
        self._seen: Any = None
        self._record: Path | None = None
        self._loading: Future[None] | None = None
        self._began = 0.0
        self._is_closed = False

    def hold(self, spec: ModelSpec) -> Loaded:
        """The runner that answers now, loaded if need be; the caller releases it.

        Raises:
            LayerwiseError: No version of the model can be loaded.
        """
        while True:
            former = self.loaded
            if former is not None and self._is_fresh(spec):
                if self.runners.hold(former):
                    return former
                continue  # replaced in between
            loading = self.begin(spec)
            if former is None:
                loading.result()
                continue
            try:
                loading.result(max(0.0, self._began + SWITCH_SECONDS - time.monotonic()))
            except TimeoutError:
                if self.runners.hold(former):
                    return former

    def begin(self, spec: ModelSpec) -> Future[None]:
        """Load the version in use in the background, unless that is being done already."""
        with self._lock:
            if self._is_closed:
                raise LayerwiseError("The predictor has been closed", remedy="open the workspace again")
            if self._loading is None or self._loading.done():
                self._loading, self._began = Future(), time.monotonic()
                name = f"load {self.name}:{self.variant}"
                threading.Thread(target=self._run, args=(spec, self._loading), name=name, daemon=True).start()
            return self._loading

    def version(self, spec: ModelSpec) -> Version:
        """The version that answers, or that will when its weights can be used."""
        loaded = self.loaded
        if loaded is not None and self._is_fresh(spec):
            return loaded.version
        try:
            return find_version(self.versions, spec, self.variant, None)
        except LayerwiseError:
            if loaded is None:
                raise
            return loaded.version

    @property
    def state(self) -> str:
        """cold, loading or ready."""
        if self.loaded is not None:
            return "ready"
        loading = self._loading
        return "loading" if loading is not None and not loading.done() else "cold"

    def close(self) -> None:
        """Let go of the runner. Nothing is loaded any more."""
        with self._lock:
            self._is_closed, loaded, self.loaded = True, self.loaded, None
        if loaded is not None:
            self.runners.release(loaded)

    def _is_fresh(self, spec: ModelSpec) -> bool:
        if self._spec is not spec:
            if self._spec != spec:
                return False
            self._spec = spec  # made anew by a reload of the plugins, yet the same
        return self._seen == self._look()

    def _look(self) -> Any:
        return _stamp(self.versions.pointer(self.name, self.variant)), _stamp(self._record)

    def _run(self, spec: ModelSpec, loading: Future[None]) -> None:
        try:
            self._replace(spec)
        except BaseException as error:
            self.warnings = (str(error),)
            logger.warning("%s", error)
            loading.set_exception(error)
        else:
            loading.set_result(None)

    def _replace(self, spec: ModelSpec) -> None:
        former = self.loaded
        # Looked at before anything is read, so that a change meanwhile is seen at the next request.
        pointer, record = _stamp(self.versions.pointer(self.name, self.variant)), None
        self._record = None
        try:
            with explained(f"{self.name}:{self.variant}", "be loaded"):
                version = find_version(self.versions, spec, self.variant, None)
            self._record = version.folder / RECORD_FILE
            record = _stamp(self._record)
            loaded, warnings = self.runners.get(spec, version), ()
        except LayerwiseError as error:
            if former is not None and self.runners.hold(former):
                loaded = former
            else:
                loaded = self._fallback(spec, error)
            warnings = (
                f"The promoted version of {self.name}:{self.variant} cannot be used, so the former one "
                f"({loaded.version.id}) goes on serving. {error}",
            )
            logger.warning("%s", warnings[0])
        with self._lock:
            if self._is_closed:  # which has let go of the former one
                unused = loaded
            else:
                unused, self.loaded, self.warnings = former, loaded, warnings
                self._spec, self._seen = spec, (pointer, record)
        if unused is not None:
            self.runners.release(unused)

    def _fallback(self, spec: ModelSpec, error: LayerwiseError) -> Loaded:
        """The last version in use before the present one that can be loaded; raises `error` for none."""
        try:
            history = self.versions.history(self.name, self.variant)
        except LayerwiseError:
            history = []
        for identifier in [*reversed(history), SHIPPED]:
            try:
                return self.runners.get(spec, self.versions.get(spec, self.variant, identifier))
            except LayerwiseError:
                continue
        raise error


def _stamp(path: Path | None) -> Any:
    """What tells one state of a file from another without reading it."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
