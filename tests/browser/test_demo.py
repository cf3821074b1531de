"""Asking a network: by drawing, with files of every kind, and with nothing at all."""

import io


def bar(across):
    """A picture of a bright bar, as a file."""
    from PIL import Image

    image = Image.new("L", (64, 64), 20)
    image.paste(255, (0, 24, 64, 32) if across else (24, 0, 32, 64))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"name": "bar.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


def best(page, label):
    page.locator(".lw-best strong", has_text=label).wait_for()


def test_a_drawing_is_answered_when_the_hand_rests(visit):
    visitor = visit("demo?model=brightness")
    page = visitor.page
    visitor.turn("Draw")
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def draw(height):
        page.mouse.move(box["x"] + 5, box["y"] + box["height"] * height)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] * height, steps=6)
        page.mouse.up()

    draw(0.5)
    best(page, "bright")
    page.get_by_label("Width of the pen").fill("48")
    for height in (0.1, 0.22, 0.34, 0.46, 0.58, 0.7, 0.82, 0.94):
        draw(height)
    best(page, "dark")
    for _ in range(6):
        visitor.button("Undo").click()
    best(page, "bright")
    visitor.button("Clear").click()
    visitor.button("Ask the network").click()
    visitor.says("Picture is missing")
    assert page.locator(".lw-best").count() == 0, "a former answer does not stay beside an error"


def test_how_a_network_works_is_read_when_somebody_looks(visit):
    page = visit("toy").page
    page.get_by_role("button", name="How it works, and how well").locator("visible=true").click()
    page.get_by_text("Licence of the weights:").locator("visible=true").wait_for()


def test_a_file_that_is_no_picture_is_explained_and_the_next_one_answered(visit):
    visitor = visit("toy")
    page = visitor.page
    damaged = bar(True)
    damaged["buffer"] = damaged["buffer"][:60]
    visitor.upload(damaged)
    alert = page.get_by_role("alert").locator("visible=true")
    alert.wait_for()
    assert "That did not work." in alert.inner_text()
    assert "damaged" in alert.inner_text()
    assert "Traceback" not in page.content()
    page.get_by_role("button", name="Remove image").or_(page.get_by_label("Clear")).first.click()
    visitor.upload(bar(True))
    best(page, "across")
    assert page.get_by_role("alert").locator("visible=true").count() == 0


def test_another_network_is_asked_the_same(visit):
    visitor = visit("toy")
    page = visitor.page
    visitor.button("Ask the network").click()
    visitor.says("Picture is missing")
    page.get_by_role("button", name="down").first.click()
    best(page, "down")
    page.get_by_label("deep").check()
    visitor.says("The network toy/bars:deep has not been trained yet.")
    page.get_by_label("small").check()
    best(page, "down")
    visitor.follow(page.get_by_role("link", name="Train it yourself").or_(page.get_by_role("link", name="Train")).first)


def test_a_text_streams_and_a_plugins_mistake_is_its_own(visit):
    visitor = visit("demo?model=echo")
    page = visitor.page
    page.get_by_role("tab", name="Echo", selected=True).wait_for()
    page.get_by_label("Text", exact=True).locator("visible=true").fill("one two three")
    visitor.button("Ask the network").click()
    page.wait_for_function(
        "[...document.querySelectorAll('textarea')].some(area => area.value == 'one two three' && area.disabled)"
    )
    for text, said in (("forbidden", "This may not be said"), ("a bug", "mistake")):
        page.get_by_label("Text", exact=True).locator("visible=true").fill(text)
        visitor.button("Ask the network").click()
        alert = page.get_by_role("alert").locator("visible=true").filter(has_text=said if text != "a bug" else "bug")
        alert.or_(page.get_by_text("That did not work.").locator("visible=true")).first.wait_for()
        assert page.locator("b", has_text="forbidden").count() == 0, "what was sent is text, not HTML"


def test_a_link_asks_an_example_and_the_address_says_which_was_asked(visit):
    visitor = visit("")
    page = visitor.page
    visitor.follow(page.get_by_role("link", name="Find the face of an astronaut"))
    page.get_by_text("face: 1", exact=True).wait_for()
    asked = page.locator(".lw-examples [aria-pressed=true]").locator("visible=true")
    assert asked.inner_text() == "Astronaut"
    page.get_by_role("button", name="Cameraman").click()
    page.wait_for_url("**/vision?model=faces&example=2")
    visitor.turn("Garments")
    page.get_by_role("button", name="Bag").locator("visible=true").first.click()
    best(page, "Bag")
    address = page.url
    assert "?model=fashion&example=" in address
    visitor.open(address.removeprefix(f"{visitor.address}/"))
    best(page, "Bag")
    assert page.url == address


def test_of_two_quick_questions_the_last_one_is_answered(visit):
    page = visit("demo?model=brightness").page
    night, noon = page.get_by_role("button", name="night"), page.get_by_role("button", name="noon")
    for first, last, label in ((noon, night, "dark"), (night, noon, "bright")):
        first.click()
        last.click()
        best(page, label)
        page.wait_for_timeout(500)
        best(page, label)
        assert last.get_attribute("aria-pressed") == "true"
        assert first.get_attribute("aria-pressed") == "false"
