"""Go through the showcase as a visitor does, and keep what it looks like, as README shows it: a moving picture
(showcase.webp) and the stills in PICTURES.

PYTHONPATH=tests python docs/images/make.py [NAME ...]
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from browser.conftest import ARGUMENTS, Visitor, chromium_path, served
from browser.places import example, settled, talked
from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

HERE = Path(__file__).parent
WINDOW, SIZE = ViewportSize(width=1000, height=700), (1000, 700)
"""Of a still: as it is, so that it can be read."""
FILM, FILM_WINDOW, FILM_SIZE = "showcase", ViewportSize(width=1280, height=896), (800, 560)
LOOK = 2200
"""Milliseconds for a page that stands still."""
QUALITY = 80

# Strokes as lines through points, from 0 to 1 of the pad's width and height, each with the width of its pen.
SNEAKER = (
    (30, ((0.08, 0.71), (0.5, 0.72), (0.92, 0.70))),
    (34, ((0.13, 0.62), (0.3, 0.6), (0.6, 0.62), (0.88, 0.61))),
    (34, ((0.3, 0.55), (0.5, 0.52), (0.7, 0.54), (0.88, 0.54))),
    (34, ((0.5, 0.46), (0.64, 0.45), (0.76, 0.49), (0.88, 0.47))),
    (18, ((0.54, 0.4), (0.6, 0.42))),
    (18, ((0.86, 0.4), (0.89, 0.44))),
)
QUESTION = "What does a bias do?"
MOVES = ("E5", "C3", "G7")

Frame = tuple[bytes, int]
"""A picture, and for how many milliseconds it is seen."""


def main(names: Sequence[str]) -> int:
    """Write the pictures. Returns the exit status."""
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for name, reach in PICTURES.items():
            if not names or name in names:
                visitor = Visitor(browser.new_page(viewport=WINDOW), address)
                reach(visitor)
                keep(name, [seen(visitor)], SIZE)
        if not names or FILM in names:
            visitors = (Visitor(browser.new_page(viewport=FILM_WINDOW), address) for _ in SCENES)
            frames = [frame for scene, visitor in zip(SCENES, visitors, strict=True) for frame in scene(visitor)]
            keep(FILM, frames, FILM_SIZE)
        browser.close()
    return 0


def keep(name: str, frames: Sequence[Frame], size: tuple[int, int]) -> None:
    """Keep pictures of a page as one that moves, which a single one does not."""
    pictures = [
        Image.open(io.BytesIO(content)).convert("RGB").resize(size, Image.Resampling.LANCZOS) for content, _ in frames
    ]
    path = HERE / f"{name}.webp"
    options = {"append_images": pictures[1:], "duration": [duration for _, duration in frames], "loop": 0}
    pictures[0].save(path, quality=QUALITY, method=6, **(options if len(pictures) > 1 else {}))
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def seen(visitor: Visitor, duration: int = LOOK) -> Frame:
    """The page as it is."""
    return visitor.page.screenshot(), duration


def show(visitor: Visitor, selector: str) -> None:
    """Bring a part of the page to the window's upper edge."""
    visitor.page.locator(selector).locator("visible=true").first.evaluate(
        "part => scrollTo({top: part.getBoundingClientRect().top + scrollY - 24, behavior: 'instant'})"
    )
    settled(visitor)


def home(visitor: Visitor) -> Iterator[Frame]:
    """Home, and what is below its first screen."""
    visitor.open("")
    settled(visitor)
    yield seen(visitor)


def drawing(visitor: Visitor) -> Iterator[Frame]:
    """A sneaker is drawn stroke by stroke, and named."""
    visitor.open("vision?model=fashion")
    settled(visitor)
    visitor.page.get_by_role("tab", name="Draw").click()
    show(visitor, ".lw-outputs")
    for width, points in SNEAKER:
        visitor.page.get_by_label("Width of the pen").fill(str(width))
        draw(visitor, points)
        visitor.page.wait_for_timeout(900)  # for the answer, which comes with every stroke, and its bars, which grow
        yield seen(visitor, 500)
    visitor.page.wait_for_timeout(1500)
    yield seen(visitor)


def layers(visitor: Visitor) -> Iterator[Frame]:
    """What each layer makes of a photograph."""
    looked_inside(visitor)
    yield seen(visitor)


def learning(visitor: Visitor) -> Iterator[Frame]:
    """The playground, until its network tells the two spirals apart."""
    visitor.open("playground")
    page = visitor.page
    page.get_by_label("Steps per picture").select_option("10")
    page.get_by_role("button", name="Play", exact=True).click()
    begun = False
    while not begun or page.locator(".pg-measures .pg-train td:last-child").inner_text() != "0":
        begun = True
        yield seen(visitor, 120)
        page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_timeout(500)  # for the last frame
    yield seen(visitor)


def game(visitor: Visitor) -> Iterator[Frame]:
    """The first moves of a game of Go."""
    visitor.open("rl?model=go")
    board = visitor.page.locator(".lw-game")
    board.get_by_text("Black to play.").wait_for()
    show(visitor, ".lw-game")
    for number, point in enumerate(MOVES, 1):
        board.get_by_label(point, exact=True).click()
        visitor.page.wait_for_function(
            "count => document.querySelector('[data-part=moves]').textContent.split(' ').length > count", arg=2 * number
        )
        yield seen(visitor, 1200)


def draw(visitor: Visitor, points: Sequence[tuple[float, float]]) -> None:
    """Draw one stroke on the pad."""
    mouse, box = visitor.page.mouse, visitor.page.locator("canvas").locator("visible=true").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=8)
    mouse.up()


def first_screen(visitor: Visitor) -> None:
    """Home."""
    visitor.open("")
    settled(visitor)


def looked_inside(visitor: Visitor) -> None:
    """What each layer makes of a photograph."""
    asked("vision?model=objects")(visitor)
    visitor.button("Look inside").click()
    panel = visitor.page.locator(".lw-inside").locator("visible=true")
    panel.get_by_role("button", name="Activations", exact=True).click()
    panel.locator("[data-part=shown] .lw-plots").first.wait_for()
    show(visitor, ".lw-inside")


def asked(path: str) -> Callable[[Visitor], None]:
    """A demo that has answered its first example."""

    def reach(visitor: Visitor) -> None:
        visitor.open(path)
        settled(visitor)
        example(visitor)
        show(visitor, ".lw-outputs")

    return reach


def conversation(visitor: Visitor) -> None:
    """What the tutor says, and what that rests on."""
    visitor.open("language?model=tutor")
    settled(visitor)
    talked(visitor, QUESTION)


def played(visitor: Visitor) -> None:
    """A game of Go that has begun."""
    for _ in game(visitor):
        pass


PICTURES: dict[str, Callable[[Visitor], None]] = {
    "home": first_screen,
    "faces": asked("vision?model=faces"),
    "inside": looked_inside,
    "tutor": conversation,
    "speech": asked("speech?model=digits-and-words"),
    "go": played,
    "molecule": asked("science?model=solubility"),
}
"""Stills by their name, each with the way to what it shows."""
SCENES = (home, drawing, layers, learning, game)
"""What the moving picture shows, in this order."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
