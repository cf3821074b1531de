"""How the values of metrics are written where people read them."""

from __future__ import annotations

_PLACES = ((10.0, 3), (100.0, 2), (1000.0, 1), (10_000.0, 0))
"""Below which size a value has how many places after the point."""


def in_digits(value: float, sign: str = "", like: float | None = None) -> str:
    """A value with four digits, a share with as many after the point.

    Args:
        value: What is written.
        sign: "+" to write the sign of what is not negative, too.
        like: With as many places after the point as this value has, as the ends of its interval should.

    Example:
        >>> in_digits(0.9383), in_digits(16.99674), in_digits(870.291, like=1002.9), in_digits(123456.0)
        ('0.9383', '17.00', '870', '1.235e+05')
    """
    size = abs(value if like is None else like)
    # Accuracies reach one.
    places = 4 if size <= 1 else next((places for limit, places in _PLACES if size < limit), None)
    return f"{value:{sign}.4g}" if places is None else f"{value:{sign}.{places}f}"


def interval_text(low: float | None, high: float | None, sign: str = "", like: float | None = None) -> str:
    """The interval of a value, "" for none.

    Args:
        low, high: Its ends.
        sign, like: See `in_digits`; by default each end has places of its own.

    Example:
        >>> interval_text(41.8325, 50.0675, like=46.0)
        '41.83 to 50.07'
    """
    if low is None or high is None:
        return ""
    return f"{in_digits(low, sign, like)} to {in_digits(high, sign, like)}"


def with_interval(value: float, low: float | None, high: float | None, sign: str = "") -> str:
    """A value and, in brackets, its interval if it has one.

    Example:
        >>> with_interval(0.9383, 0.9334, 0.9428), with_interval(1002.9, None, None)
        ('0.9383 (0.9334 to 0.9428)', '1003')
    """
    interval = interval_text(low, high, sign, value)
    return in_digits(value, sign) + (f" ({interval})" if interval else "")
