"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): where in a picture a convolutional network found what speaks for
a class, in the coarse grid of a convolutional layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from layerwise.config import setting
from layerwise.inspection.drawing import draw_on_picture, is_picture
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.probes import Probe, Site
from layerwise.inspection.receptive_fields import convolutions
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Plot, Text


def look(subject: Subject) -> Look | None:
    """The look "grad-cam"; None for a network without convolutions over a picture."""
    pictures = [name for name in subject.input_names if is_picture(subject, name)]
    names = [feature_map(subject, step).name for step in convolutions(subject)]
    if len(pictures) != 1 or not names:
        return None
    choices = tuple(dict.fromkeys(reversed(names)))
    probe = cache(lambda layer: Probe(subject, [Site(pictures[0], layer)]))
    return Look(
        name="grad-cam",
        title="Grad-CAM",
        text="Where a convolutional layer found what speaks for the class: its channels, each weighted by how much the "
        "score follows it (Selvaraju et al. 2017). The last layer sees the largest parts.",
        show=lambda inputs, settings: _show(subject, probe(settings.layer), inputs, settings),
        settings=settings_of_look(
            target=subject.target_setting,
            layer=(str, setting(choices[0], "The layer whose channels are weighted", choices=choices)),
        ),
    )


def _show(subject: Subject, probe: Probe, inputs: Inputs, settings: Any) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    target = subject.target(batch, settings)
    coarse = grad_cam(probe, batch, target)
    image = batch[probe.sites[0].input][0]
    label = subject.labels[target]
    if not coarse.any():
        return [Text(text=f"Nothing in {settings.layer} speaks for {label}: the weighted sum is nowhere positive.")]
    return [
        Text(text=f"{settings.layer} sees the picture as a grid of {coarse.shape[0]} × {coarse.shape[1]} places."),
        draw_on_picture(image, enlarged(coarse, image.shape[:2]), title=f"what speaks for {label}"),
    ]


def feature_map(subject: Subject, convolution: Step) -> Step:
    """The step whose result stands for a convolution: after the normalisation, the activation and the addition of a
    skip connection that follow it, before any change of the resolution."""
    found, reached = convolution, {convolution.name}
    for step in subject.steps[subject.steps.index(convolution) + 1 :]:
        if not reached.intersection(step.sources):
            continue
        if step.shape != convolution.shape or hasattr(step.layer, "kernel_size"):
            break
        found = step
        reached.add(step.name)
    return found


def grad_cam(probe: Probe, batch: Batch, target: int) -> np.ndarray:
    """The map of one class, [height, width] of the layer, not negative: the rectified sum of the layer's channels, each
    weighted by the mean of its gradient (equations 1 and 2 of the paper).

    Args:
        probe: At the result of a convolutional layer.
        batch: The input, a batch of one.
        target: The number of the class.
    """
    points = probe.points(batch)
    _, gradients = probe.gradients(points, batch, target)
    key = probe.sites[0].key
    weights = gradients[key][0].mean(axis=(0, 1), dtype="float64")
    return np.maximum(points[key][0].astype("float64") @ weights, 0)


def enlarged(coarse: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A map in the size (height, width) of a picture, smoothly."""
    image = Image.fromarray(coarse.astype("float32"))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))
