"""So many at a time, the others in their order, and who comes too late is told which place it would have been."""

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from layerwise.errors import BusyError
from layerwise.serving.gates import LONGEST_RETRY, MOST_WAITING, Gate, most_waiting

PATIENCE = 20.0


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Visitors:
    """Threads that enter a gate and stay inside until they are told to leave."""

    def __init__(self, gate):
        self.gate, self.threads = gate, ThreadPoolExecutor(32)
        self.inside, self.may_leave = [], threading.Semaphore(0)

    def come(self, name, cancelled=None):
        before = self.gate.num_waiting + self.gate.num_inside
        future = self.threads.submit(self._stay, name, cancelled)
        wait_until(lambda: self.gate.num_waiting + self.gate.num_inside > before)
        return future

    def _stay(self, name, cancelled):
        with self.gate.entered(cancelled) as is_inside:
            if is_inside:
                self.inside.append(name)
                assert self.may_leave.acquire(timeout=PATIENCE)
            return is_inside


@pytest.fixture
def gate():
    return Gate("sample/slow", most_inside=2, most_waiting=3)


@pytest.fixture
def visitors(gate):
    found = Visitors(gate)
    yield found
    found.may_leave.release(100)
    found.threads.shutdown()


def test_so_many_are_let_in_and_the_others_in_their_order(gate, visitors):
    futures = [visitors.come(number) for number in range(5)]
    assert (gate.num_inside, gate.num_waiting, gate.position) == (2, 3, 4)
    wait_until(lambda: len(visitors.inside) == 2)
    for count in (3, 4, 5):
        visitors.may_leave.release()
        wait_until(lambda count=count: len(visitors.inside) == count)
    assert visitors.inside[2:] == [2, 3, 4]
    visitors.may_leave.release(2)
    assert all(future.result(PATIENCE) for future in futures)
    assert (gate.num_inside, gate.num_waiting, gate.position) == (0, 0, 0)


def test_who_comes_when_the_queue_is_full_is_told_its_place_and_when_to_come_again(gate, visitors):
    for number in range(5):
        visitors.come(number)
    with (
        pytest.raises(
            BusyError, match=r"sample/slow is busy: 2 requests .* you would be number 4 .* ask again in 1 s"
        ) as caught,
        gate.entered(),
    ):
        pass
    assert (caught.value.position, caught.value.retry_after) == (4, 1)
    assert gate.num_inside + gate.num_waiting == 5


def test_the_time_to_come_again_grows_with_what_answers_took(gate):
    gate._mean_seconds = 30.0
    assert gate._busy().retry_after == 8
    gate._mean_seconds = 3000.0
    assert gate._busy().retry_after == LONGEST_RETRY


def test_one_who_gives_up_leaves_the_queue(gate, visitors):
    for number in range(2):
        visitors.come(number)
    given_up = threading.Event()
    future, following = visitors.come("gives up", given_up), visitors.come("stays")
    given_up.set()
    assert future.result(PATIENCE) is False
    wait_until(lambda: gate.num_waiting == 1)
    visitors.may_leave.release(3)
    assert following.result(PATIENCE)
    assert "gives up" not in visitors.inside


def test_an_error_inside_leaves_the_place_to_the_next(gate):
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), gate.entered():
            raise ZeroDivisionError
    assert gate.num_inside == 0


def test_a_gate_can_be_widened(gate, visitors):
    for number in range(5):
        visitors.come(number)
    gate.set_most_inside(4)
    wait_until(lambda: len(visitors.inside) == 4)
    assert gate.num_waiting == 1


def test_a_storm_of_visitors_never_exceeds_the_limit():
    gate, inside, most = Gate("sample/storm", most_inside=3, most_waiting=100), [], []

    def visit(number):
        with gate.entered():
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.0005)
            inside.remove(number)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(visit, range(200)))
    assert max(most) <= 3
    assert (gate.num_inside, gate.num_waiting) == (0, 0)


@pytest.mark.parametrize(("value", "wanted"), [(None, MOST_WAITING), ("7", 7), ("0", 0), ("many", MOST_WAITING)])
def test_the_length_of_the_queue_is_a_setting(monkeypatch, value, wanted):
    monkeypatch.delenv("LAYERWISE_QUEUE", raising=False)
    if value is not None:
        monkeypatch.setenv("LAYERWISE_QUEUE", value)
    assert most_waiting() == wanted


def test_the_error_travels_between_processes():
    error = BusyError("x is busy", remedy="ask again in 3 s")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
