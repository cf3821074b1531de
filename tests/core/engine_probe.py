"""Run in a process of its own by test_engines.py, with KERAS_BACKEND set: trains by the engine and by
`keras.Model.fit` from the same weights on the same batches, and prints what came out as JSON."""

import json

import keras
import numpy as np

from layerwise import engines
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


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]


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
    # The same steps in three calls.
    other = trainer_of(pieces, keras.optimizers.Adam(0.01))
    for start, stop in ((0, 1), (1, 25), (25, STEPS)):
        other.train(data, order, start, stop)
    peer.compile(keras.optimizers.Adam(0.01), cross_entropy, jit_compile=False)
    flat = order.reshape(-1)
    peer.fit(inputs[flat], targets[flat], batch_size=BATCH, shuffle=False, verbose=0)

    # Dropout and batch normalisation: random, but the same for the same seed.
    twins = []
    for _ in range(2):
        model = network(dropout=0.3, normalization="batch")
        trainer_of(model, keras.optimizers.AdamW(0.01)).train(data, order, 0, STEPS)
        twins.append(model)

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
                "twins": distance(*twins),
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
