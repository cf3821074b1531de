"""Feature visualisation: pictures made so that a channel answers as much as it can, by gradient ascent on the input
(Erhan et al. 2009; Olah et al. 2017, doi:10.23915/distill.00007).

A picture is the sum of a few layers of different resolution, passed through a sigmoid: the coarse ones let large shapes
grow as fast as fine ones, which plain gradient ascent drowns in noise (after section "Preconditioning and
Parameterization" of the second paper). Noise, small shifts and a penalty on differences between neighbours ask for
patterns that are robust.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.from_scratch.descent import Adam
from layerwise.inspection.drawing import pixel_range
from layerwise.inspection.examples import real_examples
from layerwise.inspection.hierarchy import busiest, chosen_steps, evenly, layer_settings, picture_input
from layerwise.inspection.looks import Look, settings_of_look
from layerwise.inspection.patches import find_peaks
from layerwise.inspection.steps import Step, first, run
from layerwise.inspection.subject import Subject
from layerwise.plots import Picture, Pictures, Plot, Row, Text

STEPS = 96
SHOWN_EVERY = 16
RULE, LEARNING_RATE = Adam(beta_2=0.99), 0.08
NOISE = 0.05
SMOOTHNESS = 4.0
"""The weight of the differences between neighbours, relative to the activation."""
CHOOSING_EXAMPLES = 200
Channels = list[tuple[str, Step, np.ndarray]]
"""For each layer what heads it, the step, and the numbers of the channels."""


def look(subject: Subject) -> Look | None:
    """The look "features"; None for a network without convolutions over pictures."""
    name = picture_input(subject)
    if name is None:
        return None
    return Look(
        name="features",
        title="What its channels look for",
        text="Pictures made for each channel, so that it answers as much as it can: what the layer has learnt to look "
        "for, from simple patterns to whole parts (Erhan et al. 2009, Olah et al. 2017).",
        show=lambda inputs, settings: _show(subject, name, settings),
        settings=settings_of_look(
            **layer_settings(subject),
            smoothness=(
                float,
                setting(SMOOTHNESS, "How much neighbouring pixels are made alike", minimum=0.0, maximum=50.0),
            ),
        ),
        needs_input=False,
        is_long=True,
    )


def _show(subject: Subject, name: str, settings: Any) -> Iterator[Sequence[Plot]]:
    chosen = _choose(subject, settings.layer, settings.channels)
    for done, images in visualise(subject, name, chosen, smoothness=settings.smoothness):
        said = [Text(text=f"Step {done} of {STEPS} …")] if done < STEPS else []
        columns, start = [], 0
        for title, _, channels in chosen:
            part = images[start : start + len(channels)]
            start += len(channels)
            shown = [
                Picture(pixels=image if image.shape[-1] == 3 else image[..., 0], caption=f"channel {channel + 1}")
                for image, channel in zip(part, channels, strict=True)
            ]
            columns.append(Pictures(title=title, pictures=shown))
        yield [*said, Row(plots=tuple(columns))]


def _choose(subject: Subject, layer: str, count: int) -> Channels:
    """The channels that are shown: those that answer most to real pictures, where there are any."""
    steps = chosen_steps(subject, layer)
    examples = real_examples(subject, CHOOSING_EXAMPLES)
    if examples is None:
        return [(title, step, evenly(int(step.shape[-1] or 1), count)) for title, step in steps]
    *_, (_, peaks) = find_peaks(subject, examples.batch, [step for _, step in steps])
    return [(title, step, busiest(peaks[step.name].values, count)) for title, step in steps]


def visualise(
    subject: Subject, name: str, chosen: Channels, *, smoothness: float = SMOOTHNESS, steps: int = STEPS
) -> Iterator[tuple[int, np.ndarray]]:
    """The pictures [channels of all layers, height, width, channels of a picture], from 0 to 1, again and again while
    they become better, with the number of steps done.

    Args:
        subject: The network.
        name: Its input.
        chosen: The channels of each layer.
        smoothness: The weight of the differences between neighbours.
        steps: How many steps of gradient ascent (Adam) are done.
    """
    from layerwise import engines

    ascent = _Ascent(subject, name, chosen, smoothness)
    gradients = engines.current().compile_gradients(ascent.values, subject.model.variables)
    random = np.random.default_rng(0)
    points = ascent.start(random)
    memories = {key: RULE.start(array) for key, array in points.items()}
    for step in range(1, steps + 1):
        _, slopes = gradients(points, ascent.views(random))
        for key, slope in slopes.items():
            # Upwards: against what would be descent.
            moved, memories[key] = RULE.step(points[key], -slope, memories[key], LEARNING_RATE)
            points[key] = moved.astype("float32")
        if step % SHOWN_EVERY == 0 or step == steps:
            yield step, ascent.images(points)


class _Ascent:
    """What is maximised: for each picture how strongly its own channel answers.

    The pictures are made on a canvas with a margin, and the network sees another part of it in each step, so that
    nothing can hang on a single pixel.
    """

    def __init__(self, subject: Subject, name: str, chosen: Channels, smoothness: float) -> None:
        self.subject, self.name, self.chosen, self.smoothness = subject, name, chosen, smoothness
        _, height, width, colours = subject.model.inputs[0].shape
        self.count = sum(len(channels) for _, _, channels in chosen)
        self.size, self.colours = (int(height), int(width)), int(colours)
        self.margin = max(1, min(self.size) // 12)
        self.low, self.high = _limits(subject, name)

    def start(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        """A little noise in each resolution, of which the coarsest has a few pixels a side."""
        sides = [side + 2 * self.margin for side in self.size]
        factors = [factor for factor in (1, 2, 4, 8, 16) if factor == 1 or min(sides) // factor >= 4]
        return {
            f"{factor}": random.normal(
                0, 0.05, (self.count, *(-(-side // factor) for side in sides), self.colours)
            ).astype("float32")
            for factor in factors
        }

    def views(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        """What differs from step to step: where the canvas is looked at, and noise."""
        return {
            "corner": np.array([0, *random.integers(0, 2 * self.margin + 1, 2), 0], "int32"),
            "noise": random.normal(0, NOISE, (self.count, *self.size, self.colours)).astype("float32"),
        }

    def images(self, points: dict[str, np.ndarray]) -> np.ndarray:
        """The pictures in the middle of the canvas, from 0 to 1."""
        from keras import ops

        from layerwise.engines.base import to_numpy

        canvas = to_numpy(self._canvas({key: ops.convert_to_tensor(array) for key, array in points.items()}))
        margin = slice(self.margin, -self.margin)
        return canvas[:, margin, margin]

    def _canvas(self, points: dict[str, Any]) -> Any:
        from keras import ops

        size = tuple(side + 2 * self.margin for side in self.size)
        resized: list[Any] = [
            ops.image.resize(points[key], size, interpolation="bilinear", data_format="channels_last")
            for key in sorted(points)
        ]
        return ops.sigmoid(sum(resized))

    def values(self, points: Any, given: Any) -> Any:
        """How strongly the channels answer [pictures], less the penalty."""
        from keras import ops

        canvas: Any = self._canvas(points)
        shown: Any = ops.slice(canvas, given["corner"], (self.count, *self.size, self.colours))
        found: dict[str, Any] = {}

        def keep(name: str, outputs: Any) -> Any:
            found[name] = first(outputs)
            return outputs

        run(self.subject.model, {self.name: self.low + (self.high - self.low) * (shown + given["noise"])}, keep)
        parts, start = [], 0
        for _, step, channels in self.chosen:
            places = ops.convert_to_tensor(channels.reshape(-1, 1, 1, 1).astype("int32"))
            own = ops.take_along_axis(found[step.name][start : start + len(channels)], places, axis=3)
            parts.append(_strength(ops.cast(own, "float32")))
            start += len(channels)
        answers: Any = ops.concatenate(parts)
        across: Any = ops.mean(ops.square(canvas[:, 1:] - canvas[:, :-1]), axis=(1, 2, 3))
        along: Any = ops.mean(ops.square(canvas[:, :, 1:] - canvas[:, :, :-1]), axis=(1, 2, 3))
        # Relative to the answer, whose size differs from layer to layer by orders of magnitude.
        scale: Any = ops.stop_gradient(ops.abs(answers))
        return answers - self.smoothness * (scale + 1e-3) * (across + along)


def _strength(activations: Any) -> Any:
    """How strongly a channel answers in some places [pictures, height, width, 1]: the root of the mean square of what
    is positive. A mean would be greatest for an even grey where a kernel has a sum other than 0. A little of what is
    negative counts too, so that a channel that is silent at first has a gradient."""
    from keras import ops

    positive: Any = ops.mean(ops.square(ops.relu(activations)), axis=(1, 2, 3))
    root: Any = ops.sqrt(positive + 1e-8)
    mean: Any = ops.mean(activations, axis=(1, 2, 3))
    return root + 0.01 * mean


def _limits(subject: Subject, name: str) -> tuple[float, float]:
    examples = real_examples(subject, 8)
    if examples is not None:
        return pixel_range(examples.batch[name])
    try:
        return pixel_range(subject.batch(subject.task.warm_input())[name])
    except NotImplementedError:
        return 0.0, 1.0
