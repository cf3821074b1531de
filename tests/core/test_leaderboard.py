"""Leaderboards: the same examples for all, ranked, tested in pairs, and kept by a process of its own."""

import csv
import dataclasses
import io
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import sample_models as samples
from filelock import FileLock
from PIL import Image
from plugins_sample.samples import install
from scipy import stats

from layerwise import DatasetSpec, Source, jobs, open_workspace
from layerwise.comparing import leaderboards
from layerwise.comparing.benchmark import Benchmark, find_benchmark
from layerwise.comparing.leaderboard_tables import as_markdown, cost_plots, safe_cell, write_csv, write_pairs_csv
from layerwise.comparing.leaderboards import LeaderboardStore
from layerwise.datasets.uploads import UploadStore
from layerwise.errors import DataError, InputError, NotFoundError, RunError
from layerwise.leaderboard import assemble, leaderboard, pareto_front
from layerwise.predictor import Predictor
from layerwise.runner import Runner
from layerwise.splits import Split
from layerwise.tasks import ImageClassification
from layerwise.tasks.labels import places_of
from layerwise.versions import VersionStore

CENTROIDS = np.array([[0, 0, 1, 1], [1, 2, 0, 0], [3, 1, 2, 0]], np.float32)
SHIFT = np.array([0.6, -0.6, 0, 0], np.float32)


@dataclass(frozen=True)
class Registered(samples.Shelf):
    """A shelf with data sets of its own."""

    datasets: dict = field(default_factory=lambda: {"grades": samples.GRADES})

    def dataset(self, name):
        return self.datasets[name]


class Brightness(Runner):
    """Dark or bright, by the mean of the pixels of what the task gives; the threshold is in the code."""

    def __init__(self, version):
        self.labels = [label.casefold() for label in version.task.labels]

    def run(self, inputs, session, cancelled):
        raise NotImplementedError

    def outputs(self, batch):
        bright = np.asarray(batch, float).mean(axis=(1, 2, 3)) / 255 - 0.5
        columns = {"dark": -bright, "bright": bright}
        return np.stack([columns.get(label, np.full(len(bright), -9.0)) for label in self.labels], axis=1)


def shade(name, labels, size, channels=1, data=None):
    task = ImageClassification(labels=labels, size=size, channels=channels)
    return samples.spec_of(name, task=task, runner=Brightness, data=data)


SMALL = shade("shade/small", ("dark", "bright"), (8, 8))
OTHER = shade("shade/other", ("Bright", "Grey", "DARK"), (5, 5), channels=3)
STRANGE = shade("shade/strange", ("cat", "dog"), (8, 8))


def shaded(level, side):
    """A picture of that mean brightness, not of a single colour."""
    rows = np.where(np.arange(side) % 2, level + 5, level - 5)
    return np.repeat(rows[:, None], side, axis=1).astype(np.uint8)


def shades(files):
    levels = np.random.default_rng(3).permutation(np.arange(10, 250, 6))
    pictures = np.stack([shaded(level, 8) for level in levels])[..., None]
    targets = (levels > 127).astype(np.int32)
    return {"train": Split(pictures[:20], targets[:20]), "test": Split(pictures[20:], targets[20:])}


SHADES = DatasetSpec(
    name="shades", title="Shades", sources=(Source(name="made", read="test_leaderboard:shades", licence="CC0-1.0"),)
)


@pytest.fixture
def make_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")
    opened = []

    def make(*specs, datasets=None):
        registry = Registered({spec.name: spec for spec in specs}, datasets or {"grades": samples.GRADES})
        versions = VersionStore(tmp_path)
        opened.append(Predictor(registry, versions))
        return SimpleNamespace(
            home=tmp_path, registry=registry, versions=versions, uploads=UploadStore(tmp_path), predictor=opened[-1]
        )

    yield make
    for predictor in opened:
        predictor.close()


@pytest.fixture
def graders(tmp_path, make_workspace):
    """A workspace with three versions of a model that is not Keras, and their names, not the best first."""
    runs = [
        samples.save_version(tmp_path, samples.NUMPY, {"centroids": CENTROIDS + shift * SHIFT}, num_parameters=size)
        for shift, size in ((1.0, 30), (0.0, 20), (0.2, 10))
    ]
    return make_workspace(samples.NUMPY), [f"sample/centroids@{run.id}" for run in runs]


