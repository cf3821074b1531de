"""Go in the browser: a person plays, loses and wins against an agent that knows nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def board_address(tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[str]:
    """A server with an agent for the smallest board, as it is before its training."""
    import keras

    from layerwise import weights
    from layerwise.runs import RunStore
    from layerwise.versions import VersionStore
    from layerwise_rl.go.model import GO, build

    home = tmp_path_factory.mktemp("go")
    config = replace(GO.variant("5x5").config, filters=4, blocks=2)
    task = replace(GO.task, size=5, komi=24.5)
    keras.utils.set_random_seed(0)
    run = RunStore(home).create(GO, "5x5", config)
    record = {"name": GO.name, "variant": "5x5", "task": task.parameters(), "config": {"filters": 4, "blocks": 2}}
    weights.save(build(config, task), run.folder / "version", record)
    VersionStore(home).promote(GO, run)
    with serving(home) as address:
        yield address


def opened(visit, address, **how):
    """The page with the small board, and the game on it."""
    visitor = visit("rl?model=go", address=address, **how)
    game = visitor.page.locator(".lw-game")
    game.get_by_text("Black to play.").wait_for()
    game.locator('[data-part="variant"]').select_option("5x5")
    visitor.page.wait_for_function("document.querySelectorAll('.lw-game [data-point]').length === 25")
    game.get_by_text("Black to play.").wait_for()
    game.get_by_label("Strength").select_option("1")
    return visitor, game


def said(game):
    """What the page says of the game."""
    return game.locator('[data-part="said"]')


def test_a_person_plays_and_resigns(visit, board_address):
    visitor, game = opened(visit, board_address)
    game.get_by_label("C3", exact=True).click()
    visitor.page.wait_for_function("/^Moves: C3 [A-E]/.test(document.querySelector('[data-part=moves]').textContent)")
    assert game.locator(".lw-stone-1").count() == 1
    game.get_by_label("C3, Black").click()
    game.get_by_text("There is a stone on C3 already.").wait_for()
    game.get_by_role("button", name="What would it play?").click()
    game.get_by_text("Black would play").wait_for()
    game.get_by_role("button", name="Undo").click()
    visitor.page.wait_for_function("document.querySelector('[data-part=moves]').textContent === ''")
    game.get_by_role("button", name="Resign").click()
    game.get_by_text("Black resigns. White wins.").wait_for()


def test_a_person_wins_by_komi_and_passes(visit, board_address):
    visitor, game = opened(visit, board_address, phone=True, dark=True)
    game.get_by_label("You play").select_option("both")
    game.get_by_role("spinbutton", name="Komi").fill("0.5")
    game.get_by_role("spinbutton", name="Komi").blur()
    game.get_by_text("Black to play.").wait_for()
    for move in ("C3", "B3", "D3"):
        game.get_by_label(move, exact=True).click()
        visitor.page.wait_for_function(f"document.querySelector('[data-part=moves]').textContent.endsWith('{move}')")
    for _ in range(2):
        before = game.locator('[data-part="moves"]').text_content()
        game.get_by_role("button", name="Pass").click()
        visitor.page.wait_for_function(
            f"document.querySelector('[data-part=moves]').textContent.length > {len(before)}"
        )
    game.get_by_text("Black wins by 0.5 points.").wait_for()
    box = game.locator(".lw-board").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_the_agent_plays_against_itself_and_the_game_is_saved_and_opened(visit, board_address, tmp_path: Path):
    visitor, game = opened(visit, board_address)
    game.get_by_label("You play").select_option("nobody: watch the agent")
    visitor.page.wait_for_function(
        "document.querySelector('[data-part=moves]').textContent.split(' ').length > 6", timeout=60_000
    )
    game.get_by_label("You play").select_option("both")
    visitor.page.wait_for_timeout(1500)
    moves = game.locator('[data-part="moves"]').text_content()
    with visitor.page.expect_download() as download:
        game.get_by_role("button", name="Save the game").click()
    path = tmp_path / "game.sgf"
    download.value.save_as(path)
    assert path.read_text(encoding="utf-8").startswith("(;GM[1]FF[4]")
    game.get_by_role("button", name="New game").click()
    visitor.page.wait_for_function("document.querySelector('[data-part=moves]').textContent === ''")
    game.get_by_label("Open a game").set_input_files(path)
    visitor.page.wait_for_function(
        f"document.querySelector('[data-part=moves]').textContent === '{moves}'", timeout=60_000
    )
    bad = tmp_path / "bad.sgf"
    bad.write_text("no game", encoding="utf-8")
    game.get_by_label("Open a game").set_input_files(bad)
    game.get_by_text("This is no SGF").wait_for()


def test_the_keyboard_reaches_every_point(visit, board_address):
    visitor, game = opened(visit, board_address)
    game.get_by_label("C3", exact=True).focus()
    visitor.page.keyboard.press("ArrowUp")
    visitor.page.keyboard.press("ArrowLeft")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_function("/^Moves: B4/.test(document.querySelector('[data-part=moves]').textContent)")
