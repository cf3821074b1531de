"""The playground in Chromium: learning, drawing, links, keyboard; and that nothing is asked for while it rests."""

import json
import zipfile

import pytest


def requests_of(visitor):
    """The calls to the server that the page makes from now on, in a list that grows."""
    calls = []
    visitor.page.on("request", lambda request: calls.append(request.url) if "component_server" in request.url else None)
    return calls


def opened(visit, choices="", **options):
    visitor = visit(f"playground#{choices}", **options)
    visitor.page.locator(".pg-unit").first.wait_for()
    return visitor


def step_of(visitor):
    return int(visitor.page.locator(".pg-step").inner_text().replace(",", ""))


def wait_for_step(visitor, step):
    visitor.page.wait_for_function(
        "step => Number(document.querySelector('.pg-step')?.textContent.replace(/,/g, '')) >= step", arg=step
    )


def errors_of(visitor):
    return int(visitor.page.locator(".pg-measures .pg-train td").last.inner_text())


@pytest.mark.slow
def test_the_spirals_are_learned_within_twenty_seconds(visit):
    visitor = opened(visit)
    assert errors_of(visitor) > 50
    visitor.button("Play").click()
    visitor.page.wait_for_function(
        "document.querySelector('.pg-measures .pg-train td:last-child').textContent === '0'", timeout=20_000
    )


def test_a_page_that_rests_asks_for_nothing(visit):
    visitor = opened(visit)
    visitor.button("Play").click()
    wait_for_step(visitor, 10)
    visitor.button("Pause").click()
    visitor.page.locator(".pg:not([data-running])").wait_for()
    calls, step = requests_of(visitor), step_of(visitor)
    visitor.page.wait_for_timeout(1500)
    assert calls == []
    assert step_of(visitor) == step

    hide = """is => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => is });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    visitor.button("Play").click()
    wait_for_step(visitor, step + 10)
    visitor.page.evaluate(hide, True)
    visitor.page.locator(".pg:not([data-running])").wait_for()
    calls.clear()
    visitor.page.wait_for_timeout(1500)
    assert calls == []
    step = step_of(visitor)
    visitor.page.evaluate(hide, False)
    wait_for_step(visitor, step + 10)


def test_two_browsers_are_independent(visit):
    one, other = opened(visit), opened(visit, "data=xor&units=3&activations=relu")
    one.button("Play").click()
    wait_for_step(one, 20)
    assert step_of(other) == 0
    other.button("One step").click()
    wait_for_step(other, 1)
    wait_for_step(one, 40)
    assert step_of(other) == 1
    assert other.page.locator(".pg-unit").count() == 2 + 3 + 1


def test_the_network_is_changed_while_it_learns(visit):
    visitor = opened(visit)
    visitor.button("Play").click()
    for action, layers in (("Remove layer", 2), ("Remove layer", 1), ("Add layer", 2)):
        wait_for_step(visitor, 10)
        visitor.button(action).click()
        visitor.page.wait_for_function("n => document.querySelectorAll('.pg-column').length === n + 2", arg=layers)
    visitor.page.get_by_label("Optimizer").select_option("sgd")
    wait_for_step(visitor, 100)
    assert visitor.page.locator(".pg-status").inner_text() == ""


def test_a_link_says_everything(visit):
    visitor = opened(visit)
    page = visitor.page
    page.get_by_role("combobox", name="Data", exact=True).select_option("gaussians")
    page.get_by_label("Classes").fill("3")
    page.get_by_label("Classes").press("Tab")
    page.get_by_label("x₁x₂").check()
    page.get_by_label("Activation of layer 2").select_option("relu")
    visitor.button("Remove layer").click()
    page.get_by_label("One unit less in layer 1").click()
    page.wait_for_function("document.querySelectorAll('.pg-unit').length === 3 + 7 + 8 + 3")
    link = page.url.partition("#")[2]
    other = opened(visit, link)
    other.page.wait_for_function("document.querySelectorAll('.pg-unit').length === 3 + 7 + 8 + 3")
    assert other.page.get_by_label("Activation of layer 2").input_value() == "relu"
    assert other.page.get_by_label("Classes").input_value() == "3"


def test_points_are_drawn_by_hand_and_by_keyboard(visit):
    visitor = opened(visit, "data=own&test_share=0&units=4&activations=tanh")
    page, plane = visitor.page, visitor.page.locator(".pg-plane")
    visitor.button("One step").click()
    visitor.says("There is nothing to learn from")
    plane.click(position={"x": 60, "y": 60})
    page.wait_for_function("document.querySelector('.pg-measures td')?.textContent === '1'")
    page.get_by_label("class 2").check()
    plane.focus()
    for key in ("Shift+ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('.pg-measures td')?.textContent === '2'")
    visitor.button("One step").click()
    wait_for_step(visitor, 1)
    visitor.button("Undo").click()
    page.wait_for_function("document.querySelector('.pg-measures td')?.textContent === '1'")
    assert "points=" in page.url


def test_a_csv_file_is_uploaded(visit):
    visitor = opened(visit, "data=own&test_share=0")
    field = visitor.page.get_by_label("CSV file")
    field.set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x,y,kind\n1,2,cat\n-3,oops,dog\n4,4,dog"}
    )
    visitor.says("Line 3 cannot be read")
    field.set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": b"x,y,kind\n1,2,cat\n-3,1,dog\n4,4,dog"})
    visitor.says("3 points. Class 1 is “cat”, class 2 is “dog”.")


def test_a_weight_is_changed_by_keyboard(visit):
    visitor = opened(visit, "units=2&activations=tanh")
    page = visitor.page
    page.get_by_label("Look at layer 1, unit 1").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".pg-inspector h3").inner_text() == "Output"
    field = page.get_by_label("from layer 1, unit 2")
    before = page.locator(".pg-measures .pg-train td").nth(1).inner_text()
    field.fill("3.5")
    field.press("Tab")
    page.wait_for_function(
        "before => document.querySelectorAll('.pg-measures .pg-train td')[1].textContent !== before", arg=before
    )
    assert field.input_value() == "3.5"


def test_it_goes_to_the_microscope_and_home(visit, tmp_path):
    visitor = opened(visit, "units=3&activations=tanh")
    with visitor.page.expect_download() as download:
        visitor.button("Download as Keras code").click()
    download.value.save_as(tmp_path / "network.zip")
    assert zipfile.ZipFile(tmp_path / "network.zip").namelist() == ["network.py", "weights.npz"]
    visitor.button("One step").click()
    wait_for_step(visitor, 1)
    visitor.page.route(
        "**/microscope", lambda route: route.fulfill(body="<h1>Microscope</h1>", content_type="text/html")
    )
    visitor.follow(visitor.button("Look at one step under the microscope"))
    handed = json.loads(visitor.page.evaluate("sessionStorage.getItem('layerwise-network')"))
    assert [len(weights) for weights in handed["weights"]] == [2, 3]
    visitor.page.go_back()
    wait_for_step(visitor, 1)


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_every_control_has_a_name(visit, dark):
    visitor = opened(visit, phone=True, dark=dark)
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    nameless = visitor.page.evaluate(
        """[...document.querySelectorAll(".pg :is(button, input, select)")].filter((field) =>
          !field.textContent.trim() && !field.getAttribute("aria-label") && !field.closest("label")?.textContent.trim()
        ).map((field) => field.outerHTML)"""
    )
    assert nameless == []
