"""Several devices that share the batches of one training: data parallelism by the backend's own means.

Each device, a replica, holds all variables and all examples, and does its part of every batch; the gradients are
summed over the replicas before a step is taken, so the steps are those of one device with the same batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from layerwise.errors import DeviceError


def over(device: str) -> AbstractContextManager[None]:
    """The scope in which a model, its optimizer and its trainer must be built to train on `device`.

    Args:
        device: A device word (`layerwise.hardware.slots`), for which `layerwise.devices.prepare` has been called. "all"
            spreads the training over the GPUs, when there is more than one.

    Raises:
        DeviceError: The backend trains on one device only.
    """
    import keras

    devices = _gpus(keras.backend.backend()) if device == "all" else []
    return replicas(devices) if len(devices) > 1 else contextlib.nullcontext()


def replicas(devices: Sequence[str]) -> AbstractContextManager[None]:
    """The scope for a training over these devices, named as the backend names them: "GPU:0" in TensorFlow, "gpu:0" in
    JAX.

    Raises:
        DeviceError: The backend trains on one device only.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in _SCOPES:
        raise DeviceError(
            f"With {backend} a training uses one device",
            received=f"{len(devices)} devices",
            remedy="choose gpu, or set KERAS_BACKEND=tensorflow or jax, which train on all of them",
        )
    return _SCOPES[backend](devices)


def is_spread() -> bool:
    """Whether what is built now will be spread over several replicas."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.distribute.has_strategy()
    return keras.distribution.distribution() is not None


def share(batch_size: int, num_replicas: int) -> int:
    """How many examples of a batch each replica does.

    Raises:
        DeviceError: The batch cannot be shared out evenly, so that a step would weigh some examples more.
    """
    if batch_size % num_replicas:
        lower = batch_size - batch_size % num_replicas
        near = f"{lower} or {lower + num_replicas}" if lower else str(num_replicas)
        raise DeviceError(
            f"A batch of {batch_size} examples cannot be shared out among {num_replicas} devices or workers",
            expected=f"a multiple of {num_replicas}",
            remedy=f"set batch_size to {near}",
        )
    return batch_size // num_replicas


def _gpus(backend: str) -> list[str]:
    if backend == "tensorflow":
        import tensorflow as tf

        return [f"GPU:{index}" for index in range(len(tf.config.list_logical_devices("GPU")))]
    if backend == "jax":
        import jax

        return [f"{device.platform}:{device.id}" for device in jax.local_devices() if device.platform != "cpu"]
    return []


@contextlib.contextmanager
def _mirrored(devices: Sequence[str]) -> Iterator[None]:
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(list(devices)).scope():
        yield


@contextlib.contextmanager
def _mesh(devices: Sequence[str]) -> Iterator[None]:
    import keras

    former: Any = keras.distribution.distribution()
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=list(devices), auto_shard_dataset=False)
    )
    try:
        yield
    finally:
        keras.distribution.set_distribution(former)


_SCOPES = {"tensorflow": _mirrored, "jax": _mesh}
