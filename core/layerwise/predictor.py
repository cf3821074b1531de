"""The predictor: a model's name and an input go in, an answer comes out.

It is the only way from a front end to a model. Front ends see names, inputs and answers; whether behind a name
there is a network, a search or another process is the business of its Runner.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.errors import InputError, LayerwiseError
from layerwise.loading import Loaded, Runners, explained
from layerwise.runner import last_answer
from layerwise.serving import Slot, find_version
from layerwise.tasks.base import Answer, Field, Task
from layerwise.versions import Reference, Version, VersionStore, parse_reference

if TYPE_CHECKING:
    from layerwise.registry import Registry
    from layerwise.specs import ModelSpec

logger = logging.getLogger(__name__)

KEPT_VERSIONS = 4
"""How many versions that were asked for by their id stay in memory when they are not the ones in use."""


class Predictor:
    """Answers with any registered model. Thread-safe; models are loaded at their first request.

    A model is named as `layerwise.versions.Reference` writes it: "vision/fashion" is the default variant in the
    version in use, "vision/fashion:dense@RUN" another variant in the version that a run made.

    Args:
        registry: Where models are looked up, anew at each request.
        versions: Where their weights are.

    Example:
        >>> predictor.predict("vision/fashion", {"image": "shoe.png"})  # doctest: +SKIP
        {'label': {'Sneaker': 0.97, 'Sandal': 0.02, ...}}
    """

    def __init__(self, registry: Registry, versions: VersionStore) -> None:
        self._registry, self._versions = registry, versions
        self._runners = Runners(registry.snapshot)
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str], Slot] = {}
        self._sessions: dict[tuple[str, Reference], Loaded] = {}
        self._kept: deque[Loaded] = deque()
        self._is_closed = False

    def predict(self, reference: str | Reference, inputs: Any, session: str | None = None) -> Answer:
        """The whole answer to one input.

        Args:
            reference: The model.
            inputs: A value for each input field of its task; for a task that needs one input also that value itself.
            session: Names the conversation, game or visitor that the input belongs to.

        Raises:
            NotFoundError: There is no such model, variant or version.
            InputError: The input cannot be used.
            LayerwiseError: The model cannot be loaded, or failed.
        """
        with self.using(reference, session) as loaded, _explained_answer(loaded):
            inputs = named_inputs(loaded.version, inputs)
            return last_answer(loaded.runner.run(inputs, session, threading.Event()))

    def predict_batch(self, reference: str | Reference, batch: Sequence[Any]) -> list[Answer]:
        """The answers to several inputs, computed together where the model can.

        Raises:
            LayerwiseError: As for `predict`.
        """
        with self.using(reference) as loaded, _explained_answer(loaded):
            return loaded.runner.run_batch([named_inputs(loaded.version, inputs) for inputs in batch])

    def stream(
        self,
        reference: str | Reference,
        inputs: Any,
        session: str | None = None,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Answer]:
        """Answers to one input as they become better, the last one whole; one for a model that does not stream.

        Closing the iterator cancels the work. So does setting `cancelled`, which can be done from another
        thread while the iterator waits for the model.

        Raises:
            NotFoundError: At once, when there is no such model or variant.
            LayerwiseError: While iterating, as for `predict`.
        """
        self._find(reference)
        return self._stream(reference, inputs, session, cancelled or threading.Event())

    def _stream(
        self, reference: str | Reference, inputs: Any, session: str | None, cancelled: threading.Event
    ) -> Iterator[Answer]:
        with self.using(reference, session) as loaded, _explained_answer(loaded):
            result = loaded.runner.run(named_inputs(loaded.version, inputs), session, cancelled)
            if isinstance(result, Mapping):
                yield result
                return
            partials = iter(result)
            try:
                while (partial := next(partials, None)) is not None:
                    yield partial
            except GeneratorExit:
                # Before the runner's own generator is closed, which may wait for a thread that looks at it.
                cancelled.set()
                raise
            finally:
                if isinstance(partials, Generator):
                    partials.close()

    def warm(self, reference: str | Reference) -> None:
        """Load a model in the background. Returns at once; what fails is in `warnings`.

        Raises:
            NotFoundError: There is no such model or variant.
        """
        spec, found = self._find(reference)
        if found.version is None:
            self._slot(found).begin(spec)
        else:
            threading.Thread(target=self._warm, args=(found,), name=f"load {found}", daemon=True).start()

    def _warm(self, reference: Reference) -> None:
        try:
            with self.using(reference):
                pass
        except LayerwiseError as error:
            logger.warning("%s", error)

    def state(self, reference: str | Reference) -> str:
        """ "cold", "loading" or "ready": whether the next request has to wait.

        Raises:
            NotFoundError: There is no such model, variant or version.
        """
        spec, found = self._find(reference)
        if found.version is None:
            return self._slot(found).state
        return self._runners.state(find_version(self._versions, spec, found.variant, found.version))

    def states(self) -> dict[str, str]:
        """The state of every variant of every registered model, by "name:variant"."""
        return {
            f"{spec.name}:{variant.name}": self.state(Reference(spec.name, variant.name))
            for spec in self._registry.snapshot().models.values()
            for variant in spec.variants
        }

    def warnings(self, reference: str | Reference) -> tuple[str, ...]:
        """What the reader should know of the model's state: that the promoted weights cannot be used and
        which version answers instead. Empty when all is well.

        Raises:
            NotFoundError: There is no such model or variant.
        """
        _, found = self._find(reference)
        return self._slot(found).warnings if found.version is None else ()

    def version(self, reference: str | Reference) -> Version:
        """The version that answers, found without loading it.

        Raises:
            NotFoundError: There is no such model, variant or version.
            WeightsError: Its record is unreadable, and there is no former one in memory.
        """
        spec, found = self._find(reference)
        if found.version is not None:
            return find_version(self._versions, spec, found.variant, found.version)
        return self._slot(found).version(spec)

    @contextlib.contextmanager
    def using(self, reference: str | Reference, session: str | None = None) -> Iterator[Loaded]:
        """The runner that answers, in memory and held for as long as the context lasts.

        Raises:
            LayerwiseError: As for `predict`.
        """
        loaded = self._hold(reference, session)
        try:
            yield loaded
        finally:
            self._runners.release(loaded)

    def end_session(self, session: str) -> None:
        """Forget what any model remembers of a session."""
        with self._lock:
            keys = [key for key in self._sessions if key[0] == session]
            held = [self._sessions.pop(key) for key in keys]
        for loaded in {*held, *self._runners.all()}:
            try:
                loaded.runner.end_session(session)
            except Exception:  # whoever left cannot be told
                logger.exception("%s did not end the session", loaded.version.reference)
        for loaded in held:
            self._runners.release(loaded)

    def close(self) -> None:
        """Close every runner as soon as nobody uses it. Requests that come later are refused."""
        with self._lock:
            self._is_closed = True
            held = [*self._sessions.values(), *self._kept]
            self._sessions.clear()
            self._kept.clear()
            slots = list(self._slots.values())
        for slot in slots:
            slot.close()
        for loaded in held:
            self._runners.release(loaded)

    def _find(self, reference: str | Reference) -> tuple[ModelSpec, Reference]:
        """The model, and the reference with its variant filled in."""
        if self._is_closed:
            raise LayerwiseError("The predictor has been closed", remedy="open the workspace again")
        parsed = parse_reference(reference)
        spec = self._registry.snapshot().model(parsed.name)
        return spec, Reference(parsed.name, spec.variant(parsed.variant).name, parsed.version)

    def _slot(self, reference: Reference) -> Slot:
        key = (reference.name, str(reference.variant))
        with self._lock:
            if key not in self._slots:
                self._slots[key] = Slot(self._runners, self._versions, *key)
            return self._slots[key]

    def _hold(self, reference: str | Reference, session: str | None) -> Loaded:
        spec, found = self._find(reference)
        if session is not None:
            with self._lock:
                begun_with = self._sessions.get((session, found))
                if begun_with is not None and self._runners.hold(begun_with):
                    return begun_with
        if found.version is None:
            loaded = self._slot(found).hold(spec)
        else:
            loaded = self._runners.get(spec, find_version(self._versions, spec, found.variant, found.version))
            self._keep(loaded)
        if session is not None and loaded.runner.stateful:
            with self._lock:
                if (session, found) not in self._sessions and self._runners.hold(loaded):
                    self._sessions[session, found] = loaded
        return loaded

    def _keep(self, loaded: Loaded) -> None:
        """Hold a version asked for by its id a little longer than its request."""
        with self._lock:
            if loaded in self._kept:
                self._kept.remove(loaded)
                unused = None
            else:
                self._runners.hold(loaded)
                unused = self._kept.popleft() if len(self._kept) == KEPT_VERSIONS else None
            self._kept.append(loaded)
        if unused is not None:
            self._runners.release(unused)


def named_inputs(version: Version, inputs: Any) -> Mapping[str, Any]:
    """The inputs of one request by the names of the task's input fields, checked, with defaults for what is left out.

    Args:
        version: The version that is to answer.
        inputs: A mapping of them; or, for a task that needs one input, the value itself.

    Raises:
        InputError: One is missing or out of range, or there is one that the task does not have.
    """
    task: Task = version.task
    fields = task.inputs
    required = [field for field in fields if not field.optional]
    if len(required) == 1 and _is_bare_value(required[0], inputs):
        inputs = {required[0].name: inputs}
    names = ", ".join(field.name for field in fields)
    if not isinstance(inputs, Mapping):
        raise InputError(f"{version.name} needs its inputs by name", expected=names, received=type(inputs).__name__)
    missing = [field.name for field in fields if not field.optional and inputs.get(field.name) is None]
    unknown = sorted(map(str, inputs.keys() - {field.name for field in fields}))
    if missing or unknown:
        raise InputError(
            f"{version.name} cannot use these inputs",
            expected=names,
            received=", ".join(map(str, inputs)) or "nothing",
            remedy=f"give {', '.join(missing)}" if missing else f"leave out {', '.join(unknown)}",
        )
    values = {field.name: field.value(inputs.get(field.name)) for field in fields}
    return {name: value for name, value in values.items() if value is not None}


def _is_bare_value(field: Field, inputs: Any) -> bool:
    # The value of a table is a mapping itself, of its columns.
    return not isinstance(inputs, Mapping) or (field.kind in ("table", "json") and field.name not in inputs)


def _explained_answer(loaded: Loaded) -> contextlib.AbstractContextManager[None]:
    return explained(f"{loaded.version.name}:{loaded.version.variant}", "answer")
