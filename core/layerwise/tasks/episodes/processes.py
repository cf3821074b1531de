"""Environments side by side in several processes: an emulator keeps a processor busy, and Python's lock with it."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import LayerwiseError
from layerwise.hardware.environment import cores
from layerwise.tasks.episodes.environments import Environments, Step

if TYPE_CHECKING:
    import gymnasium

    from layerwise.tasks.episodes.environments import Episode

PATIENCE = 10
"""Seconds that a process has to end."""
BY_ENVIRONMENT = ("observations", "totals", "lengths")
"""What a state holds of all environments in one array."""


def side_by_side(
    makers: Sequence[Callable[[], gymnasium.Env]], seed: int, processes: int
) -> Environments | EnvironmentProcesses:
    """Environments in this process, or in several. What happens in them is the same.

    Args:
        makers, seed: As `Environments` takes them.
        processes: How many, at most; no more than there are processor cores and environments.

    Raises:
        LayerwiseError: The processes cannot make them.
    """
    processes = min(processes, cores(), len(makers))
    return EnvironmentProcesses(makers, seed, processes) if processes > 1 else Environments(makers, seed)


class EnvironmentProcesses:
    """As `Environments`, each of whose processes has a part of them.

    Args:
        makers: A function for each that makes it, which other processes can import.
        seed: As `Environments` takes it.
        processes: How many.

    Raises:
        LayerwiseError: A process cannot make its environments.
    """

    def __init__(self, makers: Sequence[Callable[[], gymnasium.Env]], seed: int, processes: int) -> None:
        # A process that is forked would have the threads' locks of a network's library, held for ever.
        context = multiprocessing.get_context("spawn")
        self._count = len(makers)
        parts = [part for part in np.array_split(np.arange(self._count), processes) if len(part)]
        self._slices = [slice(int(part[0]), int(part[-1]) + 1) for part in parts]
        self._connections: list[Connection] = []
        self._processes: list[Any] = []
        try:
            for part in self._slices:
                connection, other = context.Pipe()
                arguments = (other, list(makers[part]), seed, part.start)
                process = context.Process(target=_serve, args=arguments, daemon=True, name="layerwise-environments")
                self._connections.append(connection)
                process.start()
                self._processes.append(process)
                other.close()
            begun = self._received()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self.close()
            raise LayerwiseError(
                "The environments cannot be made in other processes",
                received=str(error),
                remedy="set processes to 1",
            ) from None
        except BaseException:
            self.close()
            raise
        self.keeps_state, self.action_space = begun[0]

    def __len__(self) -> int:
        return self._count

    def step(self, actions: Sequence[Any] | np.ndarray) -> Step:
        """Do an action in each."""
        steps = self._asked("step", *((actions[part],) for part in self._slices))
        rewards, terminated, truncated = (
            np.concatenate([getattr(step, name) for step in steps]) for name in ("rewards", "terminated", "truncated")
        )
        last = functools.reduce(lambda one, other: one | other, (step.last for step in steps))
        return Step(rewards, terminated, truncated, last)

    def state(self) -> dict[str, np.ndarray]:
        """All that decides how they go on; empty where they cannot tell."""
        parts = self._asked("state", *(() for _ in self._slices))
        if not self.keeps_state:
            return {}
        own = {name: array for part in parts for name, array in part.items() if name not in BY_ENVIRONMENT}
        return own | {name: np.concatenate([part[name] for part in parts]) for name in BY_ENVIRONMENT}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave, in so many processes or others."""
        self._asked("restore", *((dict(state),) for _ in self._slices))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()

    def _asked(self, method: str, *arguments: tuple[Any, ...]) -> list[Any]:
        """What a method gives in each process, called in all at once with the arguments for each."""
        for connection, some in zip(self._connections, arguments, strict=True):
            with contextlib.suppress(BrokenPipeError):  # said when its answer does not come
                connection.send((method, some))
        return self._received()

    def _received(self) -> list[Any]:
        found: list[Any] = []
        observations: list[np.ndarray] = []
        self.ended: list[Episode] = []
        for connection in self._connections:
            try:
                failure, answer, observed, ended = connection.recv()
            except (EOFError, ConnectionError):
                raise LayerwiseError(
                    "A process with environments has ended",
                    expected="that it goes on as long as the training",
                    remedy="look for its reason above, such as too little memory; or set processes to 1",
                ) from None
            if failure:
                raise LayerwiseError("An environment has failed", received=failure)
            found.append(answer)
            observations.append(observed)
            self.ended += ended
        self.observations = np.concatenate(observations)
        return found


def _serve(connection: Connection, makers: list[Callable[[], gymnasium.Env]], seed: int, first: int) -> None:
    """A process with some of the environments, until whoever started it has closed the connection or is gone."""
    # A stop from the keyboard is for whoever started it, who goes on to the end of a round.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            environments = Environments(makers, seed, first)
            answer: Any = (environments.keeps_state, environments.action_space)
            while True:
                connection.send(("", answer, environments.observations, environments.ended))
                method, arguments = connection.recv()
                answer = getattr(environments, method)(*arguments)
        except (EOFError, ConnectionError):
            raise
        except Exception:  # an environment is anybody's code
            connection.send((traceback.format_exc(), None, None, None))
