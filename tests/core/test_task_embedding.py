"""The task of embeddings: texts, the nearest of them, and their map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise import ModelCard, ModelSpec
from layerwise.errors import InputError, SpecError
from layerwise.registry import Registry
from layerwise.splits import Split
from layerwise.tasks import Embedding, ImageClassification, Translation
from layerwise.tasks.embedding import similarities

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
