"""Exports over HTTP and on the Models page."""

import io
import json
import zipfile

import pytest

from layerwise.errors import LayerwiseError
from layerwise.export import FORMATS
from layerwise_app.web.pages.export_part import ExportPart


@pytest.mark.slow
def test_an_export_is_sent_as_a_zip_and_removed(client, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = "/api/v1/models/vision/fashion/export"
    answer = client.post(path, json={"format": "saved-model", "variant": "dense"})
    assert answer.status_code == 200
    assert 'filename="vision-fashion-dense-shipped-saved-model.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("metadata.json"))["check"]["largest_difference"] <= 1e-4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("vision/fashion", {"format": "onyx"}, 422, "saved-model, onnx, litert"),
        ("vision/nothing", {"format": "saved-model"}, 404, "vision/nothing"),
        ("demo/echo", {"format": "saved-model"}, 400, "brings its own runner"),
        ("vision/fashion", {"format": "saved-model", "to": "/etc"}, 422, "to"),
    ],
)
def test_what_cannot_be_exported_is_said(client, tmp_path, monkeypatch, path, body, status, words):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    answer = client.post(f"/api/v1/models/{path}/export", json=body)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert list(tmp_path.iterdir()) == []


def test_another_sites_page_may_not_start_an_export(client):
    headers = {"origin": "https://elsewhere.example"}
    answer = client.post("/api/v1/models/vision/fashion/export", json={"format": "onnx"}, headers=headers)
    assert "Another site" in answer.text


def test_the_buttons_work_again_after_an_error(workspace):
    steps = ExportPart(workspace).write("demo/echo:default", "code", "saved-model")
    *buttons, said, file = next(steps)
    assert len(buttons) == len(FORMATS)
    assert all(button["interactive"] for button in buttons)
    assert (said, file["visible"]) == ("", False)
    with pytest.raises(LayerwiseError, match="brings its own runner"):
        next(steps)


def test_a_model_without_a_version_has_nothing_to_export(workspace, spec):
    part = ExportPart(workspace)
    version, *buttons, said, file = part.look(spec("demo/brightness"), [], None)
    assert (version["choices"], version["value"], said, file["visible"]) == ([], None, "", False)
    assert not any(button["interactive"] for button in buttons)
