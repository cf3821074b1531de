"""The compiled training step and predict function of each backend, behind one small interface.

An engine is a module with

- `Trainer(model, optimizer, loss, metrics, *, xla)`: see `layerwise.engines.base.Trainer`;
- `compile_predict(model, *, xla) -> (batch) -> outputs`, both NumPy;
- `compile_gradients(function, variables)`: see `layerwise.engines.base.Gradients`;
- `weight_gradients(model, loss, inputs, targets) -> [array]`, one for each trainable variable.

`current()` is the engine of the backend that Keras runs on, for one device or, in the scope of
`layerwise.hardware.distribution`, for several.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from layerwise.errors import DeviceError
from layerwise.hardware.distribution import is_spread

BACKENDS = ("tensorflow", "jax", "torch")


def current() -> ModuleType:
    """The engine of Keras' backend and of the devices that what is built now will be spread over.

    Raises:
        DeviceError: Keras runs on a backend that cannot train.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise DeviceError(
            f"The backend {backend!r} cannot train", expected=", ".join(BACKENDS), remedy="set KERAS_BACKEND=tensorflow"
        )
    return importlib.import_module(f"layerwise.engines.{backend}{'_replicas' if is_spread() else ''}")
