"""What the pages say, before a browser draws it."""

import dataclasses
import html

import gradio as gr
import pytest

from layerwise.errors import InputError
from layerwise.plugins import PluginReport
from layerwise_app.web.gallery import gallery_html
from layerwise_app.web.guard import UNEXPECTED, drawn, guard
from layerwise_app.web.markup import link, note, table
from layerwise_app.web.pages import cards, header, home, plugins
from layerwise_app.web.pages.run_list import RunList
from layerwise_app.web.progress import progress_html
from layerwise_app.web.routes import Routes, title_of
from layerwise_app.web.visuals import card_visual, load_examples, summary_of


@pytest.fixture
def visuals(site):
    return {name: card_visual(spec) for name, spec in site.snapshot.models.items()}


def test_home_shows_every_model_below_its_domain(site, visuals):
    page = home.gallery_html(site, visuals, "")
    assert page.count('<a class="lw-card"') == len(site.snapshot.models)
    assert [title in page for title in ("<h2>Vision</h2>", "<h2>Demo</h2>")] == [True, True]
    assert 'href="./demo?model=echo"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [("echo", 1), ("ECHO", 1), ("mean pixels", 1), ("demo", 4), ("demo zebra", 0), ("regression", 1), ("  ", 5)],
)
def test_search_needs_every_word(site, visuals, query, found):
    page = home.gallery_html(site, visuals, query)
    assert page.count('<a class="lw-card"') == found
    assert ("No model found." in page) == (found == 0)


def test_a_card_shows_pictures_words_or_layers(spec, visuals):
    assert visuals["demo/brightness"].count("<img") == 2
    assert visuals["vision/fashion"].count('<img src="data:image/png;base64,') == 10
    assert "Hello &lt;world&gt;" in visuals["demo/echo"]
    assert "length 3.0, kind heavy" in visuals["demo/weight"]
    assert "lw-layers" in visuals["demo/broken"], "examples that cannot be read spoil nothing"
    bare = dataclasses.replace(spec("demo/echo"), examples=None)
    assert "lw-layers" in card_visual(bare)


def test_ten_garments_are_ten_kinds(spec):
    from layerwise_app.web.visuals import _spread

    labels = [example.label for example in _spread(load_examples(spec("vision/fashion")), 10)]
    assert len(labels) == len(set(labels)) == 10


def test_examples_are_buttons_with_names(spec):
    pictures = gallery_html(load_examples(spec("demo/brightness")), spec("demo/brightness").task.inputs)
    assert pictures.count("<button") == 2
    assert "<span>night</span>" in pictures
    lines = gallery_html(load_examples(spec("demo/echo")), spec("demo/echo").task.inputs)
    assert "<span>Hello &lt;world&gt;</span>" in lines
    assert "<span>Twice</span>" in lines


def test_long_examples_are_cut(spec):
    example = dataclasses.replace(load_examples(spec("demo/echo"))[0], inputs={"text": "word " * 100})
    text = summary_of(example, spec("demo/echo").task.inputs)
    assert len(text) == 140
    assert text.endswith("…")


def test_the_navigation_marks_where_one_is(site):
    shown = header.navigation(site, "models")
    assert '<a href="./models" aria-current=page>Models</a>' in shown
    assert shown.count("aria-current") == 1
    assert [f">{title}</a>" in shown for title in ("Home", "Vision", "Demo", "Extra", "Train", "Plugins")] == [True] * 6


def test_names_that_the_app_uses_itself_get_another_path(site):
    spec = site.snapshot.model("demo/echo")
    models = {name: dataclasses.replace(spec, name=name) for name in ("train/a", "api/a", "extra/a", "config/a")}
    routes = Routes.of(dataclasses.replace(site.snapshot, models=models))
    assert routes.domains == {"train": "train-models", "api": "api-models", "extra": "extra", "config": "config-models"}
    assert routes.pages == {"extra": "extra-page"}
    assert routes.of_model("train/a") == "./train-models?model=a"
    assert len(set(routes.titles)) == len(routes.titles)


def test_titles_of_domains():
    assert (title_of("vision"), title_of("rl"), title_of("life-science")) == ("Vision", "RL", "Life Science")


