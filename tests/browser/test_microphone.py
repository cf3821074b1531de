"""A microphone: Chromium plays a recording as if somebody spoke."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from browser.conftest import ARGUMENTS, DESKTOP, Visitor, chromium_path

RATE = 48_000
WORDS = Path(__file__).parents[2] / "plugins" / "layerwise_speech" / "examples" / "words"


@pytest.fixture
def speaking(chromium: Any, address: str) -> Iterator[Callable[[Path, str], Visitor]]:
    """`speaking(recording, path)`: open a page in a browser whose microphone hears a WAV file, over and over."""
    browsers, visitors = [], []

    def make(recording: Path, path: str) -> Visitor:
        browser = chromium.browser_type.launch(
            executable_path=chromium_path(),
            args=[
                *ARGUMENTS,
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={recording}",
            ],
        )
        browsers.append(browser)
        visitors.append(Visitor(browser.new_context(viewport=DESKTOP, permissions=["microphone"]).new_page(), address))
        visitors[-1].open(path)
        return visitors[-1]

    yield make
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for browser in browsers:
        browser.close()
    assert not complaints


def record(page: Any) -> None:
    """Begin to record, once the recorder is loaded, which happens when its tab is opened."""
    page.get_by_role("tab", name="Speak, and see it written").click()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name=re.compile("^Record")).locator("visible=true").click()


def test_a_microphone_is_heard_while_it_records(speaking, tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    soundfile.write(tmp_path / "tone.wav", tone, RATE, subtype="PCM_16")
    visitor = speaking(tmp_path / "tone.wav", "demo?model=ear")
    page = visitor.page
    record(page)
    heard = page.locator(".lw-outputs textarea").locator("visible=true").first
    seconds: list[float] = []
    page.wait_for_function(
        "() => [...document.querySelectorAll('.lw-outputs textarea')].some(area => /^[2-9]/.test(area.value))"
    )
    seconds.append(float(heard.input_value().split()[0]))
    loud = float(heard.input_value().split()[-3])
    assert 0.3 < loud <= 1.0, heard.input_value()
    page.wait_for_timeout(1500)
    assert float(heard.input_value().split()[0]) > seconds[0], "it goes on"


def test_what_is_said_into_a_microphone_is_written_while_it_is_said(speaking, tmp_path):
    import soxr

    samples, rate = soundfile.read(WORDS / "three_seven_one_four.ogg")
    silence = np.zeros(RATE)
    spoken = np.concatenate([silence, soxr.resample(samples, rate, RATE), silence])
    soundfile.write(tmp_path / "words.wav", spoken, RATE, subtype="PCM_16")
    visitor = speaking(tmp_path / "words.wav", "speech?model=digits-and-words")
    page = visitor.page
    record(page)
    texts: list[str] = []
    for wanted in ("three", "three seven one four"):
        page.wait_for_function(
            "wanted => [...document.querySelectorAll('.lw-outputs textarea')].some(a => a.value.includes(wanted))",
            arg=wanted,
        )
        texts.append(page.locator(".lw-outputs textarea").locator("visible=true").first.input_value())
    assert len(texts[0]) < len(texts[1]), "it was written word by word"
    page.get_by_role("button", name=re.compile("^Stop")).locator("visible=true").click()
    assert page.locator(".lw-answers").locator("visible=true").count() >= 3
