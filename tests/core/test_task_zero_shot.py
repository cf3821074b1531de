"""The task of choosing among labels that somebody names."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.config import TrainingConfig
from layerwise.errors import InputError, SpecError
from layerwise.serving.named_inputs import named_inputs
from layerwise.tasks import ZeroShotImageClassification
from layerwise.tasks.zero_shot_image_classification import LONGEST_LABEL, MOST_LABELS
from layerwise.versions import Version

TASK = ZeroShotImageClassification()
INDEPENDENT = ZeroShotImageClassification(is_independent=True)


def labels_in(given, task=TASK):
    return task.texts_of({"labels": given})[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a cat, a dog", ("a cat", "a dog")),
        (" a cat ,, a  dog , ", ("a cat", "a dog")),
        ("a cat\n\n a dog \r\n", ("a cat", "a dog")),
        ("a cat, asleep\na dog", ("a cat, asleep", "a dog")),
        ("a cat,\na dog,\n", ("a cat", "a dog")),
        ("Katze、猫, 犬", ("Katze、猫", "犬")),
        (["a cat, asleep", "a dog"], ("a cat, asleep", "a dog")),
        (("a cat", "a dog"), ("a cat", "a dog")),
    ],
)
def test_labels_are_lines_or_stand_between_commas(given, expected):
    assert labels_in(given) == expected


def test_what_is_left_out_is_the_tasks_own():
    labels, texts = TASK.texts_of({})
    assert labels == TASK.labels
    assert texts[0] == "This is a photo of a cat."
    assert labels_in(TASK.inputs[1].default) == TASK.labels
    version = Version(
        name="vision/x", variant="x", id="1", folder=Path(), task=TASK, config=TrainingConfig(), record={}
    )
    assert TASK.texts_of(named_inputs(version, b"a picture alone")) == TASK.texts_of({})


def test_a_sentence_is_made_of_each_label():
    _, texts = TASK.texts_of({"labels": "red, {0}, blue", "template": "{}: a {} thing"})
    assert texts == ("red: a red thing", "{0}: a {0} thing", "blue: a blue thing")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "There are no labels"),
        (" \n, ,", "There are no labels"),
        ([], "There are no labels"),
        ("a cat", "There is one label only.*'a cat'"),
        ("a cat, a dog, A Cat", "A label is there twice.*'A Cat'"),
        ([str(number) for number in range(500)], f"too many labels.*at most {MOST_LABELS}.*500"),
        ("\n".join(map(str, range(500))), "too many labels"),
        ("a cat, " + "x" * (LONGEST_LABEL + 1), f"A label is too long.*at most {LONGEST_LABEL} characters.*101"),
        (["a cat", ""], "not usable"),
        (["a cat", 3], "not usable"),
        (7, "not usable"),
        ({"a": "b"}, "not usable"),
    ],
)
def test_labels_that_cannot_be_used_are_explained(given, said):
    with pytest.raises(InputError, match=said) as caught:
        labels_in(given)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("template", ["", "This is a photo.", "{}" + "x" * 300, 3])
def test_a_sentence_has_a_place_for_the_label(template):
    with pytest.raises(InputError, match=r"at most 200 characters, and \{\} where the label stands"):
        TASK.texts_of({"labels": "a, b", "template": template})


def test_one_label_can_be_judged_by_itself():
    assert labels_in("a cat", INDEPENDENT) == ("a cat",)


@settings(deadline=None)
@given(st.lists(st.floats(-800, 800), min_size=2, max_size=9))
def test_probabilities_are_those_of_the_formulas(logits):
    labels = [str(number) for number in range(len(logits))]
    shared, single = (task.answer(labels, np.array(logits, "float32")) for task in (TASK, INDEPENDENT))
    assert sum(shared["probabilities"].values()) == pytest.approx(1)
    for answer in (shared, single):
        found = list(answer["probabilities"].values())
        assert found == sorted(found, reverse=True)
        assert answer["label"] == next(iter(answer["probabilities"]))
        assert json.dumps(answer)
    for label, logit in zip(labels, np.array(logits, "float32").astype(float), strict=True):
        expected = 1 / (1 + np.exp(-logit)) if logit > -700 else 0.0
        assert single["probabilities"][label] == pytest.approx(expected, abs=1e-9)


def test_parameters_survive_json():
    task = ZeroShotImageClassification(labels=("a", "b"), template="{}!", is_independent=True)
    assert TASK.with_parameters(json.loads(json.dumps(task.parameters()))) == task


@pytest.mark.parametrize("values", [{"labels": ("a",)}, {"labels": ("a", "A")}, {"template": "no place"}])
def test_a_task_that_cannot_be_is_refused(values):
    with pytest.raises(SpecError, match="ZeroShotImageClassification is not usable"):
        ZeroShotImageClassification(**values)
