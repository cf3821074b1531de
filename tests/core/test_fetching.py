"""Published weights become a version of the user's own: whole or not at all, and in use where nothing else is."""

import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import sample_models as samples
from training_helpers import config_of

from layerwise import PublishedWeights, Variant, weights
from layerwise.context import Context
from layerwise.errors import DataError, LayerwiseError, NotFoundError, SpecError, WeightsError
from layerwise.fetching import Fetched, fetch
from layerwise.fine_tuning import IN_USE, find_start
from layerwise.predictor import Predictor
from layerwise.specs import resolve
from layerwise.training import fit
from layerwise.versions import FETCHED, VersionStore
from layerwise.weights import RECORD_FILE, read_arrays

PLUGIN = Path(__file__).parents[1] / "plugins_sample" / "published"
SCORES = [[-1.5, 2.25], [-0.5, 1], [2, -1.75]]


@pytest.fixture
def published(monkeypatch):
    """The module of the plugin whose weights are published."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    import layerwise_published

    return layerwise_published


@pytest.fixture
def specs(published):
    return {spec.name: spec for spec in published.layerwise_models()}


@pytest.fixture
def mood(specs):
    """A model with published weights and files of its task."""
    return specs["words/mood"]


@pytest.fixture
def talk(specs):
    """A model with published weights and a runner of its own."""
    return specs["words/talk"]


@pytest.fixture
def versions(tmp_path):
    return VersionStore(tmp_path / "home")


@pytest.fixture
def shelf(published, tmp_path):
    """A copy of where the weights are published, to be changed."""
    return Path(shutil.copytree(published.SHELF, tmp_path / "shelf"))


def with_reader(spec, read):
    """The model, its weights read by another function."""
    first, *others = spec.variants
    first = dataclasses.replace(first, published=dataclasses.replace(first.published, read=read))
    return dataclasses.replace(spec, variants=(first, *others))


def kept(versions):
    """All that lies where fetched weights are, without the locks."""
    folder = versions.home / "fetched"
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def test_they_are_a_version_in_use_with_a_record(versions, mood):
    version = fetch(versions, mood)
    assert (version.id, version.reference) == (FETCHED, "words/mood:short@fetched")
    assert versions.current(mood) == versions.get(mood, "short", FETCHED) == version
    assert versions.list(mood) == [version]
    (array,) = read_arrays(version.folder).values()
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, SCORES)
    assert version.task.words.content == "good\nfine\nbad\n"
    assert version.num_parameters == 6
    assert (version.metrics, version.record["data"]) == ({}, {})
    assert (version.record["source"], version.record["licence"]) == (mood.variants[0].published.source, "CC0-1.0")
    assert version.created.endswith("+00:00")
    assert version.record["environment"]["packages"]["keras"]


def test_before_that_the_command_that_gets_them_is_said(versions, mood, specs):
    with pytest.raises(NotFoundError, match=r"no weights yet.*: layerwise fetch words/mood:short \(about 3.0 MiB\)"):
        versions.current(mood)
    with pytest.raises(NotFoundError, match="layerwise train words/mood:long --promote"):
        versions.current(mood, "long")
    assert versions.list(mood) == []
    predictor = Predictor(samples.shelf(*specs.values()), versions)
    with pytest.raises(NotFoundError, match="layerwise fetch words/talk:parrot"):
        predictor.predict("words/talk", {"message": "Hello"})  # whose runner alone does not make it answer
    predictor.close()


def test_how_much_is_here_is_told(versions, mood, published):
    told = []
    fetch(versions, mood, progress=lambda *seen: told.append(seen))
    assert told == [("scores.csv", published.SIZE, published.SIZE)]


@pytest.mark.parametrize(
    ("variant", "words"), [("long", "choose one of words/mood:short"), ("none", "no variant 'none'")]
)
def test_what_is_not_published_is_not_fetched(versions, mood, variant, words):
    with pytest.raises(NotFoundError, match=words):
        fetch(versions, mood, variant)
    assert not versions.home.exists()


def test_what_is_shipped_is_never_taken_for_fetched(versions, mood, tmp_path):
    folder = fetch(versions, mood).folder
    shipped = Path(shutil.copytree(folder, tmp_path / "shipped"))
    updated = dataclasses.replace(mood, variants=(Variant(name="short", weights=shipped),))
    assert versions.current(updated).id == "shipped"
    assert [version.id for version in versions.list(updated)] == ["shipped"]
    with pytest.raises(NotFoundError, match="no version 'fetched'"):
        versions.get(updated, None, FETCHED)


# --- what is in use ---


def made(versions, spec, times):
    """A run whose version says everything so many times."""
    return samples.save_version(versions.home, spec, {"kernel": np.full((1, 1), times, np.float32)})


def test_it_is_promoted_over_and_rolled_back_to_like_a_shipped_one(versions, talk):
    fetch(versions, talk)
    first, second = made(versions, talk, 3), made(versions, talk, 4)
    for run in (first, second):
        versions.promote(talk, run)
    assert versions.history(talk.name, "parrot") == [FETCHED, first.id]
    assert versions.current(talk).id == second.id
    *trained, last = [version.id for version in versions.list(talk)]
    assert (set(trained), last) == ({first.id, second.id}, FETCHED)
    assert versions.rollback(talk).id == first.id
    assert versions.rollback(talk).id == FETCHED
    assert versions.current(talk).id == FETCHED
    assert json.loads(versions.pointer(talk.name, "parrot").read_text())["current"] is None


def test_one_that_comes_after_a_promotion_can_be_gone_back_to(versions, talk):
    run = made(versions, talk, 3)
    versions.promote(talk, run)
    fetch(versions, talk)
    assert versions.current(talk).id == run.id
    assert versions.rollback(talk).id == FETCHED


def test_a_training_begins_with_it(runs, spec, snapshot):
    def read(source, task, config, progress):
        return Fetched(model=resolve(spec.build)(config, task), task=task, config=config)

    config = config_of(spec, num_epochs=1, hidden_units=(8,), learning_rate=0.01)
    weights_elsewhere = PublishedWeights(read=read, source="elsewhere", size=1, licence="MIT")
    spec = dataclasses.replace(spec, variants=(Variant(name="small", config=config, published=weights_elsewhere),))
    versions = VersionStore(runs.home)
    with pytest.raises(NotFoundError, match="layerwise fetch toy/bars:small"):
        find_start(versions, spec, None, IN_USE)
    version = fetch(versions, spec)
    assert find_start(versions, spec, None, IN_USE) == find_start(versions, spec, None, FETCHED) == version
    run = runs.create(spec, None, config, start_from=FETCHED)
    context = Context(run=run, spec=spec, task=spec.task, config=config, snapshot=snapshot)
    assert context.start_from() == version
    fit(context)
    made = versions.get(spec, None, run.id)
    assert made.record["start_from"] == FETCHED
    assert made.record["command"].endswith("--from fetched")
    before, after = read_arrays(version.folder), read_arrays(made.folder)
    assert before.keys() == after.keys()
    assert all(0 < np.abs(before[name] - after[name]).max() < 0.5 for name in before), "it goes on where that ended"


# --- answering ---


@pytest.fixture
def predictor(versions, specs):
    opened = Predictor(samples.shelf(*specs.values()), versions)
    yield opened
    opened.close()


def test_it_answers_as_soon_as_it_is_there(predictor, versions, specs):
    for reference in ("words/mood", "words/talk"):
        with pytest.raises(NotFoundError):
            predictor.predict(reference, "good")
    for spec in specs.values():
        fetch(versions, spec)
    assert predictor.predict("words/mood", "good")["mood"]["for"] == pytest.approx(1 / (1 + np.exp(-3.75)))
    assert predictor.predict("words/talk", "good") == {"reply": "good good"}
    assert predictor.version("words/talk").id == FETCHED
    assert predictor.warnings("words/mood") == ()


def test_others_in_its_place_are_noticed_at_the_next_request(predictor, versions, talk, shelf):
    for times in (1, 3):
        (shelf / "times.txt").write_text(str(times))
        fetch(versions, talk, source=str(shelf))
        assert predictor.predict("words/talk", "so") == {"reply": " ".join(["so"] * times)}
    versions.promote(talk, made(versions, talk, 4))
    assert predictor.predict("words/talk", "so") == {"reply": "so so so so"}
    versions.rollback(talk)
    assert predictor.predict("words/talk", "so") == {"reply": "so so so"}


def test_one_that_is_damaged_answers_no_more_until_it_is_fetched_again(predictor, versions, talk):
    run = made(versions, talk, 4)
    version = fetch(versions, talk)
    assert predictor.predict("words/talk", "so") == {"reply": "so so"}
    versions.promote(talk, run)
    assert predictor.predict("words/talk", "so") == {"reply": "so so so so"}
    (version.folder / RECORD_FILE).write_text("{")
    assert [found.id for found in versions.list(talk)] == [run.id]
    # Straight to it, as somebody does who deletes the pointer.
    versions.pointer(talk.name, "parrot").unlink()
    assert predictor.predict("words/talk", "so") == {"reply": "so so so so"}
    assert "goes on serving" in predictor.warnings("words/talk")[0]
    fetch(versions, talk)
    assert predictor.predict("words/talk", "so") == {"reply": "so so"}


# --- whole or not at all ---


def test_the_next_time_takes_the_place_of_the_last(versions, mood, shelf):
    first = fetch(versions, mood)
    (first.folder.parent / ".temporary-0123abcd").mkdir()  # of a process that was killed
    (shelf / "scores.csv").write_text("word,against,for\nnice,-1,1\n")
    second = fetch(versions, mood, source=str(shelf))
    assert versions.current(mood) == second != first
    assert second.task.words.content == "nice\n"
    assert second.record["source"] == str(shelf)
    weights_file = weights.weights_file(second.record["sha256"])
    assert kept(versions) == [f"words/mood/short/2/{name}" for name in ("version.json", weights_file, "words.txt")]
    assert [path.name for path in second.folder.parent.iterdir()] == ["2"]


def refusing(source, task, config, progress):
    raise DataError("The hub has closed", remedy="come back on Monday")


def unreachable(source, task, config, progress):
    raise ConnectionError("no route to host\nand a second line")


def on_a_full_disk(source, task, config, progress):
    raise OSError(errno.ENOSPC, "No space left on device")


def mistaken(source, task, config, progress):
    return {}["weights"]


def odd(source, task, config, progress):
    return task


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("read", "kind", "words"),
    [
        (refusing, DataError, "The hub has closed. What to do: come back on Monday."),
        (unreachable, WeightsError, "cannot be had from .*shelf. Received: no route to host. .*--from"),
        (on_a_full_disk, WeightsError, "Received: a full disk. What to do: make room."),
        (mistaken, LayerwiseError, "mistake in its code. Received: KeyError"),
        (odd, SpecError, "Expected: a layerwise.fetching.Fetched. Received: Mood"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_goes_wrong_is_a_sentence_and_leaves_what_was_there(versions, mood, read, kind, words, is_first):
    former = None if is_first else fetch(versions, mood)
    before = kept(versions)
    with pytest.raises(kind, match=words):
        fetch(versions, with_reader(mood, read))
    assert kept(versions) == before
    assert versions.list(mood) == ([former] if former else [])


@pytest.mark.parametrize("moment", ["weights-", "words.txt", RECORD_FILE])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_an_end_at_any_moment_of_writing_leaves_what_was_there(versions, mood, shelf, monkeypatch, moment, error):
    former = fetch(versions, mood)
    before = kept(versions)
    (shelf / "scores.csv").write_text("word,against,for\nnice,-1,1\n")
    real = weights.write_atomically

    def end(path, data):
        if path.name.startswith(moment):
            raise error
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(weights, "write_atomically", end)
        with pytest.raises(WeightsError if isinstance(error, OSError) else KeyboardInterrupt) as raised:
            fetch(versions, mood, source=str(shelf))
    assert isinstance(error, KeyboardInterrupt) or "a full disk" in str(raised.value)
    assert kept(versions) == before
    assert [path.name for path in former.folder.parent.iterdir()] == ["1"]
    assert versions.current(mood) == former
    assert fetch(versions, mood, source=str(shelf)).task.words.content == "nice\n"


def test_a_home_that_cannot_be_written_to_is_said(versions, mood):
    versions.home.write_text("no folder")
    with pytest.raises(WeightsError, match=r"cannot be written to .*fetched"):
        fetch(versions, mood)


ASKING = """
import sys
from pathlib import Path
from layerwise.fetching import fetch
from layerwise.versions import VersionStore
from layerwise_published import layerwise_models

