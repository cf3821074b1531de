import numpy as np
import pytest
from scipy import stats

from layerwise.comparing.intervals import median_interval, percentile_interval, resample, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(
    ("successes", "count"), [(0, 1), (1, 1), (0, 10), (10, 10), (3, 7), (935, 1000), (9350, 10_000)]
)
def test_wilson_equals_scipy(successes, count, confidence):
    expected = stats.binomtest(successes, count).proportion_ci(confidence, method="wilson")
    assert wilson(successes, count, confidence=confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_all_or_none_reaches_the_end_exactly():
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0
    assert wilson(50, 50)[0] < 1.0


def test_the_interval_of_a_mean_is_near_scipys():
    values = np.random.default_rng(1).gamma(2.0, size=300)
    (low, high) = percentile_interval(resample(lambda rows: {"mean": values[rows].mean()}, len(values))["mean"])
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.08 * width)
    assert high == pytest.approx(expected.high, abs=0.08 * width)


def test_resampling_repeats_with_the_same_seed_and_differs_with_another():
    values = np.random.default_rng(1).normal(size=40)

    def draw(seed):
        return resample(lambda rows: {"mean": values[rows].mean()}, 40, resamples=50, seed=seed)

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_the_same_examples_are_drawn_whatever_the_statistics_are():
    drawn = []
    for _ in range(2):
        resample(lambda rows: drawn.append(rows) or {"any": 0.0}, 30, resamples=5)
    for one, other in zip(drawn[:5], drawn[5:], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(drawn[0], drawn[1])


def test_resamples_without_a_value_keep_their_place_and_count_for_no_interval():
    values = np.arange(10.0)

    def statistics(rows):
        return {"mean": values[rows].mean(), **({"never": float("nan"), "seldom": 1.0} if rows[0] < 5 else {})}

    found = resample(statistics, 10, resamples=100)
    assert {name: len(drawn) for name, drawn in found.items()} == {"mean": 100, "never": 100, "seldom": 100}
    assert 10 < np.isnan(found["seldom"]).sum() < 90
    assert percentile_interval(found["seldom"]) == (1.0, 1.0)
    assert percentile_interval(found["never"]) is None
    low, high = percentile_interval(found["mean"])
    assert 2 < low < 4.5 < high < 7


def test_resampling_ends_when_its_time_is_over():
    calls = []
    resample(lambda rows: calls.append(rows) or {"count": len(calls)}, 5, resamples=1000, seconds=0.0)
    assert len(calls) == 2


def test_an_interval_that_misses_what_was_measured_is_none():
    values = [1.0, 2.0, 3.0, 4.0]
    assert percentile_interval(values, around=2.5) == percentile_interval(values)
    assert percentile_interval(values, around=0.9) is None
    assert percentile_interval([2.0, 2.0], around=2.0) == (2.0, 2.0)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("count", [1, 5, 6, 9, 10, 12, 40])
def test_the_interval_of_a_median_has_the_coverage_of_the_binomial_distribution(count, confidence):
    interval = median_interval(list(range(count)), confidence=confidence)
    coins = stats.binom(count, 0.5)

    def coverage(cut):  # of the interval that leaves out `cut` values on each side
        return 1 - 2 * coins.cdf(cut)

    if interval is None:
        assert coverage(0) < confidence
    else:
        low, high = interval
        assert low == count - 1 - high
        assert coverage(low) >= confidence
        assert coverage(low + 1) < confidence


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    drawn = np.random.default_rng(3).lognormal(size=(2000, 10))
    held = [low <= 1 <= high for low, high in map(median_interval, drawn)]
    assert np.mean(held) == pytest.approx(0.979, abs=0.01)


def test_the_interval_of_a_median_may_be_infinite():
    assert median_interval([1, 2, 3, *[np.inf] * 5]) == (1, np.inf)
