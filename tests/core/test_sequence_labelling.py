"""A label for each letter of a sequence: windows, rows, masks, metrics by hand, answers, and a network in windows."""

import csv
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layerwise.config import TrainingConfig
from layerwise.errors import DataError, InputError, SpecError
from layerwise.plots import LinePlot, SequenceStrip
from layerwise.runner import make_runner
from layerwise.specs import ModelCard, ModelSpec
from layerwise.splits import Split
from layerwise.tasks import SequenceLabelling
from layerwise.tasks.sequence_labelling import ALPHABETS
from layerwise.tasks.sequences import alphabets
from layerwise.tasks.sequences.labelling_metrics import Labelled, metrics
from layerwise.tasks.sequences.windows import joined, packed, windows_of
from layerwise.versions import Version
from layerwise.weights import save

TASK = SequenceLabelling(
    labels=("helix", "sheet", "coil"),
    letters_of_labels=("H", "E", "C"),
    shapes=("spiral", "arrow", "line"),
    longest=64,
    context=8,
    gap=4,
)
CONFIG = TrainingConfig()
REACH = 6
"""How far the network of these tests looks on either side."""


def test_the_alphabets_are_those_that_there_are():
    assert {*ALPHABETS} == {*alphabets.ALPHABETS}
    dna = SequenceLabelling(labels=("gene", "none"), letters_of_labels=("g", "-"), alphabet="dna")
    assert dna.encode({"text": "ACGU"}).shape == (1, 64, 4)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 10), st.integers(1, 40))
@example(length=64, context=8, inner=48)
def test_each_letter_counts_once_and_has_its_context(length, context, inner):
    longest = 2 * context + inner
    windows = windows_of(length, longest, context)
    assert [place for window in windows for place in range(window.first, window.last)] == [*range(length)]
    for window in windows:
        assert len(window) <= longest
        assert window.first - window.start >= min(context, window.first)
        assert window.stop - window.last >= min(context, length - window.last)
    assert len(windows) <= 1 + max(0, length - longest + inner - 1) // inner
    sequence = np.arange(length)
    if windows:
        np.testing.assert_array_equal(joined([sequence[w.start : w.stop] for w in windows], windows), sequence)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), max_size=40), st.integers(1, 5))
def test_parts_in_rows_do_not_touch(lengths, gap):
    used = {}
    for place in packed(lengths, 20, gap):
        assert 0 <= place.at <= 20 - lengths[place.part]
        used.setdefault(place.row, []).append((place.at, place.at + lengths[place.part]))
    assert sum(map(len, used.values())) == len(lengths)
    for spans in used.values():
        spans.sort()
        assert all(start - stop >= gap for (_, stop), (start, _) in pairwise(spans))
    # Two rows with room for each other would be one.
    if len(used) > 1:
        assert sum(lengths) + gap * len(lengths) > 20 * len(used) / 2


def test_rows_to_train_on_hold_all_that_counts():
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice([*"ACDEFGHIKLMNPQRSTVWY"], length)) for length in (3, 64, 65, 200, 30)]
    labels = ["".join(random.choice([*"HEC."], len(sequence))) for sequence in sequences]
    split = Split(np.array(sequences, object), np.array(labels, object))
    for task in (TASK, SequenceLabelling(labels=TASK.labels, letters_of_labels=("H", "E", "C"), longest=64, context=8)):
        rows = task.to_train_on(split)
        assert rows.inputs.shape[1:] == (64, 20)
        assert rows.inputs.dtype == np.float32
        assert rows.targets.shape == rows.inputs.shape[:2]
        counted = np.bincount(rows.targets[rows.targets >= 0], minlength=3).tolist()
        assert counted == [sum(text.count(letter) for text in labels) for letter in "HEC"]
        # Where a label counts there is a letter.
        assert (rows.inputs.sum(axis=2) > 0)[rows.targets >= 0].all()
    assert len(TASK.to_train_on(split)) < len(rows), "a gap lets several sequences share a row"


