"""Whether what is shipped still gives the figures in its record: right, wrong, stale, or without data."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sample_models as samples
from sample_models import shelf

from layerwise import DatasetSpec, File, Source, TrainingConfig, Variant, weights
from layerwise.context import train_command
from layerwise.errors import LayerwiseError, MissingDataError, NotFoundError, WeightsError
from layerwise.evaluation import evaluate_version
from layerwise.runner import Runner
from layerwise.splits import Split
from layerwise.verification import (
    COSTLY_SECONDS,
    NO_DATA,
    NOT_MEASURED,
    RIGHT,
    SAMPLE,
    STALE,
    WRONG,
    Scope,
    confirmed,
    cost,
    outdated,
    shipped_models,
    verify,
)
from layerwise.versions import VersionStore

CENTROIDS = {"centroids": samples.CENTROIDS}


def shipping(folder, *, name="sample/centroids", data="grades", variant=None, **more):
    """A spec whose weights are in `folder`."""
    variant = variant or Variant(name="default", weights=folder)
    return samples.spec_of(name, runner=more.pop("runner", samples.Centroids), data=data, variants=(variant,), **more)


def measured(folder, spec, snapshot, *, arrays=None):
    """Write the weights of a spec and their record, measured."""
    variant = spec.variant()
    record = {
        "name": spec.name,
        "variant": variant.name,
        "task": spec.task.parameters(),
        "config": dataclasses.asdict(variant.config),
        "data": {"dataset": spec.data, "folder": None, "source": "drawn", "validation_fraction": 0.1, "seed": 0},
        "command": train_command(spec, variant.name, variant.config),
    }
    weights.save_arrays(arrays or CENTROIDS, folder, record)
    write(folder, measured=evaluate_version(snapshot, version_of(spec, folder)))
    write(folder, measured=confirmed(snapshot, version_of(spec, folder)))


def version_of(spec, folder):
    return VersionStore(folder.parent).get(spec, None, "shipped")


def write(folder, **changes):
    """Change what the record says."""
    weights.write_record(folder, {**weights.read_record(folder), **changes})


def changed_figures(folder, **metrics):
    """Change figures in the record."""
    found = weights.read_record(folder)["measured"]
    write(folder, measured={**found, "metrics": {**found["metrics"], **metrics}})


def verdict_on(spec, snapshot, folder, **scope):
    (found,) = verify(snapshot, VersionStore(folder.parent), [(spec, spec.variant())], Scope(**scope))
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weights"


@pytest.fixture
def spec(folder):
    found = shipping(folder)
    measured(folder, found, shelf(found))
    return found


def test_a_figure_that_is_measured_again_is_right(spec, folder):
    inputs, targets = samples.examples(600, seed=11)
    distances = ((inputs[:, None] - CENTROIDS["centroids"][None]) ** 2).sum(axis=2)
    told = []
    models = [(spec, spec.variant())]
    (found,) = verify(shelf(spec), VersionStore(folder), models, progress=lambda *now: told.append(now))
    assert (found.state, found.reason, found.reference) == (RIGHT, "", "sample/centroids:default")
    assert (found.metric, found.examples) == ("accuracy", 600)
    assert found.measured == found.recorded == pytest.approx((distances.argmin(axis=1) == targets).mean())
    assert told == [
        ("sample/centroids:default", 256, 600),
        ("sample/centroids:default", 512, 600),
        ("sample/centroids:default", 600, 600),
    ]
    record = weights.read_record(folder)
    assert found.of == record["measured"]["of"]
    assert found.of["weights"] == record["sha256"]
    assert cost(version_of(spec, folder)) == record["measured"]["cpu_seconds"] < 60
    assert json.dumps(dataclasses.asdict(found))


def test_a_figure_beyond_the_tolerance_is_wrong(spec, folder):
    margin = weights.read_record(folder)["measured"]["metrics"]["mean_margin"]
    changed_figures(folder, mean_margin=margin * 1.0009)
    assert verdict_on(spec, shelf(spec), folder).state == RIGHT
    changed_figures(folder, mean_margin=margin * 1.0011)
    found = verdict_on(spec, shelf(spec), folder)
    assert found.state == WRONG
    assert found.reason == f"mean_margin is {margin:.6g} and not {margin * 1.0011:.6g}."
    assert found.measured == found.recorded, "the main figure is right"
    changed_figures(folder, mean_margin=margin, accuracy=0.9, no_such=1.0)
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, found.recorded) == (WRONG, 0.9)
    assert "accuracy is 0.9" in found.reason
    assert "no_such is nan and not 1" in found.reason


def test_an_interval_that_does_not_belong_to_its_figure_is_wrong(spec, folder):
    measured = weights.read_record(folder)["measured"]
    low, high = measured["interval"]["accuracy"]
    write(folder, measured={**measured, "interval": {**measured["interval"], "accuracy": [low + 0.01, high]}})
    assert "accuracy has the interval" in verdict_on(spec, shelf(spec), folder).reason
    write(folder, measured={**measured, "interval": {**measured["interval"], "mean_margin": [0.0, 0.1]}})
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, "mean_margin has the interval 0 to 0.1" in found.reason) == (WRONG, True)


def test_figures_of_other_weights_are_stale(spec, folder):
    record = weights.read_record(folder)
    better = {"centroids": CENTROIDS["centroids"] + np.float32(0.001)}
    weights.save_arrays(better, folder, record)
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, found.measured) == (STALE, None)
    assert found.reason == "It was measured with other weights than are there now."


def test_figures_of_another_task_or_config_are_stale(spec, folder):
    task = weights.read_record(folder)["task"]
    write(folder, task={**task, "labels": ["low", "middle", "top"]})
    found = verdict_on(spec, shelf(spec), folder)
    assert found.reason == "It was measured with another task or config than are there now."


def test_a_command_that_trains_something_else_today_is_stale(spec, folder):
    variant = Variant(name="default", weights=folder, config=TrainingConfig(learning_rate=0.5))
    other = replace(spec, variants=(variant,))
    found = verdict_on(other, shelf(other), folder)
    assert found.state == STALE
    assert "--learning-rate 0.001" in found.reason
    # What only the machine decides is no other config.
    auto = replace(spec, variants=(replace(variant, config=TrainingConfig(precision="mixed_bfloat16")),))
    assert verdict_on(auto, shelf(auto), folder).state == RIGHT
    write(folder, command="layerwise train sample/centroids:default --data photos")
    assert outdated(shelf(spec), spec, version_of(spec, folder)) == "", "the user's own data are no part of the config"
    write(folder, command="python convert.py")
    assert outdated(shelf(spec), spec, version_of(spec, folder)) == "", "weights of others are trained by no command"


def test_figures_of_other_examples_are_stale(spec, folder, monkeypatch):
    monkeypatch.setattr(
        samples,
        "read_grades",
        lambda files: {"train": Split(*samples.examples(500, seed=10)), "test": Split(*samples.examples(600, seed=12))},
    )
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, found.measured is not None) == (STALE, True)
    assert "600 other examples than the 600" in found.reason


def test_figures_of_another_data_set_are_stale(spec, folder):
    other = replace(spec, data="marks")
    found = verdict_on(other, shelf(other), folder)
    assert (found.state, "the data set grades; the model's is marks now" in found.reason) == (STALE, True)


def files_of(folder, *contents):
    """A data set in a file of its own for each of some contents."""
    files = [
        File(name=f"{number}.csv", url="", sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for number, content in enumerate(contents)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in zip(files, contents, strict=True):
        (folder / file.name).write_bytes(content)
    source = Source(name="drawn", read="sample_models:read_grades", licence="CC0-1.0", files=tuple(files))
    return DatasetSpec(name="marks", title="Marks", sources=(source,))


def test_what_is_known_without_data_and_what_is_not(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "data"))
    spec = shipping(folder, data="marks")
    marks = files_of(tmp_path / "data" / "marks", b"1,2")
    measured(folder, spec, shelf(spec, datasets=[marks]))
    assert verdict_on(spec, shelf(spec, datasets=[marks]), folder).state == RIGHT
    (tmp_path / "data" / "marks" / "0.csv").unlink()
    found = verdict_on(spec, shelf(spec, datasets=[marks]), folder)
    assert (found.state, found.recorded is not None, found.measured) == (NO_DATA, True, None)
    assert "the network was not to be used" in found.reason
    found = verdict_on(spec, shelf(spec, datasets=[marks]), folder, download=True)
    assert (found.state, "has no 0.csv" in found.reason) == (NO_DATA, True)
    assert "not to be used" not in found.reason
    with pytest.raises(MissingDataError):
        confirmed(shelf(spec, datasets=[marks]), version_of(spec, folder))
    others = files_of(tmp_path / "elsewhere", b"1,3")
    found = verdict_on(spec, shelf(spec, datasets=[others]), folder)
    assert found.reason == "It was measured with other files of its data set than are there now."
    renamed = replace(marks, sources=(replace(marks.sources[0], name="mirror"),))
    found = verdict_on(spec, shelf(spec, datasets=[renamed]), folder)
    assert found.state == NO_DATA, "another source gives the same examples"
    (tmp_path / "data" / "marks" / "0.csv").write_bytes(b"1,4")
    found = verdict_on(spec, shelf(spec, datasets=[marks]), folder)
    assert (found.state, "is not the file it should be" in found.reason) == (NO_DATA, True)


def test_what_takes_long_is_measured_for_those_who_ask(spec, folder):
    write(folder, measured={**weights.read_record(folder)["measured"], "cpu_seconds": COSTLY_SECONDS + 1})
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, found.measured) == (NOT_MEASURED, None)
    assert found.reason.endswith("61 s of a processor: layerwise verify sample/centroids:default --all")
    assert verdict_on(spec, shelf(spec), folder, costly=True).state == RIGHT


def test_a_sample_is_judged_by_the_interval_of_what_it_gives(spec, folder):
    found = verdict_on(spec, shelf(spec), folder, quick=True)
    assert (found.state, found.examples, found.metric) == (RIGHT, SAMPLE, "accuracy")
    changed_figures(folder, accuracy=0.8)
    found = verdict_on(spec, shelf(spec), folder, quick=True)
    assert found.state == WRONG
    assert "on 200 examples, whose 99.9% interval" in found.reason


def test_a_sample_is_judged_also_by_what_is_no_share(folder, monkeypatch):
    def margin_first(task, outputs, targets):
        return {"mean_margin": float(np.ptp(outputs, axis=1).mean())}

    monkeypatch.setattr(samples.Grading, "evaluate", margin_first)
    spec = shipping(folder)
    measured(folder, spec, shelf(spec))
    assert verdict_on(spec, shelf(spec), folder, quick=True).state == RIGHT
    value = weights.read_record(folder)["measured"]["metrics"]["mean_margin"]
    changed_figures(folder, mean_margin=value * 1.5)
    assert verdict_on(spec, shelf(spec), folder, quick=True).state == WRONG


def test_weights_that_cannot_be_used_are_wrong_and_the_others_go_on(spec, folder, tmp_path):
    class Broken(samples.Centroids):
        def outputs(self, batch):
            raise ZeroDivisionError("a mistake of the plugin")

    broken = shipping(folder, runner=Broken)
    other = shipping(tmp_path / "other", name="sample/other")
    measured(tmp_path / "other", other, shelf(other))
    path = next((tmp_path / "other").glob("weights-*"))
    snapshot, store = shelf(broken, other), VersionStore(tmp_path)
    first, second = verify(snapshot, store, shipped_models(snapshot))
    assert (first.state, "a mistake in its code" in first.reason, second.state) == (WRONG, True, RIGHT)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    snapshot = shelf(other, spec)
    first, second = verify(snapshot, store, shipped_models(snapshot))
    assert (first.state, "checksum" in first.reason, second.state) == (WRONG, True, RIGHT)
    path.unlink()
    with pytest.raises(WeightsError):
        weights.read_arrays(tmp_path / "other")
    assert next(verify(snapshot, store, shipped_models(snapshot))).state == WRONG


def test_ctrl_c_is_left_to_whoever_asked(spec, folder):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(verify(shelf(spec), VersionStore(folder), [(spec, spec.variant())], progress=interrupt))


def test_a_record_without_figures_is_not_measured(spec, folder):
    write(folder, measured=None)
    found = verdict_on(spec, shelf(spec), folder)
    assert (found.state, found.recorded) == (NOT_MEASURED, None)
    assert "its card says" in found.reason


def test_a_record_that_does_not_say_what_its_figures_are_of_is_right_all_the_same(spec, folder):
    found = weights.read_record(folder)["measured"]
    write(folder, measured={name: value for name, value in found.items() if name not in ("of", "cpu_seconds")})
    assert verdict_on(spec, shelf(spec), folder).state == RIGHT
    assert cost(version_of(spec, folder)) == found["seconds"]


def test_only_right_figures_are_confirmed(spec, folder):
    snapshot = shelf(spec)
    changed_figures(folder, accuracy=0.5)
    with pytest.raises(LayerwiseError, match=r"is wrong. Received: accuracy is"):
        confirmed(snapshot, version_of(spec, folder))


@dataclass(frozen=True, kw_only=True)
class Throwing(samples.Grading):
    """Is measured on throws of its own."""

    type_name = "throwing"

    def own_splits(self):
        return {"test": Split(np.arange(100), np.zeros(100, "float32"))}

    def evaluate(self, outputs, targets):
        return {"mean_return": float(outputs.mean())}


class Throws(Runner):
    """Returns around a mean that is its weights."""

    def __init__(self, version):
        self.mean = float(weights.read_arrays(version.folder)["mean"][0])

    def run(self, inputs, session, cancelled):
        return {"grade": {}}

    def outputs(self, batch):
        return self.mean + np.random.default_rng(int(batch[0])).normal(0, 1, len(batch))


def test_what_was_played_is_right_where_the_intervals_meet(folder):
    spec = shipping(folder, data=None, task=Throwing(), runner=Throws)
    measured(folder, spec, shelf(spec), arrays={"mean": np.array([20.0])})
    found = weights.read_record(folder)["measured"]
    (low, high), value = found["interval"]["mean_return"], found["metrics"]["mean_return"]
    for shift, state in ((0.0, RIGHT), (0.9 * (high - low), RIGHT), (1.2 * (high - low), WRONG)):
        moved = {"metrics": {"mean_return": value + shift}, "interval": {"mean_return": [low + shift, high + shift]}}
        write(folder, measured={**found, **moved})
        assert verdict_on(spec, shelf(spec), folder).state == state


def test_models_are_named_as_everywhere(spec, tmp_path):
    two = [Variant(name=name, weights=tmp_path / name) for name in ("one", "two")]
    several = samples.spec_of("sample/several", data="grades", variants=(*two, Variant(name="none")))
    snapshot = shelf(spec, several)

    def names(*references):
        return [f"{found.name}:{variant.name}" for found, variant in shipped_models(snapshot, references)]

    assert names() == ["sample/centroids:default", "sample/several:one", "sample/several:two"]
    assert names("sample/several", "sample/several:two") == ["sample/several:one", "sample/several:two"]
    assert names("sample/several:two@shipped") == ["sample/several:two"]
    for reference in ("sample/several:none", "sample/several:one@20261129-0000"):
        with pytest.raises(NotFoundError, match="nothing that is shipped"):
            names(reference)
    with pytest.raises(NotFoundError):
        names("sample/nobody")
