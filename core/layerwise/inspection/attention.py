"""Attention maps: which places of an input each head of each attention layer looks at (Vaswani et al. 2017,
arXiv:1706.03762).

The scores of layers that can give them are recorded while the network runs: those whose `call` takes
`return_attention_scores`, as Keras' own do, wherever in a network they are; and those of plugins that have a method
`attention_scores`, given what `call` is given, with the result [examples, heads, queries, keys].
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from layerwise.config import setting
from layerwise.inspection.looks import Inputs, Look, settings_of_look
from layerwise.inspection.steps import run
from layerwise.inspection.subject import Batch, Subject
from layerwise.plots import Heatmap, Plot, Row, Text

MOST_HEADS = 16
MOST_PLACES = 256
LABELLED = 48
"""Up to this many places have their names beside the map."""
_patching = threading.Lock()


def look(subject: Subject) -> Look | None:
    """The look "attention"; None for a network without attention layers."""
    layers = attention_layers(subject.model)
    if not layers:
        return None
    choices = tuple(layers)
    return Look(
        name="attention",
        title="Attention",
        text="Which places of the input each head looks at: a row for each place that asks, a column for each that is "
        "asked; each row sums to 1 (Vaswani et al. 2017).",
        show=lambda inputs, settings: _show(subject, inputs, settings.layer),
        settings=settings_of_look(layer=(str, setting(choices[-1], "The attention layer", choices=choices))),
    )


def _show(subject: Subject, inputs: Inputs, name: str) -> Sequence[Plot]:
    batch = subject.encode(inputs)
    found = attention_scores(subject, batch, [name]).get(name)
    if not found:
        return [Text(text=f"{name} was not used for this input.")]
    scores = found[0]
    heads = scores[0] if scores.ndim == 4 else scores
    heads = heads[:, :MOST_PLACES, :MOST_PLACES]
    names = [subject.part_names(batch, part) for part in batch]
    labels = {side: _labels(names, heads.shape[1 + axis]) for axis, side in enumerate(("row", "column"))}
    maps = [
        Heatmap(
            title=title,
            values=values,
            x_label="is looked at",
            y_label="looks",
            row_labels=labels["row"],
            column_labels=labels["column"],
        )
        for title, values in [
            *([("mean of all heads", heads.mean(axis=0))] if len(heads) > 1 else []),
            *((f"head {number}", head) for number, head in enumerate(heads[:MOST_HEADS], start=1)),
        ]
    ]
    more = f" The first {MOST_HEADS} of {len(heads)} heads are shown." if len(heads) > MOST_HEADS else ""
    said = f"{len(heads)} heads, {heads.shape[1]} places.{more}" if len(heads) > 1 else f"{heads.shape[1]} places."
    return [Text(text=said), Row(plots=tuple(maps))]


def _labels(names: Sequence[list[str] | None], count: int) -> tuple[str, ...]:
    fitting = [part for part in names if part is not None and len(part) == count <= LABELLED]
    return tuple(fitting[0]) if fitting else ()


def attention_layers(model: Any) -> dict[str, Any]:
    """The layers of a network that can say where they look, by name, those within other layers included."""
    found: dict[str, Any] = {}
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if hasattr(layer, "attention_scores") or "return_attention_scores" in inspect.signature(layer.call).parameters:
            name = layer.name
            while name in found:
                name += "'"
            found[name] = layer
    return found


def attention_scores(subject: Subject, batch: Batch, names: Sequence[str]) -> dict[str, list[np.ndarray]]:
    """The scores of attention layers for a batch, for each call [examples, heads, queries, keys]."""
    layers = attention_layers(subject.model)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_patching)
        found = {name: stack.enter_context(_recorded(layers[name])) for name in names}
        run(subject.model, batch)
    return found


@contextlib.contextmanager
def _recorded(layer: Any) -> Iterator[list[np.ndarray]]:
    """Record the scores of a layer in this thread. Others that use the same layer meanwhile notice nothing."""
    from layerwise.engines.base import to_numpy

    found: list[np.ndarray] = []
    original, thread = layer.call, threading.get_ident()

    def call(*arguments: Any, **options: Any) -> Any:
        if threading.get_ident() != thread:
            return original(*arguments, **options)
        if hasattr(layer, "attention_scores"):
            scores, result = layer.attention_scores(*arguments, **options), original(*arguments, **options)
        else:
            both = original(*arguments, **{**options, "return_attention_scores": True})
            scores, result = both[1], both if options.get("return_attention_scores") else both[0]
        found.append(to_numpy(scores))
        return result

    # Past the layer's own __setattr__, which looks for variables in what it is given.
    object.__setattr__(layer, "call", call)
    try:
        yield found
    finally:
        object.__delattr__(layer, "call")
