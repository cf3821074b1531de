"""Sequences of a user's own with a label for each letter."""

import numpy as np
import pytest

from layerwise.errors import DataError
from layerwise.tasks import SequenceLabelling

TASK = SequenceLabelling(labels=("helix", "sheet", "coil"), letters_of_labels=("H", "E", "C"), longest=64, context=8)


def write(folder, pairs, endings=("fasta", "fasta")):
    folder.mkdir(parents=True, exist_ok=True)
    for side, (name, ending) in enumerate(zip(("sequences", "labels"), endings, strict=True)):
        text = "".join(f">{key} more\n{pair[side][:5]}\n{pair[side][5:]}\n" for key, pair in pairs.items())
        (folder / f"{name}.{ending}").write_text(text, encoding="utf-8")


def some(count, letters="HEC.", seed=0):
    random = np.random.default_rng(seed)
    return {
        f"s{number}": ("".join(random.choice([*"ACDEFGHIKL"], 12)), "".join(random.choice([*letters], 12)))
        for number in range(count)
    }


def test_a_fifth_is_held_out_and_the_labels_are_known(tmp_path):
    pairs = some(50)
    write(tmp_path, pairs, ("fa", "txt"))
    data = TASK.read_folder(tmp_path)
    assert data.task == TASK
    assert set(data.splits) == {"train", "test"}
    assert 3 <= len(data.splits["test"]) <= 20
    found = {
        (str(a), str(b)) for split in data.splits.values() for a, b in zip(split.inputs, split.targets, strict=True)
    }
    assert found == {*pairs.values()}
    assert data.report.what == "sequences"
    assert data.report.sizes["letters of a sequence"] == (12, 12, 12)
    assert "have none and do not count" in data.report.warnings[0]
    assert len(data.task.to_train_on(data.splits["train"])) == len(data.splits["train"])


def test_labels_of_ones_own_and_splits_of_ones_own(tmp_path):
    write(tmp_path / "mine" / "train", some(10, "xo"))
    write(tmp_path / "mine" / "Test", some(3, "xo", seed=1))
    data = TASK.read_folder(tmp_path)
    assert data.task.labels == data.task.letters_of_labels == ("o", "x")
    assert data.task.shapes == ("bar", "bar")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 10, "test": 3}
    with pytest.raises(DataError, match=r"labels that the model does not know.*o, x"):
        TASK.read_to_measure(tmp_path)
    assert data.task.read_to_measure(tmp_path).keys() == data.splits.keys()


def test_what_repeats_is_pointed_out(tmp_path):
    write(tmp_path / "train", some(10))
    write(tmp_path / "test", some(2))
    assert any("2 different sequences of test" in text for text in TASK.read_folder(tmp_path).report.warnings)


def replaced(name, old, new):
    def spoil(folder):
        path = folder / f"{name}.fasta"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    return spoil


SPOILT = {
    "no labels": lambda folder: (folder / "labels.fasta").unlink(),
    "another name": replaced("labels", ">s3 ", ">t3 "),
    "one more": replaced("labels", ">s0 ", ">more\nHEC\n>s0 "),
    "twice": replaced("labels", ">s0 ", ">s3\nHEC\n>s0 "),
    "longer": replaced("labels", ">s4 more\n", ">s4 more\nH"),
    "no letter": replaced("sequences", ">s5 more\n", ">s5 more\n1?"),
    "no header": replaced("labels", ">s0 ", "HEC\n>s0 "),
    "few": lambda folder: write(folder, some(4)),
    "one label": lambda folder: write(folder, some(12, "H.")),
    "only train": lambda folder: write(folder / "train", some(12)),
}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no labels", "no file of labels.*labels.fasta"),
        ("another name", "no labels of the sequence 's3'"),
        ("one more", "no sequences of these labels.*more"),
        ("twice", "name twice.*s3"),
        ("longer", "'s4' and its labels are not of equal length.*12 letters and 13 labels"),
        ("no letter", "Sequence 's5'.*at place 1"),
        ("no header", "does not begin with a header"),
        ("few", "too few sequences"),
        ("one label", "cannot be learned.*2 to 30"),
        ("only train", "Not all splits are there"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, how, said):
    write(tmp_path, some(12))
    SPOILT[how](tmp_path)
    with pytest.raises(DataError, match=said):
        TASK.read_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        TASK.read_folder(tmp_path / "missing")
