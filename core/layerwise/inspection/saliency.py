"""Saliency: how much the score changes when a number of the input changes a little (Simonyan et al. 2013,
arXiv:1312.6034), averaged over noisy copies of the input where that is asked for (SmoothGrad, Smilkov et al. 2017,
arXiv:1706.03825).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.drawing import beside, draw_attribution, draw_on_picture, is_picture
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.occlusion import occluded_instead
from layerwise.inspection.probes import Points, Probe, find_sites
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Plot, Text


def look(subject: Subject) -> Look | None:
    """The look "saliency"; None when no gradient can reach the input."""
    sites = find_sites(subject)
    if not sites:
        return None
    probe = cache(lambda: Probe(subject, sites))
    return Look(
        name="saliency",
        title="Saliency",
        text="Where a small change of the input changes the score most: the magnitude of the gradient (Simonyan et al. "
        "2013). More copies with noise give a smoother map (SmoothGrad, Smilkov et al. 2017).",
        show=lambda inputs, settings: _show(subject, probe(), inputs, settings),
        settings=settings_of_look(
            target=subject.target_setting,
            copies=(
                int,
                setting(
                    1, "Noisy copies that are averaged; 1 is the plain gradient", minimum=1, maximum=64, unit="copies"
                ),
            ),
            noise=(
                float,
                setting(0.1, "Deviation of the noise, as a share of the range of the input", minimum=0.01, maximum=0.5),
            ),
        ),
    )


def _show(subject: Subject, probe: Probe, inputs: Inputs, settings: Any) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    target = subject.target(batch, settings)
    maps = saliency(probe, batch, target, copies=settings.copies, noise=settings.noise)
    if not any(heat.any() for heat in maps.values()):
        return occluded_instead(subject, batch, target)
    title = f"what changes {subject.labels[target]}"
    plots = []
    for site in probe.sites:
        heat, value = maps[site.key], batch[site.input][0]
        if site.step is None and is_picture(subject, site.input):
            plots.append(draw_on_picture(value, heat.max(axis=-1), title=title))
        else:
            plots.append(draw_attribution(subject, site, heat, batch, title=title))
    return [Text(text=f"Score of {subject.labels[target]}: {subject.forward(batch)[0, target]:.4g}"), *beside(plots)]


def saliency(probe: Probe, batch: Batch, target: int, *, copies: int = 1, noise: float = 0.1) -> Points:
    """The magnitude of the gradient of a score at each site [...].

    Args:
        probe: Of the network.
        batch: The input, a batch of one.
        target: The number of the class.
        copies: Over how many noisy copies the gradient is averaged; 1 takes the input as it is.
        noise: The standard deviation of the noise, as a share of the range of the numbers at each site.
    """
    points = probe.points(batch)
    if copies > 1:
        random = np.random.default_rng(0)
        points = {
            name: array + random.normal(0, noise * np.ptp(array), (copies, *array.shape[1:])).astype("float32")
            for name, array in points.items()
        }
    _, gradients = probe.gradients(points, batch, target)
    return {name: np.abs(array.mean(axis=0, dtype="float64")) for name, array in gradients.items()}
