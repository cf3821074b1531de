"""A game of somebody's own in the browser: Othello of the examples, whose stones lie in squares and turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins_sample.samples import describe

EXAMPLE = Path(__file__).parents[2] / "examples" / "othello"


@pytest.fixture(scope="module")
def board_address(tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[str]:
    """A server with an agent as it is before its training."""
    home, site = tmp_path_factory.mktemp("othello"), tmp_path_factory.mktemp("othello-site")
    describe(site, "layerwise-othello", "[layerwise.plugins]\nothello = layerwise_othello\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(EXAMPLE), os.environ["PYTHONPATH"]]))
        _untrained(home)
        with serving(home) as address:
            yield address


def _untrained(home: Path) -> None:
    import keras
    from layerwise_othello.model import OTHELLO, build

    from layerwise import weights
    from layerwise.runs import RunStore
    from layerwise.versions import VersionStore

    config = OTHELLO.variants[0].config
    keras.utils.set_random_seed(0)
    run = RunStore(home).create(OTHELLO, "small", config)
    record = {"name": OTHELLO.name, "variant": "small", "task": OTHELLO.task.parameters(), "config": run.config}
    weights.save(build(config, OTHELLO.task), run.folder / "version", record)
    VersionStore(home).promote(OTHELLO, run)


def test_stones_turn_and_only_who_must_passes(visit, board_address):
    visitor = visit("rl?model=othello", address=board_address)
    game = visitor.page.locator(".lw-game")
    game.get_by_text("Black to play.").wait_for()
    game.get_by_label("You play").select_option("both")
    assert game.locator(".lw-board.lw-cells .lw-legal").count() == 4
    assert not game.get_by_role("button", name="Pass").is_visible()
    game.get_by_label("D3", exact=True).click()
    game.get_by_text("White to play.").wait_for()
    game.get_by_label("D4, Black").wait_for()
    assert game.locator(".lw-turned").count() == 1
    assert (game.locator(".lw-stone-1").count(), game.locator(".lw-stone-2").count()) == (4, 1)
    game.get_by_label("A1", exact=True).click()
    game.get_by_text("White cannot play A1. A stone must enclose others, and there turns none.").wait_for()
    visitor.page.get_by_label("Open a game").set_input_files(
        {"name": "game.txt", "mimeType": "text/plain", "buffer": b"E6 F4 E3 F6 G5 D6 E7 F5 C5\n"}
    )
    game.get_by_text("Black wins, 13 to 0.").wait_for()


def test_the_agent_answers_on_a_phone(visit, board_address):
    visitor = visit("rl?model=othello", address=board_address, phone=True, dark=True)
    game = visitor.page.locator(".lw-game")
    game.get_by_text("Black to play.").wait_for()
    game.get_by_label("Strength").select_option("1")
    game.get_by_label("D3", exact=True).click()
    visitor.page.wait_for_function("/^Moves: D3 [A-H]/.test(document.querySelector('[data-part=moves]').textContent)")
    box = game.locator(".lw-board").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