def test_snippets_fit_the_task(site, spec):
    assert cards.curl_snippet(site, spec("demo/brightness")) == (
        "curl -F image=@picture.png http://127.0.0.1:7860/api/v1/predict/demo/brightness"
    )
    assert '{"inputs": {"row": {"length": 1.0, "kind": "light"}}}' in cards.curl_snippet(site, spec("demo/weight"))
    compile(cards.python_snippet(spec("demo/brightness")), "snippet", "exec")


def test_the_card_holds_what_a_reader_should_know(site, spec):
    card = cards.card_markdown(site, spec("vision/fashion"))
    assert "**Limits.**" in card
    assert "**Licence of the weights:** Apache-2.0" in card
    assert "| conv |" in card


def test_plugins_say_what_is_wrong_with_them():
    report = PluginReport(
        name="<odd>", status="failed", distribution="odd", version="1.0", built_in=False, reason="It <raised>."
    )
    shown = plugins.plugin_html(report)
    assert '<span class="lw-state lw-failed">failed</span>' in shown
    assert "It &lt;raised&gt;." in shown
    assert "<odd>" not in shown


def test_the_plugin_that_the_page_shows_is_right(workspace):
    namespace = {}
    exec(compile(plugins.PLUGIN, "my_plugin.py", "exec"), namespace)
    (model,) = namespace["layerwise_models"]()
    assert model.name == "pets/cats"


def test_the_list_of_runs(workspace, make_run):
    epoch = {"event": "epoch", "epoch": 1, "loss": 0.5, "val_loss": 0.4, "accuracy": 0.8, "val_accuracy": 0.75}
    run = make_run("demo/brightness", {"event": "started", "num_epochs": 3, "device": "CPU"}, epoch, ending="stopped")
    runs = RunList(workspace)
    for _ in range(2):  # read, then remembered
        shown = runs.table_html()
        assert "1 of 10" in shown
        assert "validation accuracy 75.0%" in shown
        assert "Somebody asked it to stop." in shown
    assert not runs.is_promoted(run)
    workspace.runs.delete(run.id)
    assert "No run yet." in runs.table_html()


def test_progress_in_words(make_run):
    started = {"event": "started", "num_epochs": 4, "device": "<CPU>"}
    progress = {"event": "progress", "epoch": 2, "step": 5, "steps": 10, "loss": 0.25, "samples_per_second": 12345.6}
    run = make_run("demo/brightness", started, progress, ending="")
    shown = progress_html(run, "running", run.events())
    assert '<progress max="4" value="1.500"' in shown
    assert "epoch <b>2</b> of 4 &middot; loss <b>0.25</b> &middot; <b>12,346</b> examples per second" in shown
    assert "on &lt;CPU&gt;" in shown
    assert "its process is starting" in progress_html(run, "queued", [])


def test_errors_become_one_message():
    def fail(error):
        raise error

    with pytest.raises(gr.Error, match=r"A &lt;b&gt; is wrong\. What to do: try c\."):
        guard(fail)(InputError("A <b> is wrong", remedy="try c"))
    with pytest.raises(gr.Error) as unexpected:
        guard(fail)(ZeroDivisionError("secret"))
    assert unexpected.value.message == html.escape(UNEXPECTED)

    def stream():
        yield 1
        raise InputError("No more")

    steps = guard(stream)()
    assert next(steps) == 1
    with pytest.raises(gr.Error, match=r"No more\."):
        next(steps)


def test_what_cannot_be_drawn_becomes_a_note():
    def half():
        gr.Textbox(label="half")
        raise RuntimeError("the <disk> is gone")

    blocks = drawn(half, "The page X")
    (only,) = blocks.children
    assert "The page X could not be drawn." in only.value
    assert "the &lt;disk&gt; is gone" in only.value


def test_html_of_the_apps_own_escapes_what_it_is_given():
    assert "<b>" not in note("<b>", "<b>") + link("<b>", "<b>")
    assert 'aria-label="&lt;Runs&gt;"' in table("<Runs>", ("A",), [("1",)])
