"""Small examples of the data that models can be trained on, of every task that takes data of one's own."""

from __future__ import annotations

import io
import math
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwise.context import Context
from layerwise.datasets.feed import take
from layerwise.datasets.sample_data import has_sample, write_sample, zipped_sample
from layerwise.errors import DataError, InputError
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.tasks import (
    BoardGame,
    Classification,
    Column,
    Conversation,
    CtcSpeechRecognition,
    ImageClassification,
    ImageSegmentation,
    MoleculeProperty,
    ObjectDetection,
    SequenceClassification,
    SequenceLabelling,
    SpeechRecognition,
    Tabular,
    TabularClassification,
    TabularRegression,
    TextClassification,
)
from layerwise.tasks.sequences.folder import SAMPLE_MOTIFS
from layerwise.training import fit

SMALL_LLAMA = {"hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 64}
MODELS = {
    "language/sentiment:ngrams": {"buckets": 1000},
    "language/translation": {"dimensions": 32, "depth": 1, "units": 64},
    "language/chat": SMALL_LLAMA,
    "language/writer": SMALL_LLAMA,
    "rl/go": {"filters": 8, "blocks": 1},
    "science/solubility:dense": {},
    "science/solubility:graph": {},
    "science/toxicity:dense": {},
    "science/toxicity:graph": {},
    "science/protein-structure": {"filters": 16, "depth": 1},
    "science/promoters": {},
    "speech/digits-and-words": {"filters": 16, "depth": 1},
    "vision/objects": {"filters": (8, 8, 8, 8)},
    "vision/segmentation": {"filters": (4, 8)},
    "vision/fashion:dense": {"hidden_units": (32,)},
    "vision/garments": {"filters": (8, 8, 8, 8), "head_filters": 8},
}
"""A model for each kind of task, with settings that make it small."""

COLUMNS = (
    Column(name="age", kind="number", mean=40.0, deviation=10.0),
    Column(name="colour", kind="choice", choices=("red", "green", "blue")),
)
LABELS = ("one", "other")
TASKS = {
    "areas": ImageSegmentation(labels=LABELS, instances=False, tile=32, channels=1),
    "one pixel": ImageClassification(labels=LABELS, size=(1, 1)),
    "wide and light on dark": ImageClassification(labels=LABELS, size=(16, 160), channels=1, polarity="light-on-dark"),
    "characters": CtcSpeechRecognition(symbols=LABELS, unit="character"),
    "a protein": SequenceClassification(labels=LABELS, alphabet="protein", length=30),
    "short": SequenceClassification(labels=LABELS, length=4),
    "long": SequenceClassification(labels=LABELS, length=10_000),
    "more labels than letters": SequenceLabelling(
        labels=tuple("abcdefg"), letters_of_labels=tuple("abcdefg"), alphabet="dna"
    ),
    "small molecules": MoleculeProperty(targets=LABELS, representation="graph", atoms=5),
    "classes of rows": TabularClassification(labels=("low", "middle", "high"), columns=COLUMNS, target="grade"),
    "numbers of rows": TabularRegression(columns=COLUMNS, target="weight", unit="kg", mean=70.0, deviation=12.0),
    "tiny numbers": TabularRegression(columns=COLUMNS[1:], mean=1e-9, deviation=1e-12),
}
"""Stock tasks with other parameters than those of any model."""


def task_named(snapshot, name):
    if name in TASKS:
        return TASKS[name]
    reference, _, variant = name.partition(":")
    spec = snapshot.model(reference)
    return spec.task_of(spec.variant(variant or None))


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """What the plugins of this installation register."""
    return Registry(tmp_path_factory.mktemp("registry")).snapshot()


@pytest.fixture(params=[*MODELS, *TASKS])
def task(request, registered):
    return task_named(registered, request.param)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_kind_of_task_that_takes_data_of_ones_own_is_here(registered):
    def kind(task):
        return type(task), getattr(task, "representation", ""), getattr(task, "kind", "")

    here = {kind(task_named(registered, name)) for name in MODELS}
    tasks = [spec.task_of(variant) for spec in registered.models.values() for variant in spec.variants]
    assert {kind(task) for task in tasks if task.folder_format} == here
    written = {type(task).write_sample for task in (*TASKS.values(), *tasks)}
    for stock in registered.tasks.values():
        assert not stock.folder_format or stock.write_sample in written, stock


def test_it_is_read_without_a_complaint(task, tmp_path):
    task.write_sample(tmp_path)
    own = task.read_folder(tmp_path)
    assert own.report.num_unreadable == 0
    assert all(len(own.splits[split]) for split in ("train", "test"))
    if isinstance(task, Classification):
        assert len(own.task.labels) >= 2
        assert len({int(place) for place in own.splits["train"].targets}) == len(own.task.labels)
    if isinstance(task, Tabular):
        assert [(column.name, column.kind) for column in own.task.columns] == [
            (column.name, column.kind) for column in task.columns
        ]
        assert own.task.target == task.target
    measured = own.task.read_to_measure(tmp_path)
    assert {split: len(part) for split, part in measured.items()} == {s: len(part) for s, part in own.splits.items()}


def test_it_is_small_and_always_the_same(task, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        task.write_sample(tmp_path / name)
    one, other = (content_of(tmp_path / name) for name in ("one", "other"))
    assert one == other
    assert sum(map(len, one.values())) < 1_000_000


def test_a_network_can_take_what_it_becomes(task, tmp_path):
    task.write_sample(tmp_path)
    own = task.read_folder(tmp_path)
    fitted = own.task.fitted(own.splits["train"], None)
    inputs, targets = take(fitted.to_train_on(own.splits["train"]), slice(None))
    inputs = inputs if isinstance(inputs, dict) else {"": inputs}
    for array in (*inputs.values(), targets):
        assert array.dtype != object
        assert np.isfinite(array.astype("float64")).all()
        assert array.min() < array.max()
    encoded = fitted.encode(input_like(fitted, tmp_path, own.report))
    encoded = encoded if isinstance(encoded, dict) else {"": encoded}
    assert {name: len(array) for name, array in encoded.items()} == dict.fromkeys(inputs, 1)
    assert {name: array.ndim for name, array in encoded.items()} == {name: part.ndim for name, part in inputs.items()}


def input_like(task, folder, report):
    """An input that is like the examples of a folder."""
    value = report.examples[0].value
    if isinstance(task, ImageClassification | ObjectDetection | ImageSegmentation):
        return {"image": folder / value}
    if isinstance(task, SpeechRecognition):
        return {"audio": folder / value}
    if isinstance(task, MoleculeProperty):
        return {"smiles": value}
    if isinstance(task, Conversation):
        return {"message": "What is one plus two?"}
    if isinstance(task, SequenceClassification):
        return {"text": "A" * task.length}
    if isinstance(task, SequenceLabelling):
        return {"text": "ACG"}
    if isinstance(task, BoardGame):
        return {"moves": ["C3"]}
    if isinstance(task, Tabular):
        return {"row": [50, "red"][-len(task.columns) :]}
    return {"text": value}


# What is to be learned


def test_a_motif_tells_sequences_apart(tmp_path):
    SequenceClassification(labels=LABELS, length=60).write_sample(tmp_path)
    for name, expected in (("other", 0), ("with-motif", 40)):
        records = (tmp_path / f"{name}.fasta").read_text().split(">")[1:]
        found = sum(SAMPLE_MOTIFS["dna"] in "".join(record.splitlines()[1:]) for record in records)
        assert (found, len(records)) == (expected, 40)


def test_letters_tell_labels_apart(tmp_path):
    task = SequenceLabelling(labels=("helix", "other"), letters_of_labels=("H", "-"))
    task.write_sample(tmp_path)
    own = task.read_folder(tmp_path)
    assert own.task == task, "the labels of the model are those of its example"
    meant = {}
    for split in own.splits.values():
        for letters, labels in zip(split.inputs, split.targets, strict=True):
            for letter, label in zip(letters, labels, strict=True):
                assert meant.setdefault(letter, label) == label
    assert set(meant.values()) == {"H", "-"}


@pytest.mark.parametrize("name", ["classes of rows", "numbers of rows"])
def test_the_target_of_a_table_follows_its_columns(name, tmp_path):
    TASKS[name].write_sample(tmp_path)
    train = TASKS[name].read_folder(tmp_path).splits["train"]
    places = train.inputs[:, 1:4] @ [0, 1, 2]  # learned choices are sorted: blue, green, red
    score = train.inputs[:, 0] - (places - places.mean()) / places.std()
    targets = train.targets
    if name == "classes of rows":  # labels are sorted, too: high, low, middle
        targets = np.array([2, 0, 1])[targets]
    assert np.corrcoef(score, targets)[0, 1] > (0.85 if name == "classes of rows" else 0.99)


def test_what_is_said_of_molecules_is_true(tmp_path):
    MoleculeProperty(targets=("a", "b"), kind="yes-no").write_sample(tmp_path)
    rows = [line.split(",") for line in (tmp_path / "molecules.csv").read_text().splitlines()]
    assert rows[0] == ["name", "smiles", "has a ring", "has nitrogen"]
    for _, smiles, has_ring, has_nitrogen in rows[1:]:
        assert has_ring == str(int(bool(re.search(r"\d", smiles))))
        assert has_nitrogen == str(int("n" in smiles.lower()))


def test_boxes_lie_around_what_is_light(tmp_path):
    task = ObjectDetection(labels=("x",), size=(64, 64))
    task.write_sample(tmp_path)
    train = task.read_folder(tmp_path).splits["train"]
    for picture, boxes in zip(train.inputs, train.targets, strict=True):
        light = np.asarray(picture).mean(axis=-1) > 110
        for left, top, right, bottom in boxes[boxes[:, 4] >= 0, :4].astype(int):
            assert light[top:bottom, left:right].any()
            light[top:bottom, left:right] = False
        assert not light.any(), "each thing has a box"


# Folders and archives


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    task = TextClassification(labels=LABELS)
    write_sample(task, tmp_path / "new" / "example")
    (tmp_path / "empty").mkdir()
    write_sample(task, tmp_path / "empty")
    assert content_of(tmp_path / "empty") == content_of(tmp_path / "new" / "example")
    with pytest.raises(DataError, match=r"something already.*new or empty"):
        write_sample(task, tmp_path / "empty")
    (tmp_path / "file").touch()
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError):
            write_sample(task, taken)

    def fail(self, folder):
        (folder / "half").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TextClassification, "write_sample", fail)
    with pytest.raises(DataError, match="No space left"):
        write_sample(task, tmp_path / "full")
    assert {path.name for path in tmp_path.iterdir()} == {"new", "empty", "file"}


