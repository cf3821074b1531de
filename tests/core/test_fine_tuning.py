"""Trainings that begin with the weights of a version."""

import random

import keras
import numpy as np
import pytest
from fresh_process import require, run_python
from PIL import Image
from training_helpers import assert_same_bits, config_of, finish

from layerwise import jobs
from layerwise.context import Context, num_trainable_parameters, train_command
from layerwise.errors import NotFoundError, RunError, WeightsError
from layerwise.fine_tuning import IN_USE, Freezer, add_lora, find_start, usual_config
from layerwise.layers import heads, leaves
from layerwise.specs import resolve
from layerwise.training import Supervised, fit
from layerwise.versions import VersionStore
from layerwise.weights import load_into, named_variables, read_arrays

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


@pytest.mark.parametrize("rank", [0, 2])
def test_only_the_new_head_learns_at_first(runs, spec, snapshot, version, own, rank):
    run = trained(runs, spec, snapshot, version, own, num_epochs=1, frozen_epochs=1, lora_rank=rank)
    before, after = read_arrays(version.folder), read_arrays(run.version_folder)
    head = {name for name in before if before[name].shape != after[name].shape}
    assert head
    changed = {name for name in before.keys() - head if not np.array_equal(before[name], after[name])}
    assert changed == set()  # the statistics of the normalisation neither


@pytest.mark.slow
def test_then_all_layers_learn(runs, spec, snapshot, version, own):
    run = trained(runs, spec, snapshot, version, own, num_epochs=2, frozen_epochs=1)
    before, after = read_arrays(version.folder), read_arrays(run.version_folder)
    same = [name for name in before if np.array_equal(before[name], after[name])]
    assert same == []
    record = VersionStore(runs.home).get(spec, None, run.id).record
    assert record["start_from"] == version.id
    assert record["num_parameters"] == sum(after[name].size for name in after if "moving" not in name)
    assert f"--from {version.id}" in record["command"]


@pytest.mark.slow
def test_it_begins_where_the_version_ended(runs, spec, snapshot, version):
    ended = version.metrics["loss"]
    again = trained(runs, spec, snapshot, version, num_epochs=1)
    anew = trained(runs, spec, snapshot, num_epochs=1)
    first, fresh = (run.history()[0]["loss"] for run in (again, anew))
    assert first < 2 * ended < fresh


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_stop_in_either_phase_changes_not_a_bit(runs, spec, snapshot, version, own, monkeypatch, epoch, rank):
    changes = {"frozen_epochs": 2, "dropout": 0.2, "batch_size": 8, "lora_rank": rank}
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


def test_a_training_of_its_own_begins_with_a_version_only_where_it_says_so(runs, spec, snapshot, version):
    with pytest.raises(RunError, match="a training of its own, which always begins with random weights"):
        jobs.start(runs, snapshot.model("rl/cartpole"), start_from=version)
    with pytest.raises(RunError, match="same network"):  # which is looked at after that
        jobs.start(runs, snapshot.model("rl/go"), start_from=version)


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


def dense_kernels(spec, version):
    """The names of those kernels of a version beside which LoRA can stand."""
    model = resolve(spec.build)(version.config, version.task)
    layers = keras.layers
    kernels = {id(layer.kernel) for layer in leaves(model) if isinstance(layer, layers.Dense | layers.EinsumDense)}
    return {name for name, variable in named_variables(model).items() if id(variable) in kernels}


def assert_changed_by_rank(rank, spec, begin, run):
    """Of the version that a training began with, only dense kernels have changed, each by a matrix of that rank."""
    before, after = read_arrays(begin.folder), read_arrays(run.version_folder)
    assert {name: array.dtype for name, array in after.items()} == {name: array.dtype for name, array in before.items()}
    kernels = dense_kernels(spec, begin)
    for name in kernels:
        sizes = np.linalg.svd((after[name] - before[name]).reshape(-1, after[name].shape[-1]), compute_uv=False)
        assert sizes[0] > 1e-2, name
        assert np.all(sizes[rank:] < 1e-5 * sizes[0]), name
    # Neither biases nor the statistics of the normalisation.
    assert [name for name in before.keys() - kernels if before[name].tobytes() != after[name].tobytes()] == []


@pytest.fixture
def swapped(tmp_path, snapshot):
    """The same task, but what runs across is called down, and the other way round."""
    from layerwise_toy import LABELS, bars

    pictures, targets = bars(160, seed=6)
    for index, (picture, target) in enumerate(zip(pictures[..., 0], targets, strict=True)):
        folder = tmp_path / "swapped" / LABELS[1 - target]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return tmp_path / "swapped"


