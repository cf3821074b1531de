"""Rows of a table in, one of several labels out; and what that shares with other tasks on tables."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import DataError, InputError, SpecError
from layerwise.tasks.base import Task
from layerwise.tasks.classification import Classification
from layerwise.tasks.columns import Column, is_missing, is_number, sorted_naturally
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np

    from layerwise.own_data import OwnData
    from layerwise.splits import Split


FOLDER_FORMAT = """A CSV or Parquet file, or a folder with one, the names of the columns in its first line:

    age,colour,weight,{name}
    3,red,10.5,{first}
    1,blue,,{second}

{target} Columns of numbers and columns of a few words are used; missing values may be left empty. At least 10 rows.
A fifth of them is held out to test the result; or divide them yourself into `train.csv` and `test.csv`.
"""


@dataclass(frozen=True, kw_only=True)
class Tabular(Task):
    """What tasks on tables have in common: the network takes float32 [examples, num_features], the encoded
    columns side by side.

    Args:
        columns: The input columns, in the order of the network's inputs.
        target: The name of the column that is predicted.
    """

    network_takes: ClassVar[str] = (
        "The columns of a row side by side, encoded as the parameters of the task say: a number is standardised, "
        "(value - mean) / deviation, and 0 where it is missing; of a choice the place of the value is 1 and the others "
        "are 0, with a last place for values that are unknown or missing."
    )
    columns: tuple[Column, ...]
    target: str = "label"

    def __post_init__(self) -> None:
        owner = type(self).__name__
        columns = tuple(self.columns) if isinstance(self.columns, tuple | list) else ()
        if not columns or not all(isinstance(column, Column) for column in columns):
            raise SpecError(
                f"{owner}: columns are missing", expected="at least one Column", received=repr(self.columns)
            )
        names = [column.name for column in columns]
        if len(set(names)) != len(names) or self.target in names:
            raise SpecError(
                f"{owner} names a column twice",
                expected=f"different names, none of them {self.target!r}",
                received=", ".join(names),
            )
        object.__setattr__(self, "columns", columns)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="row", kind="table", label="Row", columns=tuple(column.field for column in self.columns)),)

    @property
    def num_features(self) -> int:
        """The number of values that the network takes for one row."""
        return sum(column.width for column in self.columns)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The row `inputs["row"]` as float32 [1, num_features].

        Args:
            inputs: "row" is a mapping of column names to values, a list of values in the order of the columns,
                or a list with one of these. Values may be missing (left out, None, NaN, empty), but not all.

        Raises:
            InputError: It is no such row, or a value is not of its column's kind.
        """
        return self.encode_rows([self._row(inputs.get("row"))])

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Rows, each a mapping of column names to values, as float32 [rows, num_features].

        Raises:
            InputError: A value is not of its column's kind.
        """
        import numpy as np

        return np.concatenate(
            [column.encode([row.get(column.name) for row in rows]) for column in self.columns], axis=1
        )

    def part_names(self, encoded: Any) -> list[str]:
        """The column of each number."""
        return [column.name for column in self.columns for _ in range(column.width)]

    def _row(self, row: Any) -> Mapping[str, Any]:
        if isinstance(row, list | tuple) and len(row) == 1 and isinstance(row[0], list | tuple | Mapping):
            row = row[0]
        if isinstance(row, list | tuple) and len(row) == len(self.columns):
            row = {column.name: value for column, value in zip(self.columns, row, strict=True)}
        names = [column.name for column in self.columns]
        if not isinstance(row, Mapping):
            raise InputError(
                "This is no row of the table",
                expected=f"a value for each of {', '.join(names)}",
                received=f"{len(row)} values" if isinstance(row, list | tuple) else type(row).__name__,
            )
        for name in row:
            if name not in names and name != self.target:
                close = difflib.get_close_matches(str(name), names, n=1)
                raise InputError(
                    f"The table has no column {name!r}",
                    expected=", ".join(names),
                    remedy=f"did you mean {close[0]!r}?" if close else None,
                )
        if all(is_missing(row.get(name)) for name in names):
            raise InputError("The row is empty", remedy="fill in at least one value")
        return row

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, self.num_features), "float32")

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """The splits of a table that has this task's columns, encoded with what this task learnt of them.

        Raises:
            DataError: The table lacks a column, or a value is not of its column's kind.
        """
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.table_folder import divided, read_tables

        tables = read_tables(folder, (self.target,))
        missing = [name for name in self._names if name not in tables.splits["train"].header]
        if missing:
            raise DataError(
                f"{folder} lacks columns that the model was trained with",
                expected=", ".join(self._names),
                received=f"no {', '.join(missing)}",
            )
        tables = divided(tables, self._groups(tables.targets()["train"]))
        targets = {name: self._numbered(texts) for name, texts in tables.targets().items()}
        blocks: dict[str, list[np.ndarray]] = {name: [] for name in tables.splits}
        for column in self.columns:
            for name, cells in tables.cells(column.name).items():
                try:
                    blocks[name].append(column.encode(cells.texts)[cells.codes])
                except InputError as error:
                    raise DataError(error.what, expected=error.expected, received=error.received) from None
        return {name: Split(np.concatenate(block, axis=1), targets[name]) for name, block in blocks.items()}

    def write_sample(self, folder: Path) -> None:
        """A table with the columns of this task, whose sum the target follows."""
        from layerwise.tasks.table_folder import write_sample

        write_sample(folder, self.columns, self.target, self._sample_targets)

    @property
    def _names(self) -> list[str]:
        return [*(column.name for column in self.columns), self.target]

    def _groups(self, targets: Sequence[str]) -> Sequence[str]:
        """By what the rows are divided into splits: the texts of the target, or the same for all."""
        raise NotImplementedError

    def _numbered(self, targets: Sequence[str]) -> np.ndarray:
        """The targets of a split [rows] from their texts; DataError when one cannot be used."""
        raise NotImplementedError

    def _sample_targets(self, scores: np.ndarray) -> list[str]:
        """The text of the target of each row of an example, by standardised scores [rows]."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TabularClassification(Tabular, Classification):
    """Which of several labels belongs to a row of a table.

    The network gives logits [examples, classes].

    Args:
        labels: The name of each class, in the order of the network's outputs.
        columns: The input columns, in the order of the network's inputs.
        target: The name of the column with the label.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> column = Column(name="petal length", kind="number", mean=3.8, deviation=1.8)
        >>> task = TabularClassification(labels=("setosa", "virginica"), columns=(column,))
        >>> task.encode({"row": {"petal length": 5.6}}).tolist()
        [[1.0]]
    """

    type_name: ClassVar[str] = "tabular-classification"
    folder_format: ClassVar[str] = FOLDER_FORMAT.format(
        name="label",
        first="cheap",
        second="dear",
        target="What is to be predicted is the last column, or the one named `label` or `target`.",
    )

    def __post_init__(self) -> None:
        Tabular.__post_init__(self)
        Classification.__post_init__(self)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """A table: this task with the columns and labels found there, and the splits "train" and "test". See
        `folder_format`.

        Raises:
            DataError: The file is not like that, or there are not two classes with two rows each.
        """
        from layerwise.own_data import OwnData
        from layerwise.splits import Split
        from layerwise.tasks.folders import check_counts
        from layerwise.tasks.table_folder import describe_tables, divided, learn_columns, read_tables

        tables = read_tables(folder, ("label", "target"))
        found = tables.targets()["train"]
        labels = tuple(sorted_naturally(set(found)))
        if len(labels) > max(len(found) // 2, 2) and all(map(is_number, labels)):
            raise DataError(
                f"The column {tables.target!r} holds numbers rather than classes",
                received=f"{len(labels)} different values in {len(found)} rows",
                remedy="choose a model for regression, or name the column of classes 'label'",
            )
        check_counts(found, "rows")
        tables = divided(tables, self._groups(found))
        targets = tables.targets()
        learned = learn_columns(tables)
        task = dataclasses.replace(self, labels=labels, columns=learned.columns, target=tables.target)
        return OwnData(
            task=task,
            splits={name: Split(learned.inputs[name], task._numbered(texts)) for name, texts in targets.items()},
            report=describe_tables(tables, learned, targets),
        )

    def _groups(self, targets: Sequence[str]) -> Sequence[str]:
        return targets

    def _numbered(self, targets: Sequence[str]) -> np.ndarray:
        import numpy as np

        places = {label: place for place, label in enumerate(self.labels)}
        unknown = sorted(set(targets) - set(places))
        if unknown:
            raise DataError(
                "There are classes that were not there to learn from",
                expected=", ".join(self.labels),
                received=", ".join(unknown[:10]),
            )
        return np.array([places[text] for text in targets], "int32")

    def _sample_targets(self, scores: np.ndarray) -> list[str]:
        labels = self.labels[: len(scores) // 4]  # more could not have an example on either side of a split
        return [labels[rank * len(labels) // len(scores)] for rank in scores.argsort().argsort().tolist()]
