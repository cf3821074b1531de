"""The server: what it serves before anything is loaded, and how it follows a changed registry while it runs."""

import asyncio
import re
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from plugins_sample.samples import is_own

from layerwise.errors import LayerwiseError


@pytest.fixture
def fresh(tmp_path, demo_plugin):
    """A server of the test's own, since it changes what is registered: a client, and its pages."""
    from fastapi.testclient import TestClient

    from layerwise.workspace import open_workspace
    from layerwise_app.web.served_pages import Pages
    from layerwise_app.web.server import make_app

    with open_workspace(tmp_path) as workspace:
        pages = Pages(workspace, "http://testserver")
        with TestClient(make_app(pages, workspace)) as client:
            yield client, pages


def wait_until(holds, seconds=20.0):
    """Until the server has looked again, which it does each second."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


def prefix_of(page):
    return re.search(r'"api_prefix":"(/snapshot-[^/]+)/', page).group(1)


@pytest.mark.slow
def test_pages_are_served_before_a_network_library_is_imported(home):
    code = """
        import sys
        from fastapi.testclient import TestClient
        from layerwise.workspace import open_workspace
        from layerwise_app.web.served_pages import Pages
        from layerwise_app.web.server import make_app

        with open_workspace() as workspace:
            pages = Pages(workspace, "http://testserver")
            with TestClient(make_app(pages, workspace)) as client:
                for path in ("/", "/vision", "/train", "/models", "/plugins", "/api/v1/health", "/api/v1/models"):
                    assert client.get(path).status_code == 200, path
                print([name for name in ("tensorflow", "keras", "jax", "torch", "matplotlib") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize("path", ["/", "/demo", "/extra", "/train", "/models", "/plugins"])
def test_every_page_is_there(client, path):
    page = client.get(path)
    assert page.status_code == 200
    assert "gradio_config" in page.text


def test_pages_load_nothing_from_elsewhere(client):
    page, theme = client.get("/").text, client.get("/theme.css").text
    loaded = re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']([^"']+)""", page)
    assert loaded
    assert not [url for url in loaded if re.match(r"(https?:)?//", url) and "testserver" not in url]
    urls = re.findall(r"url\(['\"]?([^'\")]+)", theme)
    fonts = [url for url in urls if url.endswith(".woff2")]
    assert fonts
    assert not [url for url in urls if re.match(r"(https?:)?//", url)]
    assert all(client.get(f"/{url}").status_code == 200 for url in fonts), "the fonts come from this server"


def test_the_icon_is_the_apps_own(client):
    icon = client.get("/favicon.ico")
    assert icon.status_code == 200
    assert "#0f3d3a" in icon.text


def test_an_unknown_page_is_404(client):
    assert client.get("/nothing-here").status_code == 404


@pytest.mark.slow
def test_a_plugin_that_is_switched_off_and_on_shows_without_a_restart(fresh):
    client, pages = fresh
    before = client.get("/").text
    assert client.get("/demo").status_code == 200
    pages.workspace.registry.set_enabled("demo", False)
    wait_until(lambda: client.get("/demo").status_code == 404)
    after = client.get("/").text
    assert prefix_of(after) != prefix_of(before)
    assert all(is_own(model["name"]) for model in client.get("/api/v1/models").json())
    old = client.get(f"{prefix_of(before)}/gradio_api/info")
    assert old.status_code == 200, "an open page goes on"
    pages.workspace.registry.set_enabled("demo", True)
    wait_until(lambda: client.get("/demo").status_code == 200)


def test_memory_is_given_back_again_and_again_while_it_runs(tmp_path, demo_plugin, monkeypatch):
    from fastapi.testclient import TestClient

    from layerwise.workspace import open_workspace
    from layerwise_app.web import server
    from layerwise_app.web.served_pages import Pages

    trimmed = []
    monkeypatch.setattr(server, "TRIM_SECONDS", 0.01)
    monkeypatch.setattr(server, "trim", lambda: trimmed.append(True))
    with open_workspace(tmp_path) as workspace:
        with TestClient(server.make_app(Pages(workspace, "http://testserver"), workspace)):
            wait_until(lambda: len(trimmed) > 2)
        so_far = len(trimmed)
        time.sleep(0.1)
        assert len(trimmed) == so_far, "a server that has ended goes on"


def test_a_page_of_a_server_that_is_gone_is_told_to_reload(client):
    answer = client.get("/snapshot-9-00000000/gradio_api/info")
    assert answer.status_code == 410
    assert "reload" in answer.json()["error"]


@pytest.mark.slow
def test_another_version_with_other_labels_makes_new_pages(fresh, make_run):
    client, pages = fresh
    before = prefix_of(client.get("/demo").text)
    same = make_run("demo/brightness", workspace=pages.workspace, labels=["dark", "bright"])
    assert client.post(f"/api/v1/runs/{same.id}/promote").status_code == 200
    number = client.get("/api/v1/health").json()["snapshot"]
    wait_until(lambda: client.get("/api/v1/health").json()["snapshot"] > number)
    other = make_run("demo/brightness", workspace=pages.workspace, labels=["night", "day"])
    assert client.post(f"/api/v1/runs/{other.id}/promote").status_code == 200
    wait_until(lambda: prefix_of(client.get("/demo").text) != before)


def test_what_cannot_be_drawn_spoils_no_page(client):
    page = client.get("/demo").text
    assert "The model demo/broken could not be drawn." in page
    assert "the disk is gone" in page
    assert "Says what it hears." in page


def test_a_taken_port_is_said_at_once(tmp_path):
    from layerwise_app.web.server import serve

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LayerwiseError, match=r"Cannot listen on 127\.0\.0\.1:.*choose another one"):
            serve(port=taken.getsockname()[1], open_browser=False, home=tmp_path)
    with pytest.raises(LayerwiseError, match=r"Cannot listen on 127\.0\.0\.1:99999"):
        serve(port=99999, open_browser=False, home=tmp_path)


def test_answers_are_sent_at_once():
    from layerwise_app.web.listening import listen

    async def is_nodelay_of_an_accepted_connection(listening):
        accepted = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listening)
        async with server:
            _, client = await asyncio.open_connection(*listening.getsockname())
            writer = await accepted
            found = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            client.close()
        return found

    assert asyncio.run(is_nodelay_of_an_accepted_connection(listen("127.0.0.1", 0)))
