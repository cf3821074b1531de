"""The paths of pages and the navigation between them."""

import dataclasses
import re

from layerwise_app.web.pages import header, home
from layerwise_app.web.routes import Routes, title_of


def test_the_navigation_marks_where_one_is(site):
    shown = header.navigation(site, "models")
    assert '<a href="./models" aria-current=page>Models</a>' in shown
    assert '<nav class="lw-section" aria-label="Models"><a href="./models" aria-current=page>All models</a>' in shown
    assert shown.count("aria-current") == 2
    assert [f">{title}</a>" in shown for title in ("Home", "Vision", "Demo", "Extra", "Train", "Plugins")] == [True] * 6


def test_names_that_the_app_uses_itself_get_another_path(site):
    spec = site.snapshot.model("demo/echo")
    models = {name: dataclasses.replace(spec, name=name) for name in ("train/a", "api/a", "extra/a", "config/a")}
    routes = Routes.of(dataclasses.replace(site.snapshot, models=models))
    assert routes.domains == {"train": "train-models", "api": "api-models", "extra": "extra", "config": "config-models"}
    assert routes.pages["extra"] == "extra-page"
    assert routes.of_model("train/a") == "./train-models?model=a"
    assert routes.of_model("train/a", "small") == "./train-models?model=a&network=small"
    assert routes.of_model("train/a", example=2) == "./train-models?model=a&example=2"
    assert len(set(routes.titles)) == len(routes.titles)


def test_pages_of_a_section_are_found_from_its_first_page(site):
    extra = site.snapshot.pages["extra"]
    lab = dataclasses.replace(extra, name="lab", title="Lab", section="learn")
    scales = dataclasses.replace(extra, name="scales", title="Scales", section="demo")
    lost = dataclasses.replace(extra, name="lost", title="Lost", section="nothing")
    pages = {page.name: page for page in (lab, scales, lost)}
    with_pages = dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, pages=pages))
    routes = with_pages.routes
    assert routes.sections == {
        "learn": {"learn": "Lessons", "lab": "Lab", "tours": "Tours", "flashcards": "Flashcards", "quiz": "Quiz"},
        "demo": {"demo": "Demos", "scales": "Scales"},
        "compare": {"compare": "Runs", "beside": "Models side by side", "board": "Class board"},
        "models": {"models": "All models", "figures": "Figures"},
    }
    assert list(routes.titles)[:2] == ["", "learn"]
    assert not {"lab", "scales", "tours", "flashcards", "quiz"} & set(routes.titles)
    assert routes.titles["lost"] == "Lost", "a section that is not there hides no page"
    shown = header.navigation(with_pages, "scales")
    assert '<a href="./demo" aria-current=true>Demo</a>' in shown
    assert '<nav class="lw-section" aria-label="Demo"><a href="./demo">Demos</a>' in shown
    assert '<a href="./scales" aria-current=page>Scales</a>' in shown
    assert "lw-section" not in header.navigation(with_pages, "train")


def test_without_lessons_nothing_is_to_learn(site):
    assert home.lessons_html(dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, lessons=()))) == ""
    bare = dataclasses.replace(site.snapshot, lessons=(), pages={})
    assert list(Routes.of(bare).sections) == ["compare", "models"]
    assert "learn" not in Routes.of(bare).titles


def test_many_domains_are_one_list(site):
    spec = site.snapshot.model("demo/echo")
    models = {f"domain-{letter}/a": dataclasses.replace(spec, name=f"domain-{letter}/a") for letter in "abcdefghij"}
    many = dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, models=models))
    shown = header.navigation(many, "domain-c")
    assert shown.count("<details") == 1
    assert re.search(r'<details class="lw-menu lw-here">.*<a href="./domain-c" aria-current=page>', shown)
    assert '<details class="lw-menu">' in header.navigation(many, "train")
    few = dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, models={"demo/echo": spec}))
    assert "<details" not in header.navigation(few, "train")


def test_titles_of_domains():
    assert (title_of("vision"), title_of("life-science")) == ("Vision", "Life Science")
    assert title_of("rl") == "Reinforcement learning"
