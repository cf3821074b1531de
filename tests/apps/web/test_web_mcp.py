"""Models as tools, asked by the client of the MCP library over streamable HTTP."""

import asyncio
import base64
import contextlib
import sys

import jsonschema
import pytest
import requests
from fastapi import FastAPI
from served import running

from layerwise.errors import MissingDependencyError

pytest.importorskip("mcp")


@pytest.fixture(scope="module")
def tools(workspace):
    """The address of the MCP server."""
    from layerwise_app.web.mcp_tools import make_tools
    from layerwise_app.web.operation import Operation

    made = make_tools(Operation(workspace, lambda: 1))

    @contextlib.asynccontextmanager
    async def lifespan(_):
        async with made.running():
            yield

    app = FastAPI(lifespan=lifespan, routes=[made.route])
    with running(app) as address:
        yield f"{address}/mcp"


def ask(address, *calls, mode="auto"):
    """The tools, and the results of calls of them."""
    from mcp import Client

    async def asked():
        async with Client(address, mode=mode) as client:
            found = {tool.name: tool for tool in (await client.list_tools()).tools}
            return found, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(asked())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_model_is_a_tool_with_its_card_and_inputs(tools, workspace, mode):
    found, _ = ask(tools, mode=mode)
    models = workspace.registry.snapshot().models
    assert set(found) == {name.replace("/", "_") for name in models}
    for name, spec in models.items():
        tool = found[name.replace("/", "_")]
        assert tool.title == spec.card.title
        assert tool.description.startswith(spec.card.summary)
        assert {field.name for field in spec.task.inputs} <= tool.input_schema["properties"].keys()
        assert tool.annotations.read_only_hint
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
    assert "Limits: It has no mind." in found["demo_echo"].description
    assert found["vision_fashion"].input_schema["properties"]["variant"]["enum"] == ["conv", "dense"]


def test_tools_answer(tools, png):
    picture = base64.b64encode(png(200)).decode()
    _, (echo, bright, weight, talk) = ask(
        tools,
        ("demo_echo", {"text": "ha", "times": 2}),
        ("demo_brightness", {"image": picture}),
        ("demo_weight", {"row": {"length": 2, "kind": "heavy"}}),
        ("demo_talk", {"message": "hello"}),
    )
    assert echo.structured_content == {"text": "ha ha"}
    assert echo.content[0].text == '{"text": "ha ha"}'
    assert bright.structured_content["label"] == "bright"
    assert weight.structured_content == {"value": 4.0}
    assert talk.structured_content["reply"] == "Message **1**: hello"
    assert not any(result.is_error for result in (echo, bright, weight, talk))


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("demo_echo", {"text": "forbidden"}, "What to do: say something else."),
        ("demo_echo", {"text": 3}, "Expected: a text. Received: int."),
        ("demo_echo", {}, "give text"),
        ("demo_echo", {"text": "a", "variant": "huge"}, "no variant 'huge'"),
        ("demo_brightness", {"image": "/etc/passwd"}, "a file in base64"),
        ("demo_nothing", {}, "one of "),
    ],
)
def test_what_is_wrong_is_said_where_a_language_model_reads_it(tools, name, arguments, said):
    _, (result,) = ask(tools, (name, arguments))
    assert result.is_error
    assert said in result.content[0].text


def test_pictures_come_as_pictures(workspace, png):
    from PIL import Image

    from layerwise.tasks.base import Task
    from layerwise.tasks.fields import Field
    from layerwise_app.web.mcp_tools import _pictures

    class Drawing(Task):
        outputs = (
            Field(name="picture", kind="image"),
            Field(name="file", kind="image"),
            Field(name="none", kind="image"),
        )

    answer = {"picture": Image.new("RGB", (4, 4)), "file": {"name": "a.gif", "content": b"GIF89a" * 9}, "none": None}
    first, second = _pictures(Drawing(), answer)
    assert (first.mime_type, base64.b64decode(first.data)[:4]) == ("image/png", b"\x89PNG")
    assert (second.mime_type, base64.b64decode(second.data)[:3]) == ("image/gif", b"GIF")


def test_pages_of_other_sites_are_refused(tools):
    answer = requests.post(tools, json={}, headers={"Origin": "https://evil.example"}, timeout=10)
    assert answer.status_code == 400
    assert "Another site" in answer.json()["error"]["message"]


def test_without_the_package_the_command_is_told(workspace, monkeypatch):
    from layerwise_app.web.mcp_tools import make_tools
    from layerwise_app.web.operation import Operation

    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "layerwise\[mcp\]"'):
        make_tools(Operation(workspace, lambda: 1))
