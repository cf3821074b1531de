"""The task of embeddings: texts, the nearest of them, and their map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from layerwise import ModelCard, ModelSpec
from layerwise.errors import InputError, SpecError
from layerwise.projections import T_SNE
from layerwise.registry import Registry
from layerwise.splits import Split
from layerwise.tasks import Embedding, ImageClassification, Translation
from layerwise.tasks.embedding import MOST_PIXELS, similarities, small

TASK = Embedding(dimensions=3)
NUMBERS = st.floats(-10, 10, allow_nan=False).map(lambda number: round(number, 3))


def test_texts_are_lines_each_once():
    assert TASK.texts_of({"text": " a ", "others": "b\n\n c \nb"}) == ("a", ["b", "c"])
    assert TASK.texts_of({"text": "a"}) == ("a", [])
    for inputs in ({}, {"text": " "}, {"text": "a", "others": 3}):
        with pytest.raises(InputError):
            TASK.texts_of(inputs)
    with pytest.raises(InputError, match="too many"):
        TASK.texts_of({"text": "a", "others": "\n".join(map(str, range(1001)))})


def test_the_nearest_come_first_and_all_are_on_the_map():
    vectors = np.array([[1.0, 0, 0], [0, 2, 0], [3, 1, 0], [0, 0, 0]])
    answer = TASK.answer("a", ["b", "c", "nothing"], vectors)
    assert [row["text"] for row in answer["nearest"]] == ["c", "b", "nothing"]
    assert answer["nearest"][0]["similarity"] == pytest.approx(3 / np.sqrt(10), abs=1e-4)
    (plot,) = answer["map"]
    assert [line.label for line in plot.lines] == ["a", "b", "c", "nothing"]
    assert TASK.answer("a", ["b"], vectors[:2])["map"] == []
    many = TASK.answer("a", [f"text {n}" for n in range(40)], np.random.default_rng(0).normal(size=(41, 3)))
    assert [len(line.x) for line in many["map"][0].lines] == [40, 1]


def test_a_map_can_keep_neighbours_where_there_are_enough_others():
    vectors = np.random.default_rng(0).normal(size=(12, 3))
    names = [f"text {number}" for number in range(11)]
    (plot,) = TASK.answer("a", names, vectors, method=T_SNE)["map"]
    assert plot.title.startswith("Neighbours stay neighbours")
    assert plot.x_label == ""
    assert len(plot.lines) == 12
    assert TASK.answer("a", names, vectors)["map"][0].x_label == "first principal component"
    (few,) = TASK.answer("a", names[:9], vectors[:10], method=T_SNE)["map"]
    assert few.title.endswith("(t-SNE takes 10 others)")
    (same,) = TASK.answer("a", names, np.ones((12, 3)), method=T_SNE)["map"]
    assert all(np.isfinite([*line.x, *line.y]).all() for line in same.lines)
    with pytest.raises(InputError, match="How the map is made is not known"):
        TASK.answer("a", names, vectors, method="by magic")


def test_what_is_embedded_says_what_goes_in():
    pictures, sounds = Embedding(dimensions=3, of="image"), Embedding(dimensions=3, of="audio", rate=8000)
    kinds = {task.of: [(field.name, field.kind) for field in task.inputs] for task in (TASK, pictures, sounds)}
    method = ("method", "choice")
    assert kinds["text"] == [("text", "text"), ("others", "text"), method]
    assert kinds["image"] == [("image", "image"), ("others", "files"), method]
    assert kinds["audio"] == [("audio", "audio"), ("others", "files"), method]
    assert [field.name for field in pictures.outputs] == ["nearest", "pictures", "map", "vector"]
    assert [field.name for field in sounds.outputs] == ["nearest", "map", "vector"]
    # Records that were written before there was anything but texts.
    assert TASK.with_parameters({"dimensions": 5}) == Embedding(dimensions=5)
    assert sounds.with_parameters(sounds.parameters()) == sounds
    for settings_of_task, said in (({"of": "video"}, "of is not known"), ({"rate": 1}, "rate is not usable")):
        with pytest.raises(SpecError, match=said):
            Embedding(dimensions=3, **settings_of_task)


def test_the_nearest_pictures_are_on_a_map_with_the_pictures():
    task = Embedding(dimensions=3, of="image")
    shown = [Image.new("RGB", (60, 40), color) for color in ("red", "green", "blue")]
    vectors = np.array([[1.0, 0, 0], [0, 2, 0], [3, 1, 0]])
    answer = task.answer("yours", ["a.png", "b.png"], vectors, pictures=[small(picture) for picture in shown])
    assert [row["file"] for row in answer["nearest"]] == ["b.png", "a.png"]
    colors = {color for _, color in answer["pictures"].getcolors(10**6)}
    assert {picture.getpixel((0, 0)) for picture in shown} < colors
    assert task.decode(vectors)[1]["vector"] == [0, 2, 0]


def test_pictures_and_sounds_are_read_with_care(tmp_path):
    task, large = Embedding(dimensions=3, of="image"), np.zeros((1500, 1500, 3), "uint8")
    large[:700] = 200
    read = task.read(large)
    assert read.mode == "RGB"
    assert read.width * read.height <= MOST_PIXELS
    assert task.files_of({"image": large, "others": [tmp_path / "b.png"]}) == [
        ("your picture", large),
        ("b.png", tmp_path / "b.png"),
    ]
    with pytest.raises(InputError, match=r"^b.png cannot be used: There is no such picture"):
        task.read(tmp_path / "b.png", "b.png")
    with pytest.raises(InputError, match=r"^There is no picture"):
        task.read(None)
    sounds = Embedding(dimensions=3, of="audio", rate=8000)
    assert sounds.read((16_000, np.zeros(16_000, "float32"))).shape == (8000,)
    with pytest.raises(InputError, match=r"^a.wav cannot be used: The sound is too long.*at most 5 minutes"):
        sounds.read((8000, np.zeros(301 * 8000, "float32")), "a.wav")


@settings(deadline=None)
@given(arrays(np.float64, (3, 4), elements=NUMBERS), st.floats(0.1, 10))
def test_similarity_does_not_depend_on_lengths(vectors, factor):
    assert np.allclose(similarities(vectors, vectors), similarities(factor * vectors, vectors), atol=1e-9)


def test_a_vector_has_dimensions():
    with pytest.raises(SpecError, match="dimensions"):
        Embedding(dimensions=0)


def test_one_way_is_measured_one_way():
    task = Translation(languages=("English", "German"), is_one_way=True)
    assert task.directions == ("English to German",)
    pairs = Split(np.array(["a", "b"], object), np.array(["x", "y"], object))
    measured = task.to_measure_on(pairs)
    assert measured.inputs["text"].tolist() == ["a", "b"]
    outputs = {"text": np.array(["x", "y"], object), "direction": measured.inputs["direction"]}
    assert not any(name.endswith("_back") for name in task.evaluate(outputs, measured.targets))


def test_a_model_of_another_framework_needs_a_runner_and_is_trained_by_its_own_training_only():
    values = {
        "name": "vision/other",
        "task": ImageClassification(labels=("a", "b"), size=(8, 8)),
        "build": "json:dumps",
        "card": ModelCard(title="A", summary="A."),
        "framework": "torch",
    }
    with pytest.raises(SpecError, match="has no runner"):
        ModelSpec(**values)
    assert not ModelSpec(**values, runner="json:dumps").is_trainable
    assert ModelSpec(**values, runner="json:dumps", train="json:dumps").is_trainable


def test_the_registry_follows_what_plugins_register_from(home):
    registry = Registry(home)
    first = registry.snapshot()
    (home / "plugins").mkdir()
    (home / "registered").mkdir()
    (home / "plugins" / "growing.py").write_text(
        """
from layerwise import ModelCard, ModelSpec, hookimpl, paths
from layerwise.tasks import ImageClassification


@hookimpl
def layerwise_models():
    task = ImageClassification(labels=("a", "b"), size=(8, 8))
    card = ModelCard(title="A", summary="A.")
    names = (path.stem for path in (paths.home() / paths.REGISTERED).glob("own-*.json"))
    return [ModelSpec(name=f"own/{name}", task=task, build="json:dumps", card=card) for name in names]
"""
    )
    assert registry.check().models.keys() == first.models.keys()
    (home / "registered" / "own-one.json").write_text("{}")
    assert "own/own-one" in registry.check().models
    (home / "registered" / "own-one.json").unlink()
    assert "own/own-one" not in registry.check().models
