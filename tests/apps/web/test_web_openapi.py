"""The schema of the HTTP API: valid, and true of what each model takes and answers."""

import errno

import jsonschema
import pytest
from fastapi.testclient import TestClient

from layerwise.job_folders import job
from layerwise.tasks.fields import KINDS, Field
from layerwise_app.web import schemas


@pytest.fixture(scope="module")
def client(api):
    with TestClient(api) as opened:
        yield opened


@pytest.fixture(scope="module")
def schema(client):
    return client.get("/api/v1/openapi.json").json()


def of_model(schema, name, verb="predict"):
    return schema["paths"][f"/api/v1/{verb}/{name}"]["post"]


def body_of(schema, name):
    return of_model(schema, name)["requestBody"]["content"]["application/json"]


def answer_of(schema, name):
    return of_model(schema, name)["responses"]["200"]["content"]["application/json"]["schema"]


def test_every_model_has_paths_of_its_own(schema, workspace):
    identifiers = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(set(identifiers)) == len(identifiers)
    for spec in workspace.registry.snapshot().models.values():
        for verb in ("predict", "stream"):
            operation = of_model(schema, spec.name, verb)
            assert spec.card.title in operation["summary"]
            assert spec.card.summary in operation["description"]
            assert {"4XX", "5XX"} <= operation["responses"].keys()
    assert not [path for path in schema["paths"] if path.startswith(("/api/v1/predict/{", "/api/v1/stream/{"))]


def test_the_schemas_of_all_models_are_json_schemas(schema, workspace):
    for name in workspace.registry.snapshot().models:
        jsonschema.Draft202012Validator.check_schema(body_of(schema, name)["schema"])
        jsonschema.Draft202012Validator.check_schema(answer_of(schema, name))


@pytest.mark.parametrize("name", ["demo/brightness", "demo/echo", "demo/talk", "demo/weight"])
def test_the_example_of_a_model_is_answered_as_the_schema_says(client, schema, name):
    example = body_of(schema, name)["example"]
    jsonschema.validate(example, body_of(schema, name)["schema"])
    answer = client.post(f"/api/v1/predict/{name}", json=example)
    assert answer.status_code == 200, answer.text
    jsonschema.validate(answer.json(), answer_of(schema, name))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("demo/echo", {}),
        ("demo/echo", {"inputs": {"text": 3}}),
        ("demo/echo", {"inputs": {"times": 3}}),
        ("demo/weight", {"inputs": {"row": [1, 2]}}),
        ("demo/brightness", {"inputs": {"image": 3}}),
        ("demo/echo", {"inputs": {"text": "a", "colour": "red"}}),
        ("demo/echo", {"inputs": {"text": "a"}, "variant": "huge"}),
        ("demo/talk", {"inputs": {"message": "a", "history": [{"role": "cook", "content": "b"}]}}),
    ],
)
def test_what_the_schema_refuses_is_refused(client, schema, name, body):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, body_of(schema, name)["schema"])
    assert client.post(f"/api/v1/predict/{name}", json=body).status_code in (404, 422)


def test_a_single_input_may_stand_alone_and_optional_ones_may_be_null(client, schema):
    for inputs in ("ha", {"text": "ha", "times": None}):
        body = {"inputs": inputs, "variant": None}
        jsonschema.validate(body, body_of(schema, "demo/echo")["schema"])
        assert client.post("/api/v1/predict/demo/echo", json=body).json()["answer"] == {"text": "ha"}


def test_limits_choices_and_defaults_are_in_the_schema():
    fields = (
        Field(name="size", kind="number", minimum=1, maximum=9, default=3),
        Field(name="hue", kind="choice", choices=("red", "blue")),
    )
    found = schemas.inputs_schema(fields)
    assert found["required"] == ["hue"]
    size, hue = found["properties"]["size"], found["properties"]["hue"]
    assert (size["type"], size["minimum"], size["maximum"], size["default"]) == (["number", "null"], 1, 9, 3)
    assert hue["enum"] == ["red", "blue"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_every_kind_has_a_schema(kind):
    field = Field(name="it", kind=kind)
    jsonschema.Draft202012Validator.check_schema(schemas.input_schema(field))
    jsonschema.Draft202012Validator.check_schema(schemas.output_schema(field))


def test_what_is_no_route_is_said_in_json(client):
    missing = client.get("/api/v1/nothing")
    assert missing.status_code == 404
    assert "no such route" in missing.json()["error"]["message"]
    wrong = client.delete("/api/v1/models")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert "Expected: GET" in wrong.json()["error"]["message"]


def test_what_does_not_fit_a_body_is_said_in_a_sentence(client):
    answer = client.post("/api/v1/runs", json={"config": 3})
    assert answer.status_code == 422
    assert "model: Field required" in answer.json()["error"]["received"]
    assert answer.json()["error"]["remedy"]


def test_a_full_disk_is_said_and_leaves_nothing(client, workspace, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(job, "write_atomically", full)
    answer = client.post("/api/v1/runs", json={"model": "vision/fashion"})
    assert answer.status_code == 507
    assert "disk of the server is full" in answer.json()["error"]["message"]
    assert not list(workspace.runs.folder.glob("*fashion*"))
    assert not list(workspace.runs.folder.glob(".*fashion*"))


def test_the_schema_is_that_of_the_version_in_use(client, workspace, make_run):
    def columns():
        schema = body_of(client.get("/api/v1/openapi.json").json(), "demo/weight")["schema"]
        return list(schema["properties"]["inputs"]["properties"]["row"]["properties"])

    height = {"name": "height", "kind": "number", "mean": 1.0, "deviation": 1.0}
    run = make_run("demo/weight", threshold=1.0, columns=[height])
    assert columns() == ["length", "kind"]
    workspace.versions.promote(workspace.registry.snapshot().model("demo/weight"), run)
    workspace.registry.check()
    assert columns() == ["height"]