def test_an_archive_holds_the_folder_and_is_always_the_same(tmp_path):
    task = ImageClassification(labels=LABELS, size=(8, 8))
    content = zipped_sample(task)
    assert content == zipped_sample(task)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert task.read_folder(tmp_path).task.labels == ("cross", "disc", "frame")


def test_tasks_without_data_or_without_an_example_say_so(registered, tmp_path):
    class Other(TextClassification):
        write_sample = Classification.write_sample

    agent = registered.model("rl/cartpole").task
    assert not has_sample(agent)
    with pytest.raises(InputError, match="cannot be trained on data of your own"):
        write_sample(agent, tmp_path / "a")
    assert not has_sample(Other(labels=LABELS))
    with pytest.raises(InputError, match="no example"):
        zipped_sample(Other(labels=LABELS))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_network_is_trained_on_it(name, registered, home, tmp_path):
    write_sample(task_named(registered, name), tmp_path / "example")
    reference, _, variant = name.partition(":")
    spec = registered.model(reference)
    settings = {"num_epochs": 1, "precision": "float32", "compiler": "graph", **MODELS[name]}
    chosen = spec.variant(variant or None)
    config = replace(chosen.config, **settings)
    run = RunStore(home).create(spec, chosen.name, config, data=tmp_path / "example", device="cpu")
    fit(Context.of(run, registered))
    (epoch,) = run.history()
    assert math.isfinite(epoch["loss"])
    assert math.isfinite(epoch["val_loss"])
    assert run.state == "finished"
