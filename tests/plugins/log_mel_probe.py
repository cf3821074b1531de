"""Run in a process of its own by test_spoken_words.py, with KERAS_BACKEND set: what the front end and a small network
of words give for the same sounds and weights, as JSON."""

import json

import keras
import numpy as np

from layerwise.tasks import CtcSpeechRecognition
from layerwise_speech.log_mel import LogMel
from layerwise_speech.words import WordsConfig, build


def main():
    sounds = np.random.default_rng(0).normal(0, 0.1, [2, 2560]).astype("float32")
    layer = LogMel(8000, 256, 80, 20, 60.0, 3800.0)
    config = WordsConfig(bands=16, filters=8, depth=1, kernel=3, masks=1)
    network = build(config, CtcSpeechRecognition(symbols=("no", "yes"), rate=8000))
    random = np.random.default_rng(1)
    network.set_weights([random.uniform(0.1, 0.5, weight.shape) for weight in network.get_weights()])
    found = {
        "backend": keras.backend.backend(),
        "log_mel": keras.ops.convert_to_numpy(layer(sounds)).tolist(),
        "logits": keras.ops.convert_to_numpy(network(sounds)).tolist(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
