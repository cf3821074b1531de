"""A microphone: Chromium plays a recording as if somebody spoke."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

RATE = 48_000


@pytest.mark.realtime
def test_a_microphone_is_heard_while_it_records(visit, tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    soundfile.write(tmp_path / "tone.wav", tone, RATE, subtype="PCM_16")
    visitor = visit("demo?model=ear", hears=tmp_path / "tone.wav")
    page = visitor.page
    visitor.record()
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
