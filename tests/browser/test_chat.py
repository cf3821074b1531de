"""Talking to a network: a conversation that grows, is stopped, asked again and begun anew."""

import pytest


@pytest.fixture
def talk(visit):
    """`talk(model="demo/talk", **options)`: somebody at the page of a conversation."""

    def make(path="demo?model=talk", **options):
        visitor = visit(path, **options)
        box(visitor).wait_for()
        return visitor

    return make


def box(visitor):
    return visitor.page.get_by_role("textbox", name="Message").locator("visible=true")


def say(visitor, text):
    box(visitor).fill(text)
    box(visitor).press("Enter")


def replies(visitor):
    return visitor.page.locator(".lw-conversation .bot.message:visible")


def test_a_conversation_grows_and_begins_anew(talk):
    visitor = talk()
    page = visitor.page
    say(visitor, "Hello")
    visitor.says("Message 1: Hello")
    visitor.says("It only repeats.")
    page.get_by_role("region", name="What it rests on").get_by_text("<i>somebody</i>").wait_for()
    visitor.button("Send").wait_for()
    assert box(visitor).input_value() == "", "ready for the next one"
    say(visitor, "Hello again")
    visitor.says("Message 3: Hello again")
    visitor.button("Send").wait_for()
    visitor.button("Retry").last.click()
    page.wait_for_function("document.querySelectorAll('.lw-conversation .bot.message').length == 2")
    visitor.says("Message 3: Hello again")
    visitor.button("Clear").click()
    replies(visitor).first.wait_for(state="hidden")
    page.get_by_text("Good morning").locator("visible=true").first.click()
    visitor.says("Message 1: Good morning")


def test_what_is_said_is_shown_as_it_is_and_never_executed(talk):
    visitor = talk()
    harm = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
    said = f"{harm} ![a](/x.png) **not bold** $x^2$ [a](javascript:0) # `"
    say(visitor, said)
    user = visitor.page.locator(".lw-conversation .user.message:visible")
    user.wait_for()
    assert user.inner_text().strip() == said
    visitor.button("Send").wait_for()
    assert visitor.page.evaluate("window.hurt") is None
    assert visitor.page.locator(".lw-conversation img").count() == 0
    say(visitor, "שלום \u0007" + "long " * 3000)
    visitor.says("Message 3:")
    visitor.button("Send").wait_for()


def test_a_reply_can_be_stopped_and_what_there_is_of_it_stays(talk):
    visitor = talk()
    say(visitor, "Go on slowly")
    visitor.says("Message 1: Go on slowly and on and")
    visitor.button("Stop").click()
    visitor.button("Send").wait_for()
    written = replies(visitor).last.inner_text()
    say(visitor, "Thanks")
    visitor.says("Message 3: Thanks")
    assert replies(visitor).first.inner_text() == written


def test_what_cannot_be_said_is_explained_and_can_be_changed(talk):
    visitor = talk()
    say(visitor, "something forbidden")
    visitor.says("This may not be said")
    assert box(visitor).input_value() == "something forbidden"
    assert replies(visitor).count() == 0
    say(visitor, "something else")
    visitor.says("Message 1: something else")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_on_a_phone(talk, dark):
    visitor = talk(phone=True, dark=dark)
    say(visitor, "word " * 60 + "w" * 200)
    visitor.says("Message 1: word")
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
