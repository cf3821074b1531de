"""Which version answers for a model: the one in use, seen to have changed at the next request, swapped only when
the new one could be loaded.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.serving.loading import Loaded, Runners, explained
from layerwise.specs import ModelSpec
from layerwise.versions import GIVEN, Version, VersionStore
from layerwise.weights import RECORD_FILE

logger = logging.getLogger(__name__)

CODE = "code"
"""The id of the version of a model that has no weights at all: its code is everything."""
SWITCH_SECONDS = 10.0
"""How long requests wait for a newly promoted version before the former one answers them meanwhile."""


def find_version(versions: VersionStore, spec: ModelSpec, variant: str | None, identifier: str | None) -> Version:
    """The version with that id, or the one in use when it is None.

    A model that brings its own runner, has nothing to be trained on and no published weights needs none; its version
    is "code".

    Raises:
        NotFoundError: There is none.
        WeightsError: Its record is unreadable.
    """
    needs_weights = (
        spec.runner is None
        or spec.data is not None
        or spec.train is not None
        or spec.variant(variant).published is not None
    )
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
            record={} if chosen.num_parameters is None else {"num_parameters": chosen.num_parameters},
        )


class Slot:
    """What answers for one variant of one model: the runner of its version in use.

    Whether another version was promoted or fetched is seen by looking at two files and a folder at each request.
    Loading runs in a thread of its own; when it fails, the runner that was there goes on, and `warnings` says why.
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

    def let_go(self) -> None:
        """Let go of the runner. Who asks next loads it again."""
        with self._lock:
            loaded, self.loaded = self.loaded, None
        if loaded is not None:
            self.runners.release(loaded)

    def close(self) -> None:
        """Let go of the runner. Nothing is loaded any more."""
        with self._lock:
            self._is_closed = True
        self.let_go()

    def _is_fresh(self, spec: ModelSpec) -> bool:
        if self._spec is not spec:
            if self._spec != spec:
                return False
            self._spec = spec  # made anew by a reload of the plugins, yet the same
        return self._seen == self._look()

    def _look(self) -> Any:
        return self._chosen(), _stamp(self._record)

    def _chosen(self) -> Any:
        """What tells which version is in use from another one."""
        pointer = self.versions.pointer(self.name, self.variant)
        return _stamp(pointer), _stamp(self.versions.fetched(self.name, self.variant))

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
        chosen, record = self._chosen(), None
        self._record = None
        try:
            with explained(f"{self.name}:{self.variant}", "be loaded"):
                version = find_version(self.versions, spec, self.variant, None)
            self._record = version.folder / RECORD_FILE
            record = _stamp(self._record)
            loaded, warnings = self.runners.get(spec, version), ()
        except LayerwiseError as error:
            loaded = self._fallback(spec, error) if former is None or not self.runners.hold(former) else former
            sentence = f"The version of {self.name}:{self.variant} that is promoted cannot be used"
            warnings = (f"{sentence}, so the former one ({loaded.version.id}) goes on serving. {error}",)
            logger.warning("%s", warnings[0])
        with self._lock:
            if self._is_closed:  # which has let go of the former one
                unused = loaded
            else:
                unused, self.loaded, self.warnings = self.loaded, loaded, warnings
                self._spec, self._seen = spec, (chosen, record)
        if unused is not None:
            self.runners.release(unused)

    def _fallback(self, spec: ModelSpec, error: LayerwiseError) -> Loaded:
        """The last version in use before the present one that can be loaded; raises `error` for none."""
        try:
            history = self.versions.history(self.name, self.variant)
        except LayerwiseError:
            history = []
        for identifier in [*reversed(history), *GIVEN]:
            try:
                return self.runners.get(spec, self.versions.get(spec, self.variant, identifier))
            except LayerwiseError:
                continue
        raise error


def _stamp(path: Path | None) -> Any:
    """What tells one state of a file or a folder from another without reading it."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