def hits_of(shift):
    inputs, targets = samples.examples(600, seed=11)
    return ((inputs[:, None] - CENTROIDS - shift * SHIFT) ** 2).sum(axis=2).argmin(axis=1) == targets


def test_models_are_ranked_and_every_two_of_them_tested(graders):
    workspace, names = graders
    board = leaderboard(workspace, names)
    assert (board["data"], board["split"], board["count"]) == ("grades", "test", 600)
    hits = {name: hits_of(shift) for name, shift in zip(names, (1.0, 0.0, 0.2), strict=True)}
    ranked = sorted(names, key=lambda name: -hits[name].mean())
    full = {name: name.replace("sample/centroids@", "sample/centroids:default@") for name in names}
    assert [item["reference"] for item in board["models"]] == [full[name] for name in ranked]
    for item, name in zip(board["models"], ranked, strict=True):
        assert item["metrics"]["accuracy"] == pytest.approx(hits[name].mean())
        low, high = item["interval"]["accuracy"]
        assert low < item["metrics"]["accuracy"] < high
        assert item["seconds"] > 0
        assert item["weights_bytes"] > 0
        assert "resampled" not in item
    assert [(pair["one"], pair["other"]) for pair in board["pairs"]] == [
        (full[ranked[one]], full[ranked[other]]) for one, other in ((0, 1), (0, 2), (1, 2))
    ]
    assert all(pair["test"] == "bootstrap" for pair in board["pairs"]), "this task does not say what is right"
    assert [pair["difference"] for pair in board["pairs"]] == pytest.approx(
        [hits[ranked[one]].mean() - hits[ranked[other]].mean() for one, other in ((0, 1), (0, 2), (1, 2))]
    )
    worst = next(pair for pair in board["pairs"] if (pair["one"], pair["other"]) == (full[ranked[0]], full[ranked[2]]))
    assert worst["is_beyond_chance"]
    assert worst["low"] > 0
    assert max(pair["p"] for pair in board["pairs"]) <= max(pair["adjusted_p"] for pair in board["pairs"])


def test_accuracies_are_tested_by_mcnemars_exact_test(graders, monkeypatch):
    monkeypatch.setattr(samples.Grading, "hits", lambda _, outputs, targets: outputs.argmax(axis=1) == targets)
    workspace, names = graders
    board = leaderboard(workspace, names[:2])
    (pair,) = board["pairs"]
    good, bad = hits_of(0.0), hits_of(1.0)
    assert pair["test"] == "McNemar"
    assert (pair["only_one"], pair["only_other"]) == (int((good & ~bad).sum()), int((bad & ~good).sum()))
    tail = stats.binom.cdf(pair["only_other"], pair["only_one"] + pair["only_other"], 0.5)
    assert pair["p"] == pair["adjusted_p"] == pytest.approx(2 * tail)


def test_another_metric_and_a_part_of_the_examples(graders):
    workspace, names = graders
    board = leaderboard(workspace, names, metric="mean_margin", limit=100)
    assert (board["count"], board["metric"], board["direction"]) == (100, "mean_margin", "max")
    margins = [item["metrics"]["mean_margin"] for item in board["models"]]
    assert margins == sorted(margins, reverse=True)
    again = leaderboard(workspace, names, metric="mean_margin", limit=100)
    assert [item["metrics"] for item in again["models"]] == [item["metrics"] for item in board["models"]]
    missing = leaderboard(workspace, names, metric="bleu", limit=50)
    assert all("no metric 'bleu'" in item["error"] for item in missing["models"])
    assert missing["pairs"] == []


def test_one_that_cannot_be_measured_stops_no_other(graders, tmp_path):
    workspace, names = graders
    broken = samples.save_version(tmp_path, samples.NUMPY, {"others": CENTROIDS})
    board = leaderboard(workspace, [names[0], f"sample/centroids@{broken.id}", names[1]])
    assert [item.get("place") for item in board["models"]] == [1, 2, None]
    assert "could not be loaded" in board["models"][2]["error"]
    assert len(board["pairs"]) == 1


@pytest.mark.parametrize("size", [1, 0])
def test_a_leaderboard_of_too_few_examples_is_refused(graders, size):
    with pytest.raises(InputError, match="2 or more"):
        leaderboard(graders[0], graders[1], limit=size)


