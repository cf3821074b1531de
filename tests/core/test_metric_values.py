"""Values of metrics where people read them: how many digits they have, and that an interval has as many."""

import math

import pytest

from layerwise.tasks.metric_values import in_digits, interval_text, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.00004, "0.0000"),
        (0.9383, "0.9383"),
        (1.0, "1.0000"),
        (1.00004, "1.000"),
        (4.0568, "4.057"),
        (52.7478, "52.75"),
        (500.0, "500.0"),
        (1002.9033, "1003"),
        (54_321.0, "5.432e+04"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_four_digits_say_what_there_is_to_say(value, text):
    assert in_digits(value) == text
    assert in_digits(-value) == (f"-{text}" if not math.isnan(value) else text)
    assert in_digits(value, "+") == f"+{text}"


def test_an_interval_ends_in_the_digits_of_its_value():
    assert with_interval(1002.9, 870.29, 1192.57) == "1003 (870 to 1193)"
    assert with_interval(0.99, 0.98, 1.0) == "0.9900 (0.9800 to 1.0000)"
    assert with_interval(-0.0123, -0.02, 0.001, "+") == "-0.0123 (-0.0200 to +0.0010)"
    assert interval_text(870.29, 1192.57) == "870.3 to 1193"


@pytest.mark.parametrize("ends", [(None, None), (0.9, None), (None, 0.9)])
def test_without_an_interval_there_are_no_brackets(ends):
    assert (interval_text(*ends), with_interval(0.9383, *ends)) == ("", "0.9383")
