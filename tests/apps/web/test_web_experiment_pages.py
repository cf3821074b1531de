"""A page of experiments that a plugin registers: drawn by the app, computed when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from layerwise import Experiment, Page, Settings, setting
from layerwise.errors import InputError, NotFoundError
from layerwise.plots import Text
from layerwise_app.web.pages.experiments import PageOfExperiments


@dataclass(frozen=True, kw_only=True)
class Turned(Settings):
    times: int = setting(2, "How often", minimum=1, maximum=5)


def say(settings):
    return [Text(text=f"{settings.times} times")]


def count(settings):
    for number in range(1, settings.times + 1):
        yield [Text(text=f"number {number}")]


PAGE = Page(
    name="counting",
    title="Counting",
    experiments=[
        Experiment(name="quick", title="Quick", show=say, settings=Turned),
        Experiment(name="slow", title="Slow", show=count, settings=Turned, button="Count"),
    ],
)


def test_all_experiments_with_the_settings_of_the_address():
    html = PageOfExperiments(PAGE).open({"settings": {"quick": {"times": "4"}}})["html"]
    assert html.count("data-experiment=") == 2
    assert "4 times" in html
    assert "number 1" not in html  # what takes long waits for its button


def test_one_that_is_turned():
    assert "3 times" in PageOfExperiments(PAGE).show({"experiment": "quick", "settings": {"times": "3"}})["html"]
    with pytest.raises(NotFoundError, match="experiment"):
        PageOfExperiments(PAGE).show({"experiment": "none"})


def test_one_that_takes_long_goes_on_step_by_step_and_can_be_stopped():
    page = PageOfExperiments(PAGE)
    page.begin({"experiment": "slow", "token": "a-token-of-mine", "settings": {"times": "2"}})
    shown = [page.more({"token": "a-token-of-mine"})["html"] for _ in range(3)]
    assert "number 1" in shown[0]
    assert "number 2" in shown[1]
    assert shown[2] is None
    page.begin({"experiment": "slow", "token": "a-token-of-mine", "settings": {}})
    assert page.more({"token": "a-token-of-mine", "stop": True}) == {"html": None}
    with pytest.raises(InputError, match="not going on"):
        page.more({"token": "a-token-of-mine"})
