"""Signing in, and what each role sees."""

from __future__ import annotations

import pytest

from layerwise_app.accounts import AccountFile, Role

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def guarded(trained, serving, tmp_path_factory):
    """A server with accounts."""
    file = AccountFile(tmp_path_factory.mktemp("accounts") / "accounts.json")
    for name, role in (("vera", Role.VIEWER), ("emil", Role.EDITOR)):
        file.add(name, PASSWORD, role)
    with serving(trained[0], file.path) as address:
        yield address


def sign_in(visitor, name, password=PASSWORD):
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_label("Password").fill(password)
    visitor.follow(visitor.button("Sign in"))


@pytest.mark.parametrize("phone", [False, True])
def test_a_viewer_signs_in_tries_a_model_and_signs_out(visit, guarded, phone):
    visitor = visit("demo?model=echo", address=guarded, phone=phone)
    assert "/login?next=demo" in visitor.page.url
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sign_in(visitor, "vera")
    assert visitor.page.url.endswith("/demo?model=echo")
    visitor.says("vera, viewer")
    links = visitor.page.locator(".lw-header nav a:visible").all_inner_texts()
    assert "Models" in links
    assert not {"Train", "Tune", "Compare", "Plugins"} & set(links)
    visitor.open("models")
    visitor.says("vera, viewer")
    assert not visitor.button("Use this version").count()
    visitor.follow(visitor.button("Sign out"))
    visitor.says("Sign in")
    visitor.open("models")
    assert "/login" in visitor.page.url


def test_an_editor_has_the_training_and_not_the_plugins(visit, guarded):
    visitor = visit("train", address=guarded)
    sign_in(visitor, "emil")
    visitor.says("emil, editor")
    visitor.button("Start training").wait_for()
    assert "Plugins" not in visitor.page.locator(".lw-header nav a:visible").all_inner_texts()


def test_what_goes_wrong_is_said_in_the_language_of_the_visitor(visit, guarded):
    visitor = visit("", address=guarded, locale="de-DE")
    for password, says in (("wrong", "Der Name oder das Passwort ist falsch."), (PASSWORD, "emil, Bearbeiter")):
        visitor.page.get_by_label("Name").fill("emil")
        visitor.page.get_by_label("Passwort").fill(password)
        visitor.follow(visitor.button("Anmelden"))
        visitor.says(says)
    visitor.open("plugins")
    visitor.says("Die Seite Plugins ist für die Rolle Verwalter")
    visitor.says("Wer diesen Server betreibt, kann helfen")
