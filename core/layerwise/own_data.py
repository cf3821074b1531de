"""A user's own data: what a task made of them, and the report of what it saw there.

data = task.read_folder(path)
print(data.report.as_text())
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from layerwise.errors import DataError, InputError

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split
    from layerwise.tasks.base import Task

TaskT_co = TypeVar("TaskT_co", bound="Task", covariant=True)
REPORT_FILE = "data_report.json"
"""Where a run keeps the report of what it trains on."""
UNREADABLE_SHARE = 0.1
"""From this share of unreadable files on, a folder is refused instead of read without them."""
FEW_EXAMPLES = 10
"""A class with fewer training examples than this is pointed out."""
UNBALANCED = 20
"""From this ratio of the largest class to the smallest on, it is pointed out."""
SHOWN_UNREADABLE = 100
SHOWN_CLASSES, SHOWN_OF_CLASS = 20, 3
"""Of how many classes the report has examples, and how many of each."""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A file that cannot be read.

    Args:
        name: Its path below the folder.
        reason: Why.
    """

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """What a column of a table holds.

    Args:
        name: As in the header.
        kind: "number", "choice", "target", or "left out".
        missing: How many rows have no value.
        summary: Its values in a few words.
    """

    name: str
    kind: str
    missing: int
    summary: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An example, to be shown.

    Args:
        label: Its class, empty where there are none.
        kind: "image", "audio", "text" or "row".
        value: The path below the folder of a picture or a sound, the beginning of a text, a row as text.
    """

    label: str
    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was seen in a user's own data.

    Args:
        path: Where they are.
        what: What the examples are, in the plural: "pictures".
        splits: How many examples each split has.
        classes: For each class, how many examples it has in each split; empty where there are no classes.
        sizes: The smallest, median and largest of what can be measured: "width in pixels".
        columns: The columns of a table.
        num_unreadable: How many files cannot be read.
        unreadable: The first of them.
        warnings: What the user should know, a sentence each.
        examples: A few examples.
    """

    path: str
    what: str
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sizes: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    columns: tuple[ColumnReport, ...] = ()
    num_unreadable: int = 0
    unreadable: tuple[Unreadable, ...] = ()
    warnings: tuple[str, ...] = ()
    examples: tuple[Sample, ...] = ()

    @property
    def summary(self) -> str:
        """All in one sentence: "120 pictures of 3 classes: 96 train, 24 test"."""
        classes = f" of {len(self.classes)} classes" if self.classes else ""
        splits = ", ".join(f"{count:,} {name}" for name, count in self.splits.items())
        return f"{sum(self.splits.values()):,} {self.what}{classes}: {splits}"

    def as_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DataReport:
        """The report that `as_json` wrote."""
        return cls(
            **{
                **value,
                "sizes": {name: tuple(sizes) for name, sizes in value["sizes"].items()},
                "columns": tuple(ColumnReport(**item) for item in value["columns"]),
                "unreadable": tuple(Unreadable(**item) for item in value["unreadable"]),
                "warnings": tuple(value["warnings"]),
                "examples": tuple(Sample(**item) for item in value["examples"]),
            }
        )

    def as_text(self) -> str:
        """The report for a log or a terminal, without the examples."""
        lines = [f"{self.summary} ({self.path})"]
        lines += [f"  {label}: {self.counts_of(label)}" for label in self.classes]
        lines += [f"  {name}: {in_numbers(sizes)}" for name, sizes in self.sizes.items()]
        lines += [f"  column {item.name}: {item.kind}, {item.summary}, {item.missing} missing" for item in self.columns]
        lines += [f"  cannot be read: {item.name} ({item.reason})" for item in self.unreadable]
        lines += [f"  Note: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def counts_of(self, label: str) -> str:
        """How many examples a class has: "80 train, 20 test"."""
        return ", ".join(f"{self.classes[label].get(name, 0):,} {name}" for name in self.splits)


@dataclass(frozen=True, kw_only=True)
class OwnData(Generic[TaskT_co]):
    """A user's own data, as a task reads them.

    Args:
        task: The task with the labels (columns ...) found there.
        splits: The examples, "train" and "test" at least.
        report: What was seen.
    """

    task: TaskT_co
    splits: dict[str, Split]
    report: DataReport


def format_of(task: Task) -> str:
    """How data of one's own must look for a task.

    Raises:
        InputError: It cannot be trained on any.
    """
    if not task.folder_format:
        raise InputError(
            f"{task.type_name} cannot be trained on data of your own", remedy="choose a model of another task"
        )
    return task.folder_format


def check(task: Task, path: Path) -> DataReport:
    """Look at data before a training: all that `read_folder` would say of them.

    Raises:
        DataError: They cannot be trained on.
    """
    return task.read_folder(Path(path)).report


def report_of(
    path: Path, splits: Mapping[str, Split], *, what: str = "examples", labels: Sequence[str] = ()
) -> DataReport:
    """The report that follows from the splits alone, for tasks that have no more to say.

    Args:
        path: Where the data are.
        splits: The examples.
        what: What they are, in the plural.
        labels: The classes, when the targets are their numbers.
    """
    import numpy as np

    names = np.array(labels, object)
    numbers = {name: np.asarray(part.targets) for name, part in splits.items()} if labels else {}
    classes = counts_by_class({name: names[part] for name, part in numbers.items()})
    return DataReport(
        path=str(path),
        what=what,
        splits={name: len(part) for name, part in splits.items()},
        classes=classes,
        warnings=tuple(class_warnings(classes, what)) if classes else (),
    )


def counts_by_class(labels: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int]]:
    """How many examples each class has in each split, sorted by class.

    Args:
        labels: The class of each example, by split.
    """
    counts = {split: Counter(values) for split, values in labels.items()}
    names = sorted({label for found in counts.values() for label in found})
    return {label: {split: found[label] for split, found in counts.items()} for label in names}