@pytest.mark.slow
@pytest.mark.parametrize("network", [{}, {"heads": 2}], ids=["convolution", "attention"])
def test_lora_changes_dense_kernels_by_matrices_of_its_rank(runs, spec, snapshot, swapped, network):
    begin = VersionStore(runs.home).get(spec, None, trained(runs, spec, snapshot, **network).id)
    changes = {"lora_rank": 2, "num_epochs": 30, "learning_rate": 0.05, **network}
    run = trained(runs, spec, snapshot, begin, swapped, **changes)
    assert run.history()[0]["accuracy"] < 0.6
    assert run.history()[-1]["accuracy"] > 0.95
    assert len(dense_kernels(spec, begin)) == (9 if network else 2)
    assert_changed_by_rank(2, spec, begin, run)
    record = VersionStore(runs.home).get(spec, None, run.id).record
    assert record["num_parameters"] == begin.num_parameters
    assert "--lora-rank 2" in record["command"]


@pytest.mark.slow
def test_a_new_head_learns_as_a_whole_beside_lora(runs, spec, snapshot, version, own):
    config = config_of(spec, **SETTINGS, lora_rank=1, frozen_epochs=1)
    context = Context.of(runs.create(spec, None, config, data=own, start_from=version.id), snapshot)
    training = Supervised(context)
    training.fit()
    context.write_version()
    learning = [variable.path for variable in training.model.trainable_variables]
    assert learning == [f"dense_1/lora_kernel_{part}" for part in "ab"] + ["output/kernel", "output/bias"]
    record = VersionStore(runs.home).get(spec, None, context.run.id).record
    plain = resolve(spec.build)(config, context.task)
    assert record["num_parameters"] == num_trainable_parameters(plain)
    assert training.num_parameters == record["num_parameters"]


@pytest.fixture
def usual_precision():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("usual_precision")
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_the_version_of_lora_is_a_plain_one(runs, spec, snapshot, version, swapped, precision, tolerance):
    # Without validation the version is that of the last epoch.
    config = config_of(spec, **SETTINGS, lora_rank=2, precision=precision, validation_fraction=0.0)
    context = Context.of(runs.create(spec, None, config, data=swapped, start_from=version.id), snapshot)
    training = Supervised(context)
    training.fit()
    context.write_version()
    plain = resolve(spec.build)(config, context.task)
    load_into(plain, context.run.version_folder)
    pictures = np.random.default_rng(0).uniform(0, 255, (20, 8, 8, 1)).astype("float32")
    answers = [keras.ops.convert_to_numpy(model(pictures)) for model in (plain, training.model)]
    spread = np.abs(answers[1]).max()
    np.testing.assert_allclose(*answers, atol=tolerance * spread)
    # In 32 bits, whatever was computed with.
    stored, kept = read_arrays(context.run.version_folder), context.run.checkpoints.latest().arrays
    kernel, first, second = (
        next(array.astype("float64") for name, array in kept.items() if f"/dense{part}" in name)
        for part in ("/kernel", "/lora_kernel_a", "/lora_kernel_b")
    )
    (merged,) = [array for name, array in stored.items() if name.endswith("/dense/kernel")]
    np.testing.assert_allclose(merged, kernel + first @ second, atol=1e-6)


@pytest.mark.slow
def test_a_killed_training_with_lora_goes_on_to_the_same_weights(runs, spec, version, own, processes):
    changes = {"lora_rank": 2, "num_epochs": 300, "dropout": 0.2, "checkpoint_minutes": 0.0}
    config = config_of(spec, **{**SETTINGS, **changes})
    # One after the other: of two that wait for the device either may get it first.
    reference = jobs.start(runs, spec, config=config, data=own, start_from=version)
    finish(reference)
    run = jobs.start(runs, spec, config=config, data=own, start_from=version)
    started = jobs.follow(run, poll=0.01)
    next(event for event in started if event["event"] == "checkpoint" and event["epoch"] > 2)
    processes[-1].kill()
    processes[-1].wait()
    assert run.state == "failed"
    jobs.resume(run)
    assert [event["epoch"] for event in finish(run) if event["event"] == "started"][-1] > 2
    assert_same_bits(run, reference)


def test_lora_without_a_version_is_refused(runs, spec, snapshot):
    config = config_of(spec, **SETTINGS, lora_rank=2)
    with pytest.raises(RunError, match=r"--from in-use, or set lora_rank to 0"):
        jobs.start(runs, spec, config=config)
    assert runs.list() == []
    run = runs.create(spec, None, config)
    with pytest.raises(RunError, match=r"Expected: a version to begin with. Received: lora_rank 2"):
        fit(Context.of(run, snapshot))


@pytest.mark.slow
def test_lora_that_no_layer_takes_is_refused(runs, spec, snapshot, own):
    begin = VersionStore(runs.home).get(spec, None, trained(runs, spec, snapshot, hidden_units=()).id)
    with pytest.raises(RunError, match=r"No layer .* start anew: output.* set lora_rank to 0"):
        trained(runs, spec, snapshot, begin, own, hidden_units=(), lora_rank=2)


