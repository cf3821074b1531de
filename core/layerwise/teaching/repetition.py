"""When a flashcard comes back: spaced repetition by FSRS (https://github.com/open-spaced-repetition/py-fsrs).

FSRS models how the memory of a card fades, from how well it was known at each look, and brings it back when the chance
to know it has fallen to 90 %. Nothing is kept here: the state of a card goes out as plain JSON values and comes back
with the next look, so that a browser can keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from layerwise.errors import InputError

RATINGS = ("again", "hard", "good", "easy")
"""How well a card was known, from not at all on."""
State = dict[str, Any]
"""What FSRS knows of a card: `due` and `last_review` are times, ISO 8601 in UTC."""
_UNITS = (("year", 365.0), ("month", 30.0), ("day", 1.0), ("hour", 1 / 24), ("minute", 1 / 1440))
"""Units of time and their length in days."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What follows from a rating.

    Args:
        rating: One of RATINGS.
        state: The state of the card afterwards.
        interval: In how much time it is due.
    """

    rating: str
    state: State
    interval: timedelta


def outcomes(state: Mapping[str, Any] | None, now: datetime) -> list[Outcome]:
    """What would follow from each rating of a card that is looked at now.

    Args:
        state: Its state, None for a card that was never rated.
        now: With a time zone.

    Raises:
        InputError: It is no state of a card.
    """
    from fsrs import Card, Rating, Scheduler

    # Without chance, so that what a button promises is what happens.
    scheduler = Scheduler(enable_fuzzing=False)
    now = now.astimezone(UTC)
    found = []
    try:
        card = Card(card_id=0, due=now) if state is None else Card.from_dict({**state, "card_id": 0})  # pyright: ignore[reportArgumentType]
        for name, rating in zip(RATINGS, (Rating.Again, Rating.Hard, Rating.Good, Rating.Easy), strict=True):
            rated, _ = scheduler.review_card(card, rating, now)
            kept = {key: value for key, value in rated.to_dict().items() if key != "card_id"}
            found.append(Outcome(rating=name, state=kept, interval=rated.due - now))
    except (KeyError, TypeError, ValueError, AssertionError, ArithmeticError) as error:
        raise InputError(
            "The state of a card cannot be read",
            expected="what a former look has given",
            received=f"{type(error).__name__}: {error}",
            remedy="reset the progress, or import a file that was exported here",
        ) from error
    return found


def in_words(interval: timedelta) -> str:
    """About how long an interval is.

    Example:
        >>> in_words(timedelta(minutes=10)), in_words(timedelta(days=45))
        ('10 minutes', '2 months')
    """
    days = interval / timedelta(days=1)
    unit, length = next(((unit, length) for unit, length in _UNITS if days >= length), _UNITS[-1])
    number = max(1, round(days / length))
    return f"{number} {unit}{'' if number == 1 else 's'}"
