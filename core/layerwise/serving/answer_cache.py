"""Answers that were given already, for models that answer the same to the same: a class of thirty that clicks on the
same example asks the network once.

    LAYERWISE_ANSWER_CACHE   how many bytes of answers are kept: 32M; 0 keeps none

Answers that were asked for twice are kept longer than those that were asked for once, so that many questions of their
own do not drive out the examples that everybody tries.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerwise.tasks.base import Answer
from layerwise.tasks.fields import FILE_KINDS, Field
from layerwise.variables import size

MOST_BYTES = 32 * 2**20
LARGEST_INPUT = 8 * 2**20
"""Inputs of more bytes are not looked up."""
_PROTECTED_SHARE = 0.8
"""Of the bytes, for answers that were asked for twice."""
_PLAIN_MODES = ("1", "L", "LA", "RGB", "RGBA", "F", "I")


def most_bytes() -> int:
    """How many bytes of answers are kept, by the environment."""
    if os.environ.get("LAYERWISE_ANSWER_CACHE", "").strip().lower() in ("0", "off"):
        return 0
    return size("LAYERWISE_ANSWER_CACHE", MOST_BYTES) or 0


class AnswerCache:
    """Answers by what was asked of which version. Thread-safe.

    Args:
        most: How many bytes are kept; 0 for none.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._once, self._often = _Part(), _Part()

    def get(self, key: Any) -> Answer | None:
        """The answer, to do with as one likes; None when there is none."""
        with self._lock:
            found = self._often.take(key) or self._once.take(key)
            if found is not None:
                self._often.put(key, *found)
                while self._often.num_bytes > _PROTECTED_SHARE * self.most:
                    self._once.put(*self._often.take_oldest())
        return None if found is None else copy.deepcopy(found[0])

    def put(self, key: Any, answer: Answer) -> None:
        """Keep an answer, unless it is large or holds what cannot be kept."""
        taken = bytes_of(answer)
        if taken is None or taken > self.most // 8:
            return
        kept = copy.deepcopy(answer)
        with self._lock:
            if key in self._often.answers:
                return
            self._once.take(key)
            self._once.put(key, kept, taken)
            while self._once.num_bytes + self._often.num_bytes > self.most:
                self._once.take_oldest()

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._once, self._often = _Part(), _Part()

    @property
    def num_bytes(self) -> int:
        """How many bytes are kept."""
        return self._once.num_bytes + self._often.num_bytes


class _Part:
    """Answers and their bytes, the one that was put in first first."""

    def __init__(self) -> None:
        self.answers: OrderedDict[Any, tuple[Answer, int]] = OrderedDict()
        self.num_bytes = 0

    def put(self, key: Any, answer: Answer, taken: int) -> None:
        self.answers[key] = answer, taken
        self.num_bytes += taken

    def take(self, key: Any) -> tuple[Answer, int] | None:
        found = self.answers.pop(key, None)
        if found is not None:
            self.num_bytes -= found[1]
        return found

    def take_oldest(self) -> tuple[Any, Answer, int]:
        key, (answer, taken) = self.answers.popitem(last=False)
        self.num_bytes -= taken
        return key, answer, taken


def digest_of(fields: Sequence[Field], inputs: Mapping[str, Any]) -> bytes | None:
    """What tells two inputs of a task apart; None for one that is too large, or of which that cannot be told.

    Args:
        fields: The inputs of the task.
        inputs: A value for the name of each, as `layerwise.predictor.named_inputs` gives it.
    """
    found = _Digest()
    of_files = {field.name for field in fields if {field.kind, *field.alternatives} & {*FILE_KINDS}}
    try:
        for name in sorted(inputs):
            found.add(name)
            found.add(inputs[name], is_file=name in of_files)
    except _UntellableError:
        return None
    return found.hash.digest()


class _UntellableError(Exception):
    pass


class _Digest:
    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=20)
        self._rest = LARGEST_INPUT

    def add(self, value: Any, *, is_file: bool = False) -> None:
        if isinstance(value, Path) or (is_file and isinstance(value, str)):
            self._add_file(Path(value))
        elif value is None or isinstance(value, bool | int | float | str):
            self._write(type(value).__name__, repr(value).encode())
        elif isinstance(value, bytes | bytearray):
            self._write("bytes", bytes(value))
        elif isinstance(value, Mapping):
            self._write("mapping", str(len(value)).encode())
            for key, part in value.items():
                self.add(key)
                self.add(part, is_file=is_file)
        elif isinstance(value, list | tuple):
            self._write("sequence", str(len(value)).encode())
            for part in value:
                self.add(part, is_file=is_file)
        else:
            self._add_array_or_picture(value)

    def _add_file(self, path: Path) -> None:
        try:
            stat = path.stat()
        except (OSError, ValueError):
            raise _UntellableError from None
        self._write("file", repr((str(path.absolute()), stat.st_mtime_ns, stat.st_size, stat.st_ino)).encode())

    def _add_array_or_picture(self, value: Any) -> None:
        import numpy as np
        from PIL.Image import Image

        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            self._check(value.nbytes)
            self._write(f"array {value.dtype.str} {value.shape}", value.tobytes())
        elif isinstance(value, Image) and value.mode in _PLAIN_MODES and not value.getexif():
            self._check(value.width * value.height)
            transparent = value.info.get("transparency")
            self._write(f"picture {value.mode} {value.size} {transparent!r}", value.tobytes())
        else:
            raise _UntellableError

    def _write(self, kind: str, content: bytes) -> None:
        self._check(len(content))
        self._rest -= len(content)
        self.hash.update(f"{kind} {len(content)} ".encode())
        self.hash.update(content)

    def _check(self, count: int) -> None:
        if count > self._rest:
            raise _UntellableError


def bytes_of(value: Any) -> int | None:
    """About how much memory a part of an answer takes; None for one that cannot be kept."""
    if value is None or isinstance(value, bool | int | float | Path):
        return 64
    if isinstance(value, str | bytes):
        return 64 + len(value)
    if isinstance(value, Mapping):
        return _bytes_of_all([*value, *value.values()])
    if isinstance(value, list | tuple):
        return _bytes_of_all(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _bytes_of_all([getattr(value, field.name) for field in dataclasses.fields(value)])
    import numpy as np
    from PIL.Image import Image

    if isinstance(value, np.ndarray | np.generic):
        return None if value.dtype.hasobject else 64 + value.nbytes
    return 64 + 4 * value.width * value.height if isinstance(value, Image) else None


def _bytes_of_all(values: Sequence[Any]) -> int | None:
    total = 64
    for value in values:
        taken = bytes_of(value)
        if taken is None:
            return None
        total += taken
    return total
