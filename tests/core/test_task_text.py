"""Text classification: texts to tokens to answers, the vocabulary that is learned, and the file that it lies in."""

import csv
import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from layerwise import ModelCard, ModelSpec, TrainingConfig, shipping, weights
from layerwise.context import Context
from layerwise.errors import InputError, SpecError, WeightsError
from layerwise.evaluation import evaluate_version
from layerwise.runner import make_runner
from layerwise.splits import Split
from layerwise.tasks import TextClassification
from layerwise.text.tokenization import train_words
from layerwise.training import fit
from layerwise.versions import SHIPPED, VersionStore, read_version

GOOD, BAD = ("lovely", "great", "fine", "warm"), ("dull", "awful", "cold", "weak")
TASK = TextClassification(labels=("bad", "good"), length=12, vocabulary=400)


def build(config, task):
    inputs = keras.Input((task.length,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(task.vocabulary, 8, name="embedding")(inputs)
    x = keras.layers.GlobalMaxPooling1D(name="largest")(x)
    return keras.Model(inputs, keras.layers.Dense(len(task.labels), name="logits")(x))


SPEC = ModelSpec(
    name="toy/opinion",
    task=TASK,
    build=build,
    config=TrainingConfig,
    card=ModelCard(title="Opinion", summary="Good or bad.", licence="Apache-2.0"),
)


@pytest.fixture
def snapshot(snapshot):
    return replace(snapshot, models={SPEC.name: SPEC})


@pytest.fixture
def reviews(tmp_path):
    """A table in which one word decides."""
    random = np.random.default_rng(0)
    path = tmp_path / "reviews.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("text", "label"))
        for number in range(160):
            label, words = (("good", GOOD), ("bad", BAD))[number % 2]
            table.writerow((f"This film number {number} is {random.choice(words)}, they say.", label))
    return path


def train(runs, snapshot, data, start=None, **changes):
    config = {"num_epochs": 8, "learning_rate": 0.02, "batch_size": 16, **changes}
    run = runs.create(
        SPEC, None, TrainingConfig(**config), data=str(data), **({"start_from": start.id} if start else {})
    )
    fit(Context.of(run, snapshot))
    return VersionStore(runs.home).get(SPEC, None, run.id)


def test_a_vocabulary_is_learned_and_lies_beside_the_weights(runs, snapshot, reviews):
    version = train(runs, snapshot, reviews)
    file = version.folder / "tokenizer.json"
    assert version.record["task"]["tokenizer"] == {"file": file.name, "sha256": version.task.tokenizer.sha256}
    assert file.read_text() == version.task.tokenizer.content
    measured = evaluate_version(snapshot, version)
    assert measured["metrics"]["accuracy"] == 1
    answer = make_runner(SPEC, version).run({"text": "A great, lovely film"}, None, None)
    assert (answer["label"], list(answer["probabilities"])) == ("good", ["good", "bad"])


def test_what_is_built_after_a_training_has_not_its_precision(runs, snapshot, reviews):
    version = train(runs, snapshot, reviews, num_epochs=1, precision="mixed_bfloat16")
    assert make_runner(SPEC, version).model.dtype_policy.compute_dtype == "float32"


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("{}")])
def test_a_version_without_its_vocabulary_is_refused(runs, snapshot, reviews, spoil):
    version = train(runs, snapshot, reviews, num_epochs=1)
    spoil(version.folder / "tokenizer.json")
    with pytest.raises(WeightsError, match=r"tokenizer\.json"):
        VersionStore(runs.home).get(SPEC, None, version.id)


def test_a_run_that_goes_on_has_the_vocabulary_that_it_began_with(runs, snapshot, reviews):
    run = runs.create(SPEC, None, TrainingConfig(num_epochs=2), data=str(reviews))
    context = Context.of(run, snapshot)
    context.fit_task(Split(np.array(["the first words"], object), np.zeros(1, "int32")))
    again = Context.of(run, snapshot)
    again.fit_task(Split(np.array(["others"], object), np.zeros(1, "int32")))
    assert again.task == context.task != TASK


@pytest.mark.slow
def test_a_fine_tuning_keeps_the_vocabulary_of_its_beginning(runs, snapshot, reviews, tmp_path):
    begin = train(runs, snapshot, reviews, num_epochs=2)
    own = tmp_path / "own.csv"
    rows = [f'"The soup was {word}","{label}"' for label in ("hot", "sour", "salty") for word in GOOD * 3]
    own.write_text("text,label\n" + "\n".join(rows))
    tuned = train(runs, snapshot, own, start=begin, num_epochs=1)
    assert tuned.task.tokenizer == begin.task.tokenizer
    assert tuned.task.labels == ("hot", "salty", "sour")


def test_shipping_takes_the_vocabulary_along(runs, snapshot, reviews, tmp_path):
    version = train(runs, snapshot, reviews)
    arrays, record = weights.read_arrays(version.folder), weights.read_record(version.folder)
    weights.save_arrays(arrays, tmp_path / "shipped", record, version.task.files())
    assert read_version(SPEC, "default", SHIPPED, tmp_path / "shipped").task == version.task
    shown = shipping.report_of(snapshot, version)
    assert [type(plot).__name__ for plot in shown][:2] == ["Table", "Heatmap"]


def test_the_surest_mistakes_are_shown_as_texts():
    logits = np.array([[5.0, 0.0], [0.0, 9.0], [0.0, 3.0]])
    texts = ["a" * 500, "short", "right"]
    *_, table = TASK.report(logits, np.array([1, 0, 1]), texts)
    assert [row[1:3] for row in table.rows] == [("bad", "good"), ("good", "bad")]
    assert table.rows[0][0] == "short"
    assert len(table.rows[1][0]) == 240
    *_, none = TASK.report(logits, np.array([0, 1, 1]), texts)
    assert none.text == "It made no mistake."


@pytest.mark.parametrize("text", [None, "", " \n", 3, "\u200b"])
def test_what_cannot_be_read_is_said(text):
    task = replace(TASK, tokenizer=train_words(["some words"], 300))
    if text == "\u200b":  # a character is there, though nobody sees it
        assert task.encode({"text": text}).any()
        return
    with pytest.raises(InputError, match="There is no text"):
        task.encode({"text": text})


def test_long_texts_control_characters_and_all_scripts_are_read():
    task = replace(TASK, tokenizer=train_words(["some words"], 300))
    for text in ("word " * 5000, "\x00\x1b[31m", "<script>alert(1)</script>", "שלום עולם", "映画は最高", "😀" * 99):
        tokens = task.encode({"text": text})
        assert tokens.shape == (1, TASK.length)
        assert tokens.any()
        assert len(task.part_names(tokens)) == TASK.length


def test_before_a_training_there_is_no_vocabulary():
    with pytest.raises(SpecError, match="no tokenizer yet"):
        TASK.encode({"text": "good"})


@pytest.mark.parametrize("wrong", [{"length": 0}, {"vocabulary": 259}, {"length": 2.5}, {"labels": ("one",)}])
def test_unusable_parameters_are_refused(wrong):
    with pytest.raises(SpecError):
        replace(TASK, **wrong)


def test_parameters_survive_json_beside_their_file(tmp_path):
    task = replace(TASK, tokenizer=train_words(["some words"], 300))
    for name, content in task.files().items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert TASK.with_parameters(json.loads(json.dumps(task.parameters())), tmp_path) == task
