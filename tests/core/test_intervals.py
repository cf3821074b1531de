import numpy as np
import pytest
from scipy import stats

from layerwise.intervals import bootstrap, wilson


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


def test_bootstrap_of_a_mean_is_near_scipys():
    values = np.random.default_rng(1).gamma(2.0, size=300)
    (low, high) = bootstrap(lambda rows: {"mean": values[rows].mean()}, len(values))["mean"]
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.08 * width)
    assert high == pytest.approx(expected.high, abs=0.08 * width)


def test_bootstrap_repeats_with_the_same_seed_and_differs_with_another():
    values = np.random.default_rng(1).normal(size=40)

    def draw(seed):
        return bootstrap(lambda rows: {"mean": values[rows].mean()}, 40, resamples=50, seed=seed)

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_bootstrap_leaves_out_resamples_without_a_value_and_statistics_without_any():
    values = np.arange(10.0)

    def statistics(rows):
        return {"mean": values[rows].mean() if rows[0] < 5 else float("nan"), "never": float("nan")}

    found = bootstrap(statistics, 10, resamples=100)
    assert found.keys() == {"mean"}
    assert 0 <= found["mean"][0] <= found["mean"][1] <= 9


def test_bootstrap_ends_when_its_time_is_over():
    calls = []
    bootstrap(lambda rows: calls.append(rows) or {"count": len(calls)}, 5, resamples=1000, seconds=0.0)
    assert len(calls) == 2
