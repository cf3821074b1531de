"""Learning from a lesson: turning its experiments with the keyboard, links that lead to their settings, asking."""

import re

import pytest

LESSON = "learn?lesson=bars"


def experiment(page, name):
    section = page.locator(f'[data-experiment="{name}"]')
    section.wait_for()
    return section


def brightest_row(section):
    """The row of the picture whose numbers are 255."""
    numbers = section.locator(".lw-cell").all_inner_texts()
    assert len(numbers) == 64
    return next(index // 8 for index, number in enumerate(numbers) if number == "255")


def test_a_slider_that_is_moved_with_the_keyboard_changes_the_numbers(visit):
    page = visit(LESSON).page
    section = experiment(page, "picture")
    assert brightest_row(section) == 2
    height = section.bounding_box()["height"]
    slider = section.get_by_role("slider", name="Row or column of the bar")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('[data-experiment=picture] .lw-cell')[32].innerText == '255'")
    assert brightest_row(section) == 4
    assert section.locator("output").inner_text() == "4"
    assert section.bounding_box()["height"] == height, "the page does not jump"
    assert slider.evaluate("slider => slider === document.activeElement")
    section.get_by_label("How the bar runs").select_option("down")
    page.wait_for_function("document.querySelectorAll('[data-experiment=picture] .lw-cell')[60].innerText == '255'")
    assert page.url.endswith("learn?lesson=bars&picture.place=4&picture.direction=down")


def test_what_is_typed_wrongly_is_said_below_it_and_the_picture_stays(visit):
    page = visit(LESSON, phone=True).page
    section = experiment(page, "picture")
    brightness = section.get_by_label("Brightness of the bar", exact=True)
    brightness.fill("0")
    said = section.get_by_role("alert").get_by_text("Expected: at least 1.")
    said.wait_for()
    assert brightness.get_attribute("aria-invalid") == "true"
    assert brightness.evaluate("control => control.validationMessage") == "Expected: at least 1."
    assert brightness.input_value() == "0", "nothing is put in the place of what was typed"
    assert brightest_row(section) == 2, "the picture of before"
    below = brightness.bounding_box()["y"] + brightness.bounding_box()["height"]
    assert 0 <= said.bounding_box()["y"] - below < 12
    # It is said as long as it is wrong, whatever else is turned.
    section.get_by_role("slider").press("ArrowRight")
    page.wait_for_timeout(300)
    assert said.is_visible()
    brightness.fill("100")
    said.wait_for(state="hidden")
    page.wait_for_function("document.querySelectorAll('[data-experiment=picture] .lw-cell')[24].innerText == '100'")
    assert brightness.get_attribute("aria-invalid") is None


def test_a_link_leads_to_the_settings(visit):
    page = visit(f"{LESSON}&picture.place=6").page
    section = experiment(page, "picture")
    assert section.get_by_role("slider", name="Row or column of the bar").input_value() == "6"
    assert brightest_row(section) == 6
    assert page.title() == "A bar is numbers - Layerwise"


def test_an_address_of_nonsense_is_answered(visit):
    visitor = visit(f"{LESSON}&picture.place=99&picture.colour=red&count.steps=many")
    assert experiment(visitor.page, "picture").is_visible()
    visitor.open("learn?lesson=nothing")
    visitor.says(re.compile("nothing"))
    problem = visitor.page.get_by_role("alert").get_by_text("nothing").bounding_box()
    assert problem["y"] < 500, "it is seen without scrolling"
    assert visitor.page.get_by_role("heading", level=1, name="Learn").is_visible()


def test_what_takes_long_begins_at_its_button(visit):
    visitor = visit(f"{LESSON}&count.steps=100")
    section = experiment(visitor.page, "count")
    assert "Step" not in section.locator("[data-part=shown]").inner_text()
    section.get_by_role("button", name="Count").press("Enter")
    visitor.says("Step 100 of 100")
    section.get_by_role("button", name="Stop").wait_for(state="hidden")


def test_what_takes_long_can_be_stopped(visit):
    visitor = visit(f"{LESSON}&count.steps=100")
    page = visitor.page
    # Steps are answered only when the test lets them through.
    waiting = []
    page.route("**/component_server/**", lambda route: waiting.append(route) if _is_step(route) else route.continue_())
    section = experiment(page, "count")
    section.get_by_role("button", name="Count").click()
    stop = section.get_by_role("button", name="Stop")
    stop.wait_for()
    while not waiting:
        page.wait_for_timeout(20)
    stop.click()
    stop.wait_for(state="hidden")
    waiting[0].continue_()
    page.wait_for_timeout(300)
    assert section.locator("[data-part=shown]").inner_text() == ""


def _is_step(route):
    body = route.request.post_data or ""
    return '"fn_name":"more"' in body and '"stop"' not in body


def test_from_the_list_to_a_lesson_and_back(visit):
    visitor = visit("learn")
    page = visitor.page
    page.get_by_role("navigation", name="Learn").get_by_role("link", name="Flashcards").wait_for()
    page.get_by_role("link", name=re.compile("A bar is numbers")).click()
    page.get_by_role("heading", level=1, name="A bar is numbers").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1", "a screen reader goes on at the heading"
    page.go_back()
    page.get_by_role("heading", level=1, name="Learn", exact=True).wait_for()


def test_a_question_in_plain_words_finds_the_lesson(visit):
    page = visit("learn").page
    page.get_by_label("Ask in your own words").fill("What is overfitting?")
    answers = page.get_by_role("region", name="Answers")
    answers.get_by_role("link").first.wait_for()
    first = answers.get_by_role("link").first
    assert "overfitting" in first.inner_text().lower()
    assert first.locator("mark").count() > 0, "the words asked for are marked"
    first.click()
    page.get_by_role("heading", level=1, name=re.compile("overfitting", re.IGNORECASE)).wait_for()


def test_check_yourself_explains_the_answer(visit):
    page = visit("learn?lesson=neuron").page
    question = page.locator(".lw-check-question").first
    question.wait_for()
    assert question.locator(".lw-back").is_hidden()
    question.locator('[data-choice="wrong"]').first.press("Enter")
    assert question.locator(".lw-back strong").inner_text() == "Not quite."
    assert question.locator('[data-state="right"]').count() == 1
    assert question.locator("button:enabled").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_lesson_fits_a_phone(visit, dark):
    visitor = visit("learn", phone=True, dark=dark)
    page = visitor.page
    names = page.locator("a.lw-lesson[href*='lesson=']").evaluate_all("links => links.map((link) => link.search)")
    assert len(names) > 15
    for name in names:
        visitor.open(f"learn{name}")
        page.locator("article").wait_for()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} pixels wider than the screen"
        assert page.locator(".lw-experiment .lw-note:visible").count() == 0, name
        assert page.get_by_role("heading", level=1).count() == 1
