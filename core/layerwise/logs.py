"""Logs: lines for a person, or JSON lines for a machine, of this process and of the processes that it starts.

LAYERWISE_LOG_FORMAT   text, or json

A JSON line holds "time" (ISO 8601, UTC), "level", "logger", "message", "request_id" while a request is being answered,
and what the record brings as `extra={"fields": {...}}`. Of an exception it holds the type and where in the code it
happened, never its text: that often quotes what somebody gave to a model.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from layerwise.errors import SpecError

VARIABLE = "LAYERWISE_LOG_FORMAT"
FORMATS = ("text", "json")
DEEPEST = 30
"""How many frames of a traceback are written, the innermost."""

ACCESS = "layerwise.access"
"""The logger with a line for each request, which is for machines."""
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if identifier := request_id.get():
            found["request_id"] = identifier
        found |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            found["errors"] = [*_errors(record.exc_info[1])]
        return json.dumps(found, default=str)


def _errors(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """An exception and those that it came from, the newest first."""
    while error is not None:
        yield {"type": type(error).__name__, "stack": _stack(error.__traceback__)}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _stack(found: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(found)[-DEEPEST:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def log_format() -> str:
    """The format that the environment asks for.

    Raises:
        SpecError: There is no such format.
    """
    chosen = os.environ.get(VARIABLE, "").strip().lower() or "text"
    if chosen not in FORMATS:
        raise SpecError(f"{VARIABLE} cannot be used", expected=" or ".join(FORMATS), received=repr(chosen))
    return chosen


def configure(chosen: str | None = None) -> None:
    """Let this process and those that it starts log so, to the standard error.

    Args:
        chosen: One of FORMATS; None is what the environment asks for, and text without that.

    Raises:
        SpecError: There is no such format.
    """
    if chosen is not None:
        if chosen not in FORMATS:
            raise SpecError("The format of the log is not known", expected=" or ".join(FORMATS), received=repr(chosen))
        os.environ[VARIABLE] = chosen
    if log_format() == "text":
        logging.basicConfig(format="%(name)s: %(message)s")
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger(ACCESS).setLevel(logging.INFO)
