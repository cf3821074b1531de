"""A leaderboard for readers."""

import csv
import io

import pytest

from layerwise.comparing.leaderboard_tables import as_markdown, safe_cell, write_csv, write_pairs_csv
from layerwise.leaderboard import leaderboard


def test_tables_hold_numbers_and_no_formulas(graders):
    workspace, names = graders
    board = leaderboard(workspace, names, limit=200)
    board["models"].append({"reference": "a/b:c@d", "error": "=HYPERLINK(1)|<b>\nbad"})
    board["data"] = "@SUM(1)"
    file = io.StringIO(newline="")
    write_csv(board, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [row["place"] for row in rows] == ["1", "2", "3", ""]
    assert float(rows[0]["accuracy"]) == board["models"][0]["metrics"]["accuracy"]
    assert float(rows[0]["accuracy_low"]) < float(rows[0]["accuracy"])
    assert rows[0]["data"] == "'@SUM(1)"
    assert rows[3]["error"].startswith("'=HYPERLINK")
    pairs = io.StringIO(newline="")
    write_pairs_csv(board, pairs)
    assert [float(row["p"]) for row in csv.DictReader(io.StringIO(pairs.getvalue()))] == [
        pair["p"] for pair in board["pairs"]
    ]
    text = as_markdown(board)
    assert "=HYPERLINK(1)\\|&lt;b> bad" in text
    lengths = {line.count(" | ") for line in text.splitlines() if line.startswith("| 1")}
    assert lengths == {6}
    assert "a paired bootstrap" in text


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_text(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(-1.5) == -1.5
    assert safe_cell("fine") == "fine"
