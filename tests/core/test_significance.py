"""Tests of significance against published examples, other computations of the same, and what holds by law."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from layerwise.comparing.intervals import percentile_interval, resample
from layerwise.comparing.significance import bootstrap_p, holm, mcnemar

PS = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=12)


def outcomes(both, only_one, only_other, neither):
    counts = (both, only_one, only_other, neither)
    one, other = (np.repeat(values, counts) for values in ([True, True, False, False], [True, False, True, False]))
    return one, other


@pytest.mark.parametrize(
    ("table", "p"),
    [
        # Fagerland, Lydersen & Laake 2013, "The McNemar test for binary matched-pairs data", table 1: airways before
        # and after a transplantation; and the example of statsmodels' documentation of its exact test.
        ((1, 1, 7, 12), 0.0703125),
        ((101, 121, 59, 33), 4.434e-06),
    ],
)
def test_mcnemar_of_published_examples(table, p):
    found = mcnemar(*outcomes(*table))
    assert (found.only_one, found.only_other) == table[1:3]
    assert found.p == pytest.approx(p, rel=1e-3)


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 3), (2, 5), (4, 4), (9, 1)])
def test_mcnemar_is_what_counting_all_outcomes_of_fair_coins_gives(only_one, only_other):
    count, gap = only_one + only_other, abs(only_one - only_other)
    tosses = [abs(2 * sum(coins) - count) for coins in product((0, 1), repeat=count)]
    expected = np.mean([toss >= gap for toss in tosses])
    assert mcnemar(*outcomes(5, only_one, only_other, 5)).p == pytest.approx(expected)
    assert mcnemar(*outcomes(0, only_other, only_one, 0)).p == pytest.approx(expected), "the other way round"


def test_models_that_are_right_on_the_same_examples_do_not_differ():
    assert mcnemar(*outcomes(7, 0, 0, 3)).p == 1.0


def test_holm_of_a_known_example():
    # p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") of R.
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.04, 0.001, 0.9]) == pytest.approx([0.08, 0.003, 0.9])
    assert holm([]) == []


@given(PS)
@settings(deadline=None)
def test_holm_only_raises_and_keeps_the_order_and_is_no_stricter_than_bonferroni(ps):
    adjusted = holm(ps)
    for p, q in zip(ps, adjusted, strict=True):
        assert p <= q <= min(1.0, len(ps) * p) + 1e-12
    order = sorted(range(len(ps)), key=ps.__getitem__)
    assert [adjusted[place] for place in order] == sorted(adjusted)


def test_the_p_of_a_paired_bootstrap_is_near_that_of_a_t_test_and_of_a_permutation_test():
    random = np.random.default_rng(4)
    differences = random.normal(0.15, 1.0, 200)
    drawn = resample(lambda rows: {"mean": differences[rows].mean()}, 200, resamples=5000)["mean"]
    found = bootstrap_p(drawn)
    assert found == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.015)
    permuted = stats.permutation_test((differences,), np.mean, permutation_type="samples", rng=random)
    assert found == pytest.approx(permuted.pvalue, abs=0.02)


def test_the_p_is_below_the_level_where_the_interval_excludes_zero():
    random = np.random.default_rng(0)
    for shift in np.linspace(-0.5, 0.5, 21):
        drawn = (shift + random.normal(0, 0.2, 2000)).tolist()
        low, high = percentile_interval(drawn)
        excludes = not low <= 0 <= high
        assert (bootstrap_p(drawn) < 0.05) == excludes or bootstrap_p(drawn) == pytest.approx(0.05, abs=0.003)


def test_no_difference_and_none_at_all():
    assert bootstrap_p([0.0] * 100) == 1.0
    assert bootstrap_p([]) == bootstrap_p([float("nan")]) == 1.0
    assert bootstrap_p([-1.0] * 999) == 0.002, "never less than the resamples can tell"
    assert bootstrap_p([-1.0] * 999 + [float("nan")]) == 0.002
