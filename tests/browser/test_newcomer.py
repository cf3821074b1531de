"""Ten things that somebody new comes for, from Home, by the words that they read there. Each is counted in clicks, as
few as the page can do with, and in seconds: printed, and bounded by what a busy machine takes for what a newcomer waits
for in good humour, which is half a minute."""

from __future__ import annotations

import os
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from browser.conftest import Visitor, listening, twin_of, wait_until
from PIL import Image
from playwright.sync_api import expect

from layerwise.jobs import follow, start
from layerwise.plugins.files import FOLDER
from layerwise.registry import Registry
from layerwise.runs import RunStore

OWN_PATH = os.environ.get("PYTHONPATH", "")
"""As it is before the sample plugins of the other tests are put on it."""
LONGEST = 300
"""Seconds for a task on a machine that other tests keep busy, ten times what a newcomer waits for."""
WORDS = Path(__file__).parents[2] / "plugins" / "layerwise_speech" / "examples" / "words"
RATE = 48_000
# A press of a mouse button or of a finger, and a choice from a list or of a file, for which the tests need no mouse.
COUNT = """for (const kind of ["pointerdown", "change"]) addEventListener(kind, (event) => {
  if (kind === "pointerdown" ? event.isTrusted : event.target.matches("select, [type=file]")) window.countClick();
}, true);"""

