"""The weights of `vision/faces`, from the files of the PyPI package `mtcnn` 1.0.0 (MIT, Iván de Paz Centeno).

    pip download --no-deps mtcnn==1.0.0 && unzip mtcnn-1.0.0-py3-none-any.whl
    pip install joblib lz4
    python benchmarks/convert_faces.py mtcnn/assets/weights plugins/layerwise_vision/weights/faces

Done once. The package keeps its weights as pickles, which can execute anything when they are read: only files with
the checksums below are, and what is written is data alone. The package turns pictures on their side before its dense
layers; here the rows of their weights are put into the order of a picture as it is.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

SHA256 = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
DENSE_INPUTS = {"rnet.lz4": (3, 3, 64), "onet.lz4": (3, 3, 128)}
"""Height, width and channels of what comes before the dense layers."""


def read(path: Path) -> list[np.ndarray]:
    """The arrays of a file, in the order of the package's layers."""
    import joblib

    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256[path.name]:
        sys.exit(f"{path} is not the file of mtcnn 1.0.0: its SHA-256 is {found}")
    return [np.asarray(array, "float32") for array in joblib.load(path)]


def arranged(name: str, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays in the order of our layers: the face before the shifts, the points last."""
    heads = {"pnet.lz4": 2, "rnet.lz4": 2, "onet.lz4": 3}[name]
    body, outputs = arrays[: -2 * heads], arrays[-2 * heads :]
    pairs = [outputs[place : place + 2] for place in range(0, len(outputs), 2)]
    shifts, *points, face = pairs
    if name in DENSE_INPUTS:
        height, width, channels = DENSE_INPUTS[name]
        place = next(
            i for i, array in enumerate(body) if array.shape[0] == height * width * channels and array.ndim == 2
        )
        turned = body[place].reshape(width, height, channels, -1)
        body[place] = turned.transpose(1, 0, 2, 3).reshape(height * width * channels, -1)
    return [*body, *face, *shifts, *(array for pair in points for array in pair)]


def main(source: Path, folder: Path) -> None:
    """Write the version."""
    from layerwise import weights
    from layerwise_vision.faces import FACES
    from layerwise_vision.faces.networks import build

    variant = FACES.variant()
    model = build(variant.config, FACES.task)
    names = {"pnet.lz4": model.proposal, "rnet.lz4": model.refine, "onet.lz4": model.output_network}
    for name, network in names.items():
        network.set_weights(arranged(name, read(source / name)))
    record = {
        "name": FACES.name,
        "variant": variant.name,
        "task": FACES.task.parameters(),
        "config": {},
        "data": {"dataset": None, "folder": None, "source": "mtcnn 1.0.0 (MIT), trained on WIDER FACE and CelebA"},
        "num_parameters": model.count_params(),
        "command": "python benchmarks/convert_faces.py mtcnn/assets/weights plugins/layerwise_vision/weights/faces",
        "converted_from": SHA256,
    }
    weights.save(model, folder, record, dtype="float16")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
