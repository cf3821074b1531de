"""Feature visualisation: pictures made so that a channel answers as much as it can, by gradient ascent on the input
(Erhan et al. 2009; Olah et al. 2017, doi:10.23915/distill.00007).

A picture is the sum of a few layers of different resolution, passed through a sigmoid: the coarse ones let large shapes
grow as fast as fine ones, which plain gradient ascent drowns in noise (after section "Preconditioning and
Parameterization" of the second paper). Noise on the input and a penalty on differences between neighbours ask for
patterns that are robust.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
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
LEARNING_RATE, FIRST_MOMENT, SECOND_MOMENT = 0.08, 0.9, 0.99
NOISE = 0.05
SMOOTHNESS = 1.0
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
                setting(SMOOTHNESS, "How much neighbouring pixels are made alike", minimum=0.0, maximum=10.0),
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
    means = {key: np.zeros_like(array) for key, array in points.items()}
    squares = {key: np.zeros_like(array) for key, array in points.items()}
    for step in range(1, steps + 1):
        noise = random.normal(0, NOISE, ascent.shape).astype("float32")
        _, slopes = gradients(points, {"noise": noise})
        for key, slope in slopes.items():
            means[key] += (1 - FIRST_MOMENT) * (slope - means[key])
            squares[key] += (1 - SECOND_MOMENT) * (slope**2 - squares[key])
            mean, square = means[key] / (1 - FIRST_MOMENT**step), squares[key] / (1 - SECOND_MOMENT**step)
            points[key] = points[key] + LEARNING_RATE * mean / (np.sqrt(square) + 1e-8)
        if step % SHOWN_EVERY == 0 or step == steps:
            yield step, ascent.images(points)


class _Ascent:
    """What is maximised: for each picture the mean activation of its own channel."""

    def __init__(self, subject: Subject, name: str, chosen: Channels, smoothness: float) -> None:
        self.subject, self.name, self.chosen, self.smoothness = subject, name, chosen, smoothness
        shape: Any = subject.model.inputs[0].shape
        self.shape = (sum(len(channels) for _, _, channels in chosen), *shape[1:])
        self.low, self.high = _limits(subject, name)

    def start(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        """A little noise in each resolution, of which the coarsest has a few pixels a side."""
        count, height, width, channels = self.shape
        factors = [factor for factor in (1, 2, 4, 8, 16) if factor == 1 or min(height, width) // factor >= 4]
        return {
            f"{factor}": random.normal(
                0, 0.1 / len(factors), (count, -(-height // factor), -(-width // factor), channels)
            ).astype("float32")
            for factor in factors
        }

    def images(self, points: dict[str, Any]) -> np.ndarray:
        """The pictures, from 0 to 1."""
        from keras import ops

        return ops.convert_to_numpy(self._images({key: ops.convert_to_tensor(array) for key, array in points.items()}))

    def _images(self, points: dict[str, Any]) -> Any:
        from keras import ops

        size = self.shape[1:3]
        total = sum(
            ops.image.resize(points[key], size, interpolation="bilinear", data_format="channels_last")
            for key in sorted(points)
        )
        return ops.sigmoid(total)

    def values(self, points: Any, given: Any) -> Any:
        """The activations [pictures], less the penalty."""
        from keras import ops

        images = self._images(points)
        noisy = self.low + (self.high - self.low) * (images + given["noise"])
        found: dict[str, Any] = {}

        def keep(name: str, outputs: Any) -> Any:
            found[name] = first(outputs)
            return outputs

        run(self.subject.model, {self.name: noisy}, keep)
        parts, start = [], 0
        for _, step, channels in self.chosen:
            own = ops.mean(found[step.name][start : start + len(channels)], axis=(1, 2))
            picked = ops.take_along_axis(own, ops.convert_to_tensor(channels[:, None].astype("int32")), axis=1)
            parts.append(picked[:, 0])
            start += len(channels)
        activations = ops.cast(ops.concatenate(parts), "float32")
        across = ops.mean(ops.square(images[:, 1:] - images[:, :-1]), axis=(1, 2, 3))
        along = ops.mean(ops.square(images[:, :, 1:] - images[:, :, :-1]), axis=(1, 2, 3))
        # Relative to the activation, whose size differs from layer to layer by orders of magnitude.
        scale = ops.stop_gradient(ops.abs(activations)) + 1e-3
        return activations - self.smoothness * scale * (across + along)


def _limits(subject: Subject, name: str) -> tuple[float, float]:
    examples = real_examples(subject, 8)
    if examples is not None:
        return pixel_range(examples.batch[name])
    try:
        return pixel_range(subject.batch(subject.task.warm_input())[name])
    except NotImplementedError:
        return 0.0, 1.0
