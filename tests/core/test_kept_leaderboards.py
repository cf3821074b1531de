"""Leaderboards that are kept: measured by a process of their own, one at a time."""

import threading
import time

import pytest
import sample_models as samples
from filelock import FileLock
from plugins_sample.samples import install

from layerwise import jobs, open_workspace
from layerwise.comparing import leaderboards
from layerwise.comparing.benchmark import Benchmark
from layerwise.comparing.leaderboards import LeaderboardStore
from layerwise.errors import NotFoundError, RunError
from layerwise.leaderboard import leaderboard

GRADER = """
import sys; sys.path.insert(0, {path!r})
from layerwise import hookimpl
from sample_models import GRADES, NUMPY
@hookimpl
def layerwise_models(): return [NUMPY]
@hookimpl
def layerwise_datasets(): return [GRADES]
"""


@pytest.fixture
def installed(home, site):
    """A workspace of a home in which a plugin with two trained versions is installed, and their names."""
    install(site, GRADER.format(path=samples.__file__.rpartition("/")[0]), name="grader")
    runs = [samples.save_version(home, samples.NUMPY, {"centroids": samples.shifted(s)}) for s in (0.0, 3.0)]
    with open_workspace(home) as workspace:
        yield workspace, [f"sample/centroids@{run.id}" for run in runs]


def wait_for_its_end(board, seconds=120):
    end = time.monotonic() + seconds
    while board.is_active:
        assert time.monotonic() < end, board.log_text()
        time.sleep(0.1)


@pytest.mark.slow
def test_a_process_of_its_own_measures_and_keeps_the_leaderboard(installed):
    workspace, names = installed
    board = leaderboards.start(workspace, names, limit=300)
    assert [item.get("place") for item in board.board["models"]] == [None, None]
    wait_for_its_end(board)
    assert board.state == "finished", board.log_text()
    found = workspace.leaderboards.get(board.id[-4:])
    assert [item["place"] for item in found.board["models"]] == [1, 2]
    assert found.board["models"][0]["reference"] == names[0].replace("@", ":default@")
    assert found.board["models"][0]["where"] == "a process of its own"
    assert found.board["pairs"][0]["is_beyond_chance"]
    expected = leaderboard(workspace, names, limit=300)
    assert [item["metrics"] for item in found.board["models"]] == [item["metrics"] for item in expected["models"]]
    with pytest.raises(RunError, match="cannot be resumed"):
        jobs.resume(found)
    workspace.leaderboards.delete(found.id)
    assert workspace.leaderboards.list() == []


@pytest.mark.slow
def test_one_that_was_stopped_keeps_what_it_has_and_measures_what_is_missing(installed):
    workspace, names = installed
    versions = [workspace.predictor.version(name) for name in names]
    store = workspace.leaderboards
    board = store.create(
        [version.reference for version in versions], Benchmark(dataset="grades", limit=100), "accuracy"
    )
    board.request_stop()
    jobs.launch(board)
    wait_for_its_end(board)
    assert (board.state, board.reason) == ("stopped", jobs.ASKED)
    assert [item.get("place") for item in board.board["models"]] == [None, None]
    # As if the first had been measured before the stop: it is not measured again.
    first = {**_measured(workspace, versions[0], board.benchmark), "seconds": 123.0}
    board.keep(0, first)
    jobs.resume(board)
    wait_for_its_end(board)
    assert board.state == "finished", board.log_text()
    assert sorted(item["place"] for item in board.board["models"]) == [1, 2]
    assert board.measured(0)["seconds"] == 123.0


def _measured(workspace, version, benchmark):
    from layerwise.leaderboard import make_runners, measure

    runners, workers = make_runners(workspace)
    try:
        return measure(workspace.registry.snapshot(), runners, version, benchmark)
    finally:
        if workers is not None:
            workers.close()


def test_a_leaderboard_that_is_not_there_or_goes_on(tmp_path):
    store = LeaderboardStore(tmp_path)
    board = store.create(["a/a:a@a", "a/b:b@b"], Benchmark(folder="/data", limit=5), "accuracy")
    assert [item.id for item in store.list()] == [board.id]
    assert board.benchmark == Benchmark(folder="/data", limit=5)
    assert board.board["models"] == [{"reference": "a/a:a@a"}, {"reference": "a/b:b@b"}]
    assert board.progress is None
    with pytest.raises(RunError, match="stop it first"):
        store.delete(board.id)
    with pytest.raises(NotFoundError, match="no leaderboard 'none'"):
        store.get("none")
    board.append("failed", reason="It was killed")
    store.delete(board.id)
    assert store.list() == []


def test_one_leaderboard_is_measured_at_a_time(tmp_path):
    store = LeaderboardStore(tmp_path)
    board = store.create(["a/a:a@a", "a/b:b@b"], Benchmark(dataset="d"), "accuracy")
    other = FileLock(store.folder / ".turn", is_singleton=False)
    with other:
        filling = threading.Thread(target=leaderboards.fill, args=(board,))
        filling.start()
        end = time.monotonic() + 30
        while not any(event["event"] == "waiting" for event in board.events()):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert "another leaderboard" in board.events()[-1]["reason"]
        board.request_stop()
        filling.join()
    assert (board.state, board.reason) == ("stopped", jobs.ASKED)
    assert [item.id for item in store.list()] == [board.id]
