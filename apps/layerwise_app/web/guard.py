"""One place where what goes wrong becomes a message that a visitor can read."""

from __future__ import annotations

import functools
import html
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.components import Component

from layerwise.errors import UNEXPECTED, LayerwiseError
from layerwise_app.web.markup import markup, note

logger = logging.getLogger(__name__)

QUIET: Any = {"show_progress": "hidden", "api_visibility": "private"}
"""How events are wired whose progress the page shows itself, and which are not part of the HTTP API."""
SHOWN_SECONDS = 20


def guard(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler`, a function or a generator function of an event, with its errors shown as one message."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def guarded_generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with _shown():
                yield from handler(*args, **kwargs)

        return guarded_generator

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with _shown():
            return handler(*args, **kwargs)

    return guarded


def answering(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function`, which a script of a page calls with one JSON value, with its errors as the answer `{"error": ...}`:
    of an exception the script would hear nothing."""

    @functools.wraps(function)
    def answered(argument: Any) -> Any:
        try:
            return function(argument)
        except Exception as error:
            return {"error": explain(error)}

    return answered


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except (Exception, SystemExit) as error:  # a plugin's code must not end the server
        raise message(explain(error)) from error


def explain(error: BaseException) -> str:
    """What a visitor is told of an error. What no visitor can have caused is for the log."""
    if isinstance(error, LayerwiseError):
        return str(error)
    logger.error("An event failed", exc_info=error)
    return UNEXPECTED


def message(text: str) -> gr.Error:
    """The message that shows `text`. It may hold what a user or a plugin wrote, and Gradio shows HTML."""
    return gr.Error(html.escape(text), title="This did not work", duration=SHOWN_SECONDS, print_exception=False)


def drawn(draw: Callable[[], Any], what: str) -> gr.Blocks:
    """What `draw` draws, as Blocks of its own that can be rendered into a page; when it raises, a note that says
    so. Call it outside of any Blocks: half of a drawing must not end up on a page.

    Args:
        draw: Draws components.
        what: What it draws, for the note: "The model vision/fashion".
    """
    try:
        with gr.Blocks() as blocks:
            draw()
        for component in blocks.blocks.values():
            # What a function as a value asks for when the page is opened is attached by now. Gradio would attach it
            # again at the end of every page that follows, each of which would ask for it, and more than once.
            if isinstance(component, Component):
                component.load_event_to_attach = None
    except (Exception, SystemExit) as error:
        logger.exception("%s could not be drawn", what)
        reason = str(error) if isinstance(error, LayerwiseError) else f"{type(error).__name__}: {error}"
        with gr.Blocks() as blocks:
            markup(note(f"{what} could not be drawn.", reason))
    return blocks
