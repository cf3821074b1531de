"""A real server and a real Chromium. What a page asks for elsewhere and what it complains of in its console fails the
test that opened it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from plugins_sample.samples import BROKEN, install

from layerwise.jobs import follow, start
from layerwise.registry import Registry
from layerwise.runs import Run, RunStore
from layerwise.versions import VersionStore

TESTS = Path(__file__).parents[1]
PLUGINS = (TESTS / "plugins_sample" / "toy", TESTS / "apps" / "web" / "sample_plugin")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_CHROMIUM = "needs Chromium: apt-get install chromium, or brew install chromium"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 120_000
"""Milliseconds for what a slow and busy machine has to do: import TensorFlow, start a process."""


@pytest.hookimpl(tryfirst=True)  # before pytest looks which marks are asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


def chromium_path() -> str | None:
    """Where a Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser. Without one the tests are skipped, and fail where CI=true."""
    path = chromium_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The sample plugins, here and in every process that is started."""
    with sample_plugins(tmp_path_factory.mktemp("site")):
        yield


@contextmanager
def sample_plugins(folder: Path) -> Iterator[None]:
    """The toy and the demo plugin, and one in a folder that cannot be imported, on all paths until the block ends."""
    install(folder, BROKEN["import-error"], name="faulty")
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(path) for path in (*PLUGINS, folder)]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [*paths, os.environ.get("PYTHONPATH")])))
        for path in paths:
            patch.syspath_prepend(path)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, plugins: None) -> tuple[Path, Run]:
    """A home in which toy/bars was trained, and the run that did."""
    home = tmp_path_factory.mktemp("trained")
    return home, train_bars(home)


def train_bars(home: Path) -> Run:
    """Train toy/bars in a home, and put it in use."""
    spec = Registry(home).snapshot().model("toy/bars")
    run = start(RunStore(home), spec)
    assert list(follow(run))[-1]["event"] == "finished", run.log_text()
    VersionStore(home).promote(spec, run)
    return run


def twin_of(run: Run, home: Path) -> Run:
    """A copy of a run in a home, which was asked for a larger learning rate."""
    folder = home / "runs" / f"{run.id[:-4]}ffff"
    shutil.copytree(run.folder, folder)
    for path in (folder / "run.json", folder / "version" / "version.json"):
        content = json.loads(path.read_text())
        content["config"]["learning_rate"] = 0.5
        path.write_text(json.dumps(content | ({"run": folder.name} if "run" in content else {})))
    return Run(folder)


@pytest.fixture(scope="module")
def twins(trained: tuple[Path, Run], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with the trained run and its twin, and the names of both."""
    home = tmp_path_factory.mktemp("twins")
    _, run = trained
    shutil.copytree(run.folder, home / "runs" / run.id)
    return home, [run.id, twin_of(run, home).id]


@contextmanager
def served(home: Path, accounts: Path | None = None) -> Iterator[str]:
    """Where a server of a home is."""
    file = f"AccountFile(Path({str(accounts)!r}))" if accounts is not None else "None"
    code = (
        "from pathlib import Path; from layerwise_app.accounts import AccountFile; "
        "from layerwise_app.web.server import serve; "
        f"serve(port=0, open_browser=False, home={str(home)!r}, accounts={file})"
    )
    with listening([sys.executable, "-c", code]) as found:
        yield found


@contextmanager
def listening(command: Sequence[str]) -> Iterator[str]:
    """Where the server is that a command starts, until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Layerwise is at "), f"the server said {line!r}"
        yield line.split()[-1]
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail("the server did not end when it was asked to")


@pytest.fixture(scope="session")
def serving(plugins: None) -> Callable[..., AbstractContextManager[str]]:
    """`with serving(home) as address`: a server in a process of its own, and where it is reached.
    `serving(home, accounts)` lets in those with an account in that file."""
    return served


@pytest.fixture(scope="session")
def address(trained: tuple[Path, Run]) -> Iterator[str]:
    """Where the server is that most tests share."""
    with served(trained[0]) as found:
        yield found


class Visitor:
    """Somebody at a browser.

    Args:
        page: A Playwright page.
        address: Where the server is.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self._is_leaving = False
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._see)

    def _hear(self, message: Any) -> None:
        # A page that is left complains of the requests that end with it.
        if message.type == "error" and not self._is_leaving:
            self.complaints.append(f"console: {message.text}")

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def open(self, path: str) -> None:
        """Open a page by its path, and wait until it is drawn."""
        self._leave(lambda: self.page.goto(f"{self.address}/{path}"))

    def follow(self, link: Any) -> None:
        """Click a link to another page."""
        self._leave(link.click)

    def _leave(self, how: Callable[[], Any]) -> None:
        self._is_leaving = True
        self.page.evaluate("window.former = true")
        how()
        self.page.wait_for_function("!window.former && document.querySelector('h1')")
        self._is_leaving = False

    def button(self, name: str) -> Any:
        """The visible button of that name."""
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true")

    def upload(self, *files: Any, field: str = ":visible > input[type=file]") -> None:
        """Give the first field of a kind files: paths, or name, mimeType and buffer."""
        self.page.locator(field).first.set_input_files(list(files))

    def has(self, name: str) -> None:
        """Wait until a field has a file of that name. On its way it is named as well, but in no cell."""
        self.page.get_by_role("cell", name=name, exact=True).locator("visible=true").first.wait_for()

    def turn(self, tab: str, seconds: float = 1.0) -> None:
        """Open a tab for the first time, and take as long to look at it as people do. What stands in its fields at the
        beginning Gradio puts there when all of them are loaded, over what somebody quicker has typed."""
        self.page.get_by_role("tab", name=tab, exact=True).locator("visible=true").click()
        self.page.wait_for_timeout(1000 * seconds)

    def record(self) -> None:
        """Begin to speak, once the recorder is loaded, which happens when its tab is opened."""
        self.turn("Speak, and see it written", 3.0)
        self.page.get_by_role("button", name=re.compile("^Record")).locator("visible=true").click()

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page shows a text."""
        self.page.get_by_text(text).locator("visible=true").first.wait_for()


def hearing(chromium: Any, recording: Path) -> Any:
    """A browser whose microphone hears a WAV file, over and over."""
    return chromium.browser_type.launch(
        executable_path=chromium_path(),
        args=[
            *ARGUMENTS,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={recording}",
        ],
    )


@pytest.fixture
def visit(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """`visit(path, dark=False, phone=False, locale="en-US")`: open a page as somebody new, of the shared server unless
    `address` says of which. `hears` is a WAV file that is spoken into the microphone."""
    opened, visitors = [], []

    def make(
        path: str,
        *,
        dark: bool = False,
        phone: bool = False,
        locale: str = "en-US",
        address: str = "",
        hears: Path | None = None,
    ) -> Visitor:
        browser = chromium
        if hears is not None:
            browser = hearing(chromium, hears)
            opened.append(browser)
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            locale=locale,
            permissions=["microphone"] if hears else [],
        )
        opened.append(context)
        visitors.append(Visitor(context.new_page(), address or request.getfixturevalue("address")))
        visitors[-1].open(path)
        return visitors[-1]

    yield make
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for context_or_browser in reversed(opened):
        context_or_browser.close()
    assert not complaints


def wait_until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for what is seen in a folder and not on a page."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
