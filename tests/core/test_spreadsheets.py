"""Texts in tables that are downloaded: none is computed by a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.comparing.comparison import _write_csv
from layerwise.spreadsheets import plain_cell

FORMULAS = ["=1+1", "+A1", "-A1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0", "--1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_become_texts(text):
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["-1.5", "+3", "1e-3", "-2E+5", "-.5", "-7%", "C=O", "", "-", "=", "a\n=b", -1, 2.5, None]
)
def test_numbers_and_other_texts_stay(value):
    assert plain_cell(value) == value


@given(st.text(max_size=20))
@settings(deadline=None)
def test_what_was_written_begins_with_nothing_that_is_computed(text):
    written = plain_cell(text)
    assert len(written) < 2 or written.strip()[:1] not in ("=", "@") or written.startswith("'")
    assert written in (text, f"'{text}")


def test_a_comparison_holds_no_formula():
    file = io.StringIO(newline="")
    _write_csv([{"run": '=HYPERLINK("http://evil.example")', "loss": -0.5, "=name": "x"}], file)
    header, row = csv.reader(io.StringIO(file.getvalue()))
    assert header == ["run", "loss", "'=name"]
    assert row == ['\'=HYPERLINK("http://evil.example")', "-0.5", "x"]
