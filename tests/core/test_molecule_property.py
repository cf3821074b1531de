"""`MoleculeProperty`: what it takes, what it says, what it learns of its data, and files of molecules."""

import csv
import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from layerwise.errors import DataError, InputError, SpecError
from layerwise.own_data import check
from layerwise.splits import Split
from layerwise.tasks import MoleculeProperty
from layerwise.tasks.molecules import answers, drawing
from layerwise.tasks.molecules.batches import MOST_MOLECULES, SHOWN_ROWS, read_file
from layerwise.tasks.molecules.predictions import numbers_of
from layerwise.tasks.molecules.runner import MoleculeRunner
from layerwise.tasks.molecules.standardise import read_molecule

SMILES = ["CCO", "CCCO", "CCCCO", "c1ccccc1", "Cc1ccccc1", "Oc1ccccc1", "C1CCCCC1", "OC1CCCCC1", "CC(=O)O", "CCN"] * 2
NUMBERS = MoleculeProperty(targets=("solubility",), unit="log mol/L", bits=32, members=2)
YES_NO = MoleculeProperty(targets=("one", "two"), kind="yes-no", representation="graph", atoms=20, members=3)


def split_of(smiles, targets):
    inputs = np.empty(len(smiles), object)
    inputs[:] = smiles
    return Split(inputs, np.asarray(targets, "float32"))


TRAIN = split_of(SMILES, np.arange(len(SMILES))[:, None] / 10)
FITTED = NUMBERS.fitted(TRAIN, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"targets": ()},
        {"targets": ("a", "a")},
        {"kind": "maybe"},
        {"representation": "picture"},
        {"members": 0},
        {"atoms": 1.5},
        {"means": (1.0, 2.0)},
    ],
)
def test_unusable_values_are_refused(changes):
    with pytest.raises(SpecError, match="is not usable"):
        replace(NUMBERS, **changes)


def test_what_is_learned_of_training_molecules():
    assert FITTED.means == pytest.approx((0.95,))
    assert FITTED.deviations == pytest.approx((np.std(np.arange(20) / 10),), rel=1e-4)
    assert FITTED.molecules.content.startswith("smiles,solubility\nCCO,0\n")
    assert FITTED.similarity == 1, "each stands there twice"
    encoded = FITTED.encode({"smiles": "CCO"})
    assert encoded["fingerprint"].shape == (1, 32)
    assert encoded["descriptors"].shape == (1, FITTED.num_descriptors)
    assert FITTED.part_names(encoded)["descriptors"] == list(FITTED.statistics.names)
    with pytest.raises(SpecError, match="train a model"):
        NUMBERS.encode({"smiles": "CCO"})


def test_a_fine_tuning_keeps_what_the_network_knows():
    other = split_of(SMILES[:10], np.arange(10)[:, None] * 7)
    tuned = NUMBERS.fitted(other, FITTED)
    assert (tuned.means, tuned.descriptors) == (FITTED.means, FITTED.descriptors)
    assert tuned.molecules != FITTED.molecules
    assert replace(NUMBERS, targets=("boiling point",)).fitted(other, FITTED).means == pytest.approx((31.5,))


def test_graphs_are_padded_to_what_most_molecules_need():
    found = YES_NO.to_train_on(split_of([*["CCO"] * 99, "C" * 12], np.zeros((100, 2))))
    assert found.inputs["atoms"].shape[:2] == (99, 3)
    assert len(found.targets) == 99
    assert YES_NO.encode({"smiles": "CCO"})["bonds"].shape == (1, 20, 20)
    with pytest.raises(InputError, match=r"too large.*20 atoms at most.*Received: 21"):
        YES_NO.encode({"smiles": "C" * 21})


def test_it_says_numbers_with_their_interval():
    outputs = np.zeros((1, 2, 1, 2))
    (answer,) = replace(FITTED, widths=(2.0,)).decode(outputs)
    (row,) = answer["values"]
    assert row["value (log mol/L)"] == pytest.approx(0.95)
    assert row["to"] - row["90 % interval from"] == pytest.approx(4 * FITTED.deviations[0])
    assert answer["answer"].startswith("solubility: 0.95 log mol/L, with 90 % certainty from −")
    with pytest.raises(SpecError, match="do not fit"):
        FITTED.decode(np.zeros((1, 2, 3, 2)))


