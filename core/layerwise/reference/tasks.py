"""docs/tasks.md, written from the code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

from layerwise.plugins.contributions import stock_tasks
from layerwise.reference.docstrings import Docstring
from layerwise.tasks.base import Task
from layerwise.tasks.fields import KINDS, Field
from layerwise.tasks.metric_names import words

HEAD = """\
# The tasks

Written by `python -m layerwise.reference docs` from the code. A task says what goes in and what comes out, with the
loss, the metrics, the page and the format of a user's own data; a ModelSpec names one
([Writing a plugin](writing-a-plugin.md)).
`layerwise sample NAME FOLDER` writes a small example of the data that a model can be trained on.
"""


def tasks_document(tasks: Sequence[Task]) -> str:
    """All stock tasks as Markdown.

    Args:
        tasks: Tasks of models, from which it is seen what goes in and comes out of each type.
    """
    shown = {type(task): task for task in reversed(tasks)}
    parts = [HEAD]
    for kind in sorted(stock_tasks().values(), key=lambda kind: kind.__name__):
        parts += _section(kind, shown.get(kind))
    return "\n".join([*parts, *_fields()])


def _fields() -> Iterator[str]:
    described = Docstring.of(Field)
    yield "## Field\n"
    yield f"{described.text} A task of your own names them so, and the web app, the API and the command line follow.\n"
    for name, meaning in described.arguments:
        yield f"- `{name}`: {meaning}"
    yield ""
    yield f"The kinds: {', '.join(f'`{kind}`' for kind in KINDS)}.\n"


def _section(kind: type[Task], task: Task | None) -> Iterator[str]:
    described = Docstring.of(kind)
    yield f"## {kind.__name__}\n"
    yield f"`{kind.type_name}`. {described.text}\n"
    for name, meaning in described.arguments:
        yield f"- `{name}`: {meaning}"
    yield ""
    if task is not None:
        yield from _table("goes in", task.inputs)
        yield from _table("comes out", task.outputs)
    if "network takes" not in described.text and kind.network_takes:
        yield f"**For the network.** {kind.network_takes} {kind.network_gives}\n"
    if kind.metric:
        yield f"**Measured by** {words(kind.metric)}, before others.\n"
    if kind.folder_format:
        yield f"**Own data.** {inspect.cleandoc(kind.folder_format)}\n"


def _table(what: str, fields: Sequence[Field]) -> Iterator[str]:
    yield f"| {what} | kind | |"
    yield "| --- | --- | --- |"
    for field in fields:
        kinds = ", ".join((field.kind, *field.alternatives))
        notes = [field.title, *(["optional"] if field.optional else [])]
        yield f"| `{field.name}` | {kinds} | {', '.join(notes)} |"
    yield ""
