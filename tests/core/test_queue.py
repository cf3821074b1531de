"""The queue: one run on a device at a time, in order, whoever dies meanwhile."""

import pytest
from training_helpers import config_of, finish, wait_for

from layerwise import jobs
from layerwise.errors import DeviceError, SpecError
from layerwise.job_folders.queue import jobs_per_device, turn


def starts_of(run):
    return [event for event in run.events() if event["event"] == "started"]


@pytest.mark.slow
def test_a_second_run_waits_for_the_first_and_says_so(runs, spec):
    first = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    wait_for(first, "progress")
    second = jobs.start(runs, spec, config=config_of(spec, num_epochs=1))
    assert first.id in wait_for(second, "waiting")["reason"]
    assert (second.state, first.state) == ("queued", "running")
    assert first.id in second.reason
    jobs.stop(first)
    assert finish(second)[-1]["event"] == "finished"
    ended = first.events()[-1]
    assert ended["event"] == "stopped"
    assert starts_of(second)[0]["time"] >= ended["time"]


@pytest.mark.slow
def test_they_come_in_their_order_and_the_dead_are_passed_over(runs, spec, processes):
    first = jobs.start(runs, spec, config=config_of(spec, num_epochs=10_000))
    wait_for(first, "progress")
    waiting = []
    for _ in range(3):
        waiting.append(jobs.start(runs, spec, config=config_of(spec, num_epochs=1)))
        wait_for(waiting[-1], "waiting")
        if len(waiting) == 1:
            killed = processes[-1]
    killed.kill()
    killed.wait()
    jobs.stop(waiting[1])
    assert finish(waiting[1])[-1]["event"] == "stopped"
    assert starts_of(waiting[1]) == []
    assert waiting[0].state == "failed"
    jobs.resume(waiting[0])  # at the end of the line now
    wait_for(waiting[0], "queued")
    jobs.stop(first)
    for run in (waiting[2], waiting[0]):
        assert finish(run)[-1]["event"] == "finished"
    assert starts_of(waiting[2])[0]["time"] < starts_of(waiting[0])[0]["time"]


@pytest.fixture
def waiting_run(runs, spec):
    made = []

    def make():
        made.append(runs.create(spec, None, spec.variant().config))
        lock = made[-1].lock()
        lock.acquire()
        locks.append(lock)
        return made[-1]

    locks = []
    yield make
    for lock in locks:
        lock.release()


def hold(run, *alternatives, gives_up_at=None):
    """`turn`, which gives up as soon as it would wait for somebody; whom, is kept in `gives_up_at`."""
    seen = [] if gives_up_at is None else gives_up_at
    return turn(run, alternatives, waiting=seen.append, should_stop=lambda: bool(seen))


def test_each_gpu_is_a_device_and_all_needs_every_one(waiting_run):
    any_gpu, all_gpus = (("gpu0",), ("gpu1",)), ("gpu0", "gpu1")
    a, b, c, d = (waiting_run() for _ in range(4))
    blocker = []
    with hold(a, *any_gpu) as first, hold(b, *any_gpu) as second, hold(c, ("cpu",)) as third:
        assert (first, second, third) == (("gpu0",), ("gpu1",), ("cpu",))
        with hold(d, all_gpus, gives_up_at=blocker) as fourth:
            assert fourth is None
        assert blocker == [a.id]
    with hold(d, all_gpus) as fourth:
        assert fourth == all_gpus
        with hold(a, *any_gpu, gives_up_at=blocker) as first:
            assert first is None


def test_a_half_taken_set_is_let_go(waiting_run):
    a, b, c = (waiting_run() for _ in range(3))
    with hold(a, ("gpu1",)):
        with hold(b, ("gpu0", "gpu1"), gives_up_at=[]) as held:
            assert held is None
        with hold(c, ("gpu0",)) as held:
            assert held == ("gpu0",)


def test_more_jobs_a_device_can_be_allowed(waiting_run, monkeypatch):
    monkeypatch.setenv("LAYERWISE_JOBS_PER_DEVICE", "2")
    a, b, c = (waiting_run() for _ in range(3))
    with hold(a, ("cpu",)) as first, hold(b, ("cpu",)) as second, hold(c, ("cpu",), gives_up_at=[]) as third:
        assert (first, second, third) == (("cpu",), ("cpu",), None)
    monkeypatch.setenv("LAYERWISE_JOBS_PER_DEVICE", "none")
    with pytest.raises(SpecError, match="whole number"):
        jobs_per_device()


def test_a_gpu_that_is_not_there_is_said_before_anything_starts(runs, spec, monkeypatch):
    monkeypatch.setattr("layerwise.jobs.num_gpus", lambda: 0)
    with pytest.raises(DeviceError, match="no NVIDIA GPU"):
        jobs.start(runs, spec, device="gpu")
    with pytest.raises(DeviceError, match="not known"):
        jobs.start(runs, spec, device="abacus")
    assert runs.list() == []
