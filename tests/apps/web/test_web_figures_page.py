"""The page of the figures: what the records of shipped networks say, and nothing that they do not."""

import dataclasses
import json

import pytest

from layerwise import Variant
from layerwise.versions import SHIPPED
from layerwise_app.web.pages.figures import figures_html


@pytest.fixture
def alone(site, spec, tmp_path):
    """`alone(**record)`: a site whose only model ships weights with such a record."""
    found = spec("demo/brightness")

    def make(**record):
        folder = tmp_path / "weights"
        folder.mkdir(exist_ok=True)
        usual = {"format": 1, "name": found.name, "variant": "default", "task": found.task.parameters(), "config": {}}
        (folder / "version.json").write_text(json.dumps({**usual, **record}), encoding="utf-8")
        shipping = dataclasses.replace(found, variants=(Variant(name="default", weights=folder),))
        return dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, models={found.name: shipping}))

    return make


MEASURED = {
    "dataset": "lamps",
    "split": "test",
    "count": 12345,
    "metrics": {"top_accuracy": 0.91234, "loss": 2.0},
    "interval": {"top_accuracy": [0.9, 0.92]},
    "cpu_seconds": 8.25,
}


def test_everything_that_a_record_says(alone):
    shown = figures_html(
        alone(
            measured=MEASURED,
            num_parameters=1234567,
            command="layerwise train demo/brightness:default --seed 3",
            cpu_seconds=7380.0,
            config={"seed": 3},
            created="2026-11-29T08:43:31+00:00",
            git="852eb770064420b3b39f340bc7d72187994625b6-dirty",
        )
    )
    for said in (
        '<a href="./models?model=demo/brightness:default">demo/brightness</a><br><small>default</small>',
        "top accuracy <b>0.9123</b><br><small>0.9000 to 0.9200<br>12,345 of lamps, test</small>",
        "<td>1,234,567</td>",
        "<code>layerwise train demo/brightness:default --seed 3</code>",
        "<small>seed 3, 2026-11-29, commit 852eb77006 with changes</small>",
        "<td>2.0 h <small>to train</small><br>8.2 s <small>to measure</small></td>",
    ):
        assert said in shown
    assert shown.count("<tr>") == 2


def test_nothing_is_invented_where_a_record_is_silent(alone):
    shown = figures_html(alone())
    assert "Its card says how it was measured." in shown
    assert "<td></td><td><code></code><br><small></small></td><td></td>" in shown
    without_interval = figures_html(alone(measured={**MEASURED, "interval": {}}))
    assert "<b>0.9123</b><br><small>12,345" in without_interval


def test_what_a_plugin_wrote_is_shown_as_it_is(alone):
    shown = figures_html(alone(measured={**MEASURED, "dataset": "<b>lamps"}, command="layerwise <train>", git="<i>x"))
    assert "&lt;b&gt;lamps" in shown
    assert "&lt;train&gt;" in shown
    assert "<i>" not in shown


def test_a_record_that_cannot_be_read_says_so_in_its_row(alone):
    assert "belongs to another model" in figures_html(alone(name="demo/other"))


def test_without_weights_there_are_no_figures(site):
    assert "No figures." in figures_html(
        dataclasses.replace(site, snapshot=dataclasses.replace(site.snapshot, models={}))
    )


def test_every_shipped_network_has_a_row(site):
    shown = figures_html(site)
    for spec in site.snapshot.models.values():
        for variant in spec.variants:
            if variant.weights is not None:
                version = site.workspace.versions.get(spec, variant.name, SHIPPED)
                assert f'model={spec.name}:{variant.name}">' in shown
                assert version.created[:10] in shown
