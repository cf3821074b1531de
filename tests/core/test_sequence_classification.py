"""Sequences of DNA and proteins by class: inputs good and bad, windows, scans, several sequences, metrics, own data."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_models import promoted, shelf, spec_of
from sklearn.metrics import matthews_corrcoef, recall_score, roc_auc_score

from layerwise.errors import DataError, InputError, SpecError
from layerwise.plots import LinePlot, Table
from layerwise.runner import last_answer
from layerwise.serving.named_inputs import named_inputs
from layerwise.tasks import SequenceClassification
from layerwise.tasks.sequences import files
from layerwise.tasks.sequences.alphabets import DNA, PROTEIN
from layerwise.tasks.sequences.metrics import binary_metrics, roc_auc
from layerwise.tasks.sequences.scan import MOST_POINTS, Scan
from layerwise.tasks.sequences.scanning_runner import SequenceRunner

TASK = SequenceClassification(labels=("other", "start"), alphabet="dna", length=6)
STARTS = np.array([[0.9, 0, 0.1, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
"""A, T, G at the first three places."""


def forward(windows):
    """Logits of a network that knows windows which begin with ATG."""
    score = np.einsum("nlc,lc->n", np.asarray(windows)[:, :3], STARTS)
    return np.stack([np.zeros(len(windows)), 20 * (score - 2.6)], axis=1).astype("float32")


class Finder(SequenceRunner):
    """A runner of a task without weights."""

    def __init__(self, task=TASK, network=forward):
        self.task, self._forward = task, network


def answer(inputs, runner=None):
    return last_answer((runner or Finder()).run(inputs, None, threading.Event()))


def test_what_is_encoded_are_shares_of_letters():
    np.testing.assert_array_equal(TASK.encode({"text": ">one\nacg\nunn"})[0, :4], np.eye(4))
    assert TASK.encode({"file": b">x\nACGTAC\n"}).shape == TASK.warm_input().shape == (1, 6, 4)
    assert TASK.part_names(TASK.encode({"text": "ACGTNR"})) == list("ACGTNR")


@pytest.mark.parametrize("values", [{"length": 0}, {"length": 2.5}, {"alphabet": "rna"}, {"length": 10**6}])
def test_unusable_values_are_refused(values):
    with pytest.raises(SpecError, match=r"is not (usable|known)"):
        replace(TASK, **values)


BAD = {
    "empty": ({"text": ""}, "There is no DNA"),
    "blank": ({"text": " \n"}, "There is no DNA"),
    "nothing": ({}, "There is no DNA"),
    "header": ({"text": ">only a name\n"}, "'only' is empty"),
    "protein": ({"text": "MKVLAA"}, "'L' is no letter|'E' is no|'L' at place"),
    "short": ({"text": "ACGT"}, "too short.*6 letters, or more.*4 letters"),
    "single": ({"text": ">x\nA"}, "'x' is too short.*1 letter[.]"),
    "png": ({"file": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"}, "no text.*FASTA.*PNG"),
    "packed": ({"file": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"}, "no text.*unpack"),
    "missing": ({"file": "/nowhere/of/mine.fasta"}, "cannot be read.*mine.fasta"),
    "number": ({"file": 3}, "This is no file"),
    "label": ({"text": "ACGTACGT", "wanted": "end"}, "no such label.*other, start"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_said(name):
    inputs, said = BAD[name]
    with pytest.raises(InputError, match=f"(?s){said}"):
        answer(inputs)


@pytest.mark.parametrize("inputs", [{"text": "ACGTACGT"}, {"text": ">a\nACGTAC\n>b\nACGTAC"}])
def test_only_one_window_is_looked_into(inputs):
    with pytest.raises(InputError, match=r"one stretch.*a scan has found"):
        TASK.encode(inputs)


def test_a_file_may_be_of_any_sort(tmp_path, monkeypatch):
    path = tmp_path / "a.fasta"
    for mark, name in ((b"\xef\xbb\xbf", "café".encode()), (b"", "café".encode("latin-1"))):
        path.write_bytes(mark + b">" + name + b"\r\nACGTAC\r\n")
        assert TASK.records({"file": path})[0].name == "café"
    for one in (path, str(path), path.read_bytes(), {"name": "a.fasta", "content": path.read_bytes()}):
        assert TASK.records({"text": "ignored", "file": one})[0].sequence == "ACGTAC"
    monkeypatch.setattr(files, "LARGEST_FILE", 4)
    for one in (path, path.read_bytes()):
        with pytest.raises(InputError, match="too large"):
            files.text_of_file(one)


def test_a_bare_value_is_the_sequence():
    class Version:
        name, task = "sample/finder", TASK

    assert named_inputs(Version, "ACGTAC") == {"text": "ACGTAC", "stride": 1}  # pyright: ignore[reportArgumentType]


def test_one_window_has_probabilities():
    found = answer({"text": "atgaaa"})
    assert found["label"] == "start"
    assert found["probabilities"]["start"] > 0.9
    assert answer({"text": "NNNNNN"})["label"] == "other"


def test_a_longer_sequence_is_scanned_on_both_strands():
    #           1234567890123456789012345678
    sequence = "CCCCAATGCCCCCCCCCCCCCCATTCCC"
    found = answer({"text": sequence})
    first, second = found["hits"][:2]
    assert [first["from"], first["to"], first["strand"], first["letters"]] == [6, 11, "+", "ATGCCC"]
    # CAT at 22 to 24 is ATG on the other strand, where the window goes on to the left.
    assert [second["from"], second["to"], second["strand"], second["letters"]] == [19, 24, "−", "ATGGGG"]
    assert sequence[18:24] == DNA.complement("ATGGGG")
    (plot,) = found["track"]
    assert isinstance(plot, LinePlot)
    assert [line.label for line in plot.lines] == ["strand +", "strand −"]
    assert plot.lines[0].x[plot.lines[0].y.argmax()] == 6
    assert "28 letters scanned on both strands, in 46 windows of 6. 2 stretches" in found["summary"]
    assert "probabilities" not in found


def test_proteins_have_one_strand_and_another_label_may_be_wanted():
    task = SequenceClassification(labels=("other", "start"), alphabet="protein", length=2)
    runner = Finder(task, lambda windows: np.stack([windows[:, 0, 10], windows[:, 0, 0]], axis=1) * 9)
    found = answer({"text": "WWMWWA", "wanted": "other"}, runner)
    assert [row["strand"] for row in found["hits"]] == ["+"] * len(found["hits"])
    assert found["hits"][0]["letters"] == "MW"
    assert len(found["track"][0].lines) == 1
    assert "of other" in found["track"][0].title


@settings(deadline=None, max_examples=30)
@given(st.text("ACGTN", min_size=6, max_size=60), st.integers(1, 5))
def test_a_scan_is_what_each_window_gives(sequence, stride):
    scan = Scan(sequence, DNA, 6, stride)
    list(scan.run(lambda windows: forward(windows)[:, 1]))
    starts = range(0, len(sequence) - 5, stride)
    for strand, turned in (("+", str), ("−", DNA.complement)):
        each = [forward(DNA.encode(turned(sequence[start : start + 6]))[None])[0, 1] for start in starts]
        np.testing.assert_allclose(scan.probabilities[strand], each, rtol=1e-5)


def test_hits_do_not_overlap_and_come_best_first():
    random = np.random.default_rng(0)
    sequence = "".join(random.choice(list("ACGT"), 3000))
    scan = Scan(sequence, DNA, 6, 1)
    list(scan.run(lambda windows: random.random(len(windows))))
    hits = scan.hits()
    assert len(hits) == 20
    assert [hit.probability for hit in hits] == sorted((hit.probability for hit in hits), reverse=True)
    assert hits[0].probability == pytest.approx(max(values.max() for values in scan.probabilities.values()))
    for strand in "+−":
        starts = sorted(hit.start for hit in hits if hit.strand == strand)
        assert all(after - before >= 6 for before, after in itertools.pairwise(starts))


def test_the_track_of_a_long_sequence_keeps_its_peaks():
    scan = Scan("A" * 100_005, DNA, 6, 1)
    for values in scan.probabilities.values():
        values[:] = 0.1
    scan.probabilities["+"][77_777] = 0.9
    scan.done = scan.count
    (plot,) = scan.track("start")
    assert len(plot.lines[0].x) <= MOST_POINTS
    assert plot.lines[0].y.max() == pytest.approx(0.9)
    assert plot.lines[0].x[plot.lines[0].y.argmax()] == 77_778
    assert "highest of 250 windows" in plot.title


def test_a_scan_says_how_far_it_is_and_ends_when_nobody_waits(monkeypatch):
    monkeypatch.setattr("layerwise.tasks.sequences.scanning_runner.SECONDS_BETWEEN", 0.0)
    cancelled, calls = threading.Event(), []

    def counting(windows):
        calls.append(len(windows))
        return forward(windows)

    parts = Finder(network=counting).run({"text": "ACGT" * 1000}, None, cancelled)
    first = next(parts)
    assert first["summary"].startswith("13% of 4,000 letters scanned so far on both strands.")
    assert first["hits"]
    cancelled.set()
    assert list(parts) == []
    assert len(calls) == 2, "a part of each strand"


def test_several_sequences_have_a_row_each():
    text = ">one\nATGAAA\n>two\nCCCCCC\n>\nAT\n>long\nCCCCAATGCC\n>none\nCCCCCCCC"
    found = answer({"text": text})
    rows = found["hits"]
    assert [row["sequence"] for row in rows] == ["one", "two", "number 3", "long", "none"]
    assert [row["label"] for row in rows] == [
        "start",
        "other",
        "too short: 6 letters are needed",
        "no start found",
        "no start found",
    ]
    assert "of start" in list(rows[0])[-1]
    rows = answer({"text": text + "\n>longer\nCCCAATGCCCCC"})["hits"]
    assert rows[-1]["label"] == "start at 5 to 10, strand +"
    assert found["summary"].startswith("1 of 5 sequences have a probability of start of 50% or more")


def test_more_letters_than_can_be_scanned_are_refused(monkeypatch):
    monkeypatch.setattr("layerwise.tasks.sequences.scanning_runner.MOST_LETTERS", 10)
    with pytest.raises(InputError, match="too long together"):
        answer({"text": "ACGTACGTACGT"})


def test_a_real_network_answers(tmp_path):
    import keras

    from layerwise.predictor import Predictor
    from layerwise.versions import VersionStore

    def build(config, task):
        inputs = keras.Input((task.length, 4), name="text")
        return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))

    spec = replace(spec_of("sample/finder", task=TASK), build=build)
    model = build(None, TASK)
    promoted(tmp_path, spec, model)
    predictor = Predictor(shelf(spec), VersionStore(tmp_path))
    try:
        found = predictor.predict(spec.name, "ACGTAC")
        weights = model.get_weights()
        logits = DNA.encode("ACGTAC").reshape(-1) @ weights[0] + weights[1]
        expected = np.exp(logits) / np.exp(logits).sum()
        assert found["probabilities"]["start"] == pytest.approx(float(expected[1]), abs=1e-5)
        scanned, short = predictor.predict_batch(spec.name, [{"text": "ACGTACGT" * 100}, {"text": "ACGTAC"}])
        assert scanned["hits"]
        assert short["label"] == found["label"]
    finally:
        predictor.close()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_metrics_agree_with_scikit_learn(pairs):
    scores, targets = np.array([score for score, _ in pairs], float), np.array([right for _, right in pairs])
    logits = np.stack([np.zeros(len(pairs)), scores], axis=1)
    found = binary_metrics(logits, targets.astype(int))
    guesses = logits.argmax(axis=1) == 1
    if targets.any():
        assert found["sensitivity"] == pytest.approx(recall_score(targets, guesses))
    if not targets.all():
        assert found["specificity"] == pytest.approx(recall_score(~targets, ~guesses))
    if 0 < targets.sum() < len(targets):
        assert found["correlation"] == pytest.approx(matthews_corrcoef(targets, guesses))
        assert found["roc_auc"] == pytest.approx(roc_auc_score(targets, scores)) == roc_auc(scores, targets)
    else:
        assert "correlation" not in found


def test_evaluation_and_report():
    inputs = DNA.encode("ATGAAACCCCCCATGCCN").reshape(3, 6, 4)
    metrics = TASK.evaluate(forward(inputs), np.array([1, 0, 0]))
    assert next(iter(metrics)) == "accuracy"
    assert metrics["sensitivity"] == 1
    assert metrics["specificity"] == 0.5
    *_, mistakes = TASK.report(forward(inputs), np.array([1, 0, 0]), inputs)
    assert isinstance(mistakes, Table)
    assert mistakes.rows[0][:3] == ("ATGCCN", "other", "start")
    three = replace(TASK, labels=("a", "b", "c"))
    assert "sensitivity" not in three.evaluate(np.eye(3), np.arange(3))


def write(folder, layout):
    for name, sequences in layout.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f">{number}\n{letters}\n" for number, letters in enumerate(sequences)))


def several(first, count=12, length=8):
    random = np.random.default_rng(1)
    return [first + "".join(random.choice(list("ACGT"), length - len(first))) for _ in range(count)]


def test_a_file_for_each_class_is_read(tmp_path):
    write(tmp_path, {"other.fasta": several("CC"), "start.fa": several("ATG")})
    data = TASK.read_folder(tmp_path)
    assert data.task.labels == ("other", "start")
    assert data.task.length == 8, "all sequences are that long"
    train, test = data.splits["train"], data.splits["test"]
    assert len(train) + len(test) == 24
    assert 2 <= len(test) <= 10
    for split in (train, test):
        texts = [DNA.decode(encoded) for encoded in split.inputs]
        assert [text.startswith("ATG") for text in texts] == (split.targets == 1).tolist()
    assert data.report.summary.startswith("24 sequences of 2 classes")
    measured = replace(TASK, labels=("start", "other")).read_to_measure(tmp_path)
    assert measured["test"].inputs.shape[1:] == (6, 4), "the window of the version stays"
    np.testing.assert_array_equal(measured["test"].targets, 1 - test.targets)


def test_a_folder_for_each_class_and_splits_of_ones_own(tmp_path):
    layout = {
        f"{split}/{label}/{n}.fasta": several(first, 2)
        for split in ("train", "test", "val")
        for n in "12"
        for label, first in (("a", "A"), ("b", "C"))
    }
    write(tmp_path / "wrapped", {**layout, "train/a/notes.txt": ["A"]})
    data = TASK.read_folder(tmp_path)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 8, "test": 8, "validation": 8}
    assert any("in the training data as well" in warning for warning in data.report.warnings)


def test_equal_sequences_stay_together(tmp_path):
    write(tmp_path, {"a.fa": several("A", 20) * 3, "b.fa": several("C", 20)})
    data = TASK.read_folder(tmp_path)
    train, test = ({DNA.decode(x) for x in data.splits[name].inputs} for name in ("train", "test"))
    assert not train & test


def test_sequences_of_many_lengths_are_cut_and_short_ones_left_out(tmp_path):
    write(tmp_path, {"a.fa": [*several("A", 20), "AAACCCGGG", "ACG"], "b.fa": several("C", 20, 6)})
    data = TASK.read_folder(tmp_path)
    assert data.task.length == 6
    assert data.report.num_unreadable == 1
    assert "3 letters, 6 are needed" in data.report.unreadable[0].reason
    assert "AACCCG" in {DNA.decode(x) for split in data.splits.values() for x in split.inputs}, "the middle"
    assert any("longer than 6 letters" in warning for warning in data.report.warnings)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ({}, "No sequences are found"),
        ({"a.txt": ["ACGTAC"]}, "No sequences are found"),
        ({"a.fa": several("A")}, "two classes"),
        ({"a.fa": several("A"), "b.fa": ["ACGTAC"]}, "two sequences each"),
        ({"a.fa": several("A"), "b.fa": ["ACXTAC", "ACGTAC"]}, "b.fa: Sequence '0'.*'X'"),
        ({"a.fa": several("A"), "b.fa": ["ACG"] * 12}, "cannot be read.*less than a tenth"),
        (
            {"train/a.fa": several("A"), "train/b.fa": several("C"), "test/c.fa": several("G")},
            "to learn these classes from.*c",
        ),
    ],
)
def test_folders_that_cannot_be_used_are_explained(tmp_path, layout, said):
    write(tmp_path, layout)
    with pytest.raises(DataError, match=f"(?s){said}"):
        TASK.read_folder(tmp_path)


def test_labels_that_a_version_does_not_know_are_named(tmp_path):
    write(tmp_path, {"other.fasta": several("C"), "stop.fasta": several("A")})
    with pytest.raises(DataError, match=r"does not know.*stop"):
        TASK.read_to_measure(tmp_path)


def test_proteins_are_read_too(tmp_path):
    write(tmp_path, {"a.faa": ["MKVLA", "MKVLW"], "b.faa": ["WWWLA", "WWVLA"]})
    data = replace(TASK, alphabet="protein").read_folder(tmp_path)
    assert data.splits["train"].inputs.shape[1:] == (5, 20)
    assert PROTEIN.decode(data.splits["train"].inputs[0])[0] in "MW"
