"""Run in a process of its own by test_distribution.py, with KERAS_BACKEND set: trains on one device and on two logical
CPU devices from the same weights on the same batches, and prints what came out as JSON."""

import json
import os
import sys

BACKEND, KIND = os.environ["KERAS_BACKEND"], sys.argv[1]
if BACKEND == "jax":
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    DEVICES = ["cpu:0", "cpu:1"]
else:
    import tensorflow as tf

    (CPU,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
    DEVICES = ["CPU:0", "CPU:1"]

import contextlib  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402
from engine_probe import accuracy, cross_entropy, distance, weights  # noqa: E402

from layerwise import engines  # noqa: E402
from layerwise.errors import DeviceError  # noqa: E402
from layerwise.hardware.distribution import replicas  # noqa: E402
from layerwise.networks import dense_network  # noqa: E402
from layerwise.weights import arrays_of, assign, by_name  # noqa: E402

BATCH, STEPS = 32, 30


def dense():
    return dense_network((6,), (16, 16), output_units=3, l2=1e-3)


def dense_half():
    return dense_network((6,), (16, 16), output_units=3, dtype="mixed_float16")


def dense_random():
    return dense_network((6,), (16, 16), output_units=3, dropout=0.3, normalization="batch")


def convolutional():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Reshape((6, 1)),
            layers.Conv1D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def trainer_of(scope, xla, scale=None):
    with scope:
        keras.utils.set_random_seed(0)
        model = globals()[KIND]()
        optimizer = keras.optimizers.AdamW(0.01)
        if scale or KIND == "dense_half":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale or 2.0**15)
        return engines.current().Trainer(model, optimizer, cross_entropy, {"accuracy": accuracy}, xla=xla)


def variables(trainer):
    optimizer = {f"optimizer/{index}": variable for index, variable in enumerate(trainer.optimizer.variables)}
    return by_name(trainer.model.variables) | optimizer


def main():
    xla = KIND != "convolutional"
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(BATCH * STEPS, 6)).astype("float32")
    targets = (inputs[:, 0] + inputs[:, 1] > 0).astype("int32") + (inputs[:, 2] > 1)
    order = rng.permutation(len(inputs)).reshape(STEPS, BATCH).astype("int32")
    found = {}

    one = trainer_of(contextlib.nullcontext(), xla)
    two = trainer_of(replicas(DEVICES), xla)
    found["kinds"] = [type(trainer).__module__.rpartition(".")[2] for trainer in (one, two)]
    on_one, on_two = one.place(inputs, targets), two.place(inputs, targets)
    found["one"] = [one.train(on_one, order, *part) for part in ((0, 7), (7, STEPS))]
    found["two"] = [two.train(on_two, order, *part) for part in ((0, 7), (7, STEPS))]
    found["distance"] = distance(one.model, two.model)
    found["evaluated"] = [
        [trainer.evaluate_batch(data, *part) for part in ((0, 64), (5, 38), (7, 8))]
        for trainer, data in ((one, on_one), (two, on_two))
    ]
    found["agreed"] = two.agree(3, True, 0.1)

    # What a checkpoint keeps, taken up by another trainer, goes on to the same weights.
    kept = arrays_of(variables(two))
    resumed = trainer_of(replicas(DEVICES), xla)
    assign(variables(resumed), kept, None)
    for trainer in (two, resumed):
        trainer.train(on_two, order, 0, 5)
    found["resumed"] = distance(two.model, resumed.model)

    try:
        two.train(on_two, order[:, :31], 0, 1)
    except DeviceError as error:
        found["uneven"] = str(error)

    if KIND == "dense_half":
        # Only one example overflows, so only one of the replicas sees an infinite gradient.
        huge = inputs.copy()
        huge[order[0, 0]] = 6e4
        scaled = trainer_of(replicas(DEVICES), xla, scale=2.0**15)
        before = weights(scaled.model)
        scaled.train(scaled.place(huge, targets), order, 0, 1)
        found["skipped"] = max(float(np.abs(a - b).max()) for a, b in zip(before, weights(scaled.model), strict=True))
        scaled.train(scaled.place(huge, targets), order, 1, 2)
        found["went_on"] = max(float(np.abs(a - b).max()) for a, b in zip(before, weights(scaled.model), strict=True))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
