"""The numbers beside an axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise_app.web.plots.ticks import epoch_ticks, nice_step, nice_ticks, time_ticks


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_ticks_enclose_the_range_and_are_few(one, other):
    low, high = sorted((one, other))
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high), 1e-300)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.13, 0.92, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.0, 4.0, [0, 1, 2, 3, 4]), (2.0, 2.0, [1.8, 1.9, 2.0, 2.1, 2.2])],
)
def test_ticks_are_round(low, high, ticks):
    assert nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(("right", "ticks"), [(0.4, [0]), (3, [0, 1, 2, 3]), (60, [0, 10, 20, 30, 40, 50, 60])])
def test_the_axis_shows_whole_epochs(right, ticks):
    assert epoch_ticks(right) == ticks


@pytest.mark.parametrize(
    ("right", "unit", "last"), [(0.0, "seconds", 0), (90, "seconds", 80), (600, "minutes", 10), (40_000, "hours", 10)]
)
def test_the_axis_of_time_has_round_numbers(right, unit, last):
    found, places = time_ticks(right)
    assert found == unit
    assert places[0] == (0.0, 0.0)
    assert places[-1][1] == last
    assert len(places) <= 8


@given(st.floats(1e-9, 1e9))
def test_a_step_is_round_and_not_much_larger_than_asked(least):
    step = nice_step(least)
    assert least * (1 - 1e-6) <= step <= 2.5 * least
    assert f"{step:e}"[0] in "125"
    assert float(f"{step:.0e}") == pytest.approx(step)
