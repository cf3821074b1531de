"""How Keras' backend is loaded, and made ready for the device, the precision and the determinism that are wanted."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import IO, Any

from layerwise.errors import DeviceError, missing_extra
from layerwise.hardware.environment import backend_name, environment, git_revision
from layerwise.hardware.slots import Device, parse_device, refuse_missing
from layerwise.later import Later, in_place_of

__all__ = ["PRECISIONS", "describe", "environment", "git_revision", "own_precision", "prepare", "quiet_import"]

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16", "auto")
# What TensorFlow, XLA and absl write about themselves; everything else that is written meanwhile is passed on.
_NOISE = re.compile(
    r"WARNING: All log messages before absl::|"
    r"[IWEF]\d{4} \d\d:\d\d:\d+|"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |"
    r"To enable the following instructions:"
)
# Keras' wrappers for scikit-learn, which need all of it: a sixth of the time that Keras takes to be imported.
_SELDOM_USED = ("keras.wrappers", "keras._tf_keras.keras.wrappers")
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
            with _standard_error_held_back(), in_place_of({name: Later(name) for name in _SELDOM_USED}):
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


def prepare(precision: str = "float32", device: str = "auto", *, deterministic: bool = False) -> list[dict[str, Any]]:
    """Make the backend ready for networks to be built in this thread.

    TensorFlow and JAX are told to take a GPU's memory as they need it rather than all of it, so that a training and
    a server, or two frameworks, can share one. Best called before anything else uses the backend: some of this is
    settled for the life of a process when it starts.

    Args:
        precision: The dtype policy: "float32", or "mixed_bfloat16" or "mixed_float16", which compute in 16 bits
            and keep the variables in 32; "auto" is the one that suits the device that is used
            (`layerwise.hardware.accelerators.precision_for`).
        device: A device word (`layerwise.hardware.slots`), its numbers those of the GPUs that this process sees. "auto"
            takes one accelerator when there is any.
        deterministic: Whether only operations are used whose result does not depend on the order in which parts of
            it happen to finish. On GPUs this costs time, and a few operations have no such form: they raise. It stays
            so until the process ends.

    Returns:
        What `describe` gives.

    Raises:
        DeviceError: There is no such precision or device word, or no GPU although one was asked for, or the backend
            runs on other devices already.
    """
    if precision not in PRECISIONS:
        raise DeviceError("The precision is not known", expected=", ".join(PRECISIONS), received=repr(precision))
    wanted = parse_device(device)
    _set_variables(wanted, deterministic)
    keras = quiet_import()
    backend = keras.backend.backend()
    if backend in _CHOOSE:
        _CHOOSE[backend](wanted, deterministic)
    devices = describe()
    if precision == "auto":
        from layerwise.hardware.accelerators import precision_for

        first = next((device for device in devices if device["kind"] != "CPU"), devices[0])
        precision, _ = precision_for(first)
    keras.config.set_dtype_policy(precision)
    return devices


@contextlib.contextmanager
def own_precision() -> Iterator[None]:
    """Let the precision that is chosen within hold no longer: what is built in this process afterwards computes as it
    would have before. Keras need not be imported yet."""
    known = sys.modules.get("keras")
    before = known.config.dtype_policy() if known is not None else None
    try:
        yield
    finally:
        if (keras := sys.modules.get("keras")) is not None:
            keras.config.set_dtype_policy(before or keras.config.floatx())


def describe() -> list[dict[str, Any]]:
    """The devices that Keras' backend sees: see `layerwise.hardware.accelerators.describe`."""
    quiet_import()
    from layerwise.hardware.accelerators import describe

    return describe()


def _set_variables(wanted: Device, deterministic: bool) -> None:
    """What the backends read from the environment, once, when they are imported or first used."""
    backend = backend_name()
    if backend == "torch" and "keras" not in sys.modules:
        if wanted.kind == "cpu":
            os.environ["KERAS_TORCH_DEVICE"] = "cpu"
        elif wanted.index is not None:
            os.environ["KERAS_TORCH_DEVICE"] = f"cuda:{wanted.index}"
    if backend == "jax":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if deterministic and backend == "jax":
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()
    if deterministic and backend == "torch":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _choose_tensorflow(wanted: Device, deterministic: bool) -> None:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    _refuse_missing(wanted, len(gpus))
    try:
        # All of them first: TensorFlow wants the same of each.
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.set_visible_devices(_chosen(gpus, wanted), "GPU")
    except RuntimeError as error:  # TensorFlow has started: devices are settled for the life of the process
        if wanted.kind != "auto":
            raise _too_late(wanted, str(error)) from error
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def _choose_jax(wanted: Device, deterministic: bool) -> None:
    import jax

    if wanted.kind == "cpu":
        jax.config.update("jax_platform_name", "cpu")
        return
    gpus = [device for device in jax.devices() if device.platform != "cpu"]
    _refuse_missing(wanted, len(gpus))
    if wanted.index is not None:
        jax.config.update("jax_default_device", gpus[wanted.index])


def _choose_torch(wanted: Device, deterministic: bool) -> None:
    import torch

    gpus = torch.accelerator.device_count() if torch.accelerator.is_available() else 0
    if wanted.kind != "cpu":
        _refuse_missing(wanted, gpus)
    if wanted.kind == "all" and gpus > 1:
        raise DeviceError(
            "With PyTorch a training uses one GPU",
            expected="gpu, or gpu:0, gpu:1 ...",
            received="'all'",
            remedy="choose one, or set KERAS_BACKEND=tensorflow or jax, which train on all of them",
        )
    import keras

    # Keras has read its variable by now; a tensor tells what came of it.
    tensor: Any = keras.ops.zeros(())
    is_right = tensor.device.type == "cpu" if wanted.kind == "cpu" else wanted.index in (None, tensor.device.index or 0)
    if not is_right:
        raise _too_late(wanted, f"Keras runs on {tensor.device}")
    if deterministic:
        torch.use_deterministic_algorithms(True)


_CHOOSE = {"tensorflow": _choose_tensorflow, "jax": _choose_jax, "torch": _choose_torch}


def _chosen(gpus: list[Any], wanted: Device) -> list[Any]:
    """Which of the GPUs are used: memory is taken on each that is, so no more than needed."""
    if wanted.kind == "cpu":
        return []
    if wanted.kind == "all":
        return gpus
    return [gpus[wanted.index]] if wanted.index is not None else gpus[:1]


def _refuse_missing(wanted: Device, num_gpus: int) -> None:
    try:
        refuse_missing(wanted, num_gpus)
    except DeviceError as error:
        raise DeviceError(
            f"{error.what.removesuffix(' on this machine')} that {backend_name()} can use",
            expected=error.expected,
            received=error.received,
            remedy='pip install "layerwise[gpu]" on a machine with an NVIDIA GPU (layerwise doctor lists what is '
            "there), or leave the device at auto",
        ) from None


def _too_late(wanted: Device, reason: str) -> DeviceError:
    return DeviceError(
        f"The device {wanted} cannot be chosen any more", received=reason, remedy="choose it before anything is run"
    )
