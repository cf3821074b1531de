"""`vision/fashion`: its two networks, their shipped weights, and every kind of picture that people bring."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image, ImageOps

import layerwise
from layerwise.config import config_from
from layerwise.errors import InputError
from layerwise.weights import read_record
from layerwise_vision import fashion
from layerwise_vision.fashion_mnist import LABELS

BARS = {"conv": 0.935, "dense": 0.900}
"""The least accuracy on the test pictures."""
EXAMPLES = fashion.examples()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def record_of(variant):
    return read_record(fashion.FASHION.variant(variant).weights)


@pytest.mark.parametrize("variant", list(BARS))
def test_the_shipped_weights_meet_the_bar(variant):
    record = record_of(variant)
    assert record["measured"]["metrics"]["accuracy"] >= BARS[variant]
    assert (record["measured"]["split"], record["measured"]["count"]) == ("test", 10_000)
    assert record["data"]["train_examples"] == 60_000
    if variant == "conv":
        assert record["num_parameters"] <= 500_000


@pytest.mark.parametrize("variant", list(BARS))
def test_the_shipped_weights_were_trained_with_the_config_that_the_variant_has(variant):
    """So the recorded command trains them again."""
    record, config = record_of(variant), fashion.FASHION.variant(variant).config
    assert record["command"] == f"layerwise train vision/fashion:{variant} --validation-fraction 0.0"
    assert config_from(fashion.FashionConfig, record["config"]) == dataclasses.replace(config, validation_fraction=0)
    assert record["git"]
    assert not record["git"].endswith("-dirty")


@pytest.mark.parametrize("variant", list(BARS))
def test_the_examples_are_named_right(workspace, variant):
    """Twenty test pictures that nobody chose: at the bar's accuracy three mistakes are most unlikely."""
    answers = workspace.predictor.predict_batch(f"vision/fashion:{variant}", [example.inputs for example in EXAMPLES])
    assert len(EXAMPLES) == 20
    assert sum(answer["label"] == example.label for answer, example in zip(answers, EXAMPLES, strict=True)) >= 17


def test_the_networks_are_as_large_as_their_configs_say():
    for variant in BARS:
        spec = fashion.FASHION
        network = fashion.build(spec.variant(variant).config, spec.task)
        assert network.input_shape == (None, 28, 28, 1)
        assert network.output_shape == (None, len(LABELS))
        trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)
        assert trainable == record_of(variant)["num_parameters"]


def test_pictures_are_varied_in_training_only():
    config = fashion.FashionConfig(flip=True, shift=2, dropout=0.0)
    network = fashion.build(config, fashion.FASHION.task)
    picture = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1)).astype("uint8")
    still = [np.asarray(network(picture, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    still_of_batch = np.concatenate([np.asarray(network(picture[i : i + 1], training=False)) for i in range(4)])
    np.testing.assert_allclose(still[0], still_of_batch, atol=1e-4)
    names = [layer.name for layer in network.layers]
    assert {"flip", "shift"} <= set(names)
    plain = fashion.build(fashion.FashionConfig(flip=False, shift=0), fashion.FASHION.task)
    assert not {"flip", "shift"} & {layer.name for layer in plain.layers}


def example(name):
    return Image.open(next(item.inputs["image"] for item in EXAMPLES if item.label == name))


def enlarged(picture, side=400):
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def on_white(picture):
    return ImageOps.invert(enlarged(picture))


def in_colour(picture):
    return ImageOps.colorize(enlarged(picture), black=(250, 250, 245), white=(160, 30, 60))


def with_transparency(picture):
    large = enlarged(picture)
    cut = Image.new("RGBA", large.size, (120, 40, 40, 0))
    cut.putalpha(large.point(lambda value: 255 if value > 40 else 0))
    return cut


def off_centre(picture):
    page = Image.new("L", (900, 500), 255)
    page.paste(on_white(picture), (480, 60))
    return page


def as_a_photograph(picture):
    noisy = np.asarray(on_white(picture)).astype(float) * 0.85 + 20
    noisy += np.random.default_rng(0).normal(0, 4, noisy.shape)
    return Image.fromarray(noisy.clip(0, 255).astype("uint8"))


@pytest.mark.parametrize("change", [enlarged, on_white, in_colour, with_transparency, off_centre, as_a_photograph])
@pytest.mark.parametrize("name", ["Trouser", "Ankle boot", "Bag"])
def test_the_same_garment_in_another_picture_keeps_its_name(workspace, name, change):
    answer = workspace.predictor.predict("vision/fashion", change(example(name)))
    assert answer["label"] == name


@pytest.mark.parametrize("size", [(1, 400), (3, 3), (2000, 90), (5000, 4000)])
def test_a_picture_of_any_size_gets_probabilities(workspace, size):
    gradient = np.linspace(0, 255, size[0] * size[1]).reshape(size).astype("uint8")
    answer = workspace.predictor.predict("vision/fashion", Image.fromarray(gradient))
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert answer["label"] == next(iter(answer["probabilities"]))


def damaged():
    file = io.BytesIO()
    on_white(example("Bag")).save(file, "PNG")
    return file.getvalue()[:200]


@pytest.mark.parametrize(
    "given", [b"", b"no picture", damaged(), np.zeros((28, 28), "uint8")], ids=lambda value: len(value)
)
def test_what_is_no_picture_is_said_in_a_sentence(workspace, given):
    with pytest.raises(InputError) as caught:
        workspace.predictor.predict("vision/fashion", {"image": given})
    assert "What to do" in str(caught.value)


@pytest.mark.parametrize("variant", list(BARS))
def test_the_records_name_no_folder_of_the_machine_they_were_made_on(variant):
    assert '"/' not in json.dumps(record_of(variant))