home, source = sys.argv[1:]
look = VersionStore.last_fetched

def told(*arguments):
    found = look(*arguments)
    print("asking", flush=True)
    return found

VersionStore.last_fetched = told
print(fetch(VersionStore(Path(home)), layerwise_models()[0], source=source).folder, flush=True)
"""


@pytest.mark.slow
def test_two_processes_that_ask_at_the_same_time_fetch_once(versions, mood, shelf):
    (shelf / "wait").touch()
    words = [sys.executable, "-c", ASKING, str(versions.home), str(shelf)]
    path = os.pathsep.join(filter(None, (str(PLUGIN), os.environ.get("PYTHONPATH"))))
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
        for _ in range(2)
    ]
    try:
        for process in both:
            assert process.stdout.readline() == "asking\n"  # and it has seen that nothing is there
        (shelf / "wait").unlink()
        folders = [process.communicate(timeout=120)[0].splitlines()[-1] for process in both]
    finally:
        for process in both:
            process.kill()
    assert folders == [str(versions.last_fetched(mood.name, "short"))] * 2
    assert versions.current(mood).folder.name == "1"


def test_who_wants_them_from_elsewhere_does_not_get_what_another_one_fetched(versions, mood, shelf, monkeypatch):
    (shelf / "wait").touch()
    begun, found, looked = threading.Event(), [], threading.Event()
    look = VersionStore.last_fetched

    def told(*arguments):
        last = look(*arguments)
        looked.set()
        return last

    first = threading.Thread(target=lambda: fetch(versions, mood, None, str(shelf), lambda *_: begun.set()))
    first.start()
    assert begun.wait(60)
    monkeypatch.setattr(VersionStore, "last_fetched", told)
    second = threading.Thread(target=lambda: found.append(fetch(versions, mood)))
    second.start()
    assert looked.wait(60), "and it has seen that nothing is there"
    (shelf / "wait").unlink()
    for thread in (first, second):
        thread.join(60)
    assert found[0].record["source"] == mood.variants[0].published.source
    assert versions.current(mood) == found[0]


# --- what plugins say ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"read": "nowhere"}, "read is not usable"),
        ({"source": ""}, "source is missing"),
        ({"licence": None}, "licence is missing"),
        ({"size": 0}, "a number of bytes"),
        ({"size": "3 MB"}, "a number of bytes"),
    ],
)
def test_what_is_said_of_published_weights_is_checked(changes, words):
    usual = {"read": "json:loads", "source": "hub/network", "size": 3, "licence": "MIT"}
    assert PublishedWeights(**usual).size == 3
    with pytest.raises(SpecError, match=words):
        PublishedWeights(**{**usual, **changes})


def test_a_variant_has_one_sort_of_weights(mood, tmp_path):
    with pytest.raises(SpecError, match="either weights or published"):
        Variant(name="both", weights=tmp_path, published=mood.variants[0].published)
    with pytest.raises(SpecError, match="Expected: PublishedWeights"):
        Variant(name="odd", published="hub/network")
