"""What passes between Layerwise and a worker: frames of a number and a value, over two pipes.

Values are pickled, since that keeps arrays, pictures, paths and plots as they are, in the time of a copy. What comes
*from* a worker is read by an unpickler that makes nothing but data: a plugin's own class would run the plugin's code
where it must not run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import pickle
import struct
import threading
import time
from typing import IO, Any

from layerwise import errors
from layerwise.errors import LayerwiseError

LOST = 97
"""The exit status of a worker whose connection broke in a way that is not its parent's end."""
PIPE_BYTES = 2**20
"""What Linux lets anybody have."""
LARGEST = 2**30
"""The most bytes of one value."""
_HEADER = struct.Struct(">4sQQ")
_MAGIC = b"LwF\x01"

_SIMPLE = "bool bytearray bytes complex dict float frozenset int list range set slice str tuple"
_DATA = {
    "builtins": frozenset(_SIMPLE.split(" ")),
    "collections": ("Counter", "OrderedDict", "defaultdict", "deque"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "types": ("SimpleNamespace",),
    "uuid": ("UUID",),
    "numpy": ("dtype", "ndarray"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.numeric": ("_frombuffer",),
}
"""What may be named in a value from a worker, by module, beside pictures and the dataclasses of Layerwise."""
_ALIASES = {
    "numpy.core.multiarray": "numpy._core.multiarray",  # NumPy 1, in an environment of a plugin's own
    "numpy.core.numeric": "numpy._core.numeric",
    "pathlib._local": "pathlib",  # Python 3.13
}
CAN_LEAVE = (
    "numbers, texts, bytes, arrays, pictures, paths, lists and mappings of these, and what Layerwise offers, such as "
    "plots"
)


class GarbageError(Exception):
    """What came is no frame."""


class Channel:
    """One end of a connection. Any thread may send; one receives.

    Args:
        source, sink: Unbuffered binary files of two pipes.

    Attributes:
        sending_since: When the frame began that is being sent just now, by the monotonic clock; None for none.
    """

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink
        _widen(sink)
        self._sending = threading.Lock()
        self.sending_since: float | None = None

    def send(self, number: int, content: bytes) -> None:
        """Send a frame.

        Raises:
            OSError: There is nobody at the other end.
        """
        header = _HEADER.pack(_MAGIC, number, len(content))
        with self._sending:
            self.sending_since = time.monotonic()
            try:
                for part in (header, content) if len(content) > PIPE_BYTES // 2 else (header + content,):
                    rest = memoryview(part)
                    while rest:
                        rest = rest[self._sink.write(rest) :]
            finally:
                self.sending_since = None

    def close(self) -> None:
        """Send no more. Not while a frame is being sent, whose descriptor might be another file's by then."""
        with self._sending:
            self._sink.close()

    def receive(self) -> tuple[int, bytearray] | None:
        """The next frame: its number and content; None when the other end is gone.

        Raises:
            GarbageError: What came is no frame.
            OSError: This end was closed.
        """
        header = self._read(_HEADER.size)
        if header is None:
            return None
        magic, number, size = _HEADER.unpack(header)
        if magic != _MAGIC or size > LARGEST:
            raise GarbageError
        content = self._read(size)
        return None if content is None else (number, content)

    def _read(self, size: int) -> bytearray | None:
        content = bytearray(size)
        rest = memoryview(content)
        while rest:
            count = self._source.readinto(rest)  # pyright: ignore[reportAttributeAccessIssue] (unbuffered files have it)
            if not count:
                return None
            rest = rest[count:]
        return content


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold a picture or a sound at once, so that both ends need not take turns for it."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


class _Packer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # Tensors of TensorFlow, JAX and PyTorch go as the arrays that they are.
        kind = type(obj)  # of a class it is `type`, which has none of an array's methods
        if not hasattr(kind, "__array__"):
            return NotImplemented
        import numpy as np

        if kind is np.ndarray or issubclass(kind, np.generic):
            return NotImplemented
        return np.asarray(obj).__reduce_ex__(pickle.HIGHEST_PROTOCOL)


def packed(value: Any, what: str) -> bytes:
    """A value as the content of a frame.

    Args:
        what: What it is, for messages: "The input".

    Raises:
        LayerwiseError: It cannot leave its process.
    """
    file = io.BytesIO()
    try:
        _Packer(file, pickle.HIGHEST_PROTOCOL).dump(value)
    except MemoryError:
        raise
    except Exception as error:  # how an object is pickled is anybody's code
        raise _not_data(what, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if file.tell() > LARGEST:
        raise LayerwiseError(
            f"{what} is too large to leave its process", expected=f"at most {LARGEST} bytes", received=str(file.tell())
        )
    return file.getvalue()


def unpacked(content: bytes | bytearray) -> Any:
    """The value that a worker has packed.

    Raises:
        LayerwiseError: It holds something that is no data.
    """
    try:
        return _DataOnly(io.BytesIO(content)).load()
    except LayerwiseError:
        raise
    except Exception as error:
        raise _not_data("The answer", f"{type(error).__name__}: {error}") from error


def _not_data(what: str, received: str) -> LayerwiseError:
    return LayerwiseError(
        f"{what} holds something that cannot leave its process",
        expected=CAN_LEAVE,
        received=received[:300],
        remedy="report it to the author of the plugin",
    )


class _DataOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        module = _ALIASES.get(module_name, module_name)
        if global_name in _DATA.get(module, ()):
            return getattr(importlib.import_module(module), global_name)
        top = module.partition(".")[0]
        if top in ("PIL", "layerwise") and "." not in global_name:
            found = getattr(importlib.import_module(module), global_name, None)
            if isinstance(found, type) and found.__module__ == module and _is_data(found):
                return found
        raise _not_data("The answer", f"a {module_name}.{global_name}")


def _is_data(kind: type) -> bool:
    if kind.__module__.startswith("PIL."):
        from PIL.Image import Image

        return issubclass(kind, Image)
    return dataclasses.is_dataclass(kind)


def described(error: LayerwiseError) -> tuple[str | None, ...]:
    """An error as data: the name of its kind among those of `layerwise.errors`, and its parts."""
    kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == errors.__name__)
    parts = (error.what, error.expected, error.received, error.remedy)
    return kind, *(None if part is None else str(part) for part in parts)


def error_of(kind: str, what: str, expected: str | None, received: str | None, remedy: str | None) -> LayerwiseError:
    """The error that `described` describes."""
    return getattr(errors, kind)(what, expected=expected, received=received, remedy=remedy)
