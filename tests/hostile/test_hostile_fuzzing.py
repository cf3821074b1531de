"""Every decoder, with bytes that nobody thought of: it reads them or refuses them by a sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hostile.decoders import DECODERS
from hostile.fuzz import Campaign, tried
from hostile.mutation import GOOD, case
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("door", DECODERS)
def test_what_is_good_is_read(door, tmp_path):
    for number, data in enumerate(GOOD[door]()):
        assert tried(door, data, tmp_path / str(number)) == "read"


@pytest.mark.slow
@pytest.mark.parametrize("door", DECODERS)
@settings(max_examples=25, deadline=None)
@given(
    data=st.one_of(st.binary(max_size=2000), st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
)
def test_any_bytes_are_read_or_refused(door, data):
    with tempfile.TemporaryDirectory() as folder:
        came = tried(door, data, Path(folder) / "sandbox")
    assert came in ("read", "refused"), came


@pytest.mark.slow
@pytest.mark.parametrize("door", DECODERS)
@settings(max_examples=60, deadline=None)
@given(number=st.integers(0, 10_000))
def test_any_damage_is_read_or_refused(door, number):
    with tempfile.TemporaryDirectory() as folder:
        came = tried(door, case(door, number, seed=1), Path(folder) / "sandbox")
    assert came in ("read", "refused"), came


def test_cases_are_the_same_in_every_run_and_differ_from_each_other():
    made = [case("csv", number) for number in range(200)]
    assert made == [case("csv", number) for number in range(200)]
    assert len(set(made)) > 150


def test_a_campaign_goes_on_where_it_stopped_and_keeps_what_fails(tmp_path, monkeypatch):
    import os

    def strange(data, folder):
        if b"\xff" in data:
            os.kill(os.getpid(), 9)
        if b"[" in data:
            raise KeyError("a mistake of ours")

    monkeypatch.setitem(DECODERS, "sgf", strange)
    for _ in range(2):
        Campaign(tmp_path, 3).run("sgf", 60)
    done = Campaign(tmp_path, 3).of("sgf")
    assert done["cases"] == 120 == done["read"] + done["refused"] + done["failed"]
    said = {path.read_text().splitlines()[-1] for path in (tmp_path / "failures").glob("sgf-*.txt")}
    assert said == {"KeyError: 'a mistake of ours'", "The case ended its process: -9"}
