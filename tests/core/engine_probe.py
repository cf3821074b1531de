"""Run in a process of its own by test_engines.py, with KERAS_BACKEND set: trains by the engine and by
`keras.Model.fit` from the same weights on the same batches, and prints what came out as JSON."""

import json
from itertools import pairwise

import keras
import numpy as np

from layerwise import engines
from layerwise.compilation import uses_xla
from layerwise.networks import dense_network

BATCH, STEPS = 32, 40


def cross_entropy(targets, outputs):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=True))


def accuracy(targets, outputs):
    return keras.ops.mean(keras.metrics.sparse_categorical_accuracy(targets, outputs))


def network(**options):
    keras.utils.set_random_seed(0)
    return dense_network((6,), (16, 16), output_units=3, l2=1e-3, **options)


def trainer_of(model, optimizer, xla=True):
    return engines.current().Trainer(model, optimizer, cross_entropy, {"accuracy": accuracy}, xla=xla)


def convolutional_network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    blocks = [layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.3)]
    return keras.Sequential([keras.Input((8, 8, 1)), *blocks, layers.Dense(3)])


def train_in(calls, trainer, data, order):
    """All steps, in as many calls of different lengths."""
    bounds = [0, *(STEPS * number * number // calls**2 for number in range(1, calls + 1))]
    for start, stop in pairwise(bounds):
        trainer.train(data, order, start, stop)


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in model.weights]


def distance(first, second):
    return max(float(np.abs(a - b).max()) for a, b in zip(weights(first), weights(second), strict=True))


def main():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(BATCH * STEPS, 6)).astype("float32")
    targets = (inputs[:, 0] + inputs[:, 1] > 0).astype("int32") + (inputs[:, 2] > 1)
    order = rng.permutation(len(inputs)).reshape(STEPS, BATCH).astype("int32")

    ours, peer, pieces = network(), network(), network()
    trainer = trainer_of(ours, keras.optimizers.Adam(0.01))
    data = trainer.place(inputs, targets)
    epoch = trainer.train(data, order, 0, STEPS)
    train_in(5, trainer_of(pieces, keras.optimizers.Adam(0.01)), data, order)
    peer.compile(keras.optimizers.Adam(0.01), cross_entropy, jit_compile=False)
    flat = order.reshape(-1)
    peer.fit(inputs[flat], targets[flat], batch_size=BATCH, shuffle=False, verbose=0)

    # Dropout and batch normalisation: random, but the same for the same seed, in one call or in several. Each network
    # is made right before it is trained: on torch Keras draws dropout from the global generator.
    noisy = []
    for calls in (1, 1, 5):
        model = network(dropout=0.3, normalization="batch")
        train_in(calls, trainer_of(model, keras.optimizers.AdamW(0.01)), data, order)
        noisy.append(model)

    # A convolutional network, compiled as such networks are on this device.
    images = rng.normal(size=(BATCH * STEPS, 8, 8, 1)).astype("float32")
    convolutional = []
    for calls in (1, 5):
        model = convolutional_network()
        other = trainer_of(model, keras.optimizers.Adam(0.01), xla=uses_xla(model, "auto"))
        train_in(calls, other, other.place(images, targets), order)
        convolutional.append(model)

    # Mixed precision in float16: an absurdly large scale overflows, and such steps are skipped.
    half = network(dtype="mixed_float16")
    before = weights(half)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1e30)
    trainer_of(half, scaled).train(data, order, 0, 1)
    skipped = max(float(np.abs(a - b).max()) for a, b in zip(before, weights(half), strict=True))
    normal = network(dtype="mixed_float16")
    learned = trainer_of(normal, keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))).train(
        data, order, 0, STEPS
    )

    predict = engines.current().compile_predict(ours)
    outputs = keras.ops.convert_to_numpy(ours(inputs[:50], training=False))
    measured = trainer.evaluate_batch(data, 0, 50)
    print(
        json.dumps(
            {
                "backend": keras.backend.backend(),
                "epoch": epoch,
                "to_fit": distance(ours, peer),
                "in_pieces": distance(ours, pieces),
                "twins": distance(*noisy[:2]),
                "dropout_in_pieces": distance(*noisy[1:]),
                "convolutions_in_pieces": distance(*convolutional),
                "skipped": skipped,
                "mixed_loss": learned["loss"],
                "predict": float(np.abs(predict(inputs[:50]) - outputs).max()),
                "predict_is_numpy": isinstance(predict(inputs[:50]), np.ndarray),
                "evaluated": measured["accuracy"],
                "accuracy": float((outputs.argmax(-1) == targets[:50]).mean()),
                "iterations": int(trainer.optimizer.iterations),
            }
        )
    )


if __name__ == "__main__":
    main()
