"""Errors of the HTTP API: one form for all of them, a sentence and its parts, with a fitting status.

{"error": {"type": "InputError", "message": ..., "what": ..., "expected": ..., "received": ..., "remedy": ...}}
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from layerwise.errors import (
    UNEXPECTED,
    AccessError,
    BusyError,
    DataError,
    DeviceError,
    InputError,
    LateError,
    LayerwiseError,
    NotFoundError,
    PluginError,
    RunError,
    SpecError,
    WeightsError,
    WorkerError,
)

logger = logging.getLogger(__name__)

STATUS = {
    NotFoundError: 404,
    InputError: 422,
    SpecError: 422,
    DataError: 422,
    DeviceError: 422,
    RunError: 409,
    AccessError: 403,
    PluginError: 500,
    WeightsError: 503,
    WorkerError: 503,
    BusyError: 503,
    LateError: 504,
}
"""The status of each kind of error; 400 for the others."""
DISK_FULL = LayerwiseError(
    "The disk of the server is full, so nothing was written",
    remedy="ask whoever runs it to make room, and send the request again",
)


class ErrorDetail(BaseModel):
    """What went wrong, as a sentence and in parts."""

    type: str = Field(description="The kind of the error.", examples=["InputError"])
    message: str = Field(description="All of it as text for a reader.")
    what: str | None = Field(None, description="What went wrong.")
    expected: str | None = Field(None, description="What would have been right.")
    received: str | None = Field(None, description="What came instead.")
    remedy: str | None = Field(None, description="What to do.")


class ErrorBody(BaseModel):
    """The body of every answer whose status is 400 or more."""

    error: ErrorDetail


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "The request cannot be fulfilled as it is; the message says why."},
    "5XX": {"model": ErrorBody, "description": "The server cannot answer now."},
}
"""What the schema says of errors."""


def described(error: Exception) -> tuple[dict[str, Any], int]:
    """An error as the body of an answer, and its status. What no client can have caused is for the log alone."""
    if isinstance(error, LayerwiseError):
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
        return {"error": _parts(error)}, status
    if isinstance(error, RequestValidationError):
        return described(_invalid(error))[0], 422
    if isinstance(error, HTTPException):
        return {"error": {"type": "HTTPError", "message": str(error.detail)}}, error.status_code
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        logger.error("The disk is full")
        return {"error": {**_parts(DISK_FULL), "type": "DiskFull"}}, 507
    logger.error("A request failed", exc_info=error)
    return {"error": {"type": "internal", "message": UNEXPECTED}}, 500


def _parts(error: LayerwiseError) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": str(error),
        "what": error.what,
        "expected": error.expected,
        "received": error.received,
        "remedy": error.remedy,
    }


def _invalid(error: RequestValidationError) -> InputError:
    found = [f"{'.'.join(map(str, item['loc'][1:])) or 'the body'}: {item['msg']}" for item in error.errors()[:5]]
    return InputError(
        "The request cannot be used",
        received="; ".join(found),
        remedy="see what the schema says, /api/v1/openapi.json",
    )


def error_response(error: Exception) -> JSONResponse:
    """The answer that tells of an error."""
    content, status = described(error)
    return JSONResponse(content, status, headers=_headers_of(error))


def _headers_of(error: Exception) -> dict[str, str] | None:
    if isinstance(error, BusyError):
        return {"Retry-After": str(error.retry_after)}
    return dict(error.headers) if isinstance(error, HTTPException) and error.headers else None


class ErrorRoute(APIRoute):
    """A route whose errors are answers in JSON."""

    def get_route_handler(self) -> Callable:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except Exception as error:
                return error_response(error)

        return handled
