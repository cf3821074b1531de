"""Spaced repetition: what follows from a rating, and what a browser may send."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise.teaching.repetition import RATINGS, in_words, outcomes

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def rated(state, now, rating):
    return outcomes(state, now)[RATINGS.index(rating)]


def test_a_new_card_that_is_known_well_comes_back_later():
    found = outcomes(None, NOW)
    assert [outcome.rating for outcome in found] == list(RATINGS)
    again, hard, good, easy = (outcome.interval for outcome in found)
    assert again < hard < good < easy
    assert again == timedelta(minutes=1)
    assert easy >= timedelta(days=2)


def test_intervals_grow_while_a_card_is_known_and_shrink_when_it_is_not():
    state, now, intervals = None, NOW, []
    for _ in range(6):
        outcome = rated(state, now, "good")
        state, now = outcome.state, now + outcome.interval
        intervals.append(outcome.interval)
    assert intervals == sorted(set(intervals)), "each longer than the one before"
    assert intervals[-1] > timedelta(days=30)
    assert rated(state, now, "again").interval == timedelta(minutes=10)
    forgotten = rated(rated(state, now, "again").state, now + timedelta(minutes=10), "good")
    assert timedelta(days=1) <= forgotten.interval < intervals[-1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(RATINGS), st.integers(0, 4000)), max_size=12))
def test_whatever_was_rated_the_state_is_plain_json_and_due_when_it_was_promised(history):
    state, now = None, NOW
    for rating, hours in history:
        outcome = rated(state, now, rating)
        state = json.loads(json.dumps(outcome.state))
        assert state == outcome.state
        assert datetime.fromisoformat(state["due"]) == now + outcome.interval > now
        assert datetime.fromisoformat(state["last_review"]) == now
        now += timedelta(hours=hours)
    assert len(outcomes(state, now)) == 4


def test_the_time_zone_does_not_matter():
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert rated(None, there, "good") == rated(None, NOW, "good")


GOOD = rated(None, NOW, "easy").state


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        "state",
        7,
        {**GOOD, "state": 9},
        {**GOOD, "due": "tomorrow"},
        {**GOOD, "last_review": "2026-11-25T09:30:00"},
        {**GOOD, "stability": "much"},
        {**GOOD, "stability": -2.0},
        {**GOOD, "stability": float("inf")},
        {**GOOD, "stability": float("nan")},
        {**GOOD, "stability": None},
        {**GOOD, "difficulty": [5]},
        {key: value for key, value in GOOD.items() if key != "due"},
    ],
)
def test_what_is_no_state_is_refused(state):
    with pytest.raises(InputError, match="cannot be read"):
        outcomes(state, NOW + timedelta(days=3))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (timedelta(seconds=20), "1 minute"),
        (timedelta(minutes=5.5), "6 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(days=8), "8 days"),
        (timedelta(days=100), "3 months"),
        (timedelta(days=800), "2 years"),
    ],
)
def test_intervals_in_words(interval, words):
    assert in_words(interval) == words
