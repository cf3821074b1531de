"""Several files as one input: dropped on a page, sent in JSON and in forms, and by the clients."""

import asyncio
import base64

import gradio as gr
import jsonschema
import pytest
from gradio.utils import NamedString
from starlette.requests import Request

from layerwise.client import _as_json
from layerwise.errors import InputError
from layerwise.tasks.fields import Field
from layerwise_app.web import schemas
from layerwise_app.web.bodies import read_body, read_inputs
from layerwise_app.web.components import control
from layerwise_app.web.endpoints import _given

FIELDS = (
    Field(name="image", kind="image"),
    Field(name="others", kind="files", optional=True),
    Field(name="note", kind="text", optional=True),
    Field(name="row", kind="json", optional=True),
)
ENCODED = base64.b64encode(b"abc").decode()


def form(*parts):
    """A request with a form: a name, a file's name and its content each, or a name and a text."""
    lines = []
    for name, *rest in parts:
        file = f'; filename="{rest[0]}"' if len(rest) == 2 else ""
        lines += ["--edge", f'Content-Disposition: form-data; name="{name}"{file}', "", rest[-1]]
    content = "\r\n".join([*lines, "--edge--", ""]).encode()

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    headers = [
        (b"content-type", b"multipart/form-data; boundary=edge"),
        (b"content-length", str(len(content)).encode()),
    ]
    return Request({"type": "http", "method": "POST", "headers": headers, "path": "/"}, receive)


def read(*parts):
    body = asyncio.run(read_body(form(*parts)))
    return body | {"inputs": read_inputs(FIELDS, body["inputs"])}


def test_a_form_has_several_files_of_one_name():
    found = read(("image", "a.png", "A"), ("others", "b.png", "B"), ("others", "c.png", "C"), ("variant", "small"))
    assert found == {
        "variant": "small",
        "inputs": {
            "image": b"A",
            "others": [{"name": "b.png", "content": b"B"}, {"name": "c.png", "content": b"C"}],
        },
    }
    assert read(("others", "b.png", "B"))["inputs"] == {"others": [{"name": "b.png", "content": b"B"}]}
    # Of anything else the last one counts.
    assert read(("note", "a"), ("note", "b"), ("row", "[1]"), ("row", "n.json", "[2]"))["inputs"] == {
        "note": "b",
        "row": [2],
    }
    assert read(("image", "a.png", "A"), ("image", "b.png", "B"))["inputs"] == {"image": b"B"}


@pytest.mark.parametrize(
    "value",
    [
        [],
        [ENCODED],
        [f"data:image/png;base64,{ENCODED}", {"content": ENCODED}],
        [{"name": "b.png", "content": ENCODED}],
        None,
    ],
)
def test_json_has_files_with_or_without_names(value):
    jsonschema.validate({"image": ENCODED, "others": value}, schemas.inputs_schema(FIELDS))
    found = read_inputs(FIELDS, {"others": value})["others"]
    assert found is None if value is None else [item["content"] for item in found] == [b"abc"] * len(value)


@pytest.mark.parametrize(
    "value",
    [
        ENCODED,
        {"name": "b.png", "content": ENCODED},
        [7],
        [None],
        [{"name": "b.png"}],
        [{"name": 7, "content": ENCODED}],
        [{"name": "b.png", "content": ENCODED, "path": "/etc/passwd"}],
        [ENCODED] * 201,
    ],
)
def test_what_the_schema_refuses_is_refused(value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"image": ENCODED, "others": value}, schemas.inputs_schema(FIELDS))
    with pytest.raises(InputError, match="others"):
        read_inputs(FIELDS, {"others": value})


def test_a_path_is_no_file():
    with pytest.raises(InputError, match="others cannot be read"):
        read_inputs(FIELDS, {"others": ["/etc/passwd"]})


def test_a_form_is_described():
    assert schemas.form_schema(FIELDS)["properties"]["others"]["items"] == {"type": "string", "format": "binary"}


def test_the_client_sends_files_with_their_names(tmp_path):
    path = tmp_path / "b.png"
    path.write_bytes(b"abc")
    sent = _as_json([path, str(path), b"abc", {"name": "c.png", "content": b"abc"}], "files")
    found = read_inputs(FIELDS, {"others": sent})["others"]
    assert [item["name"] for item in found] == ["b.png", "b.png", "", "c.png"]
    assert {item["content"] for item in found} == {b"abc"}
    assert _as_json(path, "files") == _as_json([path], "files")
    with pytest.raises(InputError, match="The file cannot be read"):
        _as_json([tmp_path / "none.png"], "files")


def test_gradio_gives_files_that_were_uploaded(tmp_path, monkeypatch):
    monkeypatch.setattr("gradio.utils.get_upload_folder", lambda: str(tmp_path))
    (tmp_path / "b.png").write_bytes(b"abc")
    sent = {"path": str(tmp_path / "b.png"), "orig_name": "mine.png"}
    assert _given([sent], "files") == [{"name": "mine.png", "content": b"abc"}]
    for value in ([{"path": "/etc/passwd"}], [7], 7):
        with pytest.raises(InputError, match="cannot be read"):
            _given(value, "files")
    with pytest.raises(InputError, match="too many files"):
        _given([sent] * 201, "files")


def test_files_are_dropped_on_a_page_and_shown_of_an_example():
    with gr.Blocks():
        given = control(FIELDS[1])
    (box,) = given.components
    assert (box.file_count, box.label) == ("multiple", "Others")
    assert given.read([None]) is None
    assert given.read([[]]) is None
    paths = given.read([[NamedString("/tmp/a.png")]])
    assert paths == ["/tmp/a.png"]
    assert type(paths[0]) is str
    assert given.show(None) == [None]
    ((shown,),) = given.show([{"name": "a.png", "content": b"abc"}])
    assert shown.endswith("a.png")


def test_a_choice_with_a_default_has_it_when_an_example_has_none():
    with gr.Blocks():
        given = control(Field(name="method", kind="choice", choices=("a", "b"), default="b"))
    assert given.show(None) == ["b"]
    assert given.show("a") == ["a"]
