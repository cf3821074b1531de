"""The playground's training, frames and service, without a browser."""

import base64
import json
import time

import keras
import numpy as np
import pytest

from layerwise.activations import ACTIVATIONS
from layerwise.errors import SpecError
from layerwise.from_scratch.descent import OPTIMIZERS
from layerwise.networks import dense_network
from layerwise_learn.playground import service
from layerwise_learn.playground.config import PlaygroundConfig
from layerwise_learn.playground.data import DATASETS, EDGE
from layerwise_learn.playground.frame import measures
from layerwise_learn.playground.presets import PRESETS
from layerwise_learn.playground.training import Batches, Training


def begin(**config):
    answer = service.begin({"config": config})
    assert "error" not in answer, answer
    return answer


def advance(state, steps):
    answer = service.advance({"state": state, "steps": steps})
    assert "error" not in answer, answer
    return answer


def with_numbers(state, **arrays):
    return {**state, **{name: base64.b64encode(np.asarray(a, "<f8").tobytes()).decode() for name, a in arrays.items()}}


def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<f8")


def test_the_default_learns_the_spirals_to_the_last_point():
    training = Training.start(PlaygroundConfig())
    while measures(training)["train"]["errors"]:
        training = training.advance(100, seconds=10)
        assert training.num_steps <= 5000
    assert measures(training)["train"] == {"count": 210, "errors": 0, "loss": pytest.approx(0, abs=0.1)}


def test_steps_lead_to_the_same_place_however_they_are_divided():
    options = {"dropout": 0.2, "l1": 0.001, "l2": 0.01, "units": [5, 4], "activations": "selu,relu"}
    at_once = advance(begin(**options)["state"], 20)["state"]
    state = begin(**options)["state"]
    for steps in (1, 7, 0, 12):
        state = json.loads(json.dumps(advance(state, steps)["state"]))
    assert state == at_once
    assert state["step"] == 20


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_trains_as_keras_does(optimizer):
    config = PlaygroundConfig(optimizer=optimizer, units=(5, 4), activations="tanh,silu", batch_size=50, data="moons")
    training = Training.start(config)
    model = dense_network(
        (2,), (5, 4), output_units=1, activation=("tanh", "silu"), output_activation="sigmoid", dtype="float64"
    )
    arrays = zip(training.network.weights, training.network.biases, strict=True)
    model.set_weights([array for pair in arrays for array in pair])
    kinds = {
        "sgd": keras.optimizers.SGD(0.01),
        "momentum": keras.optimizers.SGD(0.01, momentum=0.9),
        "nesterov": keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        "rmsprop": keras.optimizers.RMSprop(0.01),
        "adam": keras.optimizers.Adam(0.01),
        "adamw": keras.optimizers.AdamW(0.01),
    }
    model.compile(optimizer=kinds[optimizer], loss="binary_crossentropy")
    batches = Batches(config, training.steps_per_epoch)
    for step in range(12):
        inputs, targets = batches.of(step)
        model.train_on_batch(inputs, targets[:, np.newaxis])
    found = training.advance(12, seconds=60).network.parameters
    np.testing.assert_allclose(found, np.concatenate([w.ravel() for w in model.get_weights()]), atol=2e-5)


def test_an_epoch_uses_each_point_once():
    config = PlaygroundConfig(batch_size=32)
    training = Training.start(config)
    assert training.steps_per_epoch == 7
    batches = Batches(config, 7)
    used = np.concatenate([batches.of(step)[0] for step in range(7)])
    learned = config.split.inputs[~config.split.is_test]
    assert sorted(map(tuple, used)) == sorted(map(tuple, learned))
    assert not np.array_equal(batches.of(7)[0], used[:32])


@pytest.mark.parametrize("data", [name for name, item in DATASETS.items() if item.make])
def test_every_kind_of_data_can_be_learned(data):
    options = {"data": data, "noise": 0, "units": [8, 8], "activations": "tanh,tanh", "learning_rate": 0.02}
    begun = begin(**options)
    points = np.array(begun["points"])
    assert points.shape == (300, 4)
    assert np.abs(points[:, :2]).max() <= EDGE
    assert points[:, 3].sum() == 90
    first = begun["frame"]["measures"]["train"]["loss"]
    training = Training.start(PlaygroundConfig(**options)).advance(1500, seconds=60)
    assert measures(training)["train"]["loss"] < 0.5 * first


@pytest.mark.parametrize(("data", "classes"), [("spirals", 3), ("circle", 4), ("gaussians", 4)])
def test_more_classes_have_an_output_each(data, classes):
    begun = begin(data=data, num_classes=classes)
    assert begun["sizes"][-1] == classes
    assert {row[2] for row in begun["points"]} == set(range(classes))
    assert len(base64.b64decode(begun["frame"]["surface"])) == classes * 64 * 64


def test_a_frame_shows_what_the_network_computes():
    # One hidden unit, relu(2 x1), and the output sigmoid(3 a - 1).
    begun = begin(units=[1], activations="relu", features="x1")
    state = with_numbers(begun["state"], parameters=[2, 0, 3, -1])
    frame = advance(state, 0)["frame"]
    unit = np.frombuffer(base64.b64decode(frame["maps"]), np.uint8).reshape(32, 32)
    right = 63 / 64 * 12 - 6 + 6 / 64
    assert frame["scales"] == [pytest.approx(2 * right)]
    assert (unit[:, :16] == 128).all()
    assert (np.diff(unit[0, 16:].astype(int)) > 0).all()
    surface = np.frombuffer(base64.b64decode(frame["surface"]), np.uint8).reshape(64, 64)
    assert surface[0, 0] == round(255 / (1 + np.e))
    assert surface[0, 63] == 255


