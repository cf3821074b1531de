"""What the pages say, before a browser draws it."""

import dataclasses
import html
import json
import re
import sys
from pathlib import Path

import gradio as gr
import pytest

from layerwise.conformance.report import CheckResult, ConformanceReport, ReportStore
from layerwise.errors import InputError
from layerwise.hardware.slots import parse_device
from layerwise.plugins.loading import PluginReport
from layerwise_app.web.app import build
from layerwise_app.web.curves import curve, curve_html
from layerwise_app.web.forms import device_control
from layerwise_app.web.gallery import gallery_html
from layerwise_app.web.guard import UNEXPECTED, drawn, guard
from layerwise_app.web.markup import link, note, table
from layerwise_app.web.pages import cards, header, home, plugins
from layerwise_app.web.pages.run_list import RunList
from layerwise_app.web.pages.run_view import RunView
from layerwise_app.web.progress import progress_html, resumes_of
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


def test_what_can_be_seen_comes_first(site, visuals):
    page = home.gallery_html(site, visuals, "")
    titles = ("Vision", "Reinforcement learning", "Science", "Speech", "Language")
    order = [page.index(f"<h2>{title}</h2>") for title in titles]
    assert max(order[:2]) < order[2] < min(order[3:])


def test_each_domain_invites_to_something(site, visuals):
    page = home.gallery_html(site, visuals, "")
    invitations = re.findall(r'<p class="lw-invitation">Try this: <a href="([^"]+)">', page)
    assert "./vision?model=faces&amp;example=1" in invitations
    assert "./rl?model=go" in invitations, "where there is no example, to the page"
    own = {name.partition("/")[0] for name in site.snapshot.models} - {"demo"}
    assert len(invitations) == len(own)
    assert "lw-invitation" not in home.gallery_html(site, visuals, "garments"), "only to what was searched for"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("echo", 1),
        ("ECHO", 1),
        ("mean pixels dark", 1),
        ("demo", 6),
        ("demo zebra", 0),
        ("regression", 1),
        ("  ", None),
    ],
)
def test_search_needs_every_word(site, visuals, query, found):
    found = len(site.snapshot.models) if found is None else found
    page = home.gallery_html(site, visuals, query)
    assert page.count('<a class="lw-card"') == found
    assert ("No model found." in page) == (found == 0)


def test_a_card_shows_pictures_words_or_layers(spec, visuals):
    assert visuals["demo/brightness"].count("<img") == 2
    assert visuals["vision/fashion"].count('<img src="data:image/png;base64,') == 10
    assert re.search(r'<img src="./api/v1/models/rl/pong/picture\?of=[0-9a-f]{12}"', visuals["rl/pong"])
    assert "Hello &lt;world&gt;" in visuals["demo/echo"]
    assert "length 3.0, kind heavy" in visuals["demo/weight"]
    assert visuals["speech/digits-and-words"].count("<i style=") == 60, "a sound is seen"
    assert "lw-layers" in visuals["demo/broken"], "examples that cannot be read spoil nothing"
    bare = dataclasses.replace(spec("demo/echo"), examples=None)
    assert "lw-layers" in card_visual(bare)
    gone = dataclasses.replace(bare, card=dataclasses.replace(bare.card, picture=Path("gone.png")))
    assert "lw-layers" in card_visual(gone), "a picture that is not there spoils nothing either"


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


def test_a_file_is_told_by_its_label_and_not_by_its_path(spec):
    example = load_examples(spec("speech/digits-and-words"))[0]
    assert summary_of(example, spec("speech/digits-and-words").task.inputs) == example.label


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


def test_home_leads_to_the_lessons(site):
    assert re.search(r'<a href="./learn">\d+ short lessons</a>', home.lessons_html(site))


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


