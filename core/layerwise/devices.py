"""The devices that networks run on: which there are, and how Keras' backend is made ready for them."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import IO, Any

from layerwise.environment import backend_name, cpu_name, environment, git_revision, memory, nvidia_gpus
from layerwise.errors import DeviceError, missing_extra

__all__ = ["DEVICES", "PRECISIONS", "describe", "environment", "git_revision", "prepare", "quiet_import"]

logger = logging.getLogger(__name__)

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DEVICES = ("auto", "cpu", "gpu")
# What TensorFlow, XLA and absl write about themselves; everything else that is written meanwhile is passed on.
_NOISE = re.compile(
    r"WARNING: All log messages before absl::|"
    r"[IWEF]\d{4} \d\d:\d\d:\d+|"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |"
    r"To enable the following instructions:"
)
_import_lock = threading.Lock()


def quiet_import() -> ModuleType:
    """Import Keras and its backend without the lines that TensorFlow's libraries write to standard error.

    Some of these lines come before any logger can be told to be silent, so standard error goes to a temporary
    file meanwhile. When the import fails the file is replayed in full; otherwise only lines that are not
    TensorFlow's own. Any number of threads may call it; the first imports, the others wait.

    Returns:
        The module `keras`.

    Raises:
        MissingDependencyError: The backend that KERAS_BACKEND names is not installed.
    """
    with _import_lock:
        if "keras" in sys.modules:
            import keras  # waits in case that another thread imports it just now

            return keras
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with _standard_error_held_back():
                import keras
        except ModuleNotFoundError as error:
            backend = backend_name()
            if error.name == backend and backend in ("jax", "torch"):
                raise missing_extra(backend, backend, f"KERAS_BACKEND={backend}") from error
            raise
        return keras


@contextlib.contextmanager
def _standard_error_held_back() -> Iterator[None]:
    try:
        saved = os.dup(2)
    except OSError:  # a process without standard error has nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            _replay(held, everything=failed)


def _replay(held: IO[bytes], *, everything: bool) -> None:
    held.seek(0)
    lines = held.read().decode(errors="replace").splitlines(keepends=True)
    kept = "".join(line for line in lines if everything or not _NOISE.match(line))
    if kept.strip():
        with contextlib.suppress(OSError):
            os.write(2, kept.encode())


def prepare(precision: str = "float32", device: str = "auto") -> list[dict[str, Any]]:
    """Make the backend ready for networks to be built in this thread.

    TensorFlow is told to take a GPU's memory as it needs it rather than all of it, so that a training and a
    server can share one.

    Args:
        precision: The dtype policy: "float32", or "mixed_bfloat16" or "mixed_float16", which compute in 16 bits
            and keep the variables in 32.
        device: "auto" takes an accelerator when there is one, "cpu" never does, "gpu" insists on one.

    Returns:
        What `describe` gives.

    Raises:
        DeviceError: There is no such precision, or no GPU although one was asked for, or TensorFlow has
            started on other devices already.
    """
    if precision not in PRECISIONS:
        raise DeviceError("The precision is not known", expected=", ".join(PRECISIONS), received=repr(precision))
    if device not in DEVICES:
        raise DeviceError("The device is not known", expected=", ".join(DEVICES), received=repr(device))
    if device == "cpu" and "keras" not in sys.modules:
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"  # read once, when Keras is imported
    keras = quiet_import()
    _CHOOSE.get(keras.backend.backend(), lambda _: None)(device)
    found = describe()
    if device == "gpu" and all(item["kind"] != "GPU" for item in found):
        raise DeviceError(
            f"There is no GPU that {keras.backend.backend()} can use",
            expected="a GPU with its driver and the backend's GPU libraries",
            received=", ".join(item["name"] for item in found),
            remedy='pip install "layerwise[gpu]" on a machine with an NVIDIA GPU (layerwise doctor lists what is '
            "there), or leave the device at auto",
        )
    keras.config.set_dtype_policy(precision)
    return found


def _choose_tensorflow(device: str) -> None:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    try:
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
            return
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:  # TensorFlow has started: devices are settled for the life of the process
        if device == "cpu" and gpus:
            raise DeviceError(
                "The GPU cannot be left out any more", received=str(error), remedy="ask for it before anything is run"
            ) from error
        logger.debug("Memory growth stays as it is: %s", error)


def _choose_jax(device: str) -> None:
    import jax

    if device == "cpu":
        jax.config.update("jax_platform_name", "cpu")


_CHOOSE = {"tensorflow": _choose_tensorflow, "jax": _choose_jax}


def describe() -> list[dict[str, Any]]:
    """The devices that Keras' backend sees.

    Returns:
        For each: `name` as its maker writes it, `kind` ("CPU", "GPU" or "TPU"), `memory` in bytes or None when
        it is not known.
    """
    keras = quiet_import()
    backend = keras.backend.backend()
    accelerators = _ACCELERATORS[backend]() if backend in _ACCELERATORS else []
    return [{"name": cpu_name(), "kind": "CPU", "memory": memory()}, *accelerators]


def _tensorflow_accelerators() -> list[dict[str, Any]]:
    import tensorflow as tf

    found = []
    visible = [device for device in tf.config.get_visible_devices() if device.device_type in ("GPU", "TPU")]
    memories = {gpu["name"]: gpu["memory"] for gpu in nvidia_gpus()} if visible else {}
    for device in visible:
        name = tf.config.experimental.get_device_details(device).get("device_name", device.name)
        found.append({"name": name, "kind": device.device_type, "memory": memories.get(name)})
    return found


def _jax_accelerators() -> list[dict[str, Any]]:
    import jax

    return [
        {"name": device.device_kind, "kind": device.platform.upper(), "memory": _jax_memory(device)}
        for device in jax.devices()
        if device.platform != "cpu"
    ]


def _jax_memory(device: Any) -> int | None:
    try:
        return (device.memory_stats() or {}).get("bytes_limit")
    except RuntimeError:  # backends that keep no statistics
        return None


def _torch_accelerators() -> list[dict[str, Any]]:
    import torch

    if os.environ.get("KERAS_TORCH_DEVICE") == "cpu" or not torch.cuda.is_available():
        return []
    every = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return [{"name": item.name, "kind": "GPU", "memory": item.total_memory} for item in every]


_ACCELERATORS = {
    "tensorflow": _tensorflow_accelerators,
    "jax": _jax_accelerators,
    "torch": _torch_accelerators,
}
