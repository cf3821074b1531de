"""Edges, parts and things: with filters made by hand, and in a registered network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerwise import Settings
from layerwise.plots import BarPlot, Picture, Pictures, Plot, Text
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.shapes import SHAPES, SIDE, pictures
from layerwise_learn.experiments.training import Recipe, trained
from layerwise_learn.lessons.hierarchical_features import ByHandSettings, ChannelSettings

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version
    from layerwise.workspace import Workspace

STROKES = {
    "level": np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]) / 6,
    "upright": np.array([[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]]) / 6,
    "falling": np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]) / 6,
    "rising": np.array([[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]) / 6,
}
"""Filters that answer 1 to a stroke of one direction, one pixel wide, and 0 to an even area."""
REACH = 2
"""How far from a place, in pixels, the strokes lie that meet there."""
EXAMPLES = 200


def by_hand(settings: ByHandSettings) -> list[Plot]:
    known, classes = pictures(EXAMPLES, noise=settings.noise, seed=settings.seed + 1000)
    kind = SHAPES.index(settings.shape)
    image = pictures(len(SHAPES), noise=settings.noise, seed=settings.seed)[0][kind : kind + 1]
    edges, parts = strokes(image), meetings(strokes(image))
    recipe = Recipe(loss="cross_entropy", learning_rate=0.1, num_epochs=100)
    amounts = _amounts(known)
    mean, spread = amounts.mean(axis=0), amounts.std(axis=0) + 1e-9
    start = random_network([amounts.shape[1], len(SHAPES)], output_activation="softmax", seed=settings.seed)
    last = trained(start, (amounts - mean) / spread, classes, recipe)
    probabilities = last.forward((_amounts(image) - mean) / spread)["output"][0]
    fresh, wanted = pictures(EXAMPLES, noise=settings.noise, seed=settings.seed + 2000)
    answers = last.forward((_amounts(fresh) - mean) / spread)["output"].argmax(axis=1)
    return [
        Pictures(title="The picture", pictures=[Picture(pixels=np.clip(image[0], 0, 1))]),
        _maps("First layer: strokes", edges),
        _maps("Second layer: where strokes meet", parts),
        BarPlot(title="Last layer: probability of each thing", labels=SHAPES, values=probabilities),
        Text(
            text=f"The last layer learned its weights from {EXAMPLES} pictures. Of {EXAMPLES} others it gets "
            f"{np.mean(answers == wanted):.0%} right."
        ),
    ]


def strokes(images: np.ndarray) -> dict[str, np.ndarray]:
    """The first layer, a convolution and ReLU: [count, SIDE, SIDE] for each direction."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return {name: np.maximum(np.einsum("nxyij,ij->nxy", windows, kernel), 0) for name, kernel in STROKES.items()}


def meetings(edges: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The second layer: a meeting is as strong as the weakest of the strokes that it needs, less those that it must not
    have."""
    left, right = _moved(edges["level"], 0, -REACH), _moved(edges["level"], 0, REACH)
    above, below = _moved(edges["upright"], -REACH, 0), _moved(edges["upright"], REACH, 0)
    return {
        "corner, upper left": np.maximum(np.minimum(right, below) - np.maximum(left, above), 0),
        "corner, upper right": np.maximum(np.minimum(left, below) - np.maximum(right, above), 0),
        "corner, lower left": np.maximum(np.minimum(right, above) - np.maximum(left, below), 0),
        "corner, lower right": np.maximum(np.minimum(left, above) - np.maximum(right, below), 0),
        "crossing": np.minimum(np.minimum(left, right), np.minimum(above, below)),
        "tip": np.minimum(_moved(edges["rising"], REACH, -1), _moved(edges["falling"], REACH, 1)),
    }


def _moved(maps: np.ndarray, down: int, right: int) -> np.ndarray:
    """At each place the value `down` rows below and `right` columns to the right of it, 0 from beyond the border."""
    padded = np.pad(maps, ((0, 0), (REACH, REACH), (REACH, REACH)))
    rows, columns = REACH + down, REACH + right
    return padded[:, rows : rows + SIDE, columns : columns + SIDE]


def _amounts(images: np.ndarray) -> np.ndarray:
    """How much there is of each stroke, and how clear the clearest of each meeting is: [count, features]."""
    edges = strokes(images)
    amounts = [maps.mean(axis=(1, 2)) for maps in edges.values()]
    return np.stack([*amounts, *(maps.max(axis=(1, 2)) for maps in meetings(edges).values())], axis=1)


def _maps(title: str, maps: dict[str, np.ndarray]) -> Pictures:
    greatest = max(1e-9, *(float(values.max()) for values in maps.values()))
    return Pictures(
        title=title,
        pictures=[Picture(pixels=values[0] / greatest, caption=name) for name, values in maps.items()],
        width=80,
    )


def hierarchy(settings: Settings) -> list[Plot]:
    """What the layers of a trained network answer to and look for, as it was computed for its weights."""
    # Imported here: the other experiments of this lesson need no registry.
    from layerwise import open_workspace, stored_plots

    with open_workspace() as workspace:
        for model in _classifiers(workspace):
            version = workspace.versions.current(model)
            known = stored_plots.read(version.folder, "patches", "features")
            if {"patches", "features"} <= known.keys():
                return [
                    _about(version),
                    Text(text="**What its channels answer to**: parts of real pictures, four for each channel."),
                    *known["patches"],
                    Text(text="**What they look for**: pictures made so that the channel answers as much as it can."),
                    *known["features"],
                ]
    return [Text(text="No network was looked at beforehand. Look into one with the two experiments that follow.")]


def patches(settings: ChannelSettings) -> Iterator[Sequence[Plot]]:
    yield from _look("patches", settings)


def features(settings: ChannelSettings) -> Iterator[Sequence[Plot]]:
    yield from _look("features", settings)


def _look(name: str, settings: ChannelSettings) -> Iterator[Sequence[Plot]]:
    """A look into the first network for the classification of pictures that has it."""
    from layerwise import open_workspace
    from layerwise.inspection import open_inspector

    with open_workspace() as workspace:
        for model in _classifiers(workspace):
            inspector = open_inspector(workspace, model.name)
            if name in {look.name for look in inspector.looks()}:
                for shown in inspector.look(name, settings={"channels": settings.channels}):
                    yield [_about(inspector.version), *shown]
                return
    yield [Text(text="No trained network with convolutional layers is registered.")]


def _classifiers(workspace: Workspace) -> list[ModelSpec]:
    """The models for the classification of pictures that are trained."""
    models = workspace.registry.snapshot().models.values()
    return [m for m in models if m.task.type_name == "image-classification" and workspace.versions.list(m)]


def _about(version: Version) -> Text:
    return Text(text=f"The network: {version.name}:{version.variant} ({version.id}).")
