"""A visitor brings pictures of their own, sees what is in them, trains on them and uses the result."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Stripes across or down, and a file that is no picture."""
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


def test_from_an_upload_to_a_demo_with_its_labels(visit, serving, tmp_path, archive):
    home = tmp_path / "home"
    with serving(home) as address:
        visitor = visit("train?model=toy/bars", address=address)
        page = visitor.page
        page.get_by_label("Number of epochs").wait_for()
        page.get_by_text("Train it on your own data").click()
        visitor.says("A folder for each class")

        visitor.upload(archive)
        report = page.locator("#data-report")
        report.get_by_text("48 pictures of 2 classes").wait_for()
        assert report.locator(".lw-bars li").count() == 2
        assert report.locator(".lw-seen img").count() == 6
        assert report.get_by_text("1 of 49 files cannot be read").is_visible()
        assert "my-stripes-" in page.get_by_label("Data", exact=True).input_value()
        assert [path.name[:11] for path in (home / "data").iterdir() if not path.name.startswith(".")] == [
            "my-stripes-"
        ]

        page.get_by_label("Number of epochs").fill("60")
        visitor.button("Start training").click()
        page.locator("#progress .lw-finished").wait_for()
        visitor.button("Use this version").click()
        page.locator("#runs").get_by_text("in use").wait_for()

        visitor.open("toy")
        visitor.button("down").or_(page.get_by_role("button", name="down")).first.click()
        best = page.locator(".lw-best strong")
        best.filter(has_text=re.compile("zebra|tiger")).wait_for()
        assert {label.inner_text() for label in page.locator(".lw-bars .lw-name").all()} == {"zebra", "tiger"}

        visitor.open("train?model=toy/bars")
        page.get_by_text("Train it on your own data").click()
        page.get_by_label("Data", exact=True).click()
        page.get_by_role("option", name=re.compile("^my-stripes-")).click()
        report.get_by_text("48 pictures of 2 classes").wait_for()
        visitor.button("Delete this upload").click()
        visitor.says(re.compile("The upload is deleted"))
        assert [path for path in (home / "data").iterdir() if not path.name.startswith(".")] == []


def test_what_cannot_be_used_is_said_where_it_was_brought(visit, serving, tmp_path):
    with serving(tmp_path / "home") as address:
        visitor = visit("train?model=toy/bars", address=address, phone=True)
        page = visitor.page
        page.get_by_label("Number of epochs").wait_for()
        page.get_by_text("Train it on your own data").click()
        (tmp_path / "evil.zip").write_bytes(b"PK\x03\x04 and no more")
        visitor.upload(tmp_path / "evil.zip")
        visitor.says(re.compile("evil.zip is no zip archive"))
        box = page.get_by_label("Data", exact=True)
        box.fill("/nowhere/at/all")
        box.press("Enter")
        visitor.says(re.compile("There is no such folder"))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
