"""The catalogues of the languages, and how they come to a page."""

import re
import sys
from pathlib import Path
from types import ModuleType

import polib
import pytest

from layerwise.plugins.loading import PluginReport
from layerwise_app.web.languages import LANGUAGES, all_words, head_script

ROOT = Path(__file__).parents[3]
CATALOGUES = sorted(ROOT.glob("apps/**/languages/*.po")) + sorted(ROOT.glob("plugins/*/languages/*.po"))
ENTRY = 'msgid "{}"\nmsgstr "{}"\n\n'


def placeholders(text):
    return sorted(re.findall(r"\{\w*\}", text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.relative_to(ROOT)))
def test_catalogues_hold_together(path):
    # With the check polib refuses an entry that is there twice.
    catalogue = polib.pofile(str(path), encoding="utf-8", check_for_duplicates=True)
    assert catalogue.metadata["Language"] == path.stem
    assert path.stem in LANGUAGES
    for entry in catalogue:
        assert entry.msgstr, f"{entry.msgid!r} has no translation"
        assert not entry.fuzzy, f"{entry.msgid!r} is not finished"
        assert placeholders(entry.msgid) == placeholders(entry.msgstr), entry.msgid
        for text in (entry.msgid, entry.msgstr):
            assert text == " ".join(text.split()), f"{text!r} has spaces that no page has"
            assert not re.search("&[a-z]+;|<", text), f"{text!r} is no plain text"
        names = placeholders(entry.msgid)
        assert len({*names} - {"{}"}) == len(names), f"{entry.msgid!r} names a part twice, or not at all"


def test_every_language_has_the_words_of_the_app():
    folder = ROOT / "apps" / "layerwise_app" / "web" / "languages"
    assert sorted(path.stem for path in folder.glob("*.po")) == sorted(LANGUAGES.keys() - {"en"})


def test_plugins_of_the_project_say_nothing_twice_in_different_ways():
    """All catalogues are one on a page, in which the last would win."""
    known: dict[str, str] = {}
    for path in CATALOGUES:
        for entry in polib.pofile(str(path), encoding="utf-8"):
            assert known.setdefault(entry.msgid, entry.msgstr) == entry.msgstr, f"{entry.msgid!r} in {path.parent}"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plugin with a catalogue, and its report."""
    module = ModuleType("a_plugin")
    module.__file__ = str(tmp_path / "__init__.py")
    monkeypatch.setitem(sys.modules, "a_plugin", module)
    (tmp_path / "languages").mkdir()
    text = ENTRY.format("Barking", "Bellen") + ENTRY.format("Home", "Etwas anderes") + ENTRY.format("Howling", "")
    (tmp_path / "languages" / "de.po").write_text('msgid ""\nmsgstr ""\n\n' + text, encoding="utf-8")
    return PluginReport(name="a", distribution="a", version="1", built_in=False, module="a_plugin")


def test_a_plugin_brings_words_and_changes_none_of_the_app(plugin):
    found = all_words([plugin], "de")
    assert found["Barking"] == "Bellen"
    assert found["Home"] == "Start"
    assert "Howling" not in found, "what is not translated stays English"


def test_a_catalogue_that_cannot_be_read_costs_only_its_own_words(plugin, caplog):
    path = Path(sys.modules["a_plugin"].__file__ or "").parent / "languages" / "de.po"
    path.write_bytes('msgid "Küche"\nmsgstr "x"\n'.encode("latin-1"))
    found = all_words([plugin], "de")
    assert "Home" in found
    assert str(path) in caplog.text
    path.write_text('msgid "Half', encoding="utf-8")
    assert "Home" in all_words([plugin], "de")


def test_a_page_begins_with_its_language(client):
    for path in ("/", "/train", "/vision"):
        page = client.get(path).text
        assert page.count(head_script()) == 1
        assert page.index(head_script()) < page.index("gradio_config"), "Gradio looks for the language later"
    assert '["en", "de"]' in head_script()


def test_catalogues_are_served_and_kept_by_the_browser(client):
    answer = client.get("/languages/de.json")
    assert answer.headers["content-type"] == "application/json"
    words = answer.json()
    assert words["Start training"] == "Training starten"
    assert words["Garments"] == "Kleidung", "a plugin's"
    assert "max-age" in answer.headers["cache-control"]
    again = client.get("/languages/de.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/languages/translate.js").status_code == 200
    for unknown in ("en", "fr", "..%2fde"):
        assert client.get(f"/languages/{unknown}.json").status_code == 404
