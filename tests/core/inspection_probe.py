"""Run in a process of its own by test_inspection_backends.py, with KERAS_BACKEND set: looks into small networks and
prints what came out as JSON."""

import json

import keras
import numpy as np
from inspection_samples import Opinions, opinion_network, residual_network, subject_of
from keras import layers

from layerwise import engines
from layerwise.inspection.attention import attention_scores
from layerwise.inspection.grad_cam import grad_cam
from layerwise.inspection.integrated_gradients import baseline_points, integrated_gradients
from layerwise.inspection.probes import Probe, Site, find_sites
from layerwise.inspection.saliency import saliency
from layerwise.inspection.visualisation import visualise
from layerwise.tasks import ImageClassification


def incompleteness(subject, batch, target):
    probe = Probe(subject, find_sites(subject))
    found = integrated_gradients(probe, batch, baseline_points(subject, probe, batch), target)
    return abs(found.total / (found.score - found.baseline_score) - 1)


def slope_error(subject, batch, target):
    """How far saliency is from a finite difference, relative to it."""
    found = saliency(Probe(subject, find_sites(subject)), batch, target)["picture"][5, 6, 0]
    step = np.zeros([1, 12, 12, 1])
    step[0, 5, 6] = 4.0
    ends = np.concatenate([batch["picture"] + step, batch["picture"] - step]).astype("float32")
    scores = subject.forward({"picture": ends})[:, target].astype("float64")
    return abs(found / (abs(scores[0] - scores[1]) / 8) - 1)


def attention_error():
    inputs = keras.Input((5, 8), name="values")
    layer = layers.MultiHeadAttention(2, 4, name="attend")
    outputs = layers.Dense(2)(layers.GlobalAveragePooling1D()(layer(inputs, inputs)))
    subject = subject_of(keras.Model(inputs, outputs))
    values = np.random.default_rng(0).random((1, 5, 8), "float32")
    (found,) = attention_scores(subject, {"values": values}, ["attend"])["attend"]
    _, expected = layer(values, values, return_attention_scores=True)
    return float(np.abs(found - keras.ops.convert_to_numpy(expected)).max())


def weight_gradient_error():
    """How far the gradients of a squared error are from those computed by hand."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False), layers.Dropout(0.9)])
    random = np.random.default_rng(0)
    inputs, targets = random.random((20, 3), "float32"), random.random((20, 1), "float32")

    def loss(targets, outputs):
        return keras.ops.mean(keras.ops.square(outputs - targets))

    (found,) = engines.current().weight_gradients(model, loss, inputs, targets)
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    expected = 2 / 20 * inputs.T @ (inputs @ kernel - targets)
    return float(np.abs(found - expected).max())


def main():
    pictures = subject_of(residual_network(), ImageClassification(labels=("a", "b", "c"), size=(12, 12), channels=1))
    picture = {"picture": np.random.default_rng(0).integers(0, 255, (1, 12, 12, 1)).astype("uint8")}
    texts = subject_of(opinion_network(), Opinions())
    sentence = texts.encode({"text": "a very good film"})
    heat = grad_cam(Probe(pictures, [Site("picture", "skip")]), picture, 1)
    *_, (_, images) = visualise(pictures, "picture", [("", pictures.step("entry"), np.array([0, 2]))], steps=8)
    result = {
        "backend": keras.backend.backend(),
        "picture": max(incompleteness(pictures, picture, target) for target in range(3)),
        "text": incompleteness(texts, sentence, 1),
        "slope": slope_error(pictures, picture, 1),
        "grad_cam": [*heat.shape, float(heat.min())],
        "images": [*images.shape, bool(np.isfinite(images).all())],
        "attention": attention_error(),
        "weight_gradients": weight_gradient_error(),
    }
    print(json.dumps({key: value if isinstance(value, list | str) else float(value) for key, value in result.items()}))


if __name__ == "__main__":
    main()
