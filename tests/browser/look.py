"""Photograph every page in every state, at three widths, in light and dark, with contact sheets to look through:

cd tests && python -m browser.look --to FOLDER
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browser.conftest import ARGUMENTS, Visitor, chromium_path, sample_plugins, served, train_bars, twin_of
from browser.places import PLACES, Place
from PIL import Image, ImageDraw

WIDTHS = {390: 844, 1024: 768, 1920: 1080}
"""The widths of screens, with their heights."""
SCHEMES = ("light", "dark")
SHEET = {390: (6, 330, 1100), 1024: (3, 660, 1000), 1920: (3, 660, 900)}
"""How many pictures stand side by side on a contact sheet, how wide each is and how much of its height is seen."""
ROWS = 2
COLOR = {"light": "#ffffff", "dark": "#000000"}


def main() -> int:
    """Take the pictures. Returns the exit status, which is 1 when a place could not be reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="The folder of the pictures.")
    parser.add_argument("--only", nargs="*", help="The names of places, see places.py; by default all.")
    parser.add_argument("--address", help="A server to look at; by default one is started, with runs to be seen.")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    places = [place for place in PLACES if not asked.only or place.name in asked.only]
    if asked.address:
        missed = photographed(asked.address, places, asked.to)
    else:
        with tempfile.TemporaryDirectory() as folder, sample_plugins(Path(folder, "site")):
            home = Path(folder, "home")
            twin_of(train_bars(home), home)
            with served(home) as address:
                missed = photographed(address, places, asked.to)
    for width in WIDTHS:
        for scheme in SCHEMES:
            write_sheets(asked.to, [place.name for place in places], width, scheme)
    for line in missed:
        print(line, file=sys.stderr)
    return int(bool(missed))


def photographed(address: str, places: list[Place], folder: Path) -> list[str]:
    """Photograph places. Returns what went wrong, a line each."""
    from playwright.sync_api import Error, sync_playwright

    missed = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for place in places:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            visitor = Visitor(context.new_page(), address)
            try:
                place.open(visitor)
                missed += [f"{place.name}: {said}" for said in take(visitor.page, folder, place.name)]
            except Error as error:
                missed.append(f"{place.name}: {str(error).splitlines()[0]}")
            missed += [f"{place.name}: {complaint}" for complaint in visitor.complaints]
            context.close()
    return missed


def take(page: Any, folder: Path, name: str) -> Iterator[str]:
    """Take the pictures of a page as it is. Says where it is wider than the screen."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(400)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                yield f"{wide} pixels wider than {width}"


def write_sheets(folder: Path, names: list[str], width: int, scheme: str) -> None:
    """Write contact sheets of the pictures of a width in light or dark: the upper part of each, with its name."""
    across, small, seen = SHEET[width]
    files = [folder / f"{name}-{width}-{scheme}.png" for name in names]
    files = [file for file in files if file.exists()]
    for number, begin in enumerate(range(0, len(files), across * ROWS), 1):
        sheet = Image.new("RGB", (across * (small + 10), ROWS * (seen + 24)), "#888888")
        for index, file in enumerate(files[begin : begin + across * ROWS]):
            picture = Image.open(file).convert("RGB")
            picture = picture.resize((small, round(picture.height * small / picture.width)), Image.Resampling.LANCZOS)
            left, top = (index % across) * (small + 10), (index // across) * (seen + 24)
            sheet.paste(COLOR[scheme], (left, top, left + small, top + 20))
            ImageDraw.Draw(sheet).text(
                (left + 4, top + 4), file.stem, fill=COLOR["dark" if scheme == "light" else "light"]
            )
            sheet.paste(picture.crop((0, 0, small, min(seen, picture.height))), (left, top + 20))
        sheet.save(folder / f"sheet-{width}-{scheme}-{number}.png")


if __name__ == "__main__":
    sys.exit(main())
