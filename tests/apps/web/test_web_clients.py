"""The server by its clients: Layerwise's own, `gradio_client`, and curl."""

import base64
import json
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from gradio.routes import App as GradioApp
from PIL import Image
from served import running

from layerwise.client import Client, RemoteRun, UnavailableError, file_bytes
from layerwise.errors import DataError, InputError, LayerwiseError, NotFoundError, RunError
from layerwise_app.web.sessions import KEPT_SESSIONS, SmallState


@pytest.fixture
def remote(address):
    with Client(address) as opened:
        yield opened


def test_models_are_listed_and_described(remote):
    assert {"demo/echo", "vision/fashion"} <= {model["name"] for model in remote.models()}
    assert remote.model("demo/echo")["limits"] == "It has no mind."
    with pytest.raises(NotFoundError, match="did you mean demo/echo"):
        remote.model("demo/ecco")


@pytest.mark.parametrize("form", ["path", "text", "bytes", "PIL", "named", "data URL"])
def test_a_picture_in_every_form(remote, png, tmp_path, form):
    path = tmp_path / "picture.png"
    path.write_bytes(png(200))
    picture = {
        "path": path,
        "text": str(path),
        "bytes": png(200),
        "PIL": Image.open(path),
        "named": {"image": path},
        "data URL": "data:image/png;base64," + base64.b64encode(png(200)).decode(),
    }[form]
    assert remote.predict("demo/brightness", picture)["label"] == "bright"


def test_texts_numbers_and_rows(remote):
    assert remote.predict("demo/echo", "ha") == {"text": "ha"}
    assert remote.predict("demo/echo:default", {"text": "ha", "times": np.int64(3)}) == {"text": "ha ha ha"}
    assert remote.predict("demo/weight", {"row": {"length": 2, "kind": "heavy"}}) == {"value": 4.0}
    assert remote.predict("demo/weight", {"length": 2, "kind": "heavy"}) == {"value": 4.0}


def test_errors_are_those_of_the_server(remote, tmp_path):
    with pytest.raises(InputError) as raised:
        remote.predict("demo/echo", "forbidden")
    assert (raised.value.what, raised.value.received) == ("This may not be said", "<b>forbidden</b>")
    assert raised.value.remedy == "say something else"
    with pytest.raises(NotFoundError, match="no variant 'huge'"):
        remote.predict("demo/echo:huge", "a")
    with pytest.raises(InputError, match="No such file"):
        remote.predict("demo/brightness", tmp_path / "nothing.png")


def test_a_server_that_is_not_there():
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(UnavailableError, match="layerwise serve"):
        nobody.models()


def test_a_server_that_is_another_one(address):
    with Client(f"{address}/demo") as other, pytest.raises(LayerwiseError, match="no answer of Layerwise"):
        other.models()


def test_an_answer_is_streamed(remote):
    *_, last = remote.stream("demo/talk", "hello")
    assert last["reply"] == "Message **1**: hello"
    growing = remote.stream("demo/talk", {"message": "slowly"})
    first, second = next(growing)["reply"], next(growing)["reply"]
    growing.close()
    assert second.startswith(first)
    with pytest.raises(InputError, match="may not be said"):
        next(remote.stream("demo/talk", "forbidden"))


def test_a_run_from_its_start_to_its_promotion(remote, make_run, png):
    run = make_run("demo/brightness", {"event": "started", "num_epochs": 1, "device": "CPU"}, ending="", threshold=0.9)
    found = remote.run(run.id)
    assert isinstance(found, RemoteRun)
    with run.lock():
        assert found.state == "running"
        timer = threading.Timer(0.5, run.append, ["finished"])
        timer.start()
        kinds = [event["event"] for event in found.follow()]
        timer.join()
    assert kinds == ["queued", "started", "finished"]
    assert found.wait()["has_version"]
    assert run.id in [item.id for item in remote.runs()]
    with pytest.raises(RunError, match="cannot be stopped"):
        found.stop()
    with pytest.raises(RunError, match="cannot be resumed"):
        found.resume()
    found.promote()
    assert remote.predict("demo/brightness", png(180))["label"] == "dark"
    with pytest.raises(RunError, match="in use"):
        found.delete()
    first = make_run("demo/brightness", threshold=0.1)
    remote.run(first.id).promote()
    assert remote.rollback("demo/brightness")["version"] == run.id


