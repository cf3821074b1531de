"""`vision/objects`: its network, its shipped weights, and what it makes of photographs."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from shipped import trained_config

import layerwise
from layerwise import stored_plots
from layerwise.layers import heads
from layerwise.plots import Pictures, Table
from layerwise.weights import read_record
from layerwise_vision import objects
from layerwise_vision.cifar10 import LABELS

BAR = 0.90
"""The least accuracy on the test pictures."""
VARIANT = objects.OBJECTS.variant()
EXAMPLES = objects.examples()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def record():
    return read_record(VARIANT.weights)


def test_the_shipped_weights_meet_the_bar(record):
    assert record["measured"]["metrics"]["accuracy"] >= BAR
    assert (record["measured"]["split"], record["measured"]["count"]) == ("test", 10_000)
    assert record["data"]["train_examples"] == 50_000
    assert record["num_parameters"] <= 1_000_000


def test_the_shipped_weights_were_trained_with_the_config_that_the_variant_has(record):
    """So the recorded command trains them again."""
    assert record["command"] == "layerwise train vision/objects:residual --validation-fraction 0.0"
    trained = trained_config(record, VARIANT)
    assert trained == dataclasses.replace(VARIANT.config, validation_fraction=0)
    assert record["git"]
    assert not record["git"].endswith("-dirty")


def test_the_examples_are_named_right(workspace):
    """Twenty test pictures that nobody chose: at the bar's accuracy five mistakes are most unlikely."""
    answers = workspace.predictor.predict_batch("vision/objects", [example.inputs for example in EXAMPLES])
    assert len(EXAMPLES) == 20
    assert sum(answer["label"] == example.label for answer, example in zip(answers, EXAMPLES, strict=True)) >= 16


def test_photographs_of_any_size_are_taken(workspace):
    """A picture of the data set, enlarged to the size of a photograph and widened, is still the same thing."""
    same = 0
    for example in EXAMPLES:
        small = Image.open(example.inputs["image"])
        large = small.resize((1600, 1600), Image.Resampling.BICUBIC)
        answers = [workspace.predictor.predict("vision/objects", {"image": picture}) for picture in (small, large)]
        same += answers[0]["label"] == answers[1]["label"]
    assert same >= 18


def test_how_it_does_and_what_its_layers_answer_to_is_shipped():
    shown = stored_plots.read(VARIANT.weights)
    assert set(shown) == {"report", "patches", "features"}
    (table,) = (plot for plot in shown["report"] if isinstance(plot, Table))
    assert [row[0] for row in table.rows] == list(LABELS)
    assert any(isinstance(plot, Pictures) for plot in shown["report"])


def test_each_stage_halves_the_picture_and_the_blocks_are_added():
    network = objects.build(VARIANT.config, objects.OBJECTS.task)
    assert network.output_shape == (None, len(LABELS))
    assert network.get_layer("add_3").output.shape == (None, 4, 4, 176)
    assert [layer.name for layer in heads(network)] == ["logits"]
    plain = objects.build(dataclasses.replace(VARIANT.config, residual=False), objects.OBJECTS.task)
    assert plain.count_params() < network.count_params()
    assert not [layer for layer in plain.layers if layer.name.startswith("add")]


def test_pictures_are_varied_in_training_and_only_then():
    config = dataclasses.replace(VARIANT.config, erase=0.3)
    picture = np.tile(np.arange(32, dtype="uint8")[None, :, None], (32, 1, 3))[None]
    for layer in objects.augmentation(config, (32, 32)):
        same = np.asarray(layer(picture, training=False), "float32")
        np.testing.assert_array_equal(same, picture)
        varied = [np.asarray(layer(picture, training=True), "float32") for _ in range(12)]
        assert any(not np.array_equal(result, picture) for result in varied)
        assert all(result.min() >= 0 and result.max() <= 255 for result in varied)
    nothing = dataclasses.replace(config, flip=False, shift=0, erase=0.0)
    assert objects.augmentation(nothing, (32, 32)) == []
