"""Draw a sneaker in a browser, let the playground learn two spirals, and keep what the pages look like as fashion.png
and playground.png:

python docs/images/make.py
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
NUM_COLORS = 192
"""A page has few colours: a palette makes the file a third of the size and looks the same."""
SERVE = "from layerwise_app.web.server import serve; serve(port=0, open_browser=False, home={home!r})"

# Strokes as lines through points, from 0 to 1 of the pad's width and height, each with the width of its pen.
SNEAKER = (
    (30, ((0.08, 0.71), (0.5, 0.72), (0.92, 0.70))),
    (34, ((0.13, 0.62), (0.3, 0.6), (0.6, 0.62), (0.88, 0.61))),
    (34, ((0.3, 0.55), (0.5, 0.52), (0.7, 0.54), (0.88, 0.54))),
    (34, ((0.5, 0.46), (0.64, 0.45), (0.76, 0.49), (0.88, 0.47))),
    (18, ((0.54, 0.4), (0.6, 0.42))),
    (18, ((0.86, 0.4), (0.89, 0.44))),
)


def main() -> int:
    """Write the pictures. Returns the exit status."""
    with tempfile.TemporaryDirectory() as home:
        code = SERVE.format(home=home)
        server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            for name, photograph in (("fashion", sneaker), ("playground", spirals)):
                keep(name, photographed(address, photograph))
        finally:
            server.terminate()
            server.wait()
    return 0


def keep(name: str, picture: bytes) -> None:
    """Keep a picture of a page."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(NUM_COLORS, dither=Image.Dither.NONE)
    image.save(HERE / f"{name}.png", optimize=True)


def photographed(address: str, photograph: Callable[[Any, str], None]) -> bytes:
    """A page as it looks after `photograph(page, address)`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 990})
        photograph(page, address)
        return page.screenshot()


def sneaker(page: Any, address: str) -> None:
    """vision/fashion, on which a sneaker was drawn and named."""
    page.goto(f"{address}/vision?model=fashion")
    page.get_by_role("tab", name="Draw").click()
    for width, points in SNEAKER:
        page.get_by_label("Width of the pen").fill(str(width))
        draw(page, points)
    page.locator(".lw-best").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)  # for the bars, which grow, and for the last stroke to be asked
    print(page.locator(".lw-best").inner_text())


def spirals(page: Any, address: str) -> None:
    """The playground, when its network tells the two spirals apart."""
    page.goto(f"{address}/playground")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        "document.querySelector('.pg-measures .pg-train td:last-child')?.textContent === '0'", timeout=60_000
    )
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_timeout(500)  # for the last frame
    print(f"no error after {page.locator('.pg-step').inner_text()} steps")


def draw(page: Any, points: tuple[tuple[float, float], ...]) -> None:
    """Draw one stroke on the pad."""
    box = page.locator("canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    sys.exit(main())
