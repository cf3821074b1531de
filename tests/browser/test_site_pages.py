"""The site of the documents in a browser: nobody but its own server is asked for anything."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_site import build_site

PHONE = {"width": 390, "height": 844}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site_address(tmp_path_factory):
    """Where the site is served."""
    handler = partial(Quiet, directory=str(build_site(tmp_path_factory.mktemp("site"))))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def visit(chromium, site_address):
    """`visit(name, **options)`: a page of the site, in its own browser, that asks nobody else and makes no error."""
    opened, asked, errors = [], [], []

    def open_page(name, **options):
        context = chromium.new_context(**options)
        opened.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{site_address}{name}", wait_until="load")
        return page

    yield open_page
    for context in opened:
        context.close()
    assert asked
    assert not [url for url in asked if not url.startswith(("data:", site_address))]
    assert not errors


def test_the_first_page_leads_to_the_documents(visit):
    page = visit("index.html")
    page.wait_for_url("**/docs/index.html")
    page.get_by_role("link", name="Quickstart").first.click()
    page.wait_for_url("**/docs/quickstart.html")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Quickstart")


def test_words_are_found(visit):
    page = visit("search.html?q=quarantine")
    page.locator("ul.search a", has_text="When a plugin breaks").first.wait_for()


def test_no_page_is_wider_than_a_phone_and_the_dark_look_is_dark(visit):
    for name in ("index", "faq", "model-cards", "benchmarks", "hooks"):
        page = visit(f"docs/{name}.html", viewport=PHONE, color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, shade.removeprefix("rgb(").rstrip(")").split(","))) < 3 * 64