def test_a_split_that_is_not_the_same_for_all_is_refused(graders):
    board = leaderboard(graders[0], graders[1][:2], split="validation")
    assert all("no split 'validation' that is the same for all models" in item["error"] for item in board["models"])


@pytest.fixture
def pictures(tmp_path):
    """A folder of dark and bright pictures, told apart by the mean of their pixels."""
    folder = tmp_path / "shades"
    for label, levels in (("dark", range(10, 70, 4)), ("bright", range(180, 240, 4))):
        (folder / "test" / label).mkdir(parents=True)
        (folder / "train" / label).mkdir(parents=True)
        for level in levels:
            for part in ("train", "test"):
                picture = Image.fromarray(shaded(level + (part == "test"), 12))
                picture.save(folder / part / label / f"{level}.png")
    return folder


def test_labels_in_another_order_and_with_capitals_are_matched_by_name(make_workspace, pictures):
    workspace = make_workspace(SMALL, OTHER)
    board = leaderboard(workspace, ["shade/small", "shade/other"], data=pictures)
    assert [item.get("error") for item in board["models"]] == [None, None]
    assert [item["metrics"]["accuracy"] for item in board["models"]] == [1.0, 1.0]
    assert (board["count"], board["pairs"][0]["test"], board["pairs"][0]["p"]) == (30, "McNemar", 1.0)


def test_labels_that_a_model_does_not_know_are_said_in_a_sentence(make_workspace, pictures):
    workspace = make_workspace(SMALL, STRANGE, OTHER)
    board = leaderboard(workspace, ["shade/strange", "shade/small", "shade/other"], data=pictures)
    assert [item["reference"] for item in board["models"] if "place" in item] == [
        "shade/small:default@code",
        "shade/other:default@code",
    ]
    assert "labels that the model does not know" in board["models"][2]["error"]


def test_pictures_of_a_data_set_are_framed_for_a_model_that_takes_others(make_workspace, tmp_path):
    owner = dataclasses.replace(SMALL, data="shades")
    workspace = make_workspace(owner, OTHER, datasets={"shades": SHADES})
    samples.promoted(tmp_path, owner, {"nothing": np.zeros(1)})
    board = leaderboard(workspace, ["shade/other", "shade/small"])
    assert board["data"] == "shades", "the one that has data says on which all are measured"
    assert [item["metrics"]["accuracy"] for item in board["models"]] == [1.0, 1.0]
    assert board["count"] == 20


def test_models_of_different_data_are_refused_until_the_data_are_named(make_workspace, tmp_path):
    one, other = dataclasses.replace(SMALL, data="shades"), dataclasses.replace(OTHER, data="grades")
    workspace = make_workspace(one, other, datasets={"shades": SHADES, "grades": samples.GRADES})
    for spec in (one, other):
        samples.promoted(tmp_path, spec, {"nothing": np.zeros(1)})
    with pytest.raises(DataError, match=r"different data.*shades.*grades.*--data FOLDER"):
        leaderboard(workspace, ["shade/small", "shade/other"])
    assert leaderboard(workspace, ["shade/small", "shade/other"], data="shades")["count"] == 20
    with pytest.raises(DataError, match="no data set"):
        leaderboard(make_workspace(SMALL, STRANGE), ["shade/small", "shade/strange"])


def test_what_was_measured_on_other_examples_is_not_compared():
    measured = [
        {"reference": name, "examples": examples, "metrics": {"accuracy": 0.5}, "interval": {}, "resampled": {}}
        | {"hits": "10", "seconds": 0.1, "num_parameters": None, "weights_bytes": None, "where": "CPU"}
        | {"split": "test", "count": 2}
        for name, examples in (("a/a:a@a", "x"), ("a/b:b@b", "y"), ("a/c:c@c", "x"))
    ]
    board = assemble(Benchmark(dataset="d"), "accuracy", measured)
    assert [item.get("place") for item in board["models"]] == [1, 2, None]
    assert "other examples than a/a:a@a" in board["models"][2]["error"]
    assert len(board["pairs"]) == 1


