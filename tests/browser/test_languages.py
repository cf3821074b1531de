"""The pages in German: complete, there and back, also in what comes later. Plugins of others have words of their own,
which are not looked for here."""

import re

import pytest
from playwright.sync_api import expect

from layerwise.config import config_from
from layerwise.jobs import follow, start
from layerwise.registry import Registry
from layerwise.runs import RunStore

OTHERS = ("toy", "demo", "faulty")
"""The sample plugins, which have no catalogue."""
PAGES = (
    *("", "learn", "learn?lesson=neuron", "tours", "flashcards", "quiz", "microscope", "depth-lab", "playground"),
    *("train", "train?model=rl/cartpole", "compare", "beside", "board", "tune", "models", "figures", "plugins"),
    *("pretrained", "folding"),
)
DEMOS = (
    *("language/sentiment", "language/translation", "language/tutor", "language/chat", "language/writer"),
    *("rl/cartpole", "rl/pong", "rl/go", "science/solubility", "science/toxicity", "science/protein-structure"),
    *("science/promoters", "speech/digits-and-words", "speech/whisper", "vision/objects", "vision/faces"),
    *("vision/segmentation", "vision/fashion", "vision/garments"),
)
"""One of each task at least."""
GRADIO = re.compile(
    r"(Datei|Bild|Audio|Audiodatei|Video) hier ablegen|- oder -|(Zum )?Hochladen( klicken)?|Löschen|Entfernen \d+"
    r"|Abbrechen|Laden Sie .* hier ab, um .* hochzuladen\.|Aufnehmen|Aufnahme|Zurück|Abspielen|Wiederholen"
    r"|Chat leeren|Text kopieren|Kopieren|Teilen|Leeren|Bearbeiten|Herunterladen|Vollbild.*|(Kein )?Mikrofon.*"
)
"""Words of Gradio's own, which come in the browser's language."""
GERMAN = "document.documentElement.dataset.language === 'de'"


@pytest.fixture(scope="module")
def built_in(tmp_path_factory, plugins, serving):
    """A server without plugins of others, on which a network was trained, and the run."""
    home = tmp_path_factory.mktemp("built-in")
    registry = Registry(home)
    for name in OTHERS:
        registry.set_enabled(name, False)
    spec = registry.snapshot().model("rl/cartpole")
    brief = {"num_epochs": 2, "steps_per_epoch": 256, "rollout_steps": 32, "milestones": 1, "episodes_measured": 1}
    run = start(RunStore(home), spec, config=config_from(spec.config, brief))
    assert list(follow(run))[-1]["event"] == "finished", run.log_text()
    with serving(home) as address:
        yield address, run


@pytest.fixture
def german(visit, built_in):
    """A visitor whose browser asks for German."""
    return visit("", locale="de-DE", address=built_in[0])


def opened(visitor, path):
    """Open a page, and wait until its words are there."""
    visitor.open(path)
    visitor.page.wait_for_function(GERMAN)
    visitor.page.wait_for_timeout(1500)
    return visitor.page


def missing(page):
    """What can be seen or heard on a page and is in no catalogue."""
    return [text for text in page.evaluate("window.layerwise.untranslated()") if not GRADIO.fullmatch(text)]


def unfold(page):
    """Open all that is folded."""
    page.evaluate("""() => {
      document.querySelectorAll("details").forEach((part) => (part.open = true));
      const closed = document.querySelectorAll("button.label-wrap:not(.open)");
      closed.forEach((part) => part.checkVisibility() && part.click());
    }""")
    page.wait_for_timeout(1500)


@pytest.mark.parametrize("path", [*PAGES, "run"])
def test_every_page_is_whole(german, built_in, path):
    page = opened(german, path if path != "run" else f"train?run={built_in[1].id}")
    unfold(page)
    assert missing(page) == []
    assert page.locator("html").get_attribute("lang") == "de"
    if path == "beside":
        page.get_by_role("tab", name="Mit einem Test messen").click()
        german.says("Teil")
        assert missing(page) == []


