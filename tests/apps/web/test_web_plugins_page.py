"""What the page of plugins says of them, and what the cards of their models say of their checks."""

from layerwise.conformance.report import CheckResult, ConformanceReport, ReportStore
from layerwise.plugins.loading import PluginReport
from layerwise_app.web.pages import cards, plugins


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
