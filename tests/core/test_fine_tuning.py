"""Trainings that begin with the weights of a version."""

import keras
import numpy as np
import pytest
from PIL import Image
from training_helpers import assert_same_bits, config_of

from layerwise import jobs
from layerwise.context import Context, train_command
from layerwise.errors import NotFoundError, RunError, WeightsError
from layerwise.fine_tuning import IN_USE, Freezer, find_start, usual_config
from layerwise.layers import heads
from layerwise.training import fit
from layerwise.versions import VersionStore
from layerwise.weights import read_arrays

SETTINGS = {"num_epochs": 4, "filters": 4, "hidden_units": (8,), "batch_size": 32, "learning_rate": 0.01}


def trained(runs, spec, snapshot, start=None, data=None, **changes):
    """A run that was trained in this process."""
    more = {"start_from": start.id} if start else {}
    run = runs.create(spec, None, config_of(spec, **{**SETTINGS, **changes}), data=data, **more)
    fit(Context.of(run, snapshot))
    return run


@pytest.fixture
def version(runs, spec, snapshot):
    """A version that tells bars across from bars down."""
    return VersionStore(runs.home).get(spec, None, trained(runs, spec, snapshot).id)


@pytest.fixture
def own(tmp_path, snapshot):
    """Bars in three classes: another task, which the features of the first one help with."""
    from layerwise_toy import bars

    pictures, targets = bars(120, seed=5)
    for index, (picture, target) in enumerate(zip(pictures[..., 0], targets, strict=True)):
        label = "flat" if target == 0 else ("left", "right")[int(picture[0].argmax() >= 4)]
        (tmp_path / "own" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "own" / label / f"{index}.png")
    return tmp_path / "own"


def test_only_the_new_head_learns_at_first(runs, spec, snapshot, version, own):
    run = trained(runs, spec, snapshot, version, own, num_epochs=1, frozen_epochs=1)
    before, after = read_arrays(version.folder), read_arrays(run.version_folder)
    head = {name for name in before if before[name].shape != after[name].shape}
    assert head
    changed = {name for name in before.keys() - head if not np.array_equal(before[name], after[name])}
    assert changed == set()  # the statistics of the normalisation neither


def test_then_all_layers_learn(runs, spec, snapshot, version, own):
    run = trained(runs, spec, snapshot, version, own, num_epochs=2, frozen_epochs=1)
    before, after = read_arrays(version.folder), read_arrays(run.version_folder)
    same = [name for name in before if np.array_equal(before[name], after[name])]
    assert same == []
    record = VersionStore(runs.home).get(spec, None, run.id).record
    assert record["start_from"] == version.id
    assert record["num_parameters"] == sum(after[name].size for name in after if "moving" not in name)
    assert f"--from {version.id}" in record["command"]


def test_it_begins_where_the_version_ended(runs, spec, snapshot, version):
    ended = version.metrics["loss"]
    again = trained(runs, spec, snapshot, version, num_epochs=1)
    anew = trained(runs, spec, snapshot, num_epochs=1)
    first, fresh = (run.history()[0]["loss"] for run in (again, anew))
    assert first < 2 * ended < fresh


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_stop_in_either_phase_changes_not_a_bit(runs, spec, snapshot, version, own, monkeypatch, epoch):
    changes = {"frozen_epochs": 2, "dropout": 0.2, "batch_size": 8}
    reference = trained(runs, spec, snapshot, version, own, **changes)
    with monkeypatch.context() as patch:
        patch.setattr(Context, "should_stop", lambda context: len(context.run.history()) == epoch - 1)
        run = trained(runs, spec, snapshot, version, own, **changes)
    assert run.state == "stopped"
    fit(Context.of(run, snapshot))
    assert_same_bits(run, reference)


def test_another_architecture_is_refused_with_a_sentence(runs, spec, snapshot, version):
    with pytest.raises(WeightsError, match="cannot begin with the weights of toy/bars"):
        trained(runs, spec, snapshot, version, hidden_units=(9,))


def test_the_usual_config_has_the_network_of_the_version(spec, version):
    usual = usual_config(spec.variant(), version)
    assert (usual.filters, usual.hidden_units) == (4, (8,))
    assert usual.learning_rate == spec.variant().config.learning_rate
    assert usual_config(spec.variant(), None) == spec.variant().config


def test_what_can_be_begun_with(runs, spec, version):
    versions = VersionStore(runs.home)
    versions.promote(spec, runs.get(version.id))
    assert find_start(versions, spec, None, IN_USE).id == version.id
    assert find_start(versions, spec, None, version.id).id == version.id
    assert find_start(versions, spec, None, "") is None
    with pytest.raises(NotFoundError):
        find_start(versions, spec, None, "never-trained")


def test_a_version_of_another_network_is_refused(runs, spec, snapshot, version):
    other = snapshot.model("vision/fashion")
    with pytest.raises(RunError, match="same network"):
        jobs.start(runs, other, start_from=version)


def test_the_recorded_command_names_the_version(spec):
    assert train_command(spec, "small", spec.variant().config, start_from="shipped").endswith("--from shipped")


def test_the_heads_of_a_network():
    inputs = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2, name="b")])
    x = keras.layers.Dense(4, name="stem")(inputs)
    model = keras.Model(inputs, {"a": keras.layers.ReLU()(keras.layers.Dense(2, name="a")(x)), "b": inner(x)})
    assert sorted(layer.name for layer in heads(model)) == ["a", "b"]


def test_what_never_learns_does_not_begin_to():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="fixed"), keras.layers.Dense(2, name="head")]
    )
    model.get_layer("fixed").trainable = False
    freezer = Freezer(model)
    for names in (["fixed"], ["head"], []):
        freezer.let_learn(names)
        assert not model.get_layer("fixed").trainable
    assert model.get_layer("head").trainable