def class_warnings(classes: Mapping[str, Mapping[str, int]], what: str) -> list[str]:
    """What is to be said of how many training examples the classes have.

    Args:
        classes: As in a DataReport.
        what: What the examples are, in the plural.
    """
    counts = {label: found.get("train", 0) for label, found in classes.items()}
    few = [label for label, count in counts.items() if count < FEW_EXAMPLES]
    found = []
    if few:
        found.append(f"Fewer than {FEW_EXAMPLES} {what} to learn from: {shortened(few)}.")
    smallest, largest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[largest] >= UNBALANCED * max(counts[smallest], 1):
        found.append(
            f"{largest} has {counts[largest]:,} {what} to learn from, {smallest} has {counts[smallest]:,}: a network "
            "may say the larger class too often."
        )
    return found


class Repeats:
    """Finds examples that are in the training data and in another split as well."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[bytes, str]] = {}

    def add(self, split: str, content: bytes, name: str) -> None:
        """Count an example.

        Args:
            content: What is compared; a digest of it is kept.
            name: What it is called.
        """
        digest = hashlib.blake2b(content, digest_size=16).digest()
        self._seen.setdefault(split, {}).setdefault(digest, name)

    def warnings(self, what: str) -> list[str]:
        """A sentence for each split that repeats training examples.

        Args:
            what: What the examples are, in the plural.
        """
        train, found = self._seen.get("train", {}), []
        for split, seen in self._seen.items():
            twice = [f"{name} = {train[digest]}" for digest, name in seen.items() if digest in train]
            if split != "train" and twice:
                found.append(
                    f"{len(twice):,} different {what} of {split} are in the training data as well, which makes the "
                    f"result look better than it is: {shortened(twice, 3)}."
                )
        return found


def check_unreadable(unreadable: Sequence[Unreadable], total: int, what: str = "files") -> list[str]:
    """A sentence on the files that cannot be read, if there are any.

    Args:
        unreadable: All of them.
        total: How many files there are, readable ones included.
        what: What they are, in the plural.

    Raises:
        DataError: A tenth or more cannot be read.
    """
    if not unreadable:
        return []
    text = f"{len(unreadable):,} of {total:,} {what} cannot be read: " + shortened(
        [f"{item.name} ({item.reason})" for item in unreadable], 5, "; "
    )
    if len(unreadable) >= UNREADABLE_SHARE * total:
        raise DataError(text, expected=f"less than a tenth of the {what}", remedy=f"repair or remove these {what}")
    return [f"{text}. They are left out."]


def size_range(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """The smallest, the median and the largest of values of which there is at least one."""
    import numpy as np

    numbers = np.asarray(values, "float64")
    return float(numbers.min()), float(np.median(numbers)), float(numbers.max())


def in_numbers(sizes: tuple[float, float, float]) -> str:
    """A range for a reader: "10 to 640, median 32", or one number where all are the same."""
    low, median, high = (f"{value:,.6g}" for value in sizes)
    if low == high:
        return low
    return f"{low} to {high}, median {median}"


def sample_positions(labels: Sequence[str]) -> list[int]:
    """Which examples are shown: the first few of the first classes, sorted by class.

    Args:
        labels: The class of each example.
    """
    shown = sorted(set(labels))[:SHOWN_CLASSES]
    found: dict[str, list[int]] = {label: [] for label in shown}
    for position, label in enumerate(labels):
        places = found.get(label)
        if places is not None and len(places) < SHOWN_OF_CLASS:
            places.append(position)
    return [position for places in found.values() for position in places]


def shortened(names: Sequence[str], most: int = 10, separator: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = f"{separator}and {len(names) - most:,} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