def test_plugins_say_what_is_wrong_with_them(site):
    report = PluginReport(
        name="<odd>", status="failed", distribution="odd", version="1.0", built_in=False, reason="It <raised>."
    )
    shown = plugins.plugin_html(report, site.routes)
    assert '<span class="lw-state lw-failed">failed</span>' in shown
    assert "It &lt;raised&gt;." in shown
    assert "<odd>" not in shown


def test_the_models_of_a_plugin_lead_to_their_demos(site):
    report = PluginReport(
        name="vision", distribution="layerwise", version="1.0", built_in=True, models=("vision/faces",)
    )
    assert '<a href="./vision?model=faces">vision/faces</a>' in plugins.plugin_html(report, site.routes)


def test_plugins_show_what_their_checks_have_found(site):
    report = PluginReport(name="odd", status="loaded", distribution="odd", version="1.0", built_in=False)
    assert "conforms" not in plugins.plugin_html(report, site.routes)
    results = [CheckResult(check="one", subject="odd", status="passed", detail="<fine>")]
    checks = ConformanceReport(plugin="odd", source="odd 1.0", created="2026-01-02", results=tuple(results))
    assert "conforms" in plugins.plugin_html(report, site.routes, checks)
    assert 'href="./api/v1/plugins/report.md?plugin=odd"' in plugins.plugin_html(report, site.routes, checks)
    results.append(CheckResult(check="two", subject="x/odd:default", status="failed", detail="It is odd."))
    checks = ConformanceReport(plugin="odd", source="odd 1.0", created="2026-01-02", results=tuple(results))
    assert "1 checks failed" not in plugins.plugin_html(report, site.routes, checks)
    assert "1 check failed" in plugins.plugin_html(report, site.routes, checks)
    shown = plugins.checks_html(checks)
    assert '<a href="./api/v1/plugins/report.md?plugin=odd">' in shown
    assert "&lt;fine&gt;" in shown
    assert "x/odd:default" in shown
    assert "It is odd." in shown


def test_plugins_show_their_authors_what_goes():
    report = PluginReport(
        name="odd", distribution="odd", version="1.0", built_in=False, deprecated=("layerwise.A is <deprecated>.",)
    )
    assert plugins.deprecated_html(report) == "<p>layerwise.A is &lt;deprecated&gt;.</p>"


def test_the_report_of_a_plugin_is_linked_from_the_cards_of_its_models(site, spec, client):
    plugin = site.snapshot.plugin_of("vision/fashion")
    assert "**Checked**" not in cards.card_markdown(site, spec("vision/fashion"))
    address = "/api/v1/plugins/report.md?plugin=vision"
    assert client.get(address).json()["error"]["remedy"] == "layerwise check-plugin vision"
    results = (CheckResult(check="one", subject="vision", status="warned", detail="layerwise.A goes."),)
    results += (CheckResult(check="two", subject="vision", status="passed"),)
    report = ConformanceReport(plugin="vision", source=plugin.source, created="2026-01-02T03:04", results=results)
    ReportStore(home=site.workspace.home).keep(report)
    words = "**Checked** on 2026-01-02: its plugin conforms, 1 passed, 1 warned ([the report](."
    assert f"{words}{address}))." in cards.card_markdown(site, spec("vision/fashion"))
    answer = client.get(address)
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.text == report.as_markdown()
    assert "| one | warned | 0.0 | layerwise.A goes. |" in answer.text
    assert client.get("/api/v1/plugins/report.md?plugin=visoin").status_code == 404


def test_the_plugin_that_the_page_shows_is_right(workspace):
    namespace = {}
    exec(compile(plugins.PLUGIN, "my_pets.py", "exec"), namespace)
    (model,) = namespace["layerwise_models"]()
    assert model.name == "vision/pets"


