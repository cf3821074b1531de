"""What the first convolution over a sequence answers to, as sequence logos: of the windows in which a filter is more
than half as active as it ever is, how frequent each letter is at each place (Alipanahi et al. 2015, "DeepBind", Nature
Biotechnology 33; Kelley et al. 2016, "Basset", Genome Research 26).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.examples import real_examples
from layerwise.inspection.looks import Look, settings_of_look
from layerwise.inspection.receptive_fields import POINTWISE
from layerwise.inspection.steps import Step
from layerwise.inspection.subject import Subject
from layerwise.plots import Logo, Plot, Row, Table, Text
from layerwise.tasks.sequence_classification import SequenceClassification
from layerwise.tasks.sequences.matrices import Likeness, consensus, information, most_like, position_weights

EXAMPLES = 1000
"""How many sequences are looked at."""
AT_ONCE = 128
FILTERS, MOST_FILTERS = 8, 64
LEAST_WINDOWS = 10
"""Of a filter that answers to fewer windows nothing can be said."""
NAMED = 0.75
"""The correlation from which on a logo is headed by the motif that it is like."""
BESIDE = 2
PASSING = ("Dropout", "SpatialDropout1D", "GaussianNoise", "Identity")


def look(subject: Subject) -> Look | None:
    """The look "motifs"; None for a network whose first layer is no convolution over letters."""
    steps = first_convolution(subject)
    if steps is None or not isinstance(subject.task, SequenceClassification):
        return None
    return Look(
        name="motifs",
        title="Motifs",
        text="What the filters of the first convolution answer to, as sequence logos: a letter is the higher the more "
        "often it stands there, and a place the higher the more it matters (Schneider and Stephens 1990; DeepBind, "
        "Basset).",
        show=lambda inputs, settings: _show(subject, subject.task, *steps, settings),  # pyright: ignore[reportArgumentType]
        settings=settings_of_look(
            filters=(
                int,
                setting(FILTERS, "How many filters", minimum=1, maximum=MOST_FILTERS, unit="filters"),
            )
        ),
        needs_input=False,
        is_long=True,
    )


def first_convolution(subject: Subject) -> tuple[Step, Step] | None:
    """The convolution over what the network is given, and the last of the steps after it that change each of its
    numbers by itself: its activation. None where there is none, or where it skips letters."""
    if len(subject.input_names) != 1:
        return None
    before = {subject.input_names[0]}
    for step in subject.steps:
        if step.kind in PASSING and set(step.sources) <= before:
            before.add(step.name)
        elif step.kind == "Conv1D" and set(step.sources) <= before:
            layer = step.layer
            is_dense = tuple(layer.strides) == (1,) and tuple(layer.dilation_rate) == (1,)
            return (step, _activation_of(subject, step)) if is_dense and layer.padding in ("valid", "same") else None
    return None


def _activation_of(subject: Subject, step: Step) -> Step:
    while True:
        following = [other for other in subject.steps if step.name in other.sources]
        if len(following) != 1 or following[0].kind not in POINTWISE or len(following[0].sources) != 1:
            return step
        step = following[0]


@dataclass(frozen=True)
class Filter:
    """What a filter answers to.

    Args:
        number: Which one, from 1 on.
        weights: The share of each letter at each place [places, letters].
        bits: The information content of each place [places].
        count: How many windows it was made of.
        place: Where most of them begin, from 1 on.
        likeness: The known motif that it is most like; None where none are known.
    """

    number: int
    weights: np.ndarray
    bits: np.ndarray
    count: int
    place: int
    likeness: Likeness | None


def _show(
    subject: Subject, task: SequenceClassification, convolution: Step, activation: Step, settings: Any
) -> Sequence[Plot]:
    encoded, origin = _sequences(subject, task)
    background = encoded.mean(axis=(0, 1), dtype="float64")
    found = filters_of(subject, task, convolution, activation, encoded, background)
    frequencies = ", ".join(
        f"{letter} {share:.0%}" for letter, share in zip(task.letters.letters, background, strict=True)
    )
    said = (
        f"From the windows of {origin} in which a filter is more than half as active as it ever is. The height is the "
        f"information content against the frequencies there ({frequencies}). Of {convolution.layer.filters} filters "
        f"{len(found)} answer to {LEAST_WINDOWS} windows or more; those that are like known motifs come first, then "
        "those that say most."
    )
    logos = [_logo(item, task, background) for item in found[: settings.filters]]
    return [
        Text(text=said),
        *(Row(plots=tuple(logos[start : start + BESIDE])) for start in range(0, len(logos), BESIDE)),
        *([_table(found, task)] if found else []),
    ]


def _sequences(subject: Subject, task: SequenceClassification) -> tuple[np.ndarray, str]:
    """Sequences [examples, length, letters], and what they are. Random ones where the data are not at hand, since
    those few that come with the model say too little."""
    examples = real_examples(subject, EXAMPLES)
    if examples is not None and examples.targets is not None:
        return np.asarray(examples.batch[subject.input_names[0]], "float32"), examples.origin
    count = len(task.letters.letters)
    random = np.random.default_rng(0).integers(0, count, (EXAMPLES, task.length))
    return np.eye(count, dtype="float32")[random], f"{EXAMPLES:,} random sequences, as the data are not on this machine"


def filters_of(
    subject: Subject,
    task: SequenceClassification,
    convolution: Step,
    activation: Step,
    encoded: np.ndarray,
    background: np.ndarray,
) -> list[Filter]:
    """The filters that answer to enough windows: those that are like known motifs first, then those with the most
    information.

    Args:
        convolution, activation: As `first_convolution` gives them.
        encoded: Sequences [examples, length, letters].
        background: How frequent the letters are, [letters].
    """
    name = subject.input_names[0]
    parts = [
        subject.activations({name: encoded[start : start + AT_ONCE]}, [activation.name])[activation.name]
        for start in range(0, len(encoded), AT_ONCE)
    ]
    active = np.concatenate(parts)
    size = convolution.layer.kernel_size[0]
    if convolution.layer.padding == "same":
        # Where a window would reach beyond an end, nobody knows what it answers to.
        before = (size - 1) // 2
        active = active[:, before : active.shape[1] - (size - 1 - before)]
    windows = np.lib.stride_tricks.sliding_window_view(encoded, size, axis=1)
    found = []
    for number in range(active.shape[2]):
        values = active[..., number]
        most = float(values.max())
        examples, places = np.nonzero(values > most / 2) if most > 0 else (np.zeros(0, int), np.zeros(0, int))
        if len(examples) < LEAST_WINDOWS:
            continue
        weights = position_weights(windows[examples, places].transpose(0, 2, 1), background)
        bits = information(weights, background)
        likeness = most_like(weights, task.motifs, task.letters)
        usual = int(np.bincount(places).argmax()) + 1
        found.append(Filter(number + 1, weights, bits, len(examples), usual, likeness))
    return sorted(found, key=_rank)


def _rank(item: Filter) -> tuple[float, float]:
    like = item.likeness
    return -like.correlation if like is not None and like.correlation >= NAMED else 0.0, -float(item.bits.sum())


def _logo(item: Filter, task: SequenceClassification, background: np.ndarray) -> Logo:
    like = item.likeness
    named = f": {like.motif.name}" if like is not None and like.correlation >= NAMED else ""
    other = " (other strand)" if named and like is not None and like.strand != "+" else ""
    return Logo(
        title=f"filter {item.number}{named}{other}",
        letters=task.letters.letters,
        heights=item.weights * item.bits[:, None],
        limit=float(np.log2(1 / background.min())) if task.alphabet == "protein" else 2.0,
    )


def _table(found: Sequence[Filter], task: SequenceClassification) -> Table:
    columns = ["filter", "consensus", "bits", "windows", "mostly at letter"]
    if task.motifs:
        columns += ["most like", "correlation", "strand"]
    rows: list[Sequence[str | float]] = []
    for item in found:
        row: list[str | float] = [
            str(item.number),
            consensus(item.weights, item.bits, task.letters.letters),
            f"{item.bits.sum():.1f}",
            f"{item.count:,}",
            str(item.place),
        ]
        if item.likeness is not None:
            motif = item.likeness.motif
            row += [f"{motif.name} ({motif.consensus})", f"{item.likeness.correlation:.2f}", item.likeness.strand]
        rows.append(row)
    return Table(title="All filters", columns=columns, rows=rows)