def test_the_top_of_a_map_is_the_top_of_the_plane():
    features = begin(features="x2")["features"]
    shown = np.frombuffer(base64.b64decode(features["maps"]), np.uint8).reshape(32, 32)
    assert shown[0, 0] == 255
    assert shown[31, 0] == 0


def test_options_change_between_two_frames():
    state = advance(begin()["state"], 5)["state"]
    state["config"] |= {"learning_rate": 0.1, "batch_size": 10, "dropout": 0.1}
    assert advance(state, 3)["state"]["step"] == 8
    state = {**state, "config": {**state["config"], "optimizer": "momentum"}, "slots": "", "slot_step": 0}
    assert advance(state, 3)["state"]["slot_step"] == 3


def test_two_visitors_are_independent():
    one, other = begin(seed=1)["state"], begin(seed=2)["state"]
    alone = advance(advance(one, 5)["state"], 5)["state"]
    between = advance(one, 5)["state"]
    advance(other, 7)
    assert advance(between, 5)["state"] == alone


def test_what_diverges_stops_at_the_last_step_that_can_be_used():
    answer = begin(data="hills", optimizer="sgd", learning_rate=10)
    for _ in range(20):
        answer = advance(answer["state"], 10)
        if answer["diverged"]:
            break
    assert answer["diverged"]
    assert np.isfinite(numbers(answer["state"]["parameters"])).all()
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"parameters": "AAAA"}, "parameters do not fit"),
        ({"parameters": None}, "parameters do not fit"),
        ({"parameters": "\u00e4" * 10}, "parameters do not fit"),
        ({"slots": "AAAAAAAA"}, "slots do not fit"),
        ({"slot_step": -1}, "slot_step"),
        ({"step": 1.5}, "step"),
        ({"step": 10**30}, "step"),
        ({"config": {"units": [10**9], "activations": "relu"}}, "Units"),
        ({"config": {"units": [4] * 8, "activations": ",".join(["relu"] * 8)}}, "too many layers"),
        ({"config": {"units": [4], "activations": "os.system"}}, "unknown name"),
        ({"config": {"units": [4], "activations": "relu,relu"}}, "does not fit units"),
        ({"config": {"features": "x1,x1"}}, "features"),
        ({"config": {"features": ""}}, "features"),
        ({"config": {"num_points": 10**7}}, "num_points"),
        ({"config": {"noise": float("nan")}}, "Noise"),
        ({"config": {"data": "own", "points": "?"}}, "points cannot be read"),
        ({"config": {"nothing": 1}}, "no field"),
        ({"config": []}, "choices cannot be read"),
    ],
)
def test_a_made_up_state_is_refused_with_a_sentence(broken, said):
    answer = service.advance({"state": {**begin()["state"], **broken}, "steps": 1})
    assert said in answer["error"]


def test_numbers_that_are_none_are_refused():
    state = begin(units=[1], activations="relu", features="x1")["state"]
    for bad in (np.nan, np.inf, 1e7):
        assert (
            "finite" in service.advance({"state": with_numbers(state, parameters=[bad, 0, 0, 0]), "steps": 1})["error"]
        )


@pytest.mark.parametrize("request_", [None, [], "x", {}, {"state": None}, {"state": {}}])
def test_a_request_of_another_shape_is_refused(request_):
    for function in (service.begin, service.resume, service.advance, service.export, service.microscope):
        assert set(function(request_)) == {"error"}


@pytest.mark.parametrize("steps", [-1, 10**9, 2.5, None, True, "many"])
def test_only_so_many_steps_are_made(steps):
    assert "steps" in service.advance({"state": begin()["state"], "steps": steps})["error"]


def test_a_call_ends_in_time_however_large_the_network_is():
    state = begin(units=[16] * 7, activations=",".join(["gelu"] * 7), num_points=1000, test_share=0, batch_size=1000)[
        "state"
    ]
    begun = time.process_time()
    answer = advance(state, 1000)
    assert time.process_time() - begun < 3
    assert 0 < answer["state"]["step"] < 1000


def test_without_points_there_is_nothing_to_learn_but_a_picture():
    begun = begin(data="own")
    assert begun["points"] == []
    assert begun["frame"]["measures"] == {}
    assert "nothing to learn from" in service.advance({"state": begun["state"], "steps": 1})["error"]
    assert "nothing to learn from" in service.microscope({"state": begun["state"]})["error"]


def test_the_microscope_is_given_a_step_that_it_can_take():
    from layerwise_learn.microscope.problem import Problem

    for config in ({}, {"num_classes": 3}, {"data": "hills", "units": [], "activations": ""}):
        state = advance(begin(**config)["state"], 3)["state"]
        problem = Problem.from_json(json.loads(json.dumps(service.microscope({"state": state}))))
        np.testing.assert_array_equal(problem.network.parameters, numbers(state["parameters"]))
        assert len(problem.inputs) == 4


def test_the_largest_network_fits_under_the_microscope():
    from layerwise_learn.microscope.problem import MAX_LAYERS, MAX_UNITS
    from layerwise_learn.playground import config

    assert config.MAX_LAYERS + 1 <= MAX_LAYERS
    assert config.MAX_UNITS <= MAX_UNITS


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_a_preset_can_be_opened(preset):
    values = {name: [int(n) for n in v.split(",") if n] if name == "units" else v for name, v in preset.values.items()}
    assert advance(begin(**values)["state"], 2)["state"]["step"] == 2


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_can_be_chosen(name):
    assert not advance(begin(units=[3], activations=name)["state"], 5)["diverged"]


def test_a_config_checks_itself():
    with pytest.raises(SpecError, match="learning_rate"):
        PlaygroundConfig(learning_rate=-1)