def test_it_says_the_most_probable_first():
    (answer,) = YES_NO.decode(np.array([[[-2.0, 2.0], [-1.0, 1.0], [-3.0, 3.0]]]))
    assert [row["property"] for row in answer["values"]] == ["two", "one"]
    assert answer["values"][0]["surest member"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert "two: 85 % probable (members say 73 % to 95 %); 1 more below." in answer["answer"]


def test_calibration_by_hand():
    outputs = np.zeros((20, 2, 1, 2))
    predicted = numbers_of(outputs, FITTED.means, FITTED.deviations, ())
    targets = predicted.values + predicted.deviations * np.arange(1, 21)[:, None]
    assert FITTED.calibrated(outputs, targets).widths == pytest.approx((19.0,), abs=2e-4)
    assert YES_NO.calibrated(np.zeros((2, 3, 2)), np.zeros((2, 2))) is YES_NO


class Linear(MoleculeRunner):
    """The number of oxygen atoms, instead of what a network says: attributions and batches can be told by hand."""

    def __init__(self, task):
        self.task = task

    def _given(self, mols):
        counts = [sum(atom.GetSymbol() == "O" for atom in mol.GetAtoms()) for mol in mols]
        shape = (len(mols), self.task.members, len(self.task.targets))
        values = np.broadcast_to(np.array(counts, float)[:, None, None], shape)
        return np.stack([values, np.zeros(shape)], axis=-1) if self.task.kind == "number" else values


def ask(task, **inputs):
    answer = Linear(task).run(inputs, None, threading.Event())
    return answer if isinstance(answer, dict) else list(answer)


def test_an_answer_has_all_that_is_known_of_a_molecule():
    answer = ask(FITTED, smiles="[Na+].CC(=O)[O-]")
    assert answer["canonical"] == "CC(=O)O"
    assert "left out" in answer["notes"]
    assert answer["domain"].startswith("Yes. The network was trained on this very molecule")
    assert [item["caption"] for item in answer["similar"]][:2] == ["100 %: 0.8", "100 %: 1.8"]
    assert len(answer["similar"]) == 6
    assert answer["picture"].mode == "RGBA"
    assert "O3 raises it most" in answer["colours"]
    assert "lowers it most" not in answer["colours"]


def test_what_is_unlike_the_training_molecules_is_said_to_be():
    assert ask(FITTED, smiles="CC[Si](C)(C)CCBr")["domain"].startswith("No: take the answer for a guess. The nearest")
    metal = ask(replace(FITTED, similarity=0.0), smiles="CC[Hg]CC")["domain"]
    assert metal.startswith("No")
    assert "unusual" in metal


def test_the_property_that_colours_the_atoms_can_be_chosen():
    fitted = YES_NO.fitted(split_of(SMILES, np.zeros((20, 2))), None)
    assert [field.name for field in fitted.inputs] == ["smiles", "file", "coloured"]
    assert "raises two" in ask(fitted, smiles="CCO", coloured="two")["colours"]
    assert "raises one" in ask(fitted, smiles="CCO", coloured="the most probable")["colours"]


def test_nothing_at_all_is_explained():
    with pytest.raises(InputError, match="There is no molecule"):
        ask(FITTED, smiles="  ")


def test_a_drawing_is_seen_in_light_and_in_dark():
    mol = read_molecule("CC(=O)Oc1ccccc1C(=O)O").mol
    plain, coloured = drawing.draw(mol, (200, 150)), drawing.draw(mol, (200, 150), np.arange(13.0) - 6)
    pixels = np.asarray(plain)
    assert pixels.shape == (150, 200, 4)
    assert pixels[0, 0, 3] == 0, "the ground is transparent"
    drawn = pixels[pixels[..., 3] == 255][:, :3].mean(axis=1)
    assert 60 < drawn.mean() < 190, "neither black nor white"
    assert (np.asarray(coloured)[..., 3] > 0).sum() > (pixels[..., 3] > 0).sum()
    assert drawing.explained_weights(np.zeros(2), ["C1", "C2"]) == "no atom counts more than another"


# Files


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


ROWS = "name,smiles,made\nethanol,CCO,1\nwrong,CC(C,2\nsalt,[Na+].CC(=O)[O-],3\nlarge," + "C" * 200 + ",4\n"


def test_a_file_is_answered_with_what_is_wrong_in_it(tmp_path):
    *_, answer = ask(FITTED, file=write(tmp_path / "some.csv", ROWS))
    assert "2 of 4 molecules predicted; 2 cannot be used" in answer["answer"]
    rows = list(csv.DictReader(io.StringIO(answer["results"]["content"].decode())))
    assert [row["name"] for row in rows] == ["ethanol", "wrong", "salt", "large"]
    assert rows[0]["molecule"] == "CCO"
    assert rows[0]["in the domain"] == "yes"
    assert "opening parenthesis" in rows[1]["note"]
    assert "left out" in rows[2]["note"]
    assert "too large" in rows[3]["note"]
    single = FITTED.predicted(Linear(FITTED)._given([read_molecule("CCO").mol]))
    assert float(rows[0]["predicted solubility"]) == pytest.approx(single.values[0, 0], rel=1e-4)
    assert answer["values"][1]["note"] == rows[1]["note"]


def test_a_long_file_says_how_far_it_is_and_can_be_cancelled():
    content = ("smiles\n" + "CCO\n" * 600).encode()
    first, second, last = ask(FITTED, file=content)
    assert (first["answer"], second["answer"]) == ("256 of 600 molecules …", "512 of 600 molecules …")
    assert len(last["values"]) == SHOWN_ROWS
    cancelled = threading.Event()
    answers_ = Linear(FITTED).run({"file": content}, None, cancelled)
    next(answers_)
    cancelled.set()
    assert list(answers_) == []


def sdf(values):
    buffer = io.StringIO()
    with Chem.SDWriter(buffer) as writer:
        for smiles, value in values:
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", smiles)
            mol.SetProp("solubility", str(value))
            writer.write(mol)
    return buffer.getvalue()


def test_files_of_all_sorts_hold_the_same(tmp_path):
    pairs = [("CCO", 1.0), ("c1ccccc1", 2.5)]
    table = "value\tstructure\n" + "".join(f"{value}\t{smiles}\n" for smiles, value in pairs)
    files = {
        "lines.txt": "CCO\nc1ccccc1\n",
        "named.csv": "SMILES;value\nCCO;1,0\nc1ccccc1;2,5\n",
        "found.tsv": table,
        "molecules.sdf": sdf(pairs),
    }
    for name, content in files.items():
        assert read_file(write(tmp_path / name, content)).smiles == ["CCO", "c1ccccc1"], name
        assert read_file(content.encode()).smiles == ["CCO", "c1ccccc1"], name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "no column of SMILES"),
        ("smiles,b\n", "no molecules"),
        ("smiles\n" + "C\n" * (MOST_MOLECULES + 1), "too many"),
        ("PK\x03\x04rest", "Excel"),
    ],
    ids=["no-smiles", "empty", "too-many", "workbook"],
)
def test_files_that_cannot_be_used_are_explained(content, said):
    with pytest.raises(InputError, match=said):
        read_file(content.encode())


