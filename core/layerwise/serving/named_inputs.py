"""What somebody gives to a model, by the names of its input fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerwise.errors import InputError
from layerwise.tasks.base import Task
from layerwise.tasks.fields import Field, main_field
from layerwise.versions import Version


def named_inputs(version: Version, inputs: Any) -> Mapping[str, Any]:
    """The inputs of one request by the names of the task's input fields, checked, with defaults for what is left out.

    Args:
        version: The version that is to answer.
        inputs: A mapping of them; or, for a task that needs at most one input, the value itself (`main_field`).

    Raises:
        InputError: One is missing or out of range, or there is one that the task does not have.
    """
    task: Task = version.task
    fields = task.inputs
    main = main_field(fields)
    if main is not None and _is_bare_value(main, fields, inputs):
        inputs = {main.name: inputs}
    names = ", ".join(field.name for field in fields)
    if not isinstance(inputs, Mapping):
        raise InputError(f"{version.name} needs its inputs by name", expected=names, received=type(inputs).__name__)
    missing = [field.name for field in fields if not field.optional and inputs.get(field.name) is None]
    unknown = sorted(map(str, inputs.keys() - {field.name for field in fields}))
    if missing or unknown:
        raise InputError(
            f"{version.name} cannot use these inputs",
            expected=names,
            received=", ".join(map(str, inputs)) or "nothing",
            remedy=f"give {', '.join(missing)}" if missing else f"leave out {', '.join(unknown)}",
        )
    values = {field.name: field.value(inputs.get(field.name)) for field in fields}
    return {name: value for name, value in values.items() if value is not None}


def _is_bare_value(main: Field, fields: Sequence[Field], inputs: Any) -> bool:
    # The value of a table is a mapping itself, of its columns.
    if not isinstance(inputs, Mapping):
        return True
    return main.kind in ("table", "json") and bool(inputs) and not any(field.name in inputs for field in fields)
