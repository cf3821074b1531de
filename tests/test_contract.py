"""The built-in plugins keep what every plugin promises: a few quick models in CI, all of them before a release."""

import pytest
from plugins_sample.samples import BUILT_IN

from layerwise.conformance.checking import check_plugin
from layerwise.registry import Registry

QUICK = {"vision": "vision/fashion", "language": "language/sentiment", "rl": "rl/cartpole"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("plugin", QUICK)
def test_a_quick_model_keeps_the_contract(plugin, home):
    report = check_plugin(Registry(home), plugin, models=[QUICK[plugin]])
    assert report.conforms, report.as_markdown()


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("plugin", BUILT_IN)
def test_every_model_keeps_the_contract(plugin, home):
    report = check_plugin(Registry(home), plugin)
    assert report.conforms, report.as_markdown()