def test_the_list_of_runs(workspace, make_run):
    epoch = {"event": "epoch", "epoch": 1, "loss": 0.5, "val_loss": 0.4, "accuracy": 0.8, "val_accuracy": 0.75}
    run = make_run("demo/brightness", {"event": "started", "num_epochs": 3, "device": "CPU"}, epoch, ending="stopped")
    runs = RunList(workspace)
    for _ in range(2):  # read, then remembered
        shown = runs.table_html()
        assert "1 of 10" in shown
        assert f"{run.created[:10]} {run.created[11:16]} UTC ({run.id[-4:]})" in shown
        assert "validation accuracy 75.0%" in shown
        assert "Somebody asked it to stop." in shown
    assert not runs.is_promoted(run)
    run.append("queued")  # it was resumed
    assert "lw-queued" in runs.table_html()
    run.append("failed", reason="The <disk> is full.")
    assert "The &lt;disk&gt; is full." in runs.table_html()
    workspace.runs.delete(run.id)
    assert "No run yet." in runs.table_html()


def test_ended_runs_are_not_read_again(workspace, make_run, monkeypatch):
    make_run("demo/brightness")
    runs = RunList(workspace)
    shown = runs.table_html()
    monkeypatch.setattr(
        "layerwise.job_folders.events.EventLog.backwards", lambda self: pytest.fail("it was read again")
    )
    assert runs.table_html() == shown


def test_of_many_runs_the_newest_are_shown_and_those_that_go_on(workspace, make_run, monkeypatch):
    monkeypatch.setattr("layerwise_app.web.pages.run_list.SHOWN_RUNS", 2)
    made = [make_run("demo/brightness", ending="" if number == 1 else "finished") for number in range(5)]
    oldest = sorted(made, key=lambda run: run.id)[0]
    made.remove(oldest)
    runs = RunList(workspace)
    shown = [run.id for run in runs.newest()]
    assert shown[:2] == [run.id for run in workspace.runs.list()[:2]]
    going_on = [run.id for run in workspace.runs.list() if run.is_active]
    assert set(going_on) <= set(shown)
    assert f"{5 - len(shown)} older runs are not shown" in runs.table_html()


def test_the_trials_of_a_search_stand_together(workspace, make_run):
    for number in range(4):
        run = make_run("demo/brightness")
        request = json.loads((run.folder / "run.json").read_text())
        study = "colours" if number != 2 else None
        (run.folder / "run.json").write_text(json.dumps({**request, "study": study}))
    shown = RunList(workspace).table_html()
    assert shown.count("scope=rowgroup") == 1
    assert "3 of these 3 trials have ended" in shown
    rows = re.findall(r"<tr>(.*?)</tr>", shown)[1:]
    heading = next(index for index, row in enumerate(rows) if "rowgroup" in row)
    assert len(rows) == 5
    assert heading in (0, 1)


def test_progress_in_words(make_run):
    started = {"event": "started", "num_epochs": 4, "device": "<CPU>", "steps_per_epoch": 10}
    progress = {"event": "progress", "epoch": 2, "step": 5, "steps": 10, "loss": 0.25, "samples_per_second": 12345.6}
    run = make_run("demo/brightness", started, progress, ending="")
    shown = progress_html(run, "running", run.events())
    assert '<progress max="4" value="1.500"' in shown
    assert "epoch <b>2</b> of 4 &middot; loss <b>0.25</b> &middot; <b>12,346</b> examples per second" in shown
    assert "on &lt;CPU&gt;" in shown
    assert "went on" not in shown
    assert "Its process is starting." in progress_html(run, "queued", [])
    run.append("checkpoint", epoch=2, step=5)
    run.append(**{**started, "epoch": 2, "step": 5})
    resumed = progress_html(run, "running", run.events())
    assert "went on from epoch 2, step 5 &middot; checkpoint just now" in resumed
    assert resumes_of(run.events()) == [1.5]
    assert 'title="resumed here"' in curve_html("Loss", curve(run.events(), "loss"), 4, resumes_of(run.events()))


