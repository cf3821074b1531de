"""Where real examples lie in a network, on a map of two dimensions: near each other where a layer makes the same of
them (t-SNE: van der Maaten and Hinton 2008, "Visualizing data using t-SNE", JMLR 9; principal components: Pearson
1901). Of pictures the map is drawn a second time with the pictures themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.errors import DataError
from layerwise.inspection.drawing import image_of, is_picture, pixel_range, pixels
from layerwise.inspection.examples import Examples, real_examples
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Batch, Subject
from layerwise.picture_map import WIDTH, pasted
from layerwise.plots import Line, LinePlot, Picture, Pictures, Plot, Text
from layerwise.projections import COMPONENTS, T_SNE, nearest, neighbour_map, plane

EXAMPLES, FEWEST, MOST = 400, 10, 1500
AT_ONCE = 64
NEIGHBOURS = 5
"""Among so many of the nearest those of the same class are counted."""
COLORED, GREY = (0, 1, 2, 3, 4, 5, 7), 6
"""The colours of the most frequent classes, and that of the others."""


def look(subject: Subject) -> Look | None:
    """The look "map"; None for a network that does not tell classes of whole inputs apart."""
    steps = [step for step in subject.steps if "float" in step.dtype and len(step.shape) > 1]
    if len(subject.model.outputs[0].shape) != 2 or len(subject.labels) < 2 or not steps:
        return None
    return Look(
        name="map",
        title="Map of examples",
        text="Real examples, and among them your input: those are near each other of which the layer makes the same. "
        "From layer to layer the classes come apart (van der Maaten & Hinton 2008).",
        show=lambda inputs, settings: _show(subject, inputs, settings),
        settings=settings_of_look(
            layer=(
                str,
                setting(
                    before_the_answer(subject, steps).name,
                    "The layer whose numbers are compared",
                    choices=tuple(step.name for step in steps),
                ),
            ),
            method=(str, setting(T_SNE, "How the map is made", choices=(T_SNE, COMPONENTS))),
            examples=(
                int,
                setting(EXAMPLES, "How many examples", minimum=FEWEST, maximum=MOST, unit="examples"),
            ),
        ),
        is_long=True,
    )


def before_the_answer(subject: Subject, steps: Sequence[Step]) -> Step:
    """The step whose numbers the last layer with weights is given: by them the network tells the classes apart."""
    by_name = {step.name: step for step in steps}
    trained = [step for step in subject.steps if step.is_trained]
    known = [by_name[name] for name in (trained[-1].sources if trained else ()) if name in by_name]
    return known[0] if known else steps[-1]


def _show(subject: Subject, inputs: Inputs, settings: Any) -> Iterator[Sequence[Plot]]:
    given = subject.encode(inputs)
    found = real_examples(subject, settings.examples)
    if found is None or len(found) < FEWEST:
        raise DataError(
            "There are too few real examples at hand to draw a map of them",
            expected=f"{FEWEST} or more",
            remedy="put the data set of this model on this machine, or train it on data of your own",
        )
    step = subject.step(settings.layer)
    # By itself, since a text or a sequence may be of another length.
    vectors = [_vectors(subject, given, step)]
    for start in range(0, len(found), AT_ONCE):
        yield [Text(text=f"{start:,} of {found.origin} …")]
        vectors.append(_vectors(subject, {n: array[start : start + AT_ONCE] for n, array in found.batch.items()}, step))
    yield [Text(text=f"Drawing a map of {found.origin} …")]
    drawn = _Map.of(subject, found, np.concatenate(vectors), settings.method)
    yield _drawn(subject, step, drawn, given, found)


def _vectors(subject: Subject, batch: Batch, step: Step) -> np.ndarray:
    """What the step gives for each example [examples, numbers]; of numbers for each of several places the mean."""
    numbers = subject.activations(batch, [step.name])[step.name].astype("float64")
    return numbers if numbers.ndim == 2 else numbers.reshape(len(numbers), -1, numbers.shape[-1]).mean(axis=1)


@dataclass(frozen=True)
class _Map:
    """A map of examples.

    Args:
        places: [1 + examples, 2], your input first.
        classes: The class of each example [examples].
        said: What the colours mean, and how far the classes are apart.
    """

    places: np.ndarray
    classes: np.ndarray
    said: str

    @classmethod
    def of(cls, subject: Subject, found: Examples, vectors: np.ndarray, method: str) -> _Map:
        """Draw it of what the step gives [1 + examples, numbers]."""
        right = _numbers_of(found.targets, len(subject.labels))
        classes = subject.forward(found.batch).argmax(axis=1) if right is None else right
        alike = float((classes[nearest(vectors[1:], NEIGHBOURS)] == classes[:, None]).mean())
        meaning = "what it answers, as nobody says what is right" if right is None else "what is right"
        said = (
            f"From {found.origin}, coloured by {meaning}. Of the {NEIGHBOURS} that are nearest to an example in this "
            f"layer {alike:.0%} are of its class."
        )
        if method == T_SNE:
            return cls(neighbour_map(vectors), classes, said)
        places, share = plane(vectors)
        return cls(places, classes, f"{said} The map shows {share:.0%} of the variance.")


def _numbers_of(targets: Any, count: int) -> np.ndarray | None:
    """The numbers of the classes [examples]; None where targets are something else."""
    if targets is None:
        return None
    numbers = np.asarray(targets)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (len(numbers) and numbers.max() >= count):
        return None
    return numbers


def _drawn(subject: Subject, step: Step, drawn: _Map, given: Batch, found: Examples) -> list[Plot]:
    plots: list[Plot] = [
        Text(text=drawn.said),
        LinePlot(title=f"What {step.name} makes of them", lines=_dots(subject.labels, drawn), y_label=""),
    ]
    name = next((name for name in subject.input_names if is_picture(subject, name)), None)
    if name is not None:
        canvas = _pictures(np.concatenate([given[name], found.batch[name]]), drawn.places)
        plots.append(
            Pictures(
                title="The same map with the pictures; yours has a frame",
                pictures=[Picture(pixels=canvas)],
                width=WIDTH,
            )
        )
    return plots


def _dots(labels: Sequence[str], drawn: _Map) -> list[Line]:
    """A group of dots for each class, and two lines that cross where the input is."""
    places, classes = drawn.places[1:], drawn.classes
    numbers, counts = np.unique(classes, return_counts=True)
    order = [int(number) for number in numbers[np.argsort(-counts, kind="stable")]]
    shown = order if len(order) <= len(COLORED) else order[: len(COLORED)]
    groups = [(labels[number], classes == number, color) for number, color in zip(sorted(shown), COLORED, strict=False)]
    if len(order) > len(shown):
        groups.append(("other classes", ~np.isin(classes, shown), GREY))
    dots = [
        Line(label=label, x=places[chosen, 0], y=places[chosen, 1], kind="dots", color=color)
        for label, chosen, color in groups
    ]
    (x, y), low, high = drawn.places[0], drawn.places.min(axis=0), drawn.places.max(axis=0)
    return [
        Line(label="your input", x=[low[0], high[0]], y=[y, y], kind="dashed", color=GREY),
        Line(x=[x, x], y=[low[1], high[1]], kind="dashed", color=GREY),
        *dots,
    ]


def _pictures(images: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The map with encoded pictures [examples, height, width, channels], uint8 [HEIGHT, WIDTH, 3]."""
    limits = pixel_range(images)
    corners = np.median(images[:, [0, 0, -1, -1], [0, -1, 0, -1]], axis=(0, 1))
    red, green, blue = image_of(pixels(corners[None, None], limits)).convert("RGB").tobytes()
    shown = [image_of(pixels(image, limits)) for image in images]
    return np.asarray(pasted(shown, places, (red, green, blue)))