@pytest.mark.parametrize("name", DEMOS)
def test_every_demo_is_whole(german, name):
    domain, _, application = name.partition("/")
    page = opened(german, f"{domain}?model={application}")
    unfold(page)
    assert missing(page) == []


def test_an_answer_and_what_is_inside_are_german(german):
    page = opened(german, "vision?model=fashion")
    page.get_by_role("tab", name="Kleidung", exact=True, selected=True).wait_for()
    page.get_by_role("button", name="Netz fragen").locator("visible=true").click()
    german.says("Bild fehlt. Abhilfe: eingeben oder ein Beispiel wählen.")
    page.locator(".lw-examples button").locator("visible=true").first.click()
    page.locator(".lw-best strong").wait_for()
    assert page.locator(".lw-best strong").get_attribute("lang") == "en", "the name of a class is the data's own"
    page.get_by_role("button", name="Ins Innere sehen").locator("visible=true").click()
    looks = page.locator(".lw-segments button").locator("visible=true")
    looks.first.wait_for()
    for index in range(looks.count()):
        looks.nth(index).click()
        expect(looks.nth(index)).to_have_attribute("aria-pressed", "true")
        page.locator("[data-part=waiting]").locator("visible=true").wait_for(state="hidden")
        assert missing(page) == [], looks.nth(index).inner_text()


def test_there_and_back(visit, built_in):
    """English is what it was, and nothing more is loaded for it; a choice is kept, and Gradio follows it."""
    visitor = visit("", address=built_in[0])
    page, asked = visitor.page, []
    page.on("request", lambda request: asked.append(request.url))
    visitor.open("tune")
    page.get_by_role("button", name="Start searching").wait_for()
    page.wait_for_timeout(1500)
    assert not [url for url in asked if "/languages/" in url]
    words = "[document.title, document.body.innerText, document.documentElement.lang]"
    english = page.evaluate(words)
    page.get_by_label("Language").select_option("de")
    page.wait_for_function(GERMAN)
    german = page.evaluate(words)
    assert (german[0], german[2]) == ("Abstimmen - Layerwise", "de")
    assert "Suche starten" in german[1]
    page.get_by_label("Sprache").select_option("en")
    page.get_by_role("button", name="Start searching").wait_for()
    assert page.evaluate(words) == english
    page.get_by_label("Language").select_option("de")
    page.wait_for_function(GERMAN)
    opened(visitor, "compare")
    assert page.evaluate("[navigator.language, ...navigator.languages]") == ["de", "de"]
    page.get_by_label("Sprache").select_option("en")
    visitor.open("tune")
    assert page.evaluate(words)[2] == "en"
    assert page.evaluate("navigator.language") == "en-US"


def test_another_language_reads_english(visit, built_in):
    visitor = visit("", locale="fr-FR", address=built_in[0])
    assert visitor.page.evaluate("[document.documentElement.lang, navigator.language]") == ["en", "en"]


def test_it_takes_little_time(german):
    """A page is gone through again in less than the time of two or three pictures; on a busy machine the best of
    several tries counts."""
    for path in ("", "train"):
        page = opened(german, path)
        took = page.evaluate("""async () => {
          const tries = [];
          for (let i = 0; i < 5; i += 1) {
            const begin = performance.now();
            await window.layerwise.translate();
            tries.push(performance.now() - begin);
          }
          return Math.min(...tries);
        }""")
        assert took < 50, f"/{path}: {took:.0f} ms"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_german_fits_a_phone(visit, built_in, dark):
    visitor = visit("", locale="de-DE", phone=True, dark=dark, address=built_in[0])
    for path in ("", "train", "compare", "models", "vision", "playground"):
        page = opened(visitor, path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"/{path} is {wide} pixels wider than the screen"
        field = page.get_by_label("Sprache").bounding_box()
        assert field is not None
        assert field["x"] + field["width"] <= 390
