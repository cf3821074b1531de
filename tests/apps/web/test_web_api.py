"""The HTTP API: models, predictions and runs as JSON; every error is a sentence with a fitting status."""

import base64
import json

import pytest

PREDICT = "/api/v1/predict/demo/brightness"


def b64(content):
    return base64.b64encode(content).decode()


@pytest.mark.slow
def test_health_says_what_is_shown(client):
    from layerwise import __version__

    answer = client.get("/api/v1/health")
    assert answer.status_code == 200
    health = answer.json()
    assert health.pop("started") == client.get("/api/v1/health").json()["started"]
    assert health == {"status": "ok", "version": __version__, "snapshot": client.pages.number}


def test_models_are_listed_with_their_inputs_and_outputs(client):
    models = {model["name"]: model for model in client.get("/api/v1/models").json()}
    assert {"vision/fashion", "demo/brightness", "demo/echo", "demo/weight"} <= models.keys()
    echo = models["demo/echo"]
    assert echo["inputs"] == [
        {"name": "text", "kind": "text", "label": "", "optional": False},
        {"name": "times", "kind": "number", "label": "", "optional": True},
    ]
    assert models["demo/weight"]["inputs"][0]["columns"][1]["choices"] == ["light", "heavy"]
    assert models["demo/brightness"]["variants"]["default"]["version"] == "code"


def test_one_model_with_its_settings(client):
    model = client.get("/api/v1/models/demo/echo").json()
    assert model["limits"] == "It has no mind."
    settings = {setting["name"]: setting for setting in model["settings"]}
    assert settings["num_epochs"]["type"] == "int"
    assert settings["num_epochs"]["range"].startswith("1 to 10")
    missing = client.get("/api/v1/models/demo/ecco")
    assert missing.status_code == 404
    assert missing.json()["error"]["remedy"].startswith("did you mean demo/echo")


def test_the_picture_of_a_card(client, site):
    path = "/api/v1/models/rl/pong/picture"
    picture = client.get(path)
    assert picture.headers["content-type"] == "image/webp"
    assert picture.content == site.snapshot.model("rl/pong").card.picture.read_bytes()
    assert "cache-control" not in picture.headers, "another release has another picture at the same place"
    assert "immutable" in client.get(path, params={"of": "a1b2"}).headers["cache-control"]
    assert 0 < len(client.get(path, params={"still": True}).content) < len(picture.content)
    missing = client.get("/api/v1/models/demo/echo/picture")
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "demo/echo comes without a picture.")


@pytest.mark.parametrize("form", ["base64", "data URL", "bare", "multipart"])
def test_a_picture_in_every_form(client, png, form):
    picture = png(200)
    if form == "multipart":
        answer = client.post(PREDICT, files={"image": ("p.png", picture, "image/png")})
    else:
        text = f"data:image/png;base64,{b64(picture)}" if form == "data URL" else b64(picture)
        answer = client.post(PREDICT, json={"inputs": text if form == "bare" else {"image": text}})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["model"], body["variant"], body["version"]) == ("demo/brightness", "default", "code")
    assert body["answer"]["label"] == "bright"
    assert sum(body["answer"]["probabilities"].values()) == pytest.approx(1)


def test_a_form_with_texts_and_numbers(client):
    answer = client.post("/api/v1/predict/demo/echo", data={"text": "ha", "times": "3", "variant": "default"})
    assert answer.json()["answer"] == {"text": "ha ha ha"}
    row = client.post("/api/v1/predict/demo/weight", data={"row": '{"length": 2, "kind": "heavy"}'})
    assert row.json()["answer"]["value"] == 4.0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"not json", 422, "The body is no JSON"),
        (b"[1]", 422, "The body cannot be used"),
        (b'{"input": {}}', 422, "The body cannot be used"),
        (b'{"inputs": {}, "variant": 3}', 422, "variant cannot be used"),
        (b'{"inputs": {}}', 422, "give image"),
        (b'{"inputs": {"image": 5}}', 422, "image cannot be read"),
        (b'{"inputs": {"image": "/etc/passwd"}}', 422, "image cannot be read"),
        (b'{"inputs": {"image": "aGVsbG8="}}', 422, "cannot be read as a picture"),
        (b'{"inputs": {"image": "aGVsbG8=", "colour": "red"}}', 422, "leave out colour"),
        (b'{"inputs": {"image": "aGVsbG8="}, "variant": "huge"}', 404, "no variant 'huge'"),
        (b'{"inputs": {"image": "aGVsbG8="}, "version": "../../x"}', 404, "no id of a version"),
        (b"[" * 100_000, 422, "The body is no JSON"),
    ],
)
def test_what_cannot_be_used_is_explained(client, body, status, said):
    answer = client.post(PREDICT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]["message"]
    assert "Traceback" not in answer.text


