"""What holds for every task type: cheap to import, parameters that survive JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from layerwise.datasets.batches import map_arrays
from layerwise.errors import InputError, SpecError
from layerwise.tasks import (
    Column,
    Field,
    ImageClassification,
    ImageSegmentation,
    MoleculeProperty,
    ObjectDetection,
    SequenceClassification,
    SequenceLabelling,
    TabularClassification,
    TabularRegression,
    Task,
    TextClassification,
    Translation,
)
from layerwise.tasks.labels import check_labels
from layerwise.tasks.sequences.motif import Motif
from layerwise.tasks.translation import SPECIAL
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import train_pieces, train_words

COLUMNS = (
    Column(name="age", kind="number", mean=40.25, deviation=9.5),
    Column(name="colour", kind="choice", choices=("blue", "red")),
)
TASKS = [
    ImageClassification(labels=("cat", "dog"), size=(28, 20), channels=1, polarity="light-on-dark"),
    ImageSegmentation(labels=("sky", "sea"), instances=False, tile=32, contrast="stretched"),
    MoleculeProperty(
        targets=("solubility", "melting point"),
        representation="graph",
        atoms=8,
        means=(0.5, 1.0),
        deviations=(1.0, 2.0),
        molecules=TextFile("molecules.csv", "smiles,solubility,melting point\nCCO,1.1,\n"),
    ),
    ObjectDetection(labels=("cat", "dog"), size=(32, 48)),
    SequenceClassification(
        labels=("no", "yes"), alphabet="protein", length=5, motifs=(Motif(name="zinc", consensus="CXXC"),)
    ),
    SequenceLabelling(labels=("helix", "sheet", "coil"), letters_of_labels=("H", "E", "C"), gap=8),
    TabularClassification(labels=("no", "yes"), columns=COLUMNS, target="bought"),
    TabularRegression(columns=COLUMNS, target="price", unit="EUR", mean=10.5, deviation=2.0),
    TextClassification(labels=("bad", "good"), length=9, vocabulary=300, tokenizer=train_words(["a good text"], 300)),
    Translation(
        languages=("English", "German"),
        length=9,
        vocabulary=300,
        trained_words=5,
        tokenizer=train_pieces(["a good text"], 300, SPECIAL),
    ),
]
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.type_name)


def test_importing_the_tasks_imports_nothing_heavy():
    code = (
        "import sys, layerwise.tasks\n"
        "print([name for name in ('numpy', 'PIL', 'keras', 'tensorflow') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.fixture
def restore(tmp_path):
    """`restore(task, parameters)`: a task as a version's record and the files beside it hold it."""

    def made(task, parameters):
        for name, content in task.files().items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        return task.with_parameters(json.loads(json.dumps(parameters)), tmp_path)

    return made


@each_task
def test_parameters_survive_json(task, restore):
    assert len(json.dumps(task.parameters())) < 2000, "what is longer is a file"
    assert restore(task, task.parameters()) == task


@each_task
def test_parameters_replace_those_of_the_spec(task, restore):
    stored = task.parameters()
    if "labels" in stored:
        stored["labels"] = ["one", "two", "three"]
        assert restore(task, stored).labels == ("one", "two", "three")
    if "columns" in stored:
        stored["columns"] = stored["columns"][:1]
        assert restore(task, stored).columns == COLUMNS[:1]


@each_task
def test_parameters_of_a_newer_version_are_ignored(task, restore):
    assert restore(task, task.parameters() | {"added_later": 1}) == task


@each_task
def test_the_warm_input_is_like_what_encode_gives(task):
    import numpy as np

    picture = np.arange(400, dtype="uint8").reshape(20, 20)
    inputs = {"image": picture, "row": {"age": 3, "colour": "red"}, "text": "a text", "smiles": "CCO"}
    encoded = task.encode(inputs)
    shapes = [map_arrays(lambda array: (array.shape, array.dtype), batch) for batch in (encoded, task.warm_input())]
    assert shapes[0] == shapes[1]


@each_task
def test_fields_and_format_are_said(task):
    assert all(isinstance(field, Field) for field in (*task.inputs, *task.outputs))
    assert "held out" in task.folder_format
    assert "{" not in task.folder_format


@dataclass(frozen=True, kw_only=True)
class Point:
    place: tuple[float, float]
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class NestedTask(Task):
    points: tuple[Point, ...] = ()
    shape: tuple[int, str] = (1, "a")
    best: Point | None = None
    weights: dict[str, float] | None = None


def test_nested_dataclasses_are_restored():
    task = NestedTask(points=(Point(place=(1.0, 2.0)), Point(place=(3.0, 4.0), name="b")), weights={"a": 0.5})
    assert NestedTask().with_parameters(json.loads(json.dumps(task.parameters()))) == task


@pytest.mark.parametrize("labels", [(), ("one",), ("a", "a"), ("a", ""), ("a", 3), "ab"])
def test_unusable_labels_are_refused(labels):
    with pytest.raises(SpecError, match="at least two different"):
        check_labels(labels, "This task")


THRESHOLD = Field(name="threshold", kind="number", minimum=0.1, maximum=0.9, default=0.5)


def test_what_has_a_default_may_be_left_out():
    assert THRESHOLD.optional
    assert THRESHOLD.title == "Threshold"
    assert [THRESHOLD.value(given) for given in (None, 0.25, "0.75")] == [0.5, 0.25, 0.75]


@pytest.mark.parametrize("given", [0.05, 0.95, "nan", "much", [0.5], float("inf")])
def test_a_number_that_does_not_fit_is_refused(given):
    with pytest.raises(InputError, match=r"Threshold is (no number|out of range).*from 0\.1 to 0\.9"):
        THRESHOLD.value(given)


def test_a_choice_is_one_of_its_choices():
    size = Field(name="size", kind="choice", choices=("small", "large"), default="small")
    assert [size.value(given) for given in (None, "large")] == ["small", "large"]
    with pytest.raises(InputError, match="small, large"):
        size.value("huge")


def test_a_default_must_be_a_value_of_the_field():
    with pytest.raises(SpecError, match=r"default of the field 'threshold' .*out of range"):
        Field(name="threshold", kind="number", minimum=0, maximum=1, default=2)
