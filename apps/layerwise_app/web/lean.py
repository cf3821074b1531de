"""What a start of the server leaves out: what Gradio does when it is imported that no server needs, what it does again
and again while pages are drawn, and the search for garbage where there is none. Together they were nearly half of the
processor time until the first page, and a third of the memory."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, SimpleNamespace
from typing import Any, NoReturn

from layerwise.later import Later, in_place_of

LATER = "pandas"
"""Gradio imports it for values that are kept, of which there are none; whoever uses it imports it then."""
NEVER = "mcp"
"""Gradio's own MCP server needs it, which is not used (`layerwise_app.web.mcp_tools`)."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import Gradio, and what is built on it, within this context. Nothing else may be imported in other threads
    meanwhile, so it is for the start of a process; without it everything works as well, only later."""
    # Whenever it is imported Gradio writes a file of types beside each of its components that has a file.
    with (
        in_place_of({LATER: Later(LATER), NEVER: None}),
        replaced(inspect, "getfile", _no_file),
        without_collections(),
    ):
        yield
        # All of it stays as long as the process: it need not be looked through again and again.
        gc.freeze()


@contextmanager
def lean_drawing() -> Iterator[None]:
    """Draw pages within this context. What others do meanwhile is not disturbed."""
    import gradio.blocks
    import gradio.component_meta

    # For each component that is made, and again when it is described, Gradio takes the arguments of its class apart.
    known = SimpleNamespace(**vars(inspect))
    known.signature, known.getfullargspec = _remembered(inspect.signature), _remembered(inspect.getfullargspec)
    with (
        replaced(gradio.blocks, "inspect", known),
        replaced(gradio.component_meta, "inspect", known),
        without_collections(),
    ):
        yield


@contextmanager
def replaced(owner: Any, name: str, other: Any) -> Iterator[None]:
    """`other` in the place of what `owner` has of that name."""
    former = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, former)


@contextmanager
def without_collections() -> Iterator[None]:
    """Do not look for garbage while much is made that stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _remembered(look: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`look`, which looks at a function only once."""
    known = functools.cache(look)
    return lambda found: known(found) if isinstance(found, FunctionType) else look(found)


def _no_file(_: object) -> NoReturn:
    raise OSError