def test_the_front_is_that_of_a_brute_force():
    random = np.random.default_rng(0)
    points = [(float(cost), float(quality)) for cost, quality in random.integers(0, 6, (40, 2))]
    for point, is_on in zip(points, pareto_front(points), strict=True):
        better = [other for other in points if other != point and other[0] <= point[0] and other[1] >= point[1]]
        assert is_on is not bool(better)
    assert pareto_front([]) == []


def test_a_front_of_errors_is_one_of_small_numbers():
    measured = [
        {"reference": f"a/a:v@{name}", "examples": "x", "metrics": {"rmse": error}, "interval": {}, "resampled": {}}
        | {"hits": None, "seconds": cost, "num_parameters": 10, "weights_bytes": 4, "where": "CPU"}
        | {"split": "test", "count": 2}
        for name, error, cost in (("good", 0.5, 0.2), ("quick", 0.9, 0.1), ("bad", 1.0, 0.3))
    ]
    board = assemble(Benchmark(dataset="d"), "", measured)
    assert (board["metric"], board["direction"]) == ("rmse", "min")
    assert [(item["reference"][-4:], "seconds" in item["fronts"]) for item in board["models"]] == [
        ("good", True),
        ("uick", True),
        ("@bad", False),
    ]
    plot = cost_plots(board)[0]
    front, *dots = plot.lines
    assert front.x.tolist() == [100.0, 200.0]
    assert front.y.tolist() == [0.9, 0.5]
    assert [dot.label for dot in dots] == ["a/a:v@good (front)", "a/a:v@quick (front)", "a/a:v@bad"]
    low, high = plot.x_range
    assert (low, high) == (pytest.approx(50.0), pytest.approx(500.0))


def test_tables_hold_numbers_and_no_formulas(graders):
    workspace, names = graders
    board = leaderboard(workspace, names, limit=200)
    board["models"].append({"reference": "a/b:c@d", "error": "=HYPERLINK(1)|<b>\nbad"})
    board["data"] = "@SUM(1)"
    file = io.StringIO(newline="")
    write_csv(board, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [row["place"] for row in rows] == ["1", "2", "3", ""]
    assert float(rows[0]["accuracy"]) == board["models"][0]["metrics"]["accuracy"]
    assert float(rows[0]["accuracy_low"]) < float(rows[0]["accuracy"])
    assert rows[0]["data"] == "'@SUM(1)"
    assert rows[3]["error"].startswith("'=HYPERLINK")
    pairs = io.StringIO(newline="")
    write_pairs_csv(board, pairs)
    assert [float(row["p"]) for row in csv.DictReader(io.StringIO(pairs.getvalue()))] == [
        pair["p"] for pair in board["pairs"]
    ]
    text = as_markdown(board)
    assert "=HYPERLINK(1)\\|&lt;b> bad" in text
    lengths = {line.count(" | ") for line in text.splitlines() if line.startswith("| 1")}
    assert lengths == {6}
    assert "a paired bootstrap" in text


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_text(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(-1.5) == -1.5
    assert safe_cell("fine") == "fine"


def test_labels_are_the_same_in_capitals_unless_a_model_tells_them_apart():
    assert places_of(("Ankle boot", "T-shirt"), ("t shirt", "ankle_boot"), "d") == [1, 0]
    assert places_of(("US",), ("us", "US"), "d") == [1]
    with pytest.raises(DataError, match="Us"):
        places_of(("Us",), ("us", "US"), "d")


def test_a_limit_draws_from_all_classes_of_a_folder(make_workspace, pictures):
    board = leaderboard(make_workspace(SMALL, OTHER), ["shade/small", "shade/other"], data=pictures, limit=10)
    # Were these the first ten, macro F1 would be that of one class.
    assert board["count"] == 10
    workspace = make_workspace(SMALL, OTHER)
    versions = [workspace.predictor.version(name) for name in ("shade/small", "shade/other")]
    from layerwise.comparing.benchmark import examples_for

    benchmark = find_benchmark(workspace, versions, pictures, limit=10)
    targets = [np.asarray(examples_for(workspace.registry, version, benchmark)[1].targets) for version in versions]
    assert set(targets[0]) == {0, 1}
    assert [SMALL.task.labels[place] for place in targets[0]] == [
        OTHER.task.labels[place].lower() for place in targets[1]
    ]


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
    runs = [samples.save_version(home, samples.NUMPY, {"centroids": CENTROIDS + s * SHIFT}) for s in (0.0, 3.0)]
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
