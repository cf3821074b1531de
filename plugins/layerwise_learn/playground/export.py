"""A network of the playground as Keras code with its weights: a script that needs Keras and nothing of ours."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise_learn.playground.config import PlaygroundConfig

_CODE_OF_FEATURE = {
    "x1": "x1",
    "x2": "x2",
    "x1x1": "x1 * x1",
    "x2x2": "x2 * x2",
    "x1x2": "x1 * x2",
    "sin-x1": "np.sin(x1)",
    "sin-x2": "np.sin(x2)",
}
_SCRIPT = '''"""The network from Layerwise's playground, in Keras. Run it beside weights.npz: python network.py"""

from pathlib import Path

import keras
import numpy as np


def features(points):
    """What the network is given of points, an array [points, 2]."""
    x1, x2 = points[:, 0], points[:, 1]
    return np.stack([{features}], axis=1)


def build():
    """The network, not trained."""
    return keras.Sequential(
        [
            keras.Input(({num_features},)),
{layers}
        ]
    )


def load():
    """The network as it was trained."""
    network = build()
    with np.load(Path(__file__).with_name("weights.npz"), allow_pickle=False) as weights:
        network.set_weights([weights[name] for name in weights.files])
    return network


def predict(points):
    """{meaning}"""
    return load().predict(features(np.asarray(points, dtype="float32")), verbose=0)


def train(points, targets, num_epochs=100):
    """A new network, trained as in the playground."""
    network = build()
    network.compile(optimizer={optimizer}, loss="{loss}")
    network.fit(features(np.asarray(points)), np.asarray(targets), batch_size={batch_size}, epochs=num_epochs)
    return network


if __name__ == "__main__":
    example = [[0, 0], [1, 2], [-3, 4]]
    for point, output in zip(example, predict(example)):
        print(point, output)
'''
_OPTIMIZERS = {
    "sgd": "SGD({rate})",
    "momentum": "SGD({rate}, momentum=0.9)",
    "nesterov": "SGD({rate}, momentum=0.9, nesterov=True)",
    "rmsprop": "RMSprop({rate})",
    "adam": "Adam({rate})",
    "adamw": "AdamW({rate})",
}


def export_zip(config: PlaygroundConfig, network: DenseNetwork) -> bytes:
    """network.py and weights.npz (W_1, b_1, W_2 ... in float32) as one zip."""
    arrays = {}
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        arrays |= {f"W_{layer}": weights.astype(np.float32), f"b_{layer}": biases.astype(np.float32)}
    packed, whole = io.BytesIO(), io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("network.py", keras_code(config))
        archive.writestr("weights.npz", packed.getvalue())
    return whole.getvalue()


def keras_code(config: PlaygroundConfig) -> str:
    """The script that builds the network, loads its weights, predicts and trains."""
    penalty = (
        f", kernel_regularizer=keras.regularizers.L1L2({config.l1}, {config.l2})" if config.l1 or config.l2 else ""
    )
    layers = []
    for units, activation in zip(config.units, config.activation_names, strict=True):
        layers.append(f'keras.layers.Dense({units}, activation="{activation}"{penalty})')
        if config.dropout:
            kind = "AlphaDropout" if activation == "selu" else "Dropout"
            layers.append(f"keras.layers.{kind}({config.dropout})")
    layers.append(f'keras.layers.Dense({config.output_units}, activation="{config.output_activation}"{penalty})')
    return _SCRIPT.format(
        features=", ".join(_CODE_OF_FEATURE[name] for name in config.feature_names),
        num_features=len(config.feature_names),
        layers="\n".join(f"            {layer}," for layer in layers),
        optimizer=f"keras.optimizers.{_OPTIMIZERS[config.optimizer].format(rate=config.learning_rate)}",
        loss=_KERAS_LOSSES[config.output_activation],
        batch_size=config.batch_size,
        meaning=_MEANINGS[config.output_activation],
    )


_KERAS_LOSSES = {
    "linear": "mean_squared_error",
    "sigmoid": "binary_crossentropy",
    "softmax": "sparse_categorical_crossentropy",
}
_MEANINGS = {
    "linear": "The value at each point, [points, 1].",
    "sigmoid": "The probability of the second class at each point, [points, 1].",
    "softmax": "The probability of each class at each point, [points, classes].",
}