def test_what_a_queued_run_waits_for(make_run):
    run = make_run("demo/brightness", ending="")
    other = make_run("demo/brightness").id
    waiting = {"event": "waiting", "reason": f"It waits for {other}, which has the device.", "run": other}
    linked = f'It waits for <a href="./train?run={other}">{other}</a>, which'
    assert linked in progress_html(run, "queued", [waiting])
    waiting = {"event": "waiting", "reason": "It waits for another run, which has it.", "run": "another run"}
    assert "It waits for another run" in progress_html(run, "queued", [waiting])
    download = {"event": "download", "file": "<a>.gz", "bytes": 50, "total_bytes": 200}
    for state in ("queued", "running"):
        assert "Downloading &lt;a&gt;.gz, 25%." in progress_html(run, state, [download])
    run.request_stop()
    assert "It leaves the queue." in progress_html(run, "queued", [])


@pytest.mark.parametrize(("count", "labels"), [(0, ["CPU"]), (1, ["GPU", "CPU"]), (2, None)])
def test_only_devices_that_are_there_can_be_chosen(monkeypatch, count, labels):
    monkeypatch.setattr("layerwise_app.web.forms.num_gpus", lambda: count)
    control = device_control()
    assert control.value == "auto"
    expected = labels or ["The first free GPU", "GPU 0", "GPU 1", "All GPUs together", "CPU"]
    assert [label for label, _ in control.choices] == expected
    assert ("no NVIDIA GPU" in control.info) == (count == 0)
    for _, word in control.choices:
        parse_device(word, count)


def buttons(site, run):
    """Which buttons of a run can be pressed."""
    values = RunView(site).look(run.id)
    names = ("stop", "resume", "promote", "rollback", "delete")
    return {name for name, value in zip(names, values[4:9], strict=True) if value["interactive"]}


def test_what_can_be_done_with_a_run_depends_on_its_state(site, make_run):
    epoch = {"event": "epoch", "epoch": 1, "loss": 0.5}
    assert buttons(site, make_run("demo/brightness")) == {"promote", "delete"}
    failed = make_run("demo/brightness", epoch, ending="failed", threshold=None)
    assert buttons(site, failed) == {"resume", "delete"}
    assert "Without a checkpoint yet, Resume begins anew." in RunView(site).look(failed.id)[0]
    failed.checkpoints.save({}, {})
    assert "Resume goes on from its checkpoint of just now." in RunView(site).look(failed.id)[0]
    active = make_run("demo/brightness", epoch, ending="", threshold=None)
    with active.lock():
        assert buttons(site, active) == {"stop"}
        active.request_stop()
        assert buttons(site, active) == set()
    assert "killed" in RunView(site).look(active.id)[0]


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
    (only,) = drawn(lambda: sys.exit("bye"), "The page X").children
    assert "SystemExit: bye" in only.value


def test_a_page_asks_for_its_own_and_for_nothing_twice(site):
    functions = list(build(site).fns.values())
    for function in functions:
        assert {output.page for output in function.outputs} <= {function.page}
        assert len(set(function.targets)) == len(function.targets)
    (own,) = (function for function in functions if function.page == "extra")
    assert own.fn() == "Read when the page is opened"


def test_only_what_can_be_trained_is_offered_for_training(site):
    offered = {reference.name for reference in site.references(trainable=True)}
    assert offered < {reference.name for reference in site.references()}
    assert {"demo/brightness", "vision/fashion"} <= offered
    assert offered.isdisjoint({"demo/echo", "vision/faces"})


def test_gradio_computes_no_statistics_after_each_event(site):
    queue = build(site)._queue
    queue.events_recorded = 1000
    event = {"function": "show", "status": "success", "process_time": 0.1}
    assert queue.compute_analytics_summary([event] * 1000) == {"functions": {}}


def test_html_of_the_apps_own_escapes_what_it_is_given():
    assert "<b>" not in note("<b>", "<b>") + link("<b>", "<b>")
    assert 'aria-label="&lt;Runs&gt;"' in table("<Runs>", ("A",), [("1",)])
