"""Each backend's engine does what `keras.Model.fit` does, in one call or in several."""

import pytest
from fresh_process import BACKENDS, probe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=BACKENDS)
def result(request):
    return probe("engine_probe.py", request.param)


def test_the_steps_are_those_of_fit(result):
    assert result["to_fit"] < 2e-5
    assert result["iterations"] == 40


def test_calls_of_any_length_give_the_same_bits(result):
    assert result["in_pieces"] == 0
    assert result["dropout_in_pieces"] == 0
    assert result["convolutions_in_pieces"] == 0


def test_the_same_seed_gives_the_same_bits(result):
    assert result["twins"] == 0


def test_it_learns_and_says_so(result):
    assert result["epoch"]["loss"] < 0.9
    assert result["epoch"]["accuracy"] > 0.6


def test_evaluation_is_that_of_the_forward_pass(result):
    assert result["evaluated"] == pytest.approx(result["accuracy"], abs=1e-6)


def test_the_compiled_forward_pass_is_the_plain_one(result):
    assert result["predict"] < 1e-5
    assert result["predict_is_numpy"]


def test_an_overflow_in_half_precision_skips_the_step(result):
    assert result["skipped"] == 0
    assert result["mixed_loss"] < 1.0
