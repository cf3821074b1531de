"""The part of the HTTP API that answers bit by bit, as server-sent events.

    POST   /api/v1/stream/{domain}/{application}            as /predict; "answer" events, each replaces the one before
    GET    /api/v1/runs/{id}/stream?start=0                 the events of a training run as they come

Both close with the event "end"; a stream that ends without it was broken off, and one that fails on the way says so in
an event "error". Of a run each event has its number as `id`, with which a client that was cut off goes on (the header
Last-Event-ID).
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from anyio import CancelScope, CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from layerwise.job_folders.events import ENDINGS
from layerwise.versions import Reference
from layerwise_app.values import plain
from layerwise_app.web.api_errors import described
from layerwise_app.web.bodies import read_body, read_inputs
from layerwise_app.web.schemas import event_schema
from layerwise_app.web.streaming import thinned

if TYPE_CHECKING:
    from layerwise.runs import Run
    from layerwise.tasks.base import Answer
    from layerwise_app.web.operation import Operation

KEEP_ALIVE_SECONDS = 15.0
"""After so long without an event a comment is sent: proxies close connections on which nothing happens."""
LOOK_SECONDS = 0.5
"""How long one who follows a run waits between two looks."""
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
STREAM_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": event_schema()}}}
}
_NOTHING: Any = object()


def add_streams(router: APIRouter, operation: Operation) -> None:
    """Add the routes that stream."""
    workspace = operation.workspace

    @router.post(
        "/stream/{domain}/{application}", response_class=StreamingResponse, response_model=None,
        responses=STREAM_RESPONSE,
    )  # fmt: skip
    async def stream(domain: str, application: str, request: Request) -> EventSourceResponse:
        """The answer of a model to one input as it grows: events "answer", then "end"."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        body = await read_body(request)
        reference = Reference(spec.name, body.get("variant"), body.get("version"))
        cancelled = threading.Event()

        def parts() -> Iterator[Answer]:
            inputs = read_inputs(spec.task.inputs, body.get("inputs"))
            yield from thinned(workspace.predictor.stream(reference, inputs, cancelled=cancelled))

        version: dict[str, Any] = {}

        def as_event(answer: Answer) -> bytes:
            if not version:
                found = workspace.predictor.version(reference)
                version.update(model=spec.name, variant=found.variant, version=found.id)
            return event("answer", {**version, "answer": plain(answer)})

        growing = Growing(parts(), as_event, operation.limiters[spec.name], cancelled)
        await growing.begin()
        return EventSourceResponse(growing.events(), headers=HEADERS)

    @router.get(
        "/runs/{identifier}/stream", response_class=StreamingResponse, response_model=None, responses=STREAM_RESPONSE
    )
    async def follow(
        identifier: str,
        start: Annotated[int, Query(description="The number of the first event that is wanted, from 0.", ge=0)] = 0,
        last_event_id: Annotated[
            int | None, Header(description="The number of the last event that came; counts more than `start`.", ge=0)
        ] = None,
    ) -> EventSourceResponse:
        """What happens in a run as it happens, from event number `start` on; then "end", with the state and its reason.
        Without an "end" the stream was broken off, and is asked for again with the header Last-Event-ID."""
        run = workspace.runs.get(identifier)
        first = start if last_event_id is None else last_event_id + 1
        return EventSourceResponse(followed(run, first, operation), headers=HEADERS)


async def followed(run: Run, first: int, operation: Operation) -> AsyncIterator[bytes]:
    """The events of a run from number `first` on, as they come, and "end" when it has ended; without one when the
    server ends."""

    def look() -> tuple[str, list[dict[str, Any]]]:
        # The state before the events: what is said after the last look belongs to it.
        return run.state, operation.workspace.runs.course(run).since(number)

    number, quiet = first, 0.0
    while not operation.is_closing:
        state, new = await asyncio.to_thread(look)
        for item in new:
            yield event(item["event"], item, number)
            number += 1
        if state in ENDINGS:
            yield event("end", {"state": state, "reason": await asyncio.to_thread(lambda: run.reason)})
            return
        quiet = 0.0 if new else quiet + LOOK_SECONDS
        if quiet >= KEEP_ALIVE_SECONDS:
            quiet = 0.0
            yield KEEPALIVE_COMMENT
        await asyncio.sleep(LOOK_SECONDS)


def event(kind: str, value: Any, number: int | None = None) -> bytes:
    """An event as it is sent."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return format_sse_event(event=kind, data_str=text, id=None if number is None else str(number))


class Growing:
    """An answer that grows: a generator, which works in threads, as events.

    Args:
        parts: What grows. Closed in the end, also when the client is gone.
        as_event: A part as it is sent, in a thread too.
        limiter: The threads in which it grows.
        cancelled: Set when nobody listens any more.
    """

    def __init__(
        self,
        parts: Iterator[Answer],
        as_event: Callable[[Answer], bytes],
        limiter: CapacityLimiter,
        cancelled: threading.Event,
    ) -> None:
        self._parts, self._as_event, self._limiter, self._cancelled = parts, as_event, limiter, cancelled
        self._next: asyncio.Task[Any] = asyncio.create_task(self._read())

    async def begin(self) -> None:
        """Wait for the first part.

        Raises:
            LayerwiseError: There is none, since the input cannot be used or the model has failed.
        """
        await asyncio.shield(self._next)

    async def events(self) -> AsyncIterator[bytes]:
        """The events, the last one "end" or "error"."""
        try:
            while True:
                done, _ = await asyncio.wait({self._next}, timeout=KEEP_ALIVE_SECONDS)
                if not done:
                    yield KEEPALIVE_COMMENT
                    continue
                part = self._next.result()
                if part is _NOTHING:
                    yield event("end", {})
                    return
                yield part
                self._next = asyncio.create_task(self._read())
        except Exception as error:
            yield event("error", described(error)[0])
        finally:
            self._cancelled.set()
            with CancelScope(shield=True):
                await asyncio.wait({self._next})
                await to_thread.run_sync(self._parts.close)  # type: ignore[attr-defined]

    async def _read(self) -> Any:
        return await to_thread.run_sync(self._read_now, limiter=self._limiter)

    def _read_now(self) -> Any:
        part = next(self._parts, _NOTHING)
        return part if part is _NOTHING else self._as_event(part)
