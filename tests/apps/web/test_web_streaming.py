"""Answers that grow fast are not drawn for each word."""

import time

from layerwise_app.web.streaming import thinned


def test_the_first_and_the_last_are_always_shown():
    assert list(thinned(range(1000), seconds=60)) == [0, 999]
    assert list(thinned([7], seconds=60)) == [7]
    assert list(thinned([], seconds=60)) == []


def test_what_comes_slowly_is_shown_whole():
    def slowly():
        for number in range(4):
            time.sleep(0.02)
            yield number

    assert list(thinned(slowly(), seconds=0.01)) == [0, 1, 2, 3]


def test_each_part_is_shown_when_it_comes():
    asked = []

    def parts():
        for number in range(3):
            asked.append(number)
            yield number

    shown = thinned(parts(), seconds=0)
    assert next(shown) == 0
    assert asked == [0]
