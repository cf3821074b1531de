"""The logit lens (nostalgebraist 2020, "interpreting GPT: the logit lens"): what a network that says something at each
place, such as the next token, would say if what comes after one of its blocks were the end of all blocks.

Blocks add to what they are given. So what is there after each can be given to the last layers in place of what they are
given otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerwise.from_scratch.losses import softmax
from layerwise.inspection.looks import Inputs, Look
from layerwise.inspection.steps import Step, graph_of
from layerwise.inspection.subject import Subject
from layerwise.plots import Heatmap, Plot, Table, Text

MOST_PLACES, MOST_SUMS = 16, 24
"""How many places are shown, the last ones, and about how many sums of a deep network, the last one among them."""
_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")


def look(subject: Subject) -> Look | None:
    """The look "logit-lens"; None for a network that has no such blocks, or does not say something at each place."""
    sums = sums_of(subject)
    if len(sums) < 2:
        return None
    sums = sums[:: -max(1, round(len(sums) / MOST_SUMS))][::-1]
    return Look(
        name="logit-lens",
        title="Logit lens",
        text="What the network would say at each place if it ended after each of its blocks, the first block at the "
        "top: how a prediction comes about, layer by layer (nostalgebraist 2020).",
        show=lambda inputs, settings: _show(subject, inputs, sums),
    )


def sums_of(subject: Subject) -> list[Step]:
    """The steps that add what a block gives to what it was given, those of the one path to the output."""
    model: Any = subject.model
    if graph_of(model) is not model or len(model.outputs) != 1 or len(model.outputs[0].shape) != 3:
        return []
    by_name = {step.name: step for step in subject.steps if step.kind == "Add" and len(step.shape) == 3}
    found = [*by_name.values()][-1:]
    while found:
        before = next((by_name[name] for name in found[0].sources if name in by_name), None)
        if before is None or before.shape != found[-1].shape:
            break
        found.insert(0, before)
    return found


def lens(subject: Subject, batch: Any, sums: Sequence[Step]) -> np.ndarray:
    """What the last layers make of each of these sums, [sums, places, scores], of a batch of one."""
    import keras

    from layerwise.engines.base import to_numpy

    model: Any = subject.model
    states = subject.activations(batch, [step.name for step in sums])
    end = keras.Model(sums[-1].layer.output, model.outputs[0])
    return np.stack([to_numpy(end(states[step.name], training=False))[0] for step in sums])


def _show(subject: Subject, inputs: Inputs, sums: Sequence[Step]) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    probabilities = softmax(lens(subject, batch, sums)[:, -MOST_PLACES:].astype("float64"))
    best = probabilities.argmax(axis=-1)
    count = probabilities.shape[1]
    names = [subject.part_names(batch, part) for part in batch]
    places = next((part[-count:] for part in names if part is not None and len(part) >= count), None)
    columns = places or [f"place {number}" for number in range(1, count + 1)]
    rows = [f"after {step.sources[-1]}" for step in sums]
    last = np.take_along_axis(probabilities, best[-1:, :, None].repeat(len(sums), axis=0), axis=-1)[..., 0]
    return [
        Text(text=f"After {len(sums)} layers that add to what they are given; the last {count} places."),
        Heatmap(
            title="How probable each finds what the network says in the end",
            values=last,
            limits=(0, 1),
            row_labels=rows,
            column_labels=columns,
        ),
        Table(
            title="What each finds most probable",
            columns=["", *map(_plain, columns)],
            rows=[
                [
                    _plain(name),
                    *(
                        f"{_plain(subject.labels[score])} {chance:.0%}"
                        for score, chance in zip(line, chances, strict=True)
                    ),
                ]
                for name, line, chances in zip(rows, best, probabilities.max(axis=-1), strict=True)
            ],
        ),
    ]


def _plain(text: str) -> str:
    """A text as Markdown that shows it as it is."""
    return _MARKUP.sub(r"\\\1", text)