def test_a_path_of_the_server_is_never_read(client, png, tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(png(200))
    for body in ({"inputs": {"image": str(path)}}, {"inputs": {"image": {"path": str(path)}}}):
        assert client.post(PREDICT, json=body).status_code == 422
    assert client.post(PREDICT, data={"image": str(path)}).status_code == 422


def test_a_mistake_of_a_model_is_no_traceback(client):
    answer = client.post("/api/v1/predict/demo/echo", json={"inputs": {"text": "bug"}})
    assert answer.status_code in (400, 500)
    assert "Traceback" not in answer.text
    assert answer.json()["error"]["message"]


def test_too_large_a_request_is_refused_unread(client):
    answer = client.post(PREDICT, content=b"{}", headers={"content-length": str(2**40)})
    assert answer.status_code == 422
    assert "too large" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", [PREDICT, "/api/v1/runs", "/api/v1/runs/x/stop", "/api/v1/models/demo/echo/rollback"])
def test_pages_of_other_sites_are_refused(client, path):
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        answer = client.post(path, json={"inputs": {}}, headers={"origin": origin})
        assert answer.status_code == 400
        assert "Another site" in answer.json()["error"]["message"]
    assert client.delete("/api/v1/runs/x", headers={"origin": "https://evil.example"}).status_code == 400
    own = client.delete("/api/v1/runs/x", headers={"origin": "http://testserver"})
    assert own.status_code == 404


def test_reading_is_free_to_all(client):
    assert client.get("/api/v1/models", headers={"origin": "https://evil.example"}).status_code == 200


def test_the_schema_is_there_for_tools(client):
    schema = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/predict/demo/brightness" in schema["paths"]


def test_runs_are_listed_and_followed(client, make_run):
    progress = {"event": "progress", "epoch": 1, "step": 1, "steps": 2, "loss": 0.9}
    run = make_run(
        "demo/brightness",
        {"event": "started", "num_epochs": 2, "device": "CPU"},
        progress,
        {"event": "epoch", "epoch": 1, "loss": 0.8, "val_loss": 0.7},
    )
    found = client.get(f"/api/v1/runs/{run.id}").json()
    assert (found["state"], found["model"], found["has_version"]) == ("finished", "demo/brightness", True)
    assert [event["loss"] for event in found["history"]] == [0.8]
    assert run.id in [item["id"] for item in client.get("/api/v1/runs").json()]
    first = client.get(f"/api/v1/runs/{run.id}/events").json()
    kinds = [event["event"] for event in first["events"]]
    assert kinds == ["queued", "started", "progress", "epoch", "finished"]
    assert first["next"] == 5
    later = client.get(f"/api/v1/runs/{run.id}/events", params={"start": 3}).json()
    assert [event["event"] for event in later["events"]] == ["epoch", "finished"]
    assert client.get(f"/api/v1/runs/{run.id}/events", params={"start": -7}).json()["next"] == 5
    assert client.get(f"/api/v1/runs/{run.id}/events", params={"start": 9}).json()["next"] == 9
    assert client.get("/api/v1/runs/nothing").status_code == 404


def test_what_the_api_says_of_a_run(client, make_run):
    run = make_run("demo/brightness", {"event": "epoch", "epoch": 1, "loss": 0.8, "val_loss": 0.7}, ending="failed")
    found = client.get(f"/api/v1/runs/{run.id}").json()
    assert {name: found[name] for name in ("device", "epochs", "metrics", "is_resumable", "is_promoted")} == {
        "device": "auto",
        "epochs": 1,
        "metrics": {"loss": 0.8, "val_loss": 0.7},
        "is_resumable": True,
        "is_promoted": False,
    }
    assert "folder" not in found


def test_only_what_was_stopped_or_failed_is_resumed(client, make_run):
    finished = make_run("demo/brightness")
    answer = client.post(f"/api/v1/runs/{finished.id}/resume")
    assert answer.status_code == 409
    assert "one that was stopped or failed" in answer.json()["error"]["expected"]
    assert client.post("/api/v1/runs/nothing/resume").status_code == 404


def test_a_device_that_is_not_there(client):
    for device, said in (("tpu", "The device is not known"), ("gpu:99", "GPU")):
        answer = client.post("/api/v1/runs", json={"model": "vision/fashion", "device": device})
        assert answer.status_code == 422
        assert said in answer.json()["error"]["message"]


def test_workers_that_make_no_sense(client):
    for asked, said in (({"workers": 2}, "those of a cluster"), ({"cluster": "local"}, "number of workers")):
        answer = client.post("/api/v1/runs", json={"model": "vision/fashion", **asked})
        assert answer.status_code == 409
        assert said in answer.json()["error"]["message"]
    assert client.get("/api/v1/runs").json() == []


def test_the_schema_documents_the_routes_of_runs(client):
    schema = client.get("/api/v1/openapi.json").json()
    for path, methods in schema["paths"].items():
        if path.startswith("/api/v1/runs"):
            assert all(method["description"] for method in methods.values()), path
    assert "gpu:0" in schema["components"]["schemas"]["RunRequest"]["properties"]["device"]["description"]


def test_starting_what_cannot_be_trained(client):
    assert client.post("/api/v1/runs", json={"model": "demo/nothing"}).status_code == 404
    no_data = client.post("/api/v1/runs", json={"model": "demo/brightness"})
    assert no_data.status_code == 409
    assert "no data set of its own" in no_data.json()["error"]["message"]
    never = client.post("/api/v1/runs", json={"model": "demo/echo"})
    assert (never.status_code, "demo/echo cannot be trained here" in never.json()["error"]["message"]) == (409, True)
    absent = client.post("/api/v1/runs", json={"model": "demo/brightness", "data": "/no/such/folder"})
    assert absent.status_code == 409
    wrong = client.post("/api/v1/runs", json={"model": "demo/brightness", "config": {"num_epochs": 0}})
    assert wrong.status_code == 422
    assert "Number of epochs (num_epochs) is out of range" in wrong.json()["error"]["message"]
    unknown = client.post("/api/v1/runs", json={"model": "demo/brightness", "config": {"speed": 1}})
    assert unknown.status_code == 422
    assert client.post("/api/v1/runs", json={"modell": "demo/brightness"}).status_code == 422


def test_an_ended_run_cannot_be_stopped_and_is_deleted(client, make_run):
    run = make_run("demo/brightness")
    assert client.post(f"/api/v1/runs/{run.id}/stop").status_code == 409
    assert client.delete(f"/api/v1/runs/{run.id}").status_code == 204
    assert client.get(f"/api/v1/runs/{run.id}").status_code == 404


@pytest.mark.slow
def test_a_version_is_promoted_answers_and_is_rolled_back(client, make_run, png):
    body = {"inputs": b64(png(130))}
    assert client.post(PREDICT, json=body).json()["answer"]["label"] == "bright"
    nothing = client.post("/api/v1/models/demo/brightness/rollback")
    assert nothing.status_code == 409
    first = make_run("demo/brightness", threshold=0.6, labels=["night", "day"])
    second = make_run("demo/brightness", threshold=0.1, labels=["night", "noon"])
    for run, label in ((first, "night"), (second, "noon")):
        promoted = client.post(f"/api/v1/runs/{run.id}/promote")
        assert promoted.status_code == 200
        assert promoted.json()["version"] == run.id
        answer = client.post(PREDICT, json=body).json()
        assert (answer["version"], answer["answer"]["label"]) == (run.id, label)
    in_use = client.delete(f"/api/v1/runs/{second.id}")
    assert in_use.status_code == 409
    assert "in use" in in_use.json()["error"]["message"]
    back = client.post("/api/v1/models/demo/brightness/rollback").json()
    assert back["version"] == first.id
    assert client.post(PREDICT, json=body).json()["answer"]["label"] == "night"
    asked = client.post(PREDICT, json={**body, "version": second.id}).json()
    assert (asked["version"], asked["answer"]["label"]) == (second.id, "noon")
    assert client.delete(f"/api/v1/runs/{second.id}").status_code == 204


def test_a_run_without_weights_is_not_promoted(client, make_run):
    run = make_run("demo/brightness", ending="failed", threshold=None)
    answer = client.post(f"/api/v1/runs/{run.id}/promote")
    assert answer.status_code == 409
    assert "no weights to promote" in json.dumps(answer.json())
