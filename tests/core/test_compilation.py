"""With XLA or without: by rule where one is known, by measurement elsewhere, and measuring leaves no trace."""

import json

import keras
import numpy as np
import pytest
from engine_probe import accuracy, cross_entropy
from training_helpers import config_of

from layerwise import compilation, engines, paths, training
from layerwise.context import Context
from layerwise.networks import dense_network
from layerwise.training import fit
from layerwise.weights import read_arrays

layers = keras.layers
CONVOLUTIONAL = [layers.Reshape((6, 1)), layers.Conv1D(4, 3), layers.Flatten(), layers.Dense(3)]
RECURRENT = [layers.Reshape((6, 1)), layers.GRU(4), layers.Dense(3)]


def network(parts):
    return keras.Sequential([keras.Input((6,)), *parts])


@pytest.fixture
def cpu_only():
    if compilation._has_accelerator():
        pytest.skip("the rules are those of processors")


@pytest.mark.parametrize(
    ("model", "known", "xla"),
    [
        (dense_network((6,), (8,), output_units=3, normalization="batch", dropout=0.1), True, True),
        (network(CONVOLUTIONAL), True, False),
        (network([network(CONVOLUTIONAL)]), True, False),
        (network(RECURRENT), False, True),
    ],
    ids=["dense", "convolutional", "nested", "recurrent"],
)
def test_on_a_processor_the_kind_of_network_decides(cpu_only, model, known, xla):
    assert compilation.is_known(model, "auto") == known
    if known:
        assert compilation.uses_xla(model, "auto") == xla
    for compiler in ("xla", "graph"):
        assert compilation.is_known(model, compiler)
        assert compilation.uses_xla(model, compiler) == (compiler == "xla")


def test_on_an_accelerator_every_network_is_measured(monkeypatch):
    monkeypatch.setattr(compilation, "_has_accelerator", lambda: True)
    assert not compilation.is_known(network(CONVOLUTIONAL), "auto")
    assert compilation.is_known(network(CONVOLUTIONAL), "graph")


@pytest.mark.slow
def test_the_faster_way_is_kept_and_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path))
    trainer = engines.current().Trainer(
        network(RECURRENT), keras.optimizers.Adam(), cross_entropy, {"accuracy": accuracy}, xla=True
    )
    inputs = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
    data = trainer.place(inputs, np.zeros(64, np.int32))
    order = np.arange(64, dtype=np.int32).reshape(4, 16)
    compilation.compile_fastest(trainer, data, order, 1)
    (file,) = (paths.cache() / "compilers").iterdir()
    found = json.loads(file.read_text())
    times = found["seconds_per_step"]
    assert found["xla"] == (times.get("true", np.inf) < times["false"]) == trainer.xla

    steps = int(trainer.optimizer.iterations)
    file.write_text(json.dumps({**found, "xla": not found["xla"]}))
    compilation.compile_fastest(trainer, data, order, 1)
    assert trainer.xla != found["xla"]
    assert int(trainer.optimizer.iterations) == steps  # what is remembered is not measured again
    file.write_text("torn")
    compilation.compile_fastest(trainer, data, order, 1)
    assert int(trainer.optimizer.iterations) > steps


@pytest.mark.slow
def test_measuring_changes_nothing(runs, spec, snapshot, monkeypatch, tmp_path):
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path))
    values = {"num_epochs": 2, "dropout": 0.3}
    measured = runs.create(spec, None, config_of(spec, **values))
    with monkeypatch.context() as patch:
        patch.setattr(training, "is_known", lambda *_: False)
        fit(Context.of(measured, snapshot))
    chosen = next(event["compiler"] for event in measured.events() if event["event"] == "started")
    by_hand = runs.create(spec, None, config_of(spec, compiler=chosen, **values))
    fit(Context.of(by_hand, snapshot))
    assert [event["loss"] for event in measured.history()] == [event["loss"] for event in by_hand.history()]
    first, second = (read_arrays(run.version_folder) for run in (measured, by_hand))
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
