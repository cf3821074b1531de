"""Data of one's own over the HTTP API, and what the page shows of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from layerwise import quota
from layerwise.datasets import uploads
from layerwise.own_data import DataReport, Sample
from layerwise_app.web import api_data
from layerwise_app.web.reports import report_html

DATA = "/api/v1/data"


@pytest.fixture
def archive(png) -> bytes:
    """Twelve dark and twelve bright pictures, and one that is none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for label, level in (("dim", 40), ("glaring", 220)):
            for index in range(12):
                opened.writestr(f"mine/{label}/{index}.png", png(level + index))
        opened.writestr("mine/dim/<i>.png", b"no picture")
    return buffer.getvalue()


def test_from_upload_to_report_to_deletion(client, archive, workspace):
    brought = client.put(f"{DATA}/My lamps.zip", content=archive)
    assert brought.status_code == 201, brought.text
    upload = brought.json()
    assert upload["id"].startswith("my-lamps-")
    assert upload["files"] == ["My lamps.zip"]
    assert [item["id"] for item in client.get(DATA).json()] == [upload["id"]]
    found = client.get(f"{DATA}/{upload['id']}/report", params={"model": "demo/brightness"}).json()
    assert set(found["classes"]) == {"dim", "glaring"}
    assert found["num_unreadable"] == 1
    run = client.post("/api/v1/runs", json={"model": "demo/brightness", "data": upload["id"]})
    assert run.status_code == 201, run.text
    started = workspace.runs.get(run.json()["id"])
    assert started.data == str(Path(upload["folder"]).resolve())
    refused = client.delete(f"{DATA}/{upload['id']}")
    assert refused.status_code in (204, 409)  # by then the run may have failed: its network cannot be built
    started.request_stop()
    for _ in range(600):
        if not started.is_active:
            break
        client.get("/api/v1/health")
    if refused.status_code == 409:
        assert "stop it first" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.exe", b"MZ", "cannot be used"),
        ("a.zip", b"no archive", "no zip archive"),
        ("a.tar.gz", b"x", "put folders"),
        ("con.csv", b"a,b", "Windows"),
    ],
)
def test_what_cannot_be_taken_is_explained_and_leaves_nothing(client, workspace, name, content, said):
    before = sorted(path.name for path in workspace.uploads.folder.glob("*"))
    answer = client.put(f"{DATA}/{name}", content=content)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert sorted(path.name for path in workspace.uploads.folder.glob("*")) == before


def test_the_size_is_limited_by_what_is_said_and_by_what_comes(client, monkeypatch):
    said = client.put(f"{DATA}/a.csv", content=b"a,b", headers={"content-length": str(uploads.LARGEST_UPLOAD + 1)})
    assert "too large" in said.json()["error"]["message"]
    monkeypatch.setattr(api_data, "LARGEST_UPLOAD", 1000)
    streamed = client.put(f"{DATA}/a.csv", content=iter([b"x" * 500] * 3))
    assert "too large" in streamed.json()["error"]["message"]
    monkeypatch.setattr(quota, "RESERVE_BYTES", 2**62)
    full = client.put(f"{DATA}/a.csv", content=b"a,b")
    assert "does not fit on the disk" in full.json()["error"]["message"]


def test_other_sites_cannot_bring_or_delete(client):
    for method in ("put", "delete"):
        answer = getattr(client, method)(f"{DATA}/a.csv", headers={"origin": "https://evil.example"})
        assert "Another site" in answer.json()["error"]["message"]


def test_unknown_uploads(client):
    assert client.delete(f"{DATA}/nothing").status_code == 404
    assert client.get(f"{DATA}/..%2F..%2Fetc/report", params={"model": "demo/brightness"}).status_code == 404


def test_a_report_shows_counts_pictures_and_warnings_and_never_html_of_strangers(tmp_path, png):
    (tmp_path / "a.png").write_bytes(png(100))
    report = DataReport(
        path=str(tmp_path),
        what="pictures",
        splits={"train": 30, "test": 10},
        classes={"<b>cat": {"train": 20, "test": 5}, "dog": {"train": 10, "test": 5}},
        sizes={"width in pixels": (8, 16, 32)},
        warnings=("Mind <this>.",),
        examples=(
            Sample(label="<b>cat", kind="image", value="a.png"),
            Sample(label="dog", kind="image", value="gone.png"),
        ),
    )
    shown = report_html(report)
    assert "40 pictures of 2 classes: 30 train, 10 test" in shown
    assert "&lt;b&gt;cat" in shown
    assert "<b>cat" not in shown
    assert "Mind &lt;this&gt;." in shown
    assert shown.count("<img") == 1, "a picture that is gone is no error"
    assert "width: 100.0%" in shown
    assert "width: 60.0%" in shown
    assert "8 to 32, median 16" in shown


def test_an_example_is_downloaded_and_can_be_brought(client, workspace):
    asked = {"model": "demo/brightness:default"}
    answer = client.get(f"{DATA}/example.zip", params=asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    upload = client.put(f"{DATA}/example.zip", content=answer.content).json()
    report = client.get(f"{DATA}/{upload['id']}/report", params=asked).json()
    assert sorted(report["classes"]) == ["cross", "disc", "frame"]
    assert report["num_unreadable"] == 0
    workspace.uploads.delete(upload["id"])


def test_what_has_no_example_is_explained(client):
    for model, status in (("rl/cartpole", 422), ("demo/nothing", 404), ("demo/brightness:none", 404)):
        answer = client.get(f"{DATA}/example.zip", params={"model": model})
        assert answer.status_code == status
        assert answer.json()["error"]["message"]


def test_the_form_links_to_the_example_of_its_variant(site, spec):
    import gradio as gr

    from layerwise_app.web.pages.own_data import OwnData

    links = {}
    for name in ("demo/brightness", "rl/cartpole"):
        with gr.Blocks() as blocks:
            OwnData(site, spec(name), spec(name).variants[0]).draw()
        found = [block for block in blocks.blocks.values() if "example.zip" in str(getattr(block, "value", ""))]
        links[name] = [block.value for block in found if block.visible]
    assert links["rl/cartpole"] == []
    (link,) = links["demo/brightness"]
    assert 'href="./api/v1/data/example.zip?model=demo%2Fbrightness%3Adefault"' in link
