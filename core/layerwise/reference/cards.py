"""docs/model-cards.md, written from what is registered and from the records of the weights that are shipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from layerwise.quota import in_bytes
from layerwise.snapshot import Snapshot
from layerwise.specs import DatasetSpec, ModelSpec, Variant
from layerwise.tasks.metric_names import words
from layerwise.tasks.metric_values import with_interval
from layerwise.weights import read_record

HEAD = """\
# The model cards

Written by `python -m layerwise.reference docs` from what is registered and from the records of the weights that are
shipped. The showcase has each card on the page of its model, `layerwise show NAME` in the terminal. Figures are of the
shipped weights, on examples (or episodes, or games) that they were not trained on, with 95 % intervals;
`layerwise evaluate NAME:VARIANT` measures them again. What you train yourself has a card with its own data and figures.
"""


def cards_document(snapshot: Snapshot) -> str:
    """The card of each model as Markdown."""
    models = sorted(snapshot.models.values(), key=lambda spec: spec.name)
    parts = [HEAD, *_overview(models)]
    for spec in models:
        parts += _card(spec, snapshot)
    return "\n".join(parts)


def _overview(models: list[ModelSpec]) -> Iterator[str]:
    yield "| model | | weights |"
    yield "| --- | --- | --- |"
    for spec in models:
        kinds = {_weights(variant) for variant in spec.variants} - {""}
        yield f"| [{spec.card.title}](#{_place(spec.card.title)}) | `{spec.name}` | {', '.join(sorted(kinds))} |"
    yield ""


def _weights(variant: Variant) -> str:
    """Where the weights of a variant are from; empty for one that is only a setting to train."""
    if variant.weights is not None:
        return "shipped"
    return "fetched" if variant.published is not None else ""


def _place(title: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _card(spec: ModelSpec, snapshot: Snapshot) -> Iterator[str]:
    card = spec.card
    yield f"## {card.title}\n"
    yield f"`{spec.name}`. {card.summary}\n"
    if card.description:
        yield f"{card.description}\n"
    if card.limits:
        yield f"**Limits.** {card.limits}\n"
    yield "| variant | parameters | figure | examples | from |"
    yield "| --- | --- | --- | --- | --- |"
    for variant in spec.variants:
        yield from _row(variant)
    yield ""
    if spec.data is not None and spec.data in snapshot.datasets:
        yield f"**Trained on** {_data(snapshot.datasets[spec.data])}\n"
    yield f"**Licence of the weights**: {card.licence}\n"
    if card.sources:
        yield f"**Sources**: {', '.join(f'<{source}>' for source in card.sources)}\n"


def _row(variant: Variant) -> Iterator[str]:
    name = f"`{variant.name}`"
    if variant.weights is not None:
        record = read_record(variant.weights)
        figure, examples = _measured(record.get("measured"))
        yield f"| {name} | {record['num_parameters']:,} | {figure} | {examples} | `{record['command']}` |"
    elif variant.published is not None:
        size, licence = in_bytes(variant.published.size), variant.published.licence
        yield f"| {name} | | | | published as `{variant.published.source}`: {size}, {licence} |"
    else:
        yield f"| {name} | | | | no weights: a setting to train with |"


def _measured(measured: dict[str, Any] | None) -> tuple[str, str]:
    """The first figure of what was measured, and on how many examples of which split; empty where nothing was."""
    if measured is None:
        return "", ""
    metric, value = next(iter(measured["metrics"].items()))
    shown = f"{words(metric)} {with_interval(value, *measured['interval'].get(metric, (None, None)))}"
    return shown, f"{measured['count']:,}, {measured['split']}"


def _data(dataset: DatasetSpec) -> str:
    """What a data set is, under which licence, and where one reads about it."""
    source = dataset.sources[0]
    title = f"[{dataset.title}]({source.homepage})" if source.homepage else dataset.title
    summary = f": {dataset.summary}" if dataset.summary else ""
    return f"{title} (`{dataset.name}`, {source.licence}){summary}"
