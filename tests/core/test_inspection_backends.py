"""Each backend can look into networks."""

import pytest
from fresh_process import BACKENDS, probe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=BACKENDS)
def result(request):
    return probe("inspection_probe.py", request.param)


def test_contributions_are_complete(result):
    assert result["picture"] < 0.01
    assert result["text"] < 0.01


def test_saliency_is_the_slope(result):
    assert result["slope"] < 0.02


def test_maps_and_pictures_can_be_made(result):
    assert result["grad_cam"][:2] == [6, 6]
    assert result["grad_cam"][2] >= 0
    assert result["images"] == [2, 12, 12, 1, True]


def test_attention_is_that_of_the_layer(result):
    assert result["attention"] < 1e-6


def test_gradients_of_weights_are_those_computed_by_hand(result):
    assert result["weight_gradients"] < 1e-6
