"""The plugin held to what every plugin promises."""

import pytest

from layerwise.testing import contract


@pytest.mark.parametrize("promise", contract("linear"))
def test_it_keeps_what_every_plugin_promises(promise):
    promise.keep()