def test_what_cannot_be_trained_or_brought(remote, tmp_path):
    with pytest.raises(RunError, match="no data set of its own"):
        remote.train("demo/brightness", num_epochs=1)
    path = tmp_path / "notes.zip"
    path.write_text("no archive", encoding="utf-8")
    with pytest.raises(DataError):
        remote.upload(path)


def test_one_who_follows_a_run_waits_until_the_server_is_back(api, make_run):
    run = make_run("demo/brightness")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, ThreadPoolExecutor() as pool:
        kinds = pool.submit(lambda: [event["event"] for event in RemoteRun(client, run.id).follow()])
        time.sleep(0.5)
        with running(api, port):
            assert kinds.result(30) == ["queued", "finished"]


def test_a_file_of_an_answer():
    assert file_bytes("data:text/plain;base64,aGk=") == b"hi"
    assert file_bytes({"name": "a.txt", "content": "data:text/plain;base64,aGk="}) == b"hi"
    with pytest.raises(InputError, match="no file of an answer"):
        file_bytes("hi")


@pytest.fixture(scope="module")
def gradio(workspace):
    from gradio_client import Client as GradioClient

    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    pages = Pages(workspace, "http://127.0.0.1")
    with running(make_app(pages, workspace)) as found:
        client = GradioClient(found, verbose=False)
        client.pages = pages
        yield client


@pytest.mark.slow
def test_every_model_is_an_endpoint_of_gradio(gradio, workspace):
    endpoints = gradio.view_api(return_format="dict")["named_endpoints"]
    for name, spec in workspace.registry.snapshot().models.items():
        endpoint = endpoints[f"/{name.replace('/', '_')}"]
        assert endpoint["description"].startswith(spec.card.title)
        names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        assert sorted(names) == sorted([*(field.name for field in spec.task.inputs), "variant"])


@pytest.mark.slow
def test_gradio_client_asks_models(gradio, workspace, png, tmp_path):
    from gradio_client import handle_file

    assert gradio.predict("ha", 2, api_name="/demo_echo") == {"text": "ha ha"}
    assert gradio.predict(text="ha", api_name="/demo_echo") == {"text": "ha"}
    path = tmp_path / "picture.png"
    path.write_bytes(png(200))
    expected = workspace.predictor.predict("demo/brightness", png(200))
    assert gradio.predict(handle_file(path), api_name="/demo_brightness")["label"] == expected["label"]


@pytest.mark.slow
def test_gradio_client_is_told_what_is_wrong(gradio):
    with pytest.raises(Exception, match=r"This may not be said. Received: <b>forbidden</b>"):
        gradio.predict("forbidden", api_name="/demo_echo")


@pytest.mark.slow
def test_no_file_of_the_server_is_read(gradio, tmp_path, png):
    path = tmp_path / "secret.png"
    path.write_bytes(png(200))
    with pytest.raises(Exception, match="one that was uploaded"):
        gradio.predict(str(path), api_name="/demo_brightness")


@pytest.mark.slow
def test_pages_keep_little_of_their_visitors(gradio):
    gradio.predict("ha", api_name="/demo_echo")
    apps = [getattr(route, "app", None) for route in gradio.pages.mount.current.app.routes]
    holder = next(app.state_holder for app in apps if isinstance(app, GradioApp))
    assert holder.capacity == KEPT_SESSIONS
    assert holder.session_data
    assert all(isinstance(state, SmallState) for state in holder.session_data.values())


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_as_the_page_shows_it(address, site, png, tmp_path):
    from layerwise_app.web.pages.cards import curl_snippet

    (tmp_path / "picture.png").write_bytes(png(200))
    here = replace(site, address=address)
    for name, key in (("demo/brightness", "label"), ("demo/echo", "text"), ("demo/weight", "value")):
        command = curl_snippet(here, site.snapshot.model(name))
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert key in json.loads(done.stdout)["answer"], done.stdout
