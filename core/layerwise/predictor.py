"""The predictor: a model's name and an input go in, an answer comes out.

It is the only way from a front end to a model. Front ends see names, inputs and answers; whether behind a name
there is a network, a search or another process is the business of its Runner.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.runner import last_answer
from layerwise.serving.answer_cache import AnswerCache, digest_of, most_bytes
from layerwise.serving.gates import Gate, most_at_once, most_waiting
from layerwise.serving.in_use import Slot, find_version
from layerwise.serving.loading import Loaded, Runners, explained
from layerwise.serving.named_inputs import named_inputs
from layerwise.serving.sessions import Sessions
from layerwise.serving.warm_pool import WarmPool, budget
from layerwise.serving.watchdog import Watchdog
from layerwise.specs import KERAS
from layerwise.tasks.base import Answer
from layerwise.versions import Reference, Version, VersionStore, parse_reference

if TYPE_CHECKING:
    from layerwise.registry import Registry
    from layerwise.snapshot import Snapshot
    from layerwise.specs import ModelSpec
    from layerwise.workers.pool import Workers

logger = logging.getLogger(__name__)

KEPT_VERSIONS = 4
"""How many versions that were asked for by their id stay in memory when they are not the ones in use."""

Listener = Callable[[Reference, float, BaseException | None], None]
"""Told of each request to a model when it has ended: which model, how many seconds it took, what it failed by."""


class Predictor:
    """Answers with any registered model. Thread-safe; models are loaded at their first request.

    A model is named as `layerwise.versions.Reference` writes it: "vision/fashion" is the default variant in the
    version in use, "vision/fashion:dense@RUN" another variant in the version that a run made.

    Args:
        registry: Where models are looked up, anew at each request.
        versions: Where their weights are.
        workers: Where the models of plugins answer that are not built in; None for this process.

    Attributes:
        listeners: Those who are told of each request, such as metrics.

    Example:
        >>> predictor.predict("vision/fashion", {"image": "shoe.png"})  # doctest: +SKIP
        {'label': {'Sneaker': 0.97, 'Sandal': 0.02, ...}}
    """

    def __init__(self, registry: Registry, versions: VersionStore, workers: Workers | None = None) -> None:
        self._registry, self._versions, self._workers = registry, versions, workers
        self._runners = Runners(registry.snapshot, workers, self._make_room)
        self._pool = WarmPool(budget(), self._runners.all, self._unload)
        self._watchdog = Watchdog()
        self._answers = AnswerCache(most_bytes())
        self._most_waiting = most_waiting()
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str], Slot] = {}
        self._gates: dict[str, Gate] = {}
        self._sessions = Sessions(self._runners)
        self._kept: deque[Loaded] = deque()
        self._is_closed = False
        self.listeners: list[Listener] = []

    def predict(
        self, reference: str | Reference, inputs: Any, session: str | None = None, *, fresh: bool = False
    ) -> Answer:
        """The whole answer to one input.

        Args:
            reference: The model.
            inputs: A value for each input field of its task; for a task that needs at most one also that value itself.
            session: Names the conversation, game or visitor that the input belongs to.
            fresh: Computed anew, also where the answer is known, as who measures its time needs it.

        Raises:
            NotFoundError: There is no such model, variant or version.
            InputError: The input cannot be used.
            LayerwiseError: The model cannot be loaded, or failed.
        """
        return last_answer(self._stream(reference, inputs, session, threading.Event(), fresh=fresh))

    def predict_batch(self, reference: str | Reference, batch: Sequence[Any]) -> list[Answer]:
        """The answers to several inputs, computed together where the model can.

        Raises:
            LayerwiseError: As for `predict`.
        """
        with self.using(reference) as loaded, _explained_answer(loaded), self._gate(loaded).entered():
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

    def position(self, reference: str | Reference) -> int:
        """Which of those who wait for a model somebody would be who asked it now; 0 for one who would not wait.

        Raises:
            NotFoundError: There is no such model or variant.
        """
        _, found = self._find(reference)
        gate = self._gates.get(f"{found.name}:{found.variant}")
        return 0 if gate is None else gate.position

    def loads(self) -> dict[str, tuple[int, int]]:
        """How many requests each model is answering and how many wait for it, by "name:variant"."""
        with self._lock:
            gates = list(self._gates.values())
        return {gate.name: (gate.num_inside, gate.num_waiting) for gate in gates}

    def memory(self) -> tuple[int, int | None]:
        """The bytes that this process and those of plugins' models have in memory, and how many they may have before
        models are unloaded, None for no limit."""
        return self._pool.used(), self._pool.most

    def _stream(
        self,
        reference: str | Reference,
        inputs: Any,
        session: str | None,
        cancelled: threading.Event,
        *,
        fresh: bool = False,
    ) -> Iterator[Answer]:
        with self.using(reference, session) as loaded, _explained_answer(loaded):
            given = named_inputs(loaded.version, inputs)
            key = None if fresh else self._key_of(loaded, given)
            known = None if key is None else self._answers.get(key)
            if known is not None:
                yield known
                return
            last = None
            with self._gate(loaded).entered(cancelled) as is_inside:
                if is_inside:
                    with contextlib.closing(self._parts(loaded, given, session, cancelled)) as parts:
                        for last in parts:
                            yield last
            if key is not None and last is not None and not cancelled.is_set():
                self._answers.put(key, last)

    def _parts(
        self, loaded: Loaded, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event
    ) -> Generator[Answer]:
        with self._watched(loaded, cancelled) as call:
            result: Answer | Iterator[Answer] = call(loaded.runner.run, inputs, session, cancelled)
            if isinstance(result, Mapping):
                yield result
                return
            partials = iter(result)
            try:
                while (partial := call(next, partials, None)) is not None:
                    yield partial
            except GeneratorExit:
                # Before the runner's own generator is closed, which may wait for a thread that looks at it.
                cancelled.set()
                raise
            finally:
                # One that is late goes on in its thread.
                if isinstance(partials, Generator) and not getattr(partials, "gi_running", False):
                    call(partials.close)

    def _watched(
        self, loaded: Loaded, cancelled: threading.Event
    ) -> contextlib.AbstractContextManager[Callable[..., Any]]:
        """A function that calls others which may not come to an end."""
        if loaded.runner.is_bounded or not self._runners.hold(loaded):
            return contextlib.nullcontext(_called)
        return self._watchdog.watching(_name_of(loaded), cancelled, lambda: self._runners.release(loaded))

    def _gate(self, loaded: Loaded) -> Gate:
        name = _name_of(loaded)
        with self._lock:
            gate = self._gates.get(name)
            if gate is None:
                gate = self._gates[name] = Gate(name, most_inside=1, most_waiting=self._most_waiting)
        gate.set_most_inside(most_at_once(loaded.runner))
        return gate

    def _key_of(self, loaded: Loaded, inputs: Mapping[str, Any]) -> Any:
        """Under what the answer is kept; None when it cannot be given again."""
        if not (self._answers.most and loaded.runner.deterministic and loaded.version.record):
            return None
        digest = digest_of(loaded.version.task.inputs, inputs)
        return None if digest is None else (loaded.key, digest)

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
            with self._held(reference):
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
        return self._runners.state(spec, find_version(self._versions, spec, found.variant, found.version))

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
        """The runner that answers, in memory and held for as long as the context lasts. Whoever listens is told.

        Raises:
            LayerwiseError: As for `predict`.
        """
        with self._told(self._find(reference)[1]), self._held(reference, session) as loaded:
            yield loaded

    @contextlib.contextmanager
    def _told(self, reference: Reference) -> Iterator[None]:
        begin, failure = time.monotonic(), None
        try:
            yield
        except Exception as error:
            failure = error
            raise
        finally:
            for listener in self.listeners:
                listener(reference, time.monotonic() - begin, failure)

    @contextlib.contextmanager
    def _held(self, reference: str | Reference, session: str | None = None) -> Iterator[Loaded]:
        loaded = self._hold(reference, session)
        try:
            yield loaded
        finally:
            self._runners.release(loaded)

    @contextlib.contextmanager
    def looking_inside(self, reference: str | Reference) -> Iterator[Loaded]:
        """The runner of the version that answers, in this very process, for those who need more of it than answers: its
        network, or the episodes that it plays. A model that answers in a process of its own is loaded there first, so
        that what does not survive that is not brought here.

        Raises:
            LayerwiseError: As for `predict`; or it is computed with another framework, which stays in its process.
        """
        spec, _ = self._find(reference)
        if spec.framework != KERAS:
            raise LayerwiseError(
                f"{spec.name} is computed with {spec.framework}, so there are no layers to look into here",
                remedy="look into a model whose network is Keras; layerwise show tells which are",
            )
        with self._held(reference) as answering:
            loaded = self._runners.get(answering.spec, answering.version, in_process=True)
            try:
                yield loaded
            finally:
                self._runners.release(loaded)

    def end_session(self, session: str) -> None:
        """Forget what any model remembers of a session."""
        self._sessions.end(session)

    def keep_only(self, snapshot: Snapshot) -> None:
        """Let go of models that are registered no more, each as soon as nobody uses it. Returns at once."""
        self._answers.clear()
        with self._lock:
            slots = [self._slots.pop(key) for key in list(self._slots) if key[0] not in snapshot.models]
            kept = [loaded for loaded in self._kept if loaded.version.name not in snapshot.models]
            for loaded in kept:
                self._kept.remove(loaded)
        for function, *arguments in [*((slot.close,) for slot in slots), *((self._runners.release, x) for x in kept)]:
            # A runner may take its time to close.
            threading.Thread(target=function, args=arguments, daemon=True).start()

    def close(self) -> None:
        """Close every runner as soon as nobody uses it. Requests that come later are refused."""
        with self._lock:
            self._is_closed = True
            kept = list(self._kept)
            self._kept.clear()
            slots = list(self._slots.values())
        for slot in slots:
            slot.close()
        for loaded in kept:
            self._runners.release(loaded)
        self._sessions.close()
        if self._workers is not None:
            self._workers.close()

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
        if session is not None and (begun_with := self._sessions.hold(session, found)) is not None:
            return begun_with
        if found.version is None:
            loaded = self._slot(found).hold(spec)
        else:
            loaded = self._runners.get(spec, find_version(self._versions, spec, found.variant, found.version))
            self._keep(loaded)
        if session is not None:
            self._sessions.begin(session, found, loaded)
        return loaded

    def _make_room(self, needed: int, keep: Loaded | None) -> None:
        self._pool.make_room(needed, keep)

    def _unload(self, loaded: Loaded) -> bool:
        """Let go of a model that only waits to be asked again; False when somebody uses it."""
        with self._lock:
            slots = [slot for slot in self._slots.values() if slot.loaded is loaded]
            is_kept = loaded in self._kept
            if loaded.users > len(slots) + is_kept:
                return False
            if is_kept:
                self._kept.remove(loaded)
        # Somebody may begin to use it here. Then it lasts until they have done.
        for slot in slots:
            slot.let_go()
        if is_kept:
            self._runners.release(loaded)
        return True

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


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _name_of(loaded: Loaded) -> str:
    return f"{loaded.version.name}:{loaded.version.variant}"


def _explained_answer(loaded: Loaded) -> contextlib.AbstractContextManager[None]:
    return explained(_name_of(loaded), "answer")
