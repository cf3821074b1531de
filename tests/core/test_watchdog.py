"""Whoever waits for what does not come to an end is told so; the others go on."""

import contextvars
import threading
import time

import pytest

from layerwise.errors import LateError
from layerwise.serving.watchdog import MOST_LATE, Watchdog

PATIENCE = 20.0


class Endless:
    """Does not come to an end until it is let."""

    def __init__(self):
        self.may_end, self.ended = threading.Event(), threading.Event()

    def __call__(self):
        assert self.may_end.wait(PATIENCE)
        self.ended.set()


@pytest.fixture
def endless():
    found = Endless()
    yield found
    found.may_end.set()


def watching(watchdog, ended=lambda: None, cancelled=None, name="sample/model"):
    return watchdog.watching(name, cancelled or threading.Event(), ended)


def test_what_comes_to_an_end_gives_its_value_or_its_error():
    ended = []
    with watching(Watchdog(PATIENCE), lambda: ended.append(1)) as call:
        assert call(lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            call(lambda: 1 / 0)
        with pytest.raises(TimeoutError, match="of its own"):
            call(_raise, TimeoutError("of its own"))
        assert not ended
    assert ended == [1]


def _raise(error):
    raise error


def test_all_calls_are_made_in_one_thread_and_in_the_context_of_the_caller():
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("request 7")
    with watching(Watchdog(PATIENCE)) as call:
        first, second = (call(threading.get_ident) for _ in range(2))
        assert first == second != threading.get_ident()
        assert call(variable.get) == "request 7"


def test_threads_are_used_again():
    watchdog, idents = Watchdog(PATIENCE), set()
    for _ in range(5):
        with watching(watchdog) as call:
            idents.add(call(threading.get_ident))
    assert len(idents) == 1


def test_who_waits_too_long_is_told_so_and_what_goes_on_is_cancelled(endless, caplog):
    ended, cancelled, watchdog = threading.Event(), threading.Event(), Watchdog(0.05)
    begin = time.monotonic()
    with (
        pytest.raises(LateError, match=r"did not come to an end within 0.05 s.*LAYERWISE_ANSWER_SECONDS"),
        watching(watchdog, ended.set, cancelled) as call,
    ):
        call(endless)
    assert time.monotonic() - begin < PATIENCE / 2
    assert cancelled.is_set()
    assert not ended.is_set()
    assert "may_end.wait" in caplog.text  # where it is
    assert watchdog.num_late("sample/model") == 1
    endless.may_end.set()
    assert ended.wait(PATIENCE)
    assert watchdog.num_late("sample/model") == 0


def test_too_many_that_go_on_are_not_joined_by_further_ones_and_other_models_go_on(endless):
    watchdog, ended = Watchdog(0.01), []
    for _ in range(MOST_LATE):
        with pytest.raises(LateError), watching(watchdog) as call:
            call(endless)
    with pytest.raises(LateError, match="is not asked any more"), watching(watchdog, lambda: ended.append(1)):
        pytest.fail("it is asked")
    assert ended == [1]
    with watching(watchdog, name="sample/other") as call:
        assert call(int, "3") == 3
    endless.may_end.set()
    end = time.monotonic() + PATIENCE
    while watchdog.num_late("sample/model") and time.monotonic() < end:
        time.sleep(0.001)
    with watching(watchdog) as call:
        assert call(int, "4") == 4