# Own data


def test_a_table_is_divided_by_scaffolds(tmp_path):
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccoc1", "C1CCNC1"]
    rows = [f"{'C' * tail}{ring},{tail + number / 10}" for number, ring in enumerate(rings) for tail in range(1, 5)]
    path = write(tmp_path / "own.csv", "smiles,boiling point,name\n" + "".join(f"{row},x\n" for row in rows))
    data = NUMBERS.read_folder(path)
    assert data.task.targets == ("boiling point",)
    assert data.task.unit == ""
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 16, "test": 4}
    assert "20 molecules: 16 train, 4 test" in check(NUMBERS, path).as_text()
    measured = replace(FITTED, targets=("boiling point",)).read_to_measure(path)
    assert np.asarray(measured["test"].targets).tolist() == np.asarray(data.splits["test"].targets).tolist()
    with pytest.raises(DataError, match="no solubility"):
        FITTED.read_to_measure(path)


def test_yes_and_no_may_be_missing_and_be_words(tmp_path):
    rows = [
        f"{smiles},{'yes' if place % 2 else 'no'},{place % 3 if place % 3 < 2 else ''},3.5"
        for place, smiles in enumerate(SMILES)
    ]
    path = write(tmp_path / "own.csv", "smiles,toxic,bitter,weight\n" + "\n".join(rows))
    data = YES_NO.read_folder(path)
    assert data.task.targets == ("toxic", "bitter")
    targets = np.concatenate([np.asarray(split.targets) for split in data.splits.values()])
    assert np.isnan(targets[:, 1]).sum() == 6
    assert not np.isnan(targets[:, 0]).any()
    assert "single molecules instead of scaffolds" in " ".join(data.report.warnings) or len(data.splits["test"]) >= 2


def test_an_sdf_file_is_trained_on(tmp_path):
    path = write(tmp_path / "own.sdf", sdf((smiles, place) for place, smiles in enumerate(SMILES)))
    data = NUMBERS.read_folder(path)
    assert data.task.targets == ("solubility",)
    assert data.task.unit == "log mol/L"
    assert sum(map(len, data.splits.values())) == 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smiles,x\n" + "CCO,1\n" * 5, "too few molecules"),
        ("smiles,x\n" + "CCO,1\n" * 12, "always has the same value"),
        ("smiles,x\n" + "CCO,high\n" * 12, "no property to learn"),
        ("smiles,x\n" + "CCO,1\nCC(C,2\n" * 8, "8 of 16 molecules cannot be read"),
    ],
)
def test_own_data_that_cannot_be_learned_from_are_explained(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        NUMBERS.read_folder(write(tmp_path / "own.csv", text))


def test_the_report_shows_where_it_fails():
    outputs = np.zeros((20, 2, 1, 2))
    plots = FITTED.report(outputs, np.asarray(TRAIN.targets), SMILES)
    titles = [plot.title for plot in plots]
    assert titles == [
        "solubility",
        "By how like the training molecules they are",
        "The molecules with the largest errors",
    ]
    assert {row[:2] for row in plots[2].rows[:2]} == {("CCO", "0.00"), ("CCN", "1.90")}
    (table,) = YES_NO.report(np.zeros((20, 3, 2)), np.tile([[0.0, 1.0], [1.0, np.nan]], (10, 1)), SMILES)
    assert table.rows[0][:3] == ("one", 20, 10)
    assert table.rows[1][3:] == ("–", "–")


def test_an_answer_is_rounded_for_people():
    assert [answers.rounded(value) for value in (-0.00123, 5.0, 1234.5)] == ["−0.00123", "5", "1.23e+03"]