def test_what_does_not_count_teaches_nothing():
    from keras import ops

    random = np.random.default_rng(1)
    logits = random.normal(size=(2, 5, 3)).astype("float32")
    targets = np.array([[0, 1, -1, 2, -1], [-1, -1, -1, -1, -1]], "int8")
    for smoothing in (0.0, 0.2):
        loss = TASK.loss(TrainingConfig(label_smoothing=smoothing))
        shifted = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        wanted = [
            -((1 - smoothing) * shifted[0, place, number] + smoothing * shifted[0, place].mean())
            for place, number in ((0, 0), (1, 1), (3, 2))
        ]
        assert float(loss(targets, logits)) == pytest.approx(np.mean(wanted), rel=1e-5)
        other = logits.copy()
        other[targets < 0] += 5 * random.normal(size=(7, 3)).astype("float32")
        assert float(loss(targets, other)) == pytest.approx(np.mean(wanted), rel=1e-5)
    accuracy = TASK.training_metrics()["accuracy"]
    right = logits.argmax(axis=2)
    assert float(accuracy(np.where(targets >= 0, right, -1), logits)) == 1
    assert float(accuracy(np.full((2, 5), -1), ops.convert_to_tensor(logits))) == 0


def test_metrics_by_hand():
    outputs = np.empty(3, object)
    right = np.array(["HEC.", "HHHHHH", ".."], object)
    # The first has two of three letters right, the second half of them, the third none that counts.
    for place, guesses in enumerate(("HEHH", "HHHEEE", "HE")):
        outputs[place] = Labelled(np.eye(3)[["HEC".index(letter) for letter in guesses]])
    found = TASK.evaluate(outputs, right)
    assert found["accuracy"] == pytest.approx(5 / 9)
    assert found["accuracy_by_sequence"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    f1 = {"H": 2 * 4 / (7 + 5), "E": 2 * 1 / (1 + 4), "C": 0.0}
    assert found["macro_f1"] == pytest.approx(np.mean([*f1.values()]))
    # The same as arrays, as an exported network gives them.
    logits, numbers = np.zeros([2, 6, 3]), np.full([2, 6], -1)
    for place in range(2):
        length = len(right[place])
        logits[place, :length] = outputs[place].logits
        numbers[place, :length] = TASK.numbers_of(right[place])
    assert TASK.evaluate(logits, numbers) == found
    assert metrics(np.zeros([1, 3, 3], int)) == {"accuracy": 0.0, "accuracy_by_sequence": 0.0, "macro_f1": 0.0}
    titles = [getattr(plot, "title", "") for plot in TASK.report(outputs, right, None)]
    assert "How the sequences went" in titles
    with pytest.raises(DataError, match=r"label that the model does not know.*'Q'"):
        TASK.numbers_of("HQ")


def build(config, task):
    """A network that looks `REACH` letters far, and in whose layers nothing stands where no letter does."""
    import keras
    from keras import layers, ops

    letters = keras.Input((None, 20))
    there = ops.cast(ops.sum(letters, axis=-1, keepdims=True) > 0, "float32")
    x = layers.Conv1D(8, REACH + 1, padding="same", activation="tanh", use_bias=False)(letters)
    x = layers.Multiply()([x, there])
    return keras.Model(letters, layers.Conv1D(len(task.labels), REACH + 1, padding="same", use_bias=False)(x))


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    import keras

    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("letters")
    save(build(CONFIG, TASK), folder, {})
    spec = ModelSpec(name="science/letters", task=TASK, build=build, card=ModelCard(title="Letters", summary="Few."))
    version = Version(name=spec.name, variant="default", id="1", folder=folder, task=TASK, config=CONFIG, record={})
    made = make_runner(spec, version)
    made.warm()
    return made


@pytest.mark.parametrize("length", [1, 20, 63, 64, 65, 130, 1000])
def test_windows_joined_are_like_the_whole(runner, length):
    random = np.random.default_rng(length)
    sequence = "".join(random.choice([*"ACDEFGHIKLMNPQRSTVWYX"], length))
    whole = np.asarray(runner.model(TASK.letters.encode(sequence)[None]))[0]
    (found,) = runner.logits([sequence])
    assert found.shape == (length, 3)
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_sequences_together_are_answered_as_alone(runner):
    sequences = ["MKVLAAGIVGLC" * times for times in (1, 20, 3)]
    together = runner.run_batch([{"text": "\n".join(f">s{n}\n{s}" for n, s in enumerate(sequences))}, {"text": "MKV"}])
    alone = [runner.run_batch([{"text": sequence}])[0] for sequence in sequences]
    content = together[0]["fasta"]["content"].decode()
    assert [part.split(None, 1)[1].replace("\n", "") for part in content.split(">")[1:]] == [a["labels"] for a in alone]
    assert [row["letters"] for row in together[0]["table"]] == [12, 240, 36]
    assert together[0]["labels"] == "", "one string for several sequences would be read as one of them"
    assert len(together[1]["labels"]) == 3
    found = runner.outputs(np.array(sequences, object))
    np.testing.assert_allclose(found[1].logits, runner.logits([sequences[1]])[0], atol=1e-6)
    assert runner.outputs(np.zeros([3, 64, 20], "float32")).shape == (3, 64, 3)


def test_nobody_waits_any_more(runner):
    import threading

    gone = threading.Event()
    gone.set()
    assert runner.run({"text": "MKV"}, None, gone) == {}


def test_an_answer_says_the_same_in_each_of_its_parts():
    records = TASK.records({"text": ">sp|P1|a *b*\nMKVX"})
    logits = np.log([[0.7, 0.2, 0.1], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    answer = TASK.answer(records, [logits])
    assert answer["labels"] == "HHEC"
    assert answer["summary"].startswith("4 letters: 50 % helix, 25 % sheet, 25 % coil.")
    strip, curves = answer["strip"]
    assert isinstance(strip, SequenceStrip)
    assert strip.stretches() == [(0, 2, 0), (2, 3, 1), (3, 4, 2)]
    assert isinstance(curves, LinePlot)
    np.testing.assert_allclose([line.y for line in curves.lines], np.exp(logits).T, rtol=1e-6)
    rows = list(csv.DictReader(io.StringIO(answer["probabilities"]["content"].decode())))
    assert [row["letter"] + row["label"] for row in rows] == ["MH", "KH", "VE", "XC"]
    assert float(rows[0]["helix"]) == pytest.approx(0.7)
    assert answer["fasta"]["content"] == b">sp|P1|a *b*\nHHEC\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no protein sequence"),
        ("   \n ", "There is no protein sequence"),
        ("MK1?V", "'\\?' at place 3"),
        ("MKV*", "stop codon"),
        (">one\n>two\nMK", "'one' is empty"),
        (">long\n" + "M" * 10_001, "'long' is too long.*10,000 letters at most.*10,001"),
        ("".join(f">s{n}\n{'M' * 9_999}\n" for n in range(51)), "too many letters"),
    ],
)
def test_what_is_no_sequence_is_explained(text, said):
    with pytest.raises(InputError, match=said):
        TASK.records({"text": text})


