"""Pictures and sounds of one's own dropped on the page of an encoder: the nearest of them, and their map."""

from __future__ import annotations

import io
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")

COLORS = {"red.png": (210, 40, 40), "green.png": (40, 160, 60), "blue.png": (40, 60, 210), "grey.png": (120, 120, 120)}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory, serving):
    """Where a server is that has an encoder of pictures and one of sounds."""
    from layerwise_hub import library
    from layerwise_hub.manifest import Manifest

    home, folder = tmp_path_factory.mktemp("encoders"), tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "plugins" / "hub"))
        import hub_samples

        for family in ("dinov2", "hubert"):
            hub_samples.write(family, folder / family)
            library.add(library.look(str(folder / family)), lambda *_: None, Manifest(home))
        sys.modules.pop("hub_samples")
    with serving(home) as address:
        yield address


def picture(name):
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (90, 60), COLORS[name])
    ImageDraw.Draw(image).ellipse((20, 10, 60, 50), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()}


def tone(hertz):
    samples = (9000 * np.sin(2 * np.pi * hertz * np.arange(8000) / 16_000)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return {"name": f"{hertz}.wav", "mimeType": "audio/wav", "buffer": buffer.getvalue()}


def drop(visitor, one, others):
    """Give the file that is compared, and those that it is compared with."""
    alone = ":visible > input[type=file]:not([multiple])"
    visitor.upload(one, field=alone)
    visitor.upload(*others, field=":visible > input[multiple]")
    visitor.page.locator(alone).first.wait_for(state="detached")
    for file in others:
        visitor.has(file["name"])


def nearest(page):
    return page.locator(".lw-answers td").locator("visible=true").first.inner_text()


def test_pictures_are_dropped_all_at_once_and_lie_on_a_map(visit, encoders):
    visitor = visit("vision?model=local-dinov2", address=encoders)
    page = visitor.page
    drop(visitor, picture("red.png"), [picture(name) for name in COLORS])
    visitor.button("Ask the network").click()
    visitor.says("The nearest pictures first")
    assert nearest(page) == "red.png"
    page.get_by_role("button", name="Settings").locator("visible=true").click()
    visitor.says("How the map is made")
    seen = page.locator(".lw-shown img").locator("visible=true").first
    size = "async image => (await image.decode(), [image.naturalWidth, image.naturalHeight])"
    assert seen.evaluate(size) == [960, 640]


def test_an_example_has_files_of_its_own(visit, encoders):
    visitor = visit("vision?model=local-dinov2", address=encoders)
    visitor.page.get_by_role("button", name="circle").locator("visible=true").click()
    visitor.says("a blue square.png")
    visitor.says("The nearest pictures first")


def test_a_file_that_is_no_picture_is_named(visit, encoders):
    visitor = visit("vision?model=local-dinov2", address=encoders)
    bad = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Dear all"}
    drop(visitor, picture("red.png"), [picture("blue.png"), bad])
    visitor.button("Ask the network").click()
    visitor.says("notes.txt cannot be used: This file cannot be read as a picture.")


def test_sounds_in_german(visit, encoders):
    visitor = visit("speech?model=local-hubert", address=encoders, locale="de-DE")
    visitor.says("Töne zum Vergleichen")
    drop(visitor, tone(440), [tone(hertz) for hertz in (120, 440, 3000)])
    visitor.button("Netz fragen").click()
    visitor.says("Alle auf einer Karte")  # which is there when all of them have been heard
    visitor.says("Die nächsten Töne zuerst")
    assert nearest(visitor.page) == "440.wav"