def stack():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, name="first"),
            keras.layers.Dense(4, name="second"),
            keras.layers.Dense(5, name="third"),
            keras.layers.Dense(5, name="fixed", trainable=False),
            keras.layers.Dense(5, name="bounded", kernel_constraint="non_neg"),
        ],
        name="stack",
    )
    for variable in model.variables:
        variable.assign(np.full(variable.shape, 0.25, "float32"))
    return model


def test_the_matrices_of_lora_follow_from_the_seed():
    found = []
    for python_seed, seed in ((0, 7), (1, 7), (1, 8)):
        random.seed(python_seed)
        model = stack()
        before = keras.ops.convert_to_numpy(model(np.ones((1, 4))))
        add_lora(model, 3, [], seed=seed)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(model(np.ones((1, 4)))), before)
        found.append([np.array(model.get_layer(name).lora_kernel_a) for name in ("first", "third")])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0][0] - found[0][1]).max() > 0.1
    assert np.abs(found[0][0] - found[2][0]).max() > 0.1


def test_only_what_can_takes_lora_and_nothing_else_learns():
    model = stack()
    add_lora(model, 1, ["third"], seed=0)
    expected = [f"stack/{name}/lora_kernel_{part}" for name in ("first", "second") for part in "ab"]
    expected += ["stack/third/kernel", "stack/third/bias"]
    freezer = Freezer(model)
    for names, learning in (([], expected), (["third"], expected[4:]), ([], expected)):
        freezer.let_learn(names)
        assert [variable.path for variable in model.trainable_variables] == learning


_PROBE = """
import os
from pathlib import Path
import keras
import numpy as np
from layerwise import engines
from layerwise.context import Context
from layerwise.hardware.distribution import replicas
from layerwise.fine_tuning import add_lora
from layerwise.registry import Registry
from layerwise.runs import Run
from layerwise.specs import resolve
from layerwise.training import Supervised
from layerwise.weights import arrays_of, assign, by_name, load_into

class OnTwo(Context):
    def scope(self):
        return replicas(["cpu:0", "cpu:1"])

backend, run = keras.backend.backend(), Run(Path(os.environ["RUN"]))
if backend == "tensorflow":
    import tensorflow as tf
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
context = (Context if os.environ["DEVICES"] == "1" else OnTwo).of(run, Registry(run.folder.parent.parent).snapshot())
training = Supervised(context)
training.fit()
context.write_version()
assert training.trainer.num_replicas == int(os.environ["DEVICES"])
trained, plain = (resolve(context.spec.build)(context.config, context.task) for _ in range(2))
add_lora(trained, context.config.lora_rank, [], seed=1)
assign(by_name(trained.variables), arrays_of(by_name(training.model.variables)), run.folder)
load_into(plain, run.version_folder)
pictures = np.random.default_rng(0).uniform(0, 255, (20, 8, 8, 1)).astype("float32")
answers = [keras.ops.convert_to_numpy(model(pictures)) for model in (trained, plain)]
np.testing.assert_allclose(*answers, atol=1e-5 * np.abs(answers[0]).max())

# Steps by the engine are those by hand. The targets are what it thinks least of, so that there is much to learn.
engine, loss, rate = engines.current(), context.task.loss(context.config), 1e-4
targets, order = answers[0].argmin(axis=1).astype("int32"), np.arange(20, dtype="int32").reshape(2, 10)
before = arrays_of(by_name(trained.variables))
trainer = engine.Trainer(trained, keras.optimizers.SGD(rate), loss, {}, xla=False)
trainer.train(trainer.place(pictures, targets), order, 0, 2)
after = arrays_of(by_name(trained.variables))
assign(by_name(trained.variables), before, run.folder)
for rows in order:
    gradients = engine.weight_gradients(trained, loss, pictures[rows], targets[rows])
    for variable, gradient in zip(trained.trainable_variables, gradients, strict=True):
        variable.assign_sub(rate * gradient)
changes = {name: array - before[name] for name, array in arrays_of(by_name(trained.variables)).items()}
largest = max(np.abs(change).max() for change in changes.values())
assert largest > 1e-3
for name, change in changes.items():
    np.testing.assert_allclose(after[name] - before[name], change, atol=1e-3 * largest)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "devices"), [("torch", 1), ("jax", 2), ("tensorflow", 2)])
def test_lora_on_other_backends_and_on_two_devices(runs, spec, snapshot, swapped, backend, devices):
    require(backend)
    begin = VersionStore(runs.home).get(spec, None, trained(runs, spec, snapshot, heads=2).id)
    changes = {"heads": 2, "lora_rank": 2, "num_epochs": 30, "learning_rate": 0.05, "validation_fraction": 0.0}
    run = runs.create(spec, None, config_of(spec, **{**SETTINGS, **changes}), data=swapped, start_from=begin.id)
    flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = run_python(_PROBE, KERAS_BACKEND=backend, DEVICES=str(devices), RUN=str(run.folder), **flags)
    assert done.returncode == 0, done.stderr[-3000:]
    assert run.history()[-1]["accuracy"] > 0.95
    assert_changed_by_rank(2, spec, begin, run)
