"""Functions, given themselves or as text: found at their first use, called, checked."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

from layerwise.errors import SpecError

Reference = Callable | str
"""A function, or where to find it: "module:function"."""


def resolve(reference: Reference) -> Callable:
    """The function that a Reference names.

    Raises:
        SpecError: There is no such module or function.
    """
    if callable(reference):
        return reference
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SpecError(
            f"{reference!r} cannot be imported", expected='"module:function"', received=str(error)
        ) from error
    return found


def call(reference: Reference, *arguments: Any) -> Any:
    """What the function that a Reference names gives for as many of the arguments as it takes; the last ones need not
    be taken, as in pluggy's hooks."""
    function = resolve(reference)
    parameters = inspect.signature(function).parameters.values()
    if not any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        arguments = arguments[: sum(parameter.kind in positional for parameter in parameters)]
    return function(*arguments)


def check_reference(owner: str, name: str, value: Any, *, required: bool = True) -> None:
    if value is None and not required:
        return
    if callable(value) or (isinstance(value, str) and re.fullmatch(r"[\w.]+:\w+", value)):
        return
    raise SpecError(f"{owner}: {name} is not usable", expected='a function or "module:function"', received=repr(value))
