"""What was read of runs is not read again until more happens in them."""

from layerwise_app.web.remembered import Remembered


def test_a_run_is_read_again_when_something_has_happened(workspace, make_run):
    read = []
    run, other = make_run("demo/brightness"), make_run("demo/brightness")
    remembered = Remembered(lambda found: read.append(found.id) or len(found.events()))
    before = remembered.of(run)
    assert remembered.of(run) == before
    run.append("queued")
    assert remembered.of(run) == before + 1
    remembered.of(other)
    assert read == [run.id, run.id, other.id]


def test_what_does_not_last_and_what_was_deleted_is_not_kept(make_run):
    read = []
    runs = [make_run("demo/brightness", ending=ending) for ending in ("finished", "")]
    states = Remembered(lambda found: read.append(found.id) or found.state, lambda state: state == "finished")
    for run in (*runs, *runs):
        states.of(run)
    assert [read.count(run.id) for run in runs] == [1, 2]
    states.forget_beyond(1)
    states.of(runs[0])
    assert read.count(runs[0].id) == 1, "there are as many"
    states.forget_beyond(0)
    states.of(runs[0])
    assert read.count(runs[0].id) == 2


def test_a_run_whose_events_are_gone_is_read_all_the_same(make_run):
    run = make_run("demo/brightness")
    run.event_log.path.unlink()
    assert Remembered(lambda found: found.events()).of(run) == []
