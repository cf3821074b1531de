"""What models are measured on beside each other: the same examples for all of them, as each takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data import load
from layerwise.errors import DataError, InputError
from layerwise.evaluation import find_split
from layerwise.splits import Split
from layerwise.tasks.classification import Classification
from layerwise.tasks.fields import main_field
from layerwise.tasks.labels import places_of

if TYPE_CHECKING:
    import numpy as np

    from layerwise.snapshot import Snapshot
    from layerwise.tasks.base import Task
    from layerwise.versions import Version
    from layerwise.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What models are measured on: the same examples for all of them.

    Args:
        dataset: The name of a registered data set, or None.
        folder: A folder or file of somebody's own data, or None; None for both is what the task itself makes.
        split: The name of the split.
        limit: How many of its examples at most, drawn from all of them; None for all.
    """

    dataset: str | None = None
    folder: str | None = None
    split: str = "test"
    limit: int | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.dataset or self.folder or ""


def find_benchmark(
    workspace: Workspace,
    versions: Sequence[Version],
    data: Path | str | None = None,
    *,
    split: str = "test",
    limit: int | None = None,
) -> Benchmark:
    """What these versions can all be measured on.

    Args:
        data: The name of a registered data set, a folder or file as the task's `folder_format` says, a zip archive of
            one, or the id of an upload. None is the data that they were trained for, if these are the same.

    Raises:
        DataError: There is nothing that all were trained for, or no such data.
        InputError: The limit cannot be used.
    """
    if limit is not None and limit < 2:
        raise InputError("A leaderboard needs examples", expected="2 or more", received=str(limit))
    snapshot = workspace.registry.snapshot()
    if data is not None and str(data) in snapshot.datasets:
        return Benchmark(dataset=str(data), split=split, limit=limit)
    if data is not None:
        return Benchmark(folder=str(Path(workspace.uploads.locate(data)).resolve()), split=split, limit=limit)
    own = {version.reference: _own_data(snapshot, version) for version in versions}
    known = dict.fromkeys(value for value in own.values() if value is not None)
    if len(known) > 1:
        raise DataError(
            "These models were trained for different data, so there is no test that is meant for all",
            received="; ".join(f"{name}: {value[0] or value[1]}" for name, value in own.items() if value),
            remedy="name the data: --data FOLDER, or the name of a data set",
        )
    if not known and not all(version.task.own_splits() for version in versions):
        names = ", ".join(own)
        raise DataError(f"There is no data set for {names}", remedy="name a folder: --data FOLDER")
    dataset, folder = next(iter(known), (None, None))
    return Benchmark(dataset=dataset, folder=folder, split=split, limit=limit)


def _own_data(snapshot: Snapshot, version: Version) -> tuple[str | None, str | None] | None:
    """The data set or the folder that a version was trained for."""
    record = version.record.get("data") or {}
    if record.get("folder"):
        return None, str(Path(record["folder"]).resolve())
    name = record.get("dataset") or snapshot.model(version.name).data
    return (name, None) if name else None


def examples_for(snapshot: Snapshot, version: Version, benchmark: Benchmark) -> tuple[str, Split]:
    """The name of the split and its examples, as a version takes them, and numbered as it numbers its labels. Labels
    that it writes otherwise are matched by their names (`layerwise.tasks.labels.places_of`).

    Raises:
        DataError: There is no such split, or it has labels that the version does not know.
    """
    if benchmark.dataset is None:
        *_, split, examples = find_split(snapshot, version, benchmark.split, benchmark.folder)
    else:
        split, examples = benchmark.split, _of_dataset(snapshot, version, benchmark)
    if benchmark.limit is not None and benchmark.limit < len(examples):
        import numpy as np

        # Drawn rather than the first ones: many folders are sorted by class.
        drawn = np.random.default_rng(0).permutation(len(examples))[: benchmark.limit]
        examples = examples.select(np.sort(drawn))
    return split, version.task.to_measure_on(examples)


def _of_dataset(snapshot: Snapshot, version: Version, benchmark: Benchmark) -> Split:
    name = str(benchmark.dataset)
    splits = load(snapshot.dataset(name), snapshot).splits
    if benchmark.split not in splits:
        raise DataError(
            f"{name} has no split {benchmark.split!r} that is the same for all models",
            expected=", ".join(splits),
            remedy="choose one with --split",
        )
    examples = splits[benchmark.split]
    if _own_data(snapshot, version) == (name, None):
        return examples
    inputs, targets = _framed(version.task, examples.inputs), examples.targets
    owner, known = _labels_of(snapshot, name), getattr(version.task, "labels", None)
    if owner is not None and known is not None and tuple(owner) != tuple(known):
        if not isinstance(version.task, Classification):
            raise DataError(
                f"{version.reference} has other labels than {name}",
                expected=", ".join(owner),
                received=", ".join(known),
            )
        import numpy as np

        targets = np.array(places_of(owner, known, name))[np.asarray(targets)]
    return Split(inputs, targets)


def _labels_of(snapshot: Snapshot, dataset: str) -> tuple[str, ...] | None:
    """The names of the classes of a data set: those of the models that are made for it."""
    tasks = (spec.task for spec in snapshot.models.values() if spec.data == dataset)
    return next((labels for task in tasks if (labels := getattr(task, "labels", None))), None)


class _Framed:
    """Pictures [examples, height, width, channels] as another task takes them, each when it is asked for."""

    def __init__(self, task: Task, pictures: Any) -> None:
        self.task, self.pictures = task, pictures
        self._name = getattr(main_field(task.inputs), "name", "")
        first = self[[0]]
        self.shape, self.dtype = (len(pictures), *first.shape[1:]), first.dtype

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, positions: Any) -> np.ndarray:
        import numpy as np

        pictures = np.asarray(self.pictures[np.asarray(positions)])
        return np.concatenate([np.asarray(self.task.encode({self._name: picture})) for picture in pictures])


def _framed(task: Task, inputs: Any) -> Any:
    """The inputs of a data set, framed anew where they are pictures and a task takes pictures of another shape."""
    main = main_field(task.inputs)
    if main is None or main.kind != "image" or isinstance(inputs, Mapping) or len(inputs.shape) != 4:
        return inputs
    try:
        wanted = task.warm_input()
    except NotImplementedError:
        return inputs
    is_right = not isinstance(wanted, Mapping) and wanted.shape[1:] == tuple(inputs.shape[1:])
    return inputs if is_right or not len(inputs) else _Framed(task, inputs)
