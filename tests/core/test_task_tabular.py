"""Tables: columns, CSV files, classification and regression."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.config import TrainingConfig
from layerwise.errors import DataError, InputError, SpecError
from layerwise.tasks import Column, Tabular, TabularClassification, TabularRegression
from layerwise.tasks.csv_files import read_csv

AGE = Column(name="age", kind="number", mean=40.0, deviation=10.0)
COLOUR = Column(name="colour", kind="choice", choices=("blue", "red"))
CLASSIFIER = TabularClassification(labels=("no", "yes"), columns=(AGE, COLOUR))
REGRESSOR = TabularRegression(columns=(AGE, COLOUR), target="price", unit="EUR", mean=100.0, deviation=20.0)


def write_table(path: Path, rows: list[list], header=("age", "colour", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(task: Tabular, path: Path) -> tuple:
    data = task.read_folder(path)
    return data.task, data.splits


def people(count: int = 40) -> list[list]:
    random = np.random.default_rng(1)
    return [
        [round(float(random.normal(40, 10)), 2), ["blue", "red"][index % 2], ["no", "yes"][index % 3 == 0]]
        for index in range(count)
    ]


# Rows


@pytest.mark.parametrize(
    "row",
    [
        {"age": 50, "colour": "red"},
        {"colour": "red", "age": "50"},
        {"age": 50, "colour": " red ", "label": "what is asked for"},
        [50, "red"],
        ("50.0", "red"),
        [[50, "red"]],
        [{"age": np.float32(50), "colour": "red"}],
    ],
)
def test_a_row_is_encoded_in_every_form(row):
    encoded = CLASSIFIER.encode({"row": row})
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [[1.0, 0.0, 1.0, 0.0]]


@pytest.mark.parametrize("missing", [None, "", "?", "NA", " nan ", math.nan])
def test_missing_values_are_average_or_unknown(missing):
    assert CLASSIFIER.encode({"row": {"age": missing, "colour": "red"}}).tolist() == [[0, 0, 1, 0]]
    assert CLASSIFIER.encode({"row": {"age": 40, "colour": missing}}).tolist() == [[0, 0, 0, 1]]
    assert CLASSIFIER.encode({"row": {"age": 40}}).tolist() == [[0, 0, 0, 1]]


def test_unseen_choices_are_unknown():
    assert CLASSIFIER.encode({"row": [40, "mauve"]}).tolist() == [[0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (None, "no row"),
        ("50,red", "no row"),
        ([50], "received: 1 values"),
        ([50, "red", 3], "3 values"),
        ({"agee": 50}, "did you mean 'age'"),
        ({"age": "old"}, "age cannot be read"),
        ({"age": math.inf}, "age cannot be read"),
        ({"age": "1_000"}, "age cannot be read"),
        ({"age": [1]}, "age cannot be read"),
        ({"age": None, "colour": ""}, "row is empty"),
        ({}, "row is empty"),
    ],
)
def test_other_rows_are_refused(row, text):
    with pytest.raises(InputError, match=f"(?i){text}"):
        CLASSIFIER.encode({"row": row})


values = st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans(), st.lists(st.integers(), max_size=2))


@given(
    st.one_of(st.lists(values, max_size=3), st.dictionaries(st.sampled_from(["age", "colour", "x"]), values), values)
)
@settings(max_examples=300, deadline=None)
def test_any_row_is_encoded_or_refused(row):
    try:
        encoded = CLASSIFIER.encode({"row": row})
    except InputError:
        return
    assert encoded.shape == (1, 4)
    assert np.all(np.isfinite(encoded))


def test_the_form_has_a_field_for_each_column():
    (field,) = CLASSIFIER.inputs
    assert field.kind == "table"
    assert [(column.name, column.kind, column.choices) for column in field.columns] == [
        ("age", "number", ()),
        ("colour", "choice", ("blue", "red")),
    ]
    assert CLASSIFIER.num_features == CLASSIFIER.warm_input().shape[1] == 4


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"kind": "date"},
        {"kind": "choice"},
        {"kind": "choice", "choices": ("a", "a")},
        {"deviation": 0.0},
        {"mean": math.nan},
    ],
)
def test_unusable_columns_are_refused(options):
    with pytest.raises(SpecError):
        Column(**{"name": "a", "kind": "number"} | options)


@pytest.mark.parametrize("columns", [(), (AGE, AGE), ("age",), (Column(name="label", kind="number"),)])
def test_unusable_sets_of_columns_are_refused(columns):
    with pytest.raises(SpecError):
        TabularClassification(labels=("a", "b"), columns=columns)


# Files


def test_columns_are_learnt_from_the_training_rows_alone(tmp_path):
    rows = people()
    task, splits = read(CLASSIFIER, write_table(tmp_path / "people.csv", rows))
    assert task.labels == ("no", "yes")
    assert [(column.name, column.kind) for column in task.columns] == [("age", "number"), ("colour", "choice")]
    assert len(splits["train"]) + len(splits["test"]) == 40
    assert 0 < len(splits["test"]) < 20
    train = splits["train"].inputs
    assert train[:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert train[:, 0].std() == pytest.approx(1, abs=1e-5)
    ages = sorted([*(train[:, 0] * task.columns[0].deviation + task.columns[0].mean)])
    left = sorted(row[0] for row in rows)
    assert all(any(abs(age - other) < 1e-3 for other in left) for age in ages)


def test_a_row_of_the_table_is_encoded_as_in_its_split(tmp_path):
    rows = people()
    task, splits = read(CLASSIFIER, write_table(tmp_path / "people.csv", rows))
    encoded = {tuple(row) for split in splits.values() for row in split.inputs.tolist()}
    assert {tuple(task.encode({"row": row[:2]})[0].tolist()) for row in rows} == encoded


def test_equal_rows_are_on_the_same_side(tmp_path):
    rows = [row for row in people(60) for _ in range(2)]
    _, splits = read(CLASSIFIER, write_table(tmp_path / "people.csv", rows))
    assert not {*map(tuple, splits["train"].inputs)} & {*map(tuple, splits["test"].inputs)}


@pytest.mark.parametrize("name", ["label", "Target"])
def test_the_target_may_be_named_or_last(tmp_path, name):
    rows = [[label, age, colour] for age, colour, label in people()]
    task, _ = read(CLASSIFIER, write_table(tmp_path / "a.csv", rows, header=(name, "age", "colour")))
    assert (task.target, task.labels) == (name, ("no", "yes"))
    task, _ = read(CLASSIFIER, write_table(tmp_path / "b.csv", people(), header=("age", "colour", "bought")))
    assert (task.target, task.labels) == ("bought", ("no", "yes"))


def test_numbered_classes_are_in_their_order(tmp_path):
    rows = [[index, "red", str(index % 11)] for index in range(60)]
    task, _ = read(CLASSIFIER, write_table(tmp_path / "a.csv", rows))
    assert task.labels == tuple(map(str, range(11)))


def test_train_and_test_tables_are_taken_as_they_are(tmp_path):
    write_table(tmp_path / "train.csv", people(30))
    write_table(tmp_path / "test.csv", [[row[1], row[0], row[2]] for row in people(5)], ("colour", "age", "label"))
    task, splits = read(CLASSIFIER, tmp_path)
    assert {name: len(split) for name, split in splits.items()} == {"train": 30, "test": 5}
    assert np.allclose(splits["test"].inputs, splits["train"].inputs[:5])
    assert task.labels == ("no", "yes")


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", "|")]
)
def test_files_of_any_make_are_read(tmp_path, encoding, delimiter):
    lines = ["größe;farbe;label", "1.5;grün;ja", '-2;"a ; b";nein', "", "3e2;;ja"]
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(lines).replace(";", delimiter).encode(encoding))
    table = read_csv(path)
    assert table.header == ("größe", "farbe", "label")
    assert list(table.rows()) == [("1.5", "grün", "ja"), ("-2", f"a {delimiter} b", "nein"), ("3e2", "", "ja")]


def test_decimal_commas_are_read_where_semicolons_separate(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a;b\n"1,5";x\n-2,25;y,z\n')
    assert list(read_csv(path).rows()) == [("1.5", "x"), ("-2.25", "y,z")]


def test_useless_columns_are_left_out_with_a_warning(tmp_path):
    rows = [[f"person {index}", "", *row] for index, row in enumerate(people())]
    path = write_table(tmp_path / "a.csv", rows, header=("name", "nothing", "age", "colour", "label"))
    data = CLASSIFIER.read_folder(path)
    assert re.search(r"name \(\d\d different texts\), nothing \(empty\)", data.report.warnings[0])
    assert [column.name for column in data.task.columns] == ["age", "colour"]


def test_rows_without_a_target_are_left_out_with_a_warning(tmp_path):
    path = write_table(tmp_path / "a.csv", [*people(), [3, "red", ""], [4, "red", "?"]])
    data = CLASSIFIER.read_folder(path)
    assert data.report.warnings[0] == "2 rows have no label and are left out."
    assert sum(map(len, data.splits.values())) == 40


GOOD = "age,colour,label\n" + "".join(f"{index},red,{'ab'[index % 2]}\n" for index in range(20))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"1,2,3\n4,5,6\n", "no header"),
        (b"age,,label\n1,2,a\n", "column 2"),
        (b"age,age,label\n1,2,a\n", "same name"),
        (b"just one\n1\n2\n", "single column"),
        (GOOD.replace("7,red,b", "7,red,b,c").encode(), "Line 9 of people.csv.*3 cells.*4"),
        (GOOD.replace("7,red,b", "7,b").encode(), "Line 9 of people.csv.*3 cells.*2"),
        (GOOD[:60].rpartition("\n")[0].encode(), "at least 10"),
        (GOOD.replace(",b", ",a").encode(), "two classes"),
        ((GOOD + "21,red,c\n").encode(), "c: 1"),
        (b"PK\x03\x04 workbook", "Excel"),
        (b"a,b\n\0\0\0", "binary"),
        (b'a,b\n"' + b"x" * 200_000, "no CSV file"),
        ("a,b\n" + "".join(f"{index},{index}.5\n" for index in range(20)), "numbers rather than classes"),
        ("a,label\n" + "".join(f"name {index},{'ab'[index % 2]}\n" for index in range(20)), "No column can be learnt"),
    ],
)
def test_other_tables_are_refused(tmp_path, content, text):
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for value in (path, tmp_path):
        with pytest.raises(DataError, match=text):
            CLASSIFIER.read_folder(value)


def test_folders_without_one_clear_table_are_refused(tmp_path):
    with pytest.raises(DataError, match="an empty folder"):
        CLASSIFIER.read_folder(tmp_path)
    for name in ("one.csv", "two.csv"):
        write_table(tmp_path / name, people())
    with pytest.raises(DataError, match=r"one\.csv, two\.csv"):
        CLASSIFIER.read_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        CLASSIFIER.read_folder(tmp_path / "nowhere")


def test_tables_that_do_not_fit_together_are_refused(tmp_path):
    write_table(tmp_path / "train.csv", people())
    write_table(tmp_path / "test.csv", people(5), header=("age", "color", "label"))
    with pytest.raises(DataError, match="color, colour"):
        CLASSIFIER.read_folder(tmp_path)
    write_table(tmp_path / "test.csv", [[3, "red", "perhaps"]])
    with pytest.raises(DataError, match="perhaps"):
        CLASSIFIER.read_folder(tmp_path)


def test_a_link_to_a_table_elsewhere_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").symlink_to(write_table(tmp_path / "secret.csv", people()))
    with pytest.raises(DataError, match="leads out"):
        CLASSIFIER.read_folder(tmp_path / "data")


def test_a_version_is_measured_with_what_it_learnt(tmp_path):
    """Not with the statistics and the choices of the table that it is measured on."""
    task, splits = read(CLASSIFIER, write_table(tmp_path / "a.csv", people(60)))
    measured = task.read_to_measure(tmp_path / "a.csv")
    for name, split in splits.items():
        assert np.array_equal(split.inputs, measured[name].inputs)
        assert np.array_equal(split.targets, measured[name].targets)
    others = [[age + 100, colour, label] for age, colour, label in people(30) if label == "yes" or colour == "red"]
    table = write_table(tmp_path / "b.csv", [*others, [None, "mauve", "no"]])
    for split in task.read_to_measure(table).values():
        assert split.inputs.shape[1] == task.num_features
        assert np.all((split.inputs[:, 0] > 5) | (split.inputs[:, -1] == 1)), "far from the mean that was learnt"
    for rows, header, said in (
        (people(30), ("age", "color", "label"), "no colour"),
        ([[1, "red", "perhaps"]] * 12, ("age", "colour", "label"), "perhaps"),
        ([["old", "red", "yes"]] * 12, ("age", "colour", "label"), "age cannot be read"),
    ):
        with pytest.raises(DataError, match=said):
            task.read_to_measure(write_table(tmp_path / "c.csv", rows, header))


def test_a_regression_is_measured_with_what_it_learnt(tmp_path):
    rows = [[age, colour, 2 * age + 7] for age, colour, _ in people()]
    task, splits = read(REGRESSOR, write_table(tmp_path / "a.csv", rows, ("age", "colour", "price")))
    measured = task.read_to_measure(tmp_path / "a.csv")
    assert np.array_equal(measured["test"].inputs, splits["test"].inputs)
    assert np.array_equal(measured["test"].targets, splits["test"].targets)


# Regression


def test_regression_metrics_equal_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(2)
    targets = random.normal(100, 20, 200)
    outputs = ((targets - 100) / 20 + random.normal(0, 0.3, 200)).astype("float32")[:, None]
    found = REGRESSOR.evaluate(outputs, targets)
    given = outputs[:, 0].astype("float64") * 20 + 100
    assert list(found) == ["rmse", "mae", "r2"]
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(targets, given))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(targets, given))
    assert found["r2"] == pytest.approx(metrics.r2_score(targets, given))


def test_r2_of_equal_targets_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    for shift in (0.0, 1.0):
        outputs, targets = np.full([3, 1], shift), np.full(3, 100.0)
        assert REGRESSOR.evaluate(outputs, targets)["r2"] == metrics.r2_score(targets, outputs[:, 0] * 20 + 100)


def test_the_loss_is_that_of_the_standardised_target():
    targets, outputs = np.array([120.0, 60.0]), np.array([[0.5], [-1.0]], "float32")
    assert float(REGRESSOR.loss(TrainingConfig())(targets, outputs)) == pytest.approx((0.5**2 + 1) / 2)
    assert float(REGRESSOR.training_metrics()["mae"](targets, outputs)) == pytest.approx((10 + 20) / 2)


def test_answers_are_in_the_unit_of_the_target():
    assert REGRESSOR.decode(np.array([[0.5], [-1.0]], "float32")) == [{"value": 110.0}, {"value": 80.0}]
    assert REGRESSOR.outputs[0].label == "price (EUR)"
    for outputs in (np.zeros(3), np.zeros([3, 2])):
        with pytest.raises(SpecError, match=r"\[examples, 1\]"):
            REGRESSOR.decode(outputs)


def test_targets_that_do_not_fit_are_refused():
    for outputs, targets in ((np.zeros([2, 1]), np.zeros(3)), (np.zeros([0, 1]), np.zeros(0))):
        with pytest.raises(DataError):
            REGRESSOR.evaluate(outputs, targets)


def test_a_table_of_numbers_is_learnt(tmp_path):
    rows = [[age, colour, 2 * age + 7] for age, colour, _ in people()]
    task, splits = read(REGRESSOR, write_table(tmp_path / "a.csv", rows, ("age", "colour", "price")))
    assert (task.target, task.unit) == ("price", "EUR")
    targets = splits["train"].targets
    assert (task.mean, task.deviation) == (pytest.approx(targets.mean()), pytest.approx(targets.std()))
    standardised = splits["train"].inputs[:, :1]
    assert task.evaluate(standardised, targets)["rmse"] == pytest.approx(0, abs=1e-4)
    other, _ = read(REGRESSOR, write_table(tmp_path / "a.csv", rows, ("age", "colour", "weight")))
    assert (other.target, other.unit) == ("weight", "")


@pytest.mark.parametrize(("target", "text"), [(["a", "b"], "must hold numbers"), ([5, 5], "always has the same value")])
def test_targets_that_are_no_numbers_are_refused(tmp_path, target, text):
    rows = [[index, "red", target[index % 2]] for index in range(20)]
    with pytest.raises(DataError, match=text):
        REGRESSOR.read_folder(write_table(tmp_path / "a.csv", rows))
