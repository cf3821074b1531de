"""Pages whose events are refused to those who may not, and whose inputs name nothing but what was uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from layerwise.errors import InputError, LayerwiseError
from layerwise_app.accounts import EVERYBODY, Account
from layerwise_app.web.access.asking import CURRENT, KEY
from layerwise_app.web.access.table import refusal, role_of_event
from layerwise_app.web.guard import message

DEEPEST = 64
"""How deep the inputs of an event may be nested."""


class CheckedBlocks(gr.Blocks):
    """Blocks that look up who calls each function, before it is given anything."""

    unknown = EVERYBODY
    """Who asks when the server does not say it."""

    async def process_api(self, block_fn: Any, inputs: list[Any], *args: Any, **options: Any) -> dict[str, Any]:
        """As Gradio calls it for every event, however it was asked for."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        account = _asking(options.get("request"), self.unknown)
        CURRENT.set(account)
        try:
            drawn_in = getattr(function, "rendered_in", None) or function
            needed = role_of_event(_name_of(function.fn), drawn_in.page)
            if account.role < needed:
                raise refusal(account, needed)
            check_files(inputs)
        except LayerwiseError as error:
            raise message(str(error)) from error
        return await super().process_api(block_fn, inputs, *args, **options)


def _asking(requests: Any, unknown: Account) -> Account:
    """Who asks. Events of several that are answered together have the role of the least of them."""
    asked = requests if isinstance(requests, list) else [requests]
    scopes = [getattr(getattr(item, "request", None), "scope", {}) for item in asked]
    return min((scope.get(KEY, unknown) for scope in scopes), key=lambda account: account.role)


def _name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"


def check_files(inputs: Any) -> None:
    """Refuse inputs that name a file which nobody uploaded, or an address: Gradio would get it.

    Raises:
        InputError: There is one, or they are nested too deep.
    """
    folder = Path(get_upload_folder()).resolve()
    for path in _paths_in(inputs, DEEPEST):
        if "://" in path or not _is_within(path, folder):
            raise InputError("This file was not uploaded here", received=repr(path[:80]), remedy="choose it again")


def _paths_in(value: Any, depth: int) -> Iterator[str]:
    """The path of each file in inputs as a browser sends them."""
    if not isinstance(value, dict | list | tuple):
        return
    if depth == 0:
        raise InputError("The inputs are nested too deep", expected=f"{DEEPEST} levels at most")
    # Whatever else it says of itself: without "meta" Gradio takes a picture's path for checked.
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        yield value["path"]
    for part in value.values() if isinstance(value, dict) else value:
        yield from _paths_in(part, depth - 1)


def _is_within(path: str, folder: Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):
        return False