Trying = Callable[..., AbstractContextManager[Visitor]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a newcomer, in which there is nothing yet."""
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def showcase(home: Path) -> Iterator[tuple[str, float]]:
    """Where `layerwise serve` is, with its own plugins and weights alone, and the seconds until it said so."""
    begin = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "layerwise_app.cli",
        "--home",
        str(home),
        "serve",
        "--no-browser",
        "--port",
        "0",
        "--grace",
        "1",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", OWN_PATH)
        with listening(command) as address:
            yield address, time.monotonic() - begin


@pytest.fixture
def trying(visit: Any, showcase: tuple[str, float], record_property: Any) -> Trying:
    """`with trying(clicks=3) as visitor`: somebody at Home, who may click so often. What it took is printed."""

    @contextmanager
    def make(*, clicks: int, already: float = 0.0, visitor: Visitor | None = None) -> Iterator[Visitor]:
        begin = time.monotonic() - already
        pressed: list[bool] = []
        visitor = visitor or visit("", address=showcase[0])
        visitor.page.expose_function("countClick", lambda: pressed.append(True))
        visitor.page.add_init_script(COUNT)
        visitor.page.evaluate(COUNT)
        yield visitor
        seconds = time.monotonic() - begin
        record_property("seconds", round(seconds, 1))
        record_property("clicks", len(pressed))
        print(f"{seconds:.1f} s, {len(pressed)} clicks")
        assert len(pressed) <= clicks
        assert seconds <= LONGEST

    return make


def open_demo(visitor: Visitor, title: str) -> None:
    """Follow the card of a model, which Home shows by its title."""
    visitor.follow(visitor.page.get_by_role("link", name=re.compile(f"^{title}\\b")).first)
    visitor.page.get_by_role("tab", name=title, exact=True, selected=True).wait_for()


def examples(visitor: Visitor) -> Any:
    """The buttons below "Try an example"."""
    return visitor.page.get_by_role("list", name="Examples").get_by_role("button").locator("visible=true")


def draw_trousers(visitor: Visitor) -> None:
    """Draw two legs and what joins them."""
    canvas = visitor.page.locator("canvas").locator("visible=true")
    canvas.scroll_into_view_if_needed()
    visitor.page.get_by_label("Width of the pen").locator("visible=true").fill("48")
    box = canvas.bounding_box()
    for points in (((0.42, 0.15), (0.38, 0.9)), ((0.58, 0.15), (0.62, 0.9)), ((0.42, 0.15), (0.58, 0.15))):
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        visitor.page.mouse.move(*places[0])
        visitor.page.mouse.down()
        visitor.page.mouse.move(*places[1], steps=6)
        visitor.page.mouse.up()


def test_01_from_the_command_to_the_first_answer(trying, showcase):
    with trying(clicks=2, already=showcase[1]) as visitor:
        open_demo(visitor, "Garments")
        examples(visitor).filter(has_text="Bag").first.click()
        visitor.page.locator(".lw-best strong", has_text="Bag").wait_for()


def test_02_draw_a_garment_and_get_its_class(trying):
    with trying(clicks=5) as visitor:
        open_demo(visitor, "Garments")
        visitor.turn("Draw")
        draw_trousers(visitor)
        visitor.page.locator(".lw-best strong", has_text="Trouser").wait_for()


def test_03_see_what_the_layers_make_of_it(trying):
    with trying(clicks=4) as visitor:
        open_demo(visitor, "Garments")
        examples(visitor).filter(has_text="Bag").first.click()
        visitor.button("Look inside").click()
        panel = visitor.page.get_by_role("region", name="Look inside").locator("visible=true")
        panel.get_by_role("button", name="Activations", exact=True).click()
        panel.get_by_role("heading", name="Activations", exact=True).wait_for()
        maps = panel.locator("[data-part=shown] figure")
        maps.nth(4).wait_for()
        assert maps.count() >= 5, "one for each convolution at least"


def test_04_chat_with_the_tutor(trying):
    with trying(clicks=1) as visitor:
        open_demo(visitor, "Tutor")
        message = visitor.page.get_by_role("textbox", name="Message").locator("visible=true")
        message.fill("what does a bias do?")
        message.press("Enter")
        sources = visitor.page.get_by_role("region", name="What it rests on")
        sources.get_by_role("link").first.wait_for()
        assert "weighted sum" in visitor.page.locator(".lw-conversation .bot.message:visible").inner_text()
    visitor.follow(sources.get_by_role("link").first)
    assert "lesson=" in visitor.page.url


@pytest.mark.realtime
def test_05_what_one_says_is_written_while_it_is_said(trying, visit, showcase, tmp_path):
    import soxr

    samples, rate = soundfile.read(WORDS / "three_seven_one_four.ogg")
    silence = np.zeros(RATE)
    spoken = np.concatenate([silence, soxr.resample(samples, rate, RATE), silence])
    soundfile.write(tmp_path / "words.wav", spoken, RATE, subtype="PCM_16")
    with trying(clicks=3, visitor=visit("", address=showcase[0], hears=tmp_path / "words.wav")) as visitor:
        page = visitor.page
        open_demo(visitor, "Digits and words")
        visitor.record()
        texts: list[str] = []
        # A busy machine loses parts of what it records; what is there is written in its order.
        for wanted in ("\\w", "three.* seven.* one.* four"):
            page.wait_for_function(
                "like => [...document.querySelectorAll('.lw-outputs textarea')].some(area => area.value.match(like))",
                arg=wanted,
            )
            texts.append(page.locator(".lw-outputs textarea").locator("visible=true").first.input_value())
        assert len(texts[0]) < len(texts[1]), "it was written word by word"
    page.get_by_role("button", name=re.compile("^Stop")).locator("visible=true").click()
    assert page.locator(".lw-answers").locator("visible=true").count() >= 3


def test_06_play_go_to_the_end(trying):
    with trying(clicks=20) as visitor:
        open_demo(visitor, "Go")
        game = visitor.page.get_by_role("region", name="Play: Go")
        game.get_by_text("Black to play.").wait_for()
        game.get_by_label("Strength").select_option(label="1 position a move")
        game.get_by_label("E5", exact=True).click()
        said = game.get_by_role("status")
        # Whoever passes all the time has lost when the agent passes too, or gives up after ten times.
        for _ in range(10):
            expect(said).to_have_text(re.compile("White plays|wins"))
            if "wins" in (text := said.inner_text()):
                break
            game.get_by_role("button", name="Pass").click()
            expect(said).not_to_have_text(text)
        else:
            expect(said).to_have_text(re.compile("White plays|wins"))
            if "wins" not in said.inner_text():
                game.get_by_role("button", name="Resign").click()
        expect(said).to_have_text(re.compile("(Black|White) wins"))


def test_07_predict_a_molecule(trying):
    with trying(clicks=2) as visitor:
        open_demo(visitor, "Solubility in water")
        visitor.page.get_by_label("SMILES", exact=False).locator("visible=true").first.fill("CC(=O)OC1=CC=CC=C1C(=O)O")
        visitor.button("Ask the network").click()
        visitor.page.locator("table.lw-table", has_text="90 % interval from").locator("visible=true").wait_for()


@pytest.fixture
def stripes(tmp_path: Path) -> Path:
    """An archive of pictures, with stripes across or down, and a file that is no picture."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "my stripes.zip", "w") as opened:
        for label, axis in (("zebra", 0), ("tiger", 1)):
            for index in range(24):
                pixels = rng.integers(0, 60, (8, 8), dtype=np.uint8)
                pixels[(slice(None), index % 8) if axis else index % 8] = 255
                picture = tmp_path / "picture.png"
                Image.fromarray(pixels).save(picture)
                opened.write(picture, f"stripes/{label}/{index}.png")
        opened.writestr("stripes/zebra/broken.png", b"no picture")
    return tmp_path / "my stripes.zip"


def test_08_train_on_pictures_of_ones_own(trying, home, stripes):
    with trying(clicks=10) as visitor:
        page = visitor.page
        visitor.follow(page.get_by_role("link", name="Train", exact=True))
        page.get_by_label("Number of epochs").wait_for()
        page.get_by_label("Model and network").click()
        page.get_by_role("option", name="vision/fashion:dense").click()
        page.get_by_label("Hidden units").wait_for()  # the form is that of the model now
        page.get_by_text("Train it on your own data").click()
        visitor.says("A folder for each class")
        visitor.upload(stripes)
        report = page.locator("#data-report")
        report.get_by_text("48 pictures of 2 classes").wait_for()
        assert report.locator(".lw-bars li").count() == 2
        assert report.locator(".lw-seen img").count() == 6
        assert report.get_by_text("1 of 49 files cannot be read").is_visible()
        assert "my-stripes-" in page.get_by_label("Data", exact=True).input_value()
        assert [path.name[:11] for path in kept(home)] == ["my-stripes-"]
        page.get_by_label("Number of epochs").fill("3")
        visitor.button("Start training").click()
        page.locator("#progress .lw-finished").wait_for()
        visitor.button("Use this version").click()
        visitor.follow(page.get_by_role("link", name="Try it"))
        page.get_by_role("tab", name="Garments", exact=True, selected=True).wait_for()
        expect(page.get_by_label("dense").locator("visible=true")).to_be_checked()
        examples(visitor).first.click()
        page.locator(".lw-best strong").filter(has_text=re.compile("zebra|tiger")).wait_for()
    assert {label.inner_text() for label in page.locator(".lw-bars .lw-name").all()} == {"zebra", "tiger"}
    visitor.open("train?model=vision/fashion:dense")
    page.get_by_text("Train it on your own data").click()
    page.get_by_label("Data", exact=True).click()
    page.get_by_role("option", name=re.compile("^my-stripes-")).click()
    report.get_by_text("48 pictures of 2 classes").wait_for()
    visitor.button("Delete this upload").click()
    visitor.says(re.compile("The upload is deleted"))
    assert kept(home) == []


def kept(home: Path) -> list[Path]:
    """The uploads in a home."""
    return [path for path in (home / "data").iterdir() if not path.name.startswith(".")]


@pytest.fixture
def two_runs(home: Path, stripes: Path) -> None:
    """Two runs in the home: that of the task before, or one like it, and a twin."""
    runs = RunStore(home)
    if not runs.list():
        folder = stripes.parent / "pictures"
        zipfile.ZipFile(stripes).extractall(folder)
        spec = Registry(home).snapshot().model("vision/fashion")
        run = start(runs, spec, variant="dense", data=folder / "stripes")
        assert list(follow(run))[-1]["event"] == "finished", run.log_text()
    twin_of(runs.list()[0], home)


def test_09_compare_two_runs(trying, two_runs):
    with trying(clicks=5) as visitor:
        page = visitor.page
        visitor.follow(page.get_by_role("link", name="Compare", exact=True))
        visitor.says("Choose two runs or more.")
        for index in range(2):
            page.get_by_label("Runs").click()
            page.get_by_role("listbox").get_by_role("option").nth(index).click()
        page.get_by_role("region", name="Compared runs").get_by_role("row").nth(2).wait_for()
        row = page.get_by_role("region", name="What differs").get_by_role("row", name="learning_rate")
        assert "0.5" in row.inner_text()
        page.locator("#curves figure").nth(1).wait_for()


def test_10_install_a_plugin(trying, home):
    with trying(clicks=3) as visitor:
        page = visitor.page
        visitor.follow(page.get_by_role("link", name="Plugins", exact=True))
        code = page.locator(".cm-content", has_text="# my_pets.py").inner_text()
        file = home / FOLDER / "my_pets.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
        visitor.follow(visitor.button("Look for new plugins"))
        visitor.follow(page.get_by_role("link", name="vision/pets"))
        page.get_by_role("tab", name="Cats and dogs", exact=True, selected=True).wait_for()
    file.unlink()
    # What changes in the folder is seen within seconds, also when nobody asks.
    wait_until(lambda: visitor.open("plugins") or not page.get_by_role("link", name="vision/pets").count())
