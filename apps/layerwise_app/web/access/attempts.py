"""How often somebody may try: growing delays after wrong passwords, and a number of requests each second."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_KNOWN = 20_000
"""How many are remembered; those who were seen last."""


@dataclass(frozen=True)
class Delays:
    """How long to wait after failures.

    Args:
        free: How many failures cost nothing.
        longest: Seconds, to which a delay grows by doubling from one.
        forgotten: Seconds after which failures are.
    """

    free: int
    longest: float
    forgotten: float = 3600.0

    def after(self, failures: int) -> float:
        """Seconds to wait after that many."""
        return 0.0 if failures < self.free else min(2.0 ** (failures - self.free), self.longest)


PAIR = Delays(free=5, longest=15 * 60.0)
"""For one name from one address: somebody guesses a password."""
ADDRESS = Delays(free=50, longest=5 * 60.0)
"""For one address, where a whole school may be: somebody guesses names."""
NAME = Delays(free=50, longest=60.0)
"""For one name from everywhere: short, or anybody could keep its owner out."""


class Attempts:
    """Failures to sign in, and when the next try counts.

    Args:
        clock: Seconds that only grow, so that a changed clock frees nobody.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next try counts, 0.0 for now."""
        with self._lock:
            return max(self._left(key, delays) for key, delays in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        """A password was wrong, or there is no such account."""
        with self._lock:
            now = self._clock()
            for key, delays in _keys(name, address):
                count, last = self._failures.pop(key, (0, now))
                self._failures[key] = (1 if now - last > delays.forgotten else count + 1, now)
            while len(self._failures) > MOST_KNOWN:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """A password was right. What the address did with other names is not forgotten."""
        with self._lock:
            self._failures.pop((name, address), None)

    def _left(self, key: Hashable, delays: Delays) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        past = self._clock() - last
        return 0.0 if past > delays.forgotten else max(0.0, delays.after(count) - past)


def _keys(name: str, address: str) -> tuple[tuple[Hashable, Delays], ...]:
    return ((name, address), PAIR), (("", address), ADDRESS), ((name, ""), NAME)


class Rates:
    """How many requests somebody may make: a bucket of tokens that fills as time goes by.

    Args:
        per_second: How fast it fills.
        burst: How many it holds.
        clock: Seconds that only grow.
    """

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst = per_second, burst
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, key: Hashable) -> float:
        """Count a request. Returns the seconds until the next one would be taken, 0.0 when this one is."""
        with self._lock:
            now = self._clock()
            left, last = self._buckets.pop(key, (self.burst, now))
            left = min(self.burst, left + (now - last) * self.per_second)
            is_taken = left >= 1.0
            self._buckets[key] = (left - 1.0 if is_taken else left, now)
            while len(self._buckets) > MOST_KNOWN:
                self._buckets.popitem(last=False)
        return 0.0 if is_taken else (1.0 - left) / self.per_second