def test_letters_are_read_in_any_case_and_rare_ones_as_their_like():
    (record,) = TASK.records({"text": "mkv bzxu\n"})
    assert record.sequence == "MKVBZXC"
    encoded = TASK.encode({"text": "mkvx"})
    assert TASK.part_names(encoded)[:6] == ["M", "K", "V", "X", "", ""]
    assert TASK.encode({"text": "M" * 900}).shape == (1, 64, 20), "a look is at the first window"
    assert len(TASK.records({"text": "M" * 10_000})[0].sequence) == 10_000


def test_a_file_of_sequences(tmp_path):
    path = tmp_path / "mine.fasta"
    path.write_bytes(b"\xef\xbb\xbf>one\r\nMKV\r\n")
    assert [record.name for record in TASK.records({"file": path})] == ["one"]
    assert [record.sequence for record in TASK.records({"file": path.read_bytes(), "text": None})] == ["MKV"]
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="The file is no text"):
        TASK.records({"file": path})
    with pytest.raises(InputError, match="cannot be read"):
        TASK.records({"file": Path("missing.fasta")})
    path.write_bytes(b"MKL")
    assert TASK.records({"file": path, "text": "MKV"})[0].sequence == "MKL", "the file counts, as for other tasks"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"letters_of_labels": ("H", "E")}, "a different letter for each of 3"),
        ({"letters_of_labels": ("H", "E", ".")}, "none of them '.'"),
        ({"letters_of_labels": ("H", "E", "CC")}, "a different letter"),
        ({"shapes": ("spiral", "arrow")}, "for each of 3 labels"),
        ({"shapes": ("spiral", "arrow", "star")}, "star"),
        ({"longest": 16}, "longest above twice context"),
        ({"gap": -1}, "neither context nor gap below 0"),
        ({"alphabet": "klingon"}, "dna or protein"),
        ({"labels": ("one",)}, "at least two"),
    ],
)
def test_unusable_values_are_refused(values, said):
    given = {"labels": TASK.labels, "letters_of_labels": TASK.letters_of_labels, "longest": 64, "context": 8, **values}
    with pytest.raises(SpecError, match=said):
        SequenceLabelling(**given)
