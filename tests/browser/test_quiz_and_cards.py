"""Flashcards that come back, and a quiz: with keys, across a reload, about a run that was really trained."""

from __future__ import annotations

import json
import re

FRONT, BACK = "[data-part=front]", "[data-part=answer]"


def kept(page):
    """What the browser keeps of the cards."""
    return json.loads(page.evaluate("localStorage.getItem('layerwise.flashcards')") or "{}")


def counts(page, text):
    """Wait until the line above the card says so."""
    page.locator("[data-part=counts]", has_text=text).wait_for()


def drawn(page):
    """Wait for the card and return its front."""
    page.locator("[data-part=card][aria-busy=false]").wait_for()
    return page.locator(FRONT).inner_text()


def test_a_card_that_was_rated_comes_back_when_it_is_due(visit):
    visitor = visit("flashcards?lesson=neuron")
    page = visitor.page
    page.clock.install()
    visitor.open("flashcards?lesson=neuron")
    counts(page, "0 due, 5 new today, 0 of 5 learned")
    first = drawn(page)
    assert not page.locator(BACK).is_visible()
    page.keyboard.press("Space")
    page.locator(BACK).wait_for()
    assert page.get_by_role("button", name="Good").inner_text().split("\n")[-1] == "10 minutes"
    page.keyboard.press("3")
    counts(page, "0 due, 4 new today, 1 of 5 learned")
    (state,) = kept(page)["cards"].values()
    assert {"due", "stability", "difficulty", "last_review"} <= set(state)

    visitor.open("flashcards?lesson=neuron")
    counts(page, "0 due, 4 new today, 1 of 5 learned")
    assert drawn(page) != first, "it is not due yet"
    page.clock.fast_forward("11:00")
    visitor.open("flashcards?lesson=neuron")
    counts(page, "1 due, 4 new today, 1 of 5 learned")
    assert drawn(page) == first, "those that are due come first"
    page.keyboard.press("Space")
    page.get_by_role("button", name="Good").click()
    counts(page, "0 due, 4 new today")
    (state,) = kept(page)["cards"].values()
    assert state["state"] == 2, "known twice, it is not learned any more but reviewed"
    page.get_by_role("button", name="Take the last rating back").click()
    counts(page, "1 due")


def test_new_cards_are_limited_and_the_end_says_when_to_come_back(visit):
    page = visit("flashcards?lesson=neuron").page
    page.get_by_label("New cards a day").fill("2")
    page.keyboard.press("Tab")
    counts(page, "2 new today")
    for left in (1, 0):
        drawn(page)
        page.get_by_role("button", name="Show the answer").click()
        page.get_by_role("button", name="Easy").click()
        counts(page, f"{left} new today")
    page.get_by_text("Nothing is due.").wait_for()
    assert re.search(r"comes back on \w+day \d+ \w+\.", page.locator("[data-part=when]").inner_text())
    page.get_by_role("button", name="Ten more new cards").click()
    counts(page, "3 new today")


def test_progress_is_exported_imported_and_reset(visit, tmp_path):
    page = visit("flashcards").page
    drawn(page)
    page.keyboard.press("Space")
    page.keyboard.press("4")
    counts(page, "1 of")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export progress").click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["cards"] == kept(page)["cards"]
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Forget it").click()
    counts(page, "0 of")
    page.locator("[data-part=file]").set_input_files(file)
    counts(page, "1 of")
    drawn(page)
    file.write_text('{"cards": 3}')
    page.locator("[data-part=file]").set_input_files(file)
    page.get_by_role("alert").filter(has_text="no progress of flashcards").wait_for()
    counts(page, "1 of")


def test_a_quiz_by_keyboard(visit):
    visitor = visit("quiz?lesson=neuron")
    page = visitor.page
    assert page.get_by_role("checkbox", checked=True).count() == 1
    start = page.get_by_role("button", name="Start")
    start.focus()
    page.keyboard.press("Enter")
    for number in range(1, 5):
        page.get_by_text(f"Question {number} of 4 · ").wait_for()
        assert page.locator("[data-choice]").count() == 4
        assert not page.locator("[data-part=explained]").is_visible()
        page.keyboard.press("1")
        page.locator("[data-part=explained]").wait_for()
        assert len(page.locator("[data-part=explanation]").inner_text()) > 60
        assert page.locator("[data-state=right]").count() == 1
        assert page.get_by_role("link", name="Read the lesson").get_attribute("href") == "./learn?lesson=neuron"
        said = page.locator("[data-part=verdict]").inner_text()
        assert (said == "Right.") == (page.locator("[data-state=wrong]").count() == 0)
        page.keyboard.press("Enter")
    score = page.locator(".lw-score strong").inner_text()
    right = int(re.fullmatch(r"(\d) of 4", score)[1])
    page.get_by_role("button", name="Another quiz").click()
    assert page.locator("[data-best=neuron]").inner_text() == f"best {right} of 4"
    visitor.open("quiz")
    page.locator("[data-best=neuron]", has_text=f"best {right} of 4").wait_for()


def test_what_was_missed_is_asked_again(visit):
    page = visit("quiz?lesson=loss", phone=True).page
    page.get_by_role("button", name="Start").click()
    missed = 0
    for number in range(1, 8):
        page.get_by_text(f"Question {number} of 7 · ").wait_for()
        page.locator("[data-choice='0']").click()
        missed += page.locator("[data-state=wrong]").count()
        page.get_by_role("button", name="Next").click()
    page.locator(".lw-score strong", has_text=f"{7 - missed} of 7").wait_for()
    assert missed, "the first is not always right"
    page.get_by_role("button", name="Ask the missed ones again").click()
    page.get_by_text(f"Question 1 of {missed} · ").wait_for()


def test_a_question_about_a_run_that_was_trained_here(visit, trained):
    page = visit("quiz").page
    _, run = trained
    page.get_by_text(re.compile(r"Your runs give \d+ question")).wait_for()
    page.get_by_role("button", name="Choose none").click()
    page.get_by_label("What your own runs show").check()
    page.get_by_role("button", name="Start").click()
    started = run.event_log.newest("started")
    while True:
        page.locator("[data-choice='0']").wait_for()
        if "How large were its batches" in page.locator("[data-part=text]").inner_text():
            break
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    assert f"{started['steps_per_epoch']:,} steps" in page.locator("[data-part=text]").inner_text()
    page.locator("[data-choice]", has_text=re.compile(rf"^\d*{run.config['batch_size']} examples")).click()
    page.get_by_text("Right.", exact=True).wait_for()


def test_without_a_run_the_quiz_says_how_to_get_one(visit, serving, tmp_path):
    with serving(tmp_path / "home") as address:
        page = visit("quiz", address=address).page
        page.get_by_text("No run gives a question yet").wait_for()
        assert page.get_by_label("What your own runs show").is_disabled()
        assert page.get_by_role("link", name="train a model").get_attribute("href") == "./train"
        page.get_by_role("button", name="Choose none").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("alert").filter(has_text="choose a lesson").wait_for()
