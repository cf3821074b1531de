"""A worker process as seen by those who ask it: started, asked, watched, and ended when it is hung or too large."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwise import processes
from layerwise.errors import LayerwiseError
from layerwise.hardware.environment import thread_variables
from layerwise.quota import in_bytes
from layerwise.workers import stacks
from layerwise.workers.guard import Guard
from layerwise.workers.guardian import VARIABLE, end_tree
from layerwise.workers.limits import Limits
from layerwise.workers.memory import memory_of
from layerwise.workers.messages import LOST, Channel, GarbageError, error_of, packed, unpacked

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How often it is looked at how large a worker is."""
CANCEL_SECONDS = 0.05
"""How soon a worker hears that nobody waits for an answer any more."""
LOOK_AGAIN_SECONDS = 3600.0
EXIT_SECONDS = 2.0
"""What a worker may take to end after it was asked to, or after it let go of its connection."""


_SHARING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""In the environment of a worker, unless it is there already: TensorFlow and JAX would take all of a GPU's memory,
which others need too."""


@dataclass(frozen=True)
class Death:
    """How a worker ended that nobody asked to.

    Args:
        what: What its process did, to be read after "its process": "was killed by a segmentation fault".
        stack: Where its threads were then, as far as that is known.
    """

    what: str
    stack: str = ""


class DiedError(Exception):
    """The worker is gone; `death` says how."""

    def __init__(self, death: Death) -> None:
        super().__init__(death.what)
        self.death = death


class Worker:
    """A worker process. It is being loaded when it is made; `Worker.loaded` waits for it.

    Args:
        plugin: The name of the plugin.
        reference: The version that it answers for, in full.
        home: The home folder that it works in.
        limits: What it may take.
        guard: Ends it when this process is gone.
        died: Called once when it has ended without having been asked to, before anybody who waits hears of it.
        python: The path of the plugin's own Python, if it has one.
    """

    def __init__(
        self,
        plugin: str,
        reference: str,
        home: Path,
        limits: Limits,
        guard: Guard,
        died: Callable[[Death], None],
        python: str | None = None,
    ) -> None:
        self.reference, self.limits = reference, limits
        self.death: Death | None = None
        self._guard, self._died, self._token = guard, died, guard.new_token()
        self._lock = threading.Lock()
        # Who waits for the stacks holds it, so that the file is not closed meanwhile.
        self._stacks_lock = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._numbers = itertools.count(1)
        self._verdict = ""
        self._is_closing, self._is_buried = False, False
        self._is_silent = threading.Event()
        self._buried = threading.Event()
        self._loading = Call(self, 0)
        self._calls[0] = self._loading
        # Closed when the process is buried.
        self._stacks = tempfile.TemporaryFile() if hasattr(signal, "SIGUSR1") else None  # noqa: SIM115
        self._process = self._start(plugin, home, python)
        guard.watch(self._process.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)
        # A plugin is imported there from where it was imported here, unless it has its own Python.
        self.tell(0, packed([] if python else [entry for entry in sys.path if isinstance(entry, str)], ""))
        for work in (self._listen, self._watch):
            threading.Thread(target=work, name=f"{work.__name__[1:]} {reference}", daemon=True).start()

    def _start(self, plugin: str, home: Path, python: str | None) -> subprocess.Popen[bytes]:
        options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        descriptor = ""
        if self._stacks is not None:
            descriptor = str(self._stacks.fileno())
            # A group of its own, so that it can be ended with all that it has started, and Ctrl-C is not for it.
            options |= {"start_new_session": True, "pass_fds": (self._stacks.fileno(),)}
        threads = thread_variables(self.limits.threads) if self.limits.threads else {}
        sharing = {name: value for name, value in (_SHARING | threads).items() if name not in os.environ}
        return processes.start(
            "layerwise.workers.process",
            plugin,
            self.reference,
            descriptor,
            home=home,
            python=python,
            environment={VARIABLE: self._token, **sharing},
            **options,
        )

    def loaded(self) -> bool:
        """Wait until it can be asked. Returns whether its runner is stateful.

        Raises:
            LayerwiseError: What loading it raised.
            DiedError: It did not survive that, or took too long.
        """
        try:
            _, stateful = self._loading.reply(self.limits.loading_seconds, "was not ready")
        finally:
            self._loading.finish()
        return bool(stateful)

    def begin(self, *message: Any) -> Call:
        """Ask it something.

        Raises:
            LayerwiseError: The message holds something that cannot be sent.
            DiedError: It is gone, and was not asked.
        """
        content = packed(message, "The input")
        call = Call(self, next(self._numbers))
        with self._lock:
            is_dying = bool(self._verdict) or self._is_buried
            if not is_dying:
                self._calls[call.number] = call
        if is_dying:
            self._buried.wait()
            raise DiedError(self.death or Death("was ended"))
        self.tell(call.number, content)
        return call

    def tell(self, number: int, content: bytes) -> None:
        """Send it a frame. When it is gone, that is heard where the reply is waited for."""
        with contextlib.suppress(OSError, ValueError):
            self._channel.send(number, content)

    def forget(self, number: int) -> None:
        """Nobody waits for replies of that number any more."""
        with self._lock:
            self._calls.pop(number, None)

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended, and everything that it had started."""
        return self._buried.is_set()

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for a reply."""
        with self._lock:
            return bool(self._calls)

    def end(self, what: str, *, with_stack: bool = False) -> None:
        """Kill it, and everything that it has started.

        Args:
            what: Why, as in `Death`.
            with_stack: Whether to find out first where its threads are.
        """
        with self._lock:
            if self._verdict or self._is_buried:
                return
            self._verdict = what
        if with_stack:
            self._ask_for_stacks()
        self._kill()

    def memory(self) -> int:
        """The bytes that it and what it has started have in memory."""
        return memory_of(self._process.pid)

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """End it, and let its runner close before if that is done within `seconds`."""
        self._is_closing = True
        if not self._is_buried:
            # By a thread: one whose input nobody reads any more would keep this one.
            threading.Thread(target=self.tell, args=(0, packed(("close",), "")), daemon=True).start()
            self._buried.wait(seconds)
            self.end("was ended")
            self._buried.wait(EXIT_SECONDS)

    def _listen(self) -> None:
        try:
            while (frame := self._channel.receive()) is not None:
                number, content = frame
                with self._lock:
                    call = self._calls.get(number)
                if call is not None:
                    call.put(content)
        except GarbageError:
            self.end("sent something that is no answer, and was ended", with_stack=True)
        except OSError:
            pass
        self._is_silent.set()

    def _watch(self) -> None:
        while not self._is_silent.wait(LOOK_SECONDS) and not self._has_exited():
            limit = self.limits.memory
            if limit is not None and memory_of(self._process.pid) > limit:
                self.end(f"used more than {in_bytes(limit)} of memory and was ended", with_stack=True)
            since = self._channel.sending_since
            if since is not None and time.monotonic() - since > self.limits.answer_seconds:
                self.end(f"took no input for {self.limits.answer_seconds:g} s and was ended", with_stack=True)
        end = time.monotonic() + EXIT_SECONDS
        while not self._has_exited() and time.monotonic() < end:
            time.sleep(0.005)
        if not self._has_exited():
            self.end("let go of its connection to Layerwise and was ended")
        self._bury()

    def _has_exited(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        # Without reaping it, so that no other process can have its number as long as something is sent to that.
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def _bury(self) -> None:
        with self._lock:
            self._is_buried = True
        end_tree(self._process.pid, self._token)
        try:
            status = self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:  # the system does not let go of it
            status = -signal.SIGTERM
        self._guard.forget(self._process.pid)
        if not self._is_closing:
            self.death = Death(self._verdict or ending(status), self._stack())
            try:
                self._died(self.death)
            except Exception:
                logger.exception("It is not noted that %s has ended", self.reference)
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        self._buried.set()
        for call in calls:
            call.put(None)
        self._let_go()

    def _let_go(self) -> None:
        if self._stacks is not None:
            with self._stacks_lock:
                self._stacks.close()
        self._channel.close()
        # Still read by a thread where a process that has escaped holds the other end.
        if self._is_silent.wait(EXIT_SECONDS) and self._process.stdout is not None:
            self._process.stdout.close()

    def _kill(self) -> None:
        with self._lock:
            if not self._is_buried:
                end_tree(self._process.pid, self._token)

    def _ask_for_stacks(self) -> None:
        if self._stacks is None:
            return
        with self._stacks_lock:
            with self._lock:
                if self._is_buried:
                    return
                with contextlib.suppress(OSError):
                    os.kill(self._process.pid, signal.SIGUSR1)
            stacks.wait_for(self._stacks)

    def _stack(self) -> str:
        return "" if self._stacks is None else stacks.read(self._stacks)


class Call:
    """Something that a worker was asked, until the last reply.

    Args:
        worker: The worker.
        number: That of the request.
    """

    def __init__(self, worker: Worker, number: int) -> None:
        self.worker, self.number = worker, number
        self._replies: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._is_cancelled = False

    def put(self, content: bytearray | None) -> None:
        """Hand over a reply; None says that the worker is gone."""
        self._replies.put(content)

    def say(self, word: str) -> None:
        """Tell the worker something about this request."""
        self.worker.tell(self.number, packed((word,), ""))

    def reply(self, seconds: float, late: str, cancelled: threading.Event | None = None) -> tuple[Any, ...]:
        """The next reply: its kind, and what belongs to it.

        Args:
            seconds: How long it is waited for, before the worker is ended.
            late: What a worker that is late did not do: "did not answer".
            cancelled: Set when nobody needs it any more; the worker is told so.

        Raises:
            LayerwiseError: What the runner raised.
            DiedError: The worker is gone.
        """
        end = time.monotonic() + seconds
        while True:
            patience = end - time.monotonic()
            if patience <= 0:
                self.worker.end(f"{late} within {seconds:g} s and was ended", with_stack=True)
                end = float("inf")
                continue
            if cancelled is not None and cancelled.is_set():
                self.cancel()
            can_be_cancelled = cancelled is not None and not self._is_cancelled
            try:
                longest = CANCEL_SECONDS if can_be_cancelled else LOOK_AGAIN_SECONDS
                content = self._replies.get(timeout=min(patience, longest))
            except queue.Empty:
                continue
            if content is None:
                raise DiedError(self.worker.death or Death("was ended"))
            try:
                kind, *values = unpacked(content)
            except LayerwiseError:
                self.say("stop")  # of an answer in parts, which would wait to be asked for the next one
                raise
            if kind == "error":
                raise error_of(*values)
            return kind, *values

    def cancel(self) -> None:
        """Tell the worker, once, that nobody needs the answer any more."""
        if not self._is_cancelled:
            self._is_cancelled = True
            self.say("cancel")

    def finish(self) -> None:
        """No further reply is waited for."""
        self.worker.forget(self.number)


def ending(status: int) -> str:
    """What a process did that ended with this status."""
    if status == LOST:
        return "let go of its connection to Layerwise"
    if status >= 0 or sys.platform == "win32":
        return f"ended itself with exit status {status}"
    known = {"SIGSEGV": "a segmentation fault", "SIGBUS": "a bus error", "SIGILL": "an illegal instruction"}
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGABRT":
        return "aborted (SIGABRT)"
    if name == "SIGKILL":
        return "was killed (SIGKILL), by somebody or since the machine's memory ran out"
    return f"was killed by {known.get(name, name)}"
