"""Every model as a tool of an MCP server (Model Context Protocol), over streamable HTTP at /mcp.

Each tool has the name of its model with "_" for the slash, the description of its card, and its inputs as a schema. A
request is answered by whichever process it reaches, so nothing is kept between two of them. Gradio's own MCP server
would offer the events of pages, and would be another one after each change of what is registered.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from layerwise import __version__
from layerwise.errors import LayerwiseError, NotFoundError, missing_extra
from layerwise.versions import Reference
from layerwise_app.values import plain
from layerwise_app.web.api import ELSEWHERE, is_elsewhere
from layerwise_app.web.api_errors import error_response
from layerwise_app.web.bodies import read_inputs
from layerwise_app.web.guard import explain
from layerwise_app.web.openapi import identifier_of
from layerwise_app.web.operation import Operation
from layerwise_app.web.schemas import Schema, answer_schema, inputs_schema, task_in_use

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Answer, Task
    from layerwise.tasks.fields import Field

PATH = "/mcp"
LARGEST_REQUEST = 32 * 2**20
LONGEST_DESCRIPTION = 1500
"""Of a card's description no more characters are told: a client hands all tools to a language model."""
INSTRUCTIONS = "Each tool is a neural network of this Layerwise server. Files go in and come out in base64."
_FOR_EYES = frozenset(("image", "sketch", "audio", "video", "file", "plot", "gallery"))
"""Kinds of outputs that are no part of the structured answer; pictures among them are sent as such."""
_VARIANT = "variant"


def make_tools(operation: Operation) -> Tools:
    """The MCP server.

    Raises:
        MissingDependencyError: The package mcp is not installed.
    """
    try:
        import mcp  # noqa: F401
    except ImportError:
        raise missing_extra("mcp", "mcp", "An MCP server") from None
    return Tools(operation)


class Tools:
    """The models as tools.

    Args:
        operation: The server that answers.

    Attributes:
        route: To be added to the app.
    """

    def __init__(self, operation: Operation) -> None:
        from mcp.server.lowlevel import Server
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        self._operation = operation
        server: Any = Server(
            "layerwise",
            version=__version__,
            title="Layerwise",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            server, stateless=True, json_response=True, max_request_body_size=LARGEST_REQUEST
        )
        self.route = Route(PATH, _Endpoint(self._manager.handle_request), include_in_schema=False)

    def running(self) -> AbstractAsyncContextManager[None]:
        """As long as this context lasts, requests are answered."""
        return self._manager.run()

    async def _list(self, _context: Any, _params: Any) -> Any:
        from mcp.types import ListToolsResult

        return ListToolsResult(tools=await to_thread.run_sync(self._tools))

    def _tools(self) -> list[Any]:
        workspace = self._operation.workspace
        return [tool(spec, task_in_use(workspace, spec)) for spec in workspace.registry.snapshot().models.values()]

    async def _call(self, _context: Any, params: Any) -> Any:
        from mcp.types import CallToolResult, TextContent

        try:
            spec = self._find(params.name)
            limiter = self._operation.limiters[spec.name]
            return await to_thread.run_sync(self._answer, spec, dict(params.arguments or {}), limiter=limiter)
        except Exception as error:
            # As the result and not as an error of the protocol, so that a language model reads it and does better.
            return CallToolResult(content=[TextContent(type="text", text=explain(error))], is_error=True)

    def _find(self, tool: str) -> ModelSpec:
        models = self._operation.workspace.registry.snapshot().models
        found = next((spec for spec in models.values() if identifier_of(spec.name) == tool), None)
        if found is None:
            names = ", ".join(map(identifier_of, models))
            raise NotFoundError("There is no such tool", expected=f"one of {names}", received=repr(tool[:100]))
        return found

    def _answer(self, spec: ModelSpec, arguments: dict[str, Any]) -> Any:
        from mcp.types import CallToolResult, TextContent

        workspace = self._operation.workspace
        variant = arguments.pop(_VARIANT, None)
        if not isinstance(variant, str | None):
            raise LayerwiseError("variant cannot be used", expected="a text", received=repr(variant)[:100])
        task = task_in_use(workspace, spec, variant)
        answer = workspace.predictor.predict(Reference(spec.name, variant), read_inputs(task.inputs, arguments))
        told = plain({field.name: answer[field.name] for field in _told(task) if answer.get(field.name) is not None})
        text = TextContent(type="text", text=json.dumps(told, ensure_ascii=False))
        return CallToolResult(content=[text, *_pictures(task, answer)], structured_content=told)


def tool(spec: ModelSpec, task: Task) -> Any:
    """A model as a tool."""
    from mcp.types import Tool, ToolAnnotations

    card = spec.card
    limits = f"Limits: {card.limits}" if card.limits else ""
    about = [card.summary, card.description[:LONGEST_DESCRIPTION], limits]
    inputs: Schema = inputs_schema(task.inputs)
    variants = [variant.name for variant in spec.variants]
    if len(variants) > 1:
        inputs["properties"][_VARIANT] = {
            "type": "string",
            "enum": variants,
            "default": variants[0],
            "description": "The network that answers.",
        }
    return Tool(
        name=identifier_of(spec.name),
        title=card.title,
        description="\n\n".join(part for part in about if part),
        input_schema=inputs,
        output_schema=answer_schema(_told(task)),
        annotations=ToolAnnotations(title=card.title, read_only_hint=True, open_world_hint=False),
    )


def _told(task: Task) -> tuple[Field, ...]:
    return tuple(field for field in task.outputs if field.kind not in _FOR_EYES)


def _pictures(task: Task, answer: Answer) -> Iterator[Any]:
    from mcp.types import ImageContent

    for field in task.outputs:
        if field.kind != "image" or answer.get(field.name) is None:
            continue
        found = plain(answer[field.name])
        url = found.get("content") if isinstance(found, Mapping) else found
        head, _, content = str(url).partition(";base64,")
        if content and base64.b64decode(content[:16]):
            yield ImageContent(type="image", data=content, mime_type=head.removeprefix("data:"))


class _Endpoint:
    """A part of an app that refuses pages of other sites."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if is_elsewhere(request):
            refusal = LayerwiseError(ELSEWHERE, received=f"Origin: {request.headers['origin']}")
            await error_response(refusal)(scope, receive, send)
            return
        await self.handle(scope, receive, send)
