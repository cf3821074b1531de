"""The tour: begun on the first page, a bar that goes along, left and gone on with."""

import re

from playwright.sync_api import expect


def bar(page):
    return page.get_by_role("region", name=re.compile("Tour: "))


def move(visitor, name):
    visitor.follow(bar(visitor.page).get_by_role("button", name=name, exact=True))


def test_a_bar_leads_from_place_to_place_until_the_tour_is_left(visit):
    visitor = visit("")
    page = visitor.page
    visitor.follow(page.get_by_role("link", name="The tour", exact=True))
    expect(bar(page)).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Go on with"))).to_be_hidden()
    visitor.follow(page.get_by_role("button", name="Begin", exact=True))
    expect(bar(page)).to_contain_text("1 of 10 · One neuron")
    assert page.url.endswith("/learn?lesson=neuron")
    move(visitor, "Next")
    expect(bar(page)).to_contain_text("2 of 10 ·")
    assert page.url.endswith("/playground")
    move(visitor, "Back")
    expect(bar(page)).to_contain_text("1 of 10 ·")
    # Somewhere else in between the bar goes along.
    visitor.open("quiz")
    move(visitor, "Next")
    assert page.url.endswith("/playground")
    bar(page).get_by_role("button", name="Leave the tour").click()
    expect(bar(page)).to_have_count(0)
    visitor.open("tours")
    expect(bar(page)).to_have_count(0)
    visitor.follow(page.get_by_role("button", name=re.compile("Go on with 3: ")))
    expect(bar(page)).to_contain_text("3 of 10 ·")
    assert page.url.endswith("/microscope")


def test_it_ends_where_one_trains_and_hides_nothing_on_a_phone(visit):
    visitor = visit("tours", phone=True, dark=True)
    page = visitor.page
    visitor.follow(page.get_by_role("link", name=re.compile("Your own network")))
    expect(bar(page)).to_contain_text("10 of 10 ·")
    assert "/train?model=vision" in page.url
    box = bar(page).bounding_box()
    assert box["height"] < 844 / 3
    # What lies below the bar can be scrolled up to above it, also while the page still grows.
    page.wait_for_function(
        """top => {
            window.scrollTo(0, document.documentElement.scrollHeight);
            return document.querySelector(".gradio-container main").getBoundingClientRect().bottom <= top;
        }""",
        arg=box["y"],
    )
    bar(page).get_by_role("button", name="Done").click()
    expect(bar(page)).to_have_count(0)
    visitor.open("tours")
    assert page.locator('[data-stage][data-state="seen"]').count() == 10
    expect(page.get_by_role("button", name=re.compile("Go on with"))).to_be_hidden()
