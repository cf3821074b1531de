"""Small models for the tests of prediction: a network, and one streaming, one stateful, one not in Keras."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwise import DatasetSpec, ModelCard, ModelSpec, Source, TrainingConfig, Variant, weights
from layerwise.errors import InputError, NotFoundError
from layerwise.own_data import OwnData, report_of
from layerwise.runner import Runner
from layerwise.runs import Run, RunStore
from layerwise.splits import Split
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.versions import Version, VersionStore

LABELS = ("low", "middle", "high")
CENTROIDS = np.array([[0, 0, 1, 1], [1, 2, 0, 0], [3, 1, 2, 0]], np.float32)
"""Around which the examples of each label lie."""


@dataclass(frozen=True, kw_only=True)
class Grading(Task):
    """Four numbers in, one of a few grades out."""

    type_name = "grading"
    labels: tuple[str, ...] = LABELS

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="values", kind="json"),)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="grade", kind="label-probabilities"),)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        values = np.asarray(inputs["values"], dtype=np.float32)
        if values.shape != (4,):
            raise InputError("Four numbers are needed", received=f"{values.size}")
        return values[None]

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [{"grade": dict(zip(self.labels, map(float, row), strict=True))} for row in shares]

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        right = outputs.argmax(axis=1) == targets
        return {"accuracy": float(right.mean()), "mean_margin": float(np.ptp(outputs, axis=1).mean())}

    def warm_input(self) -> np.ndarray:
        return np.zeros((1, 4), np.float32)

    def read_folder(self, folder: Path) -> OwnData:
        """A file LABEL.csv for each label, with an example a line; below train/ and test/ if there are both."""
        parts = {name: folder / name for name in ("train", "test") if (folder / name).is_dir()} or {"train": folder}
        labels = tuple(sorted({path.stem for part in parts.values() for path in part.glob("*.csv")}))
        splits = {}
        for name, part in parts.items():
            rows = [np.loadtxt(path, np.float32, delimiter=",", ndmin=2) for path in sorted(part.glob("*.csv"))]
            targets = [labels.index(path.stem) for path in sorted(part.glob("*.csv"))]
            splits[name] = Split(np.concatenate(rows), np.repeat(targets, [len(block) for block in rows]))
        report = report_of(folder, splits, what="rows", labels=labels)
        return OwnData(task=Grading(labels=labels), splits=splits, report=report)


@dataclass(frozen=True, kw_only=True)
class Saying(Task):
    """A text in, a text out."""

    type_name = "saying"

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text"), Field(name="times", kind="number", optional=True))

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text"),)


def build_grader(config: TrainingConfig, task: Grading):
    """A network with one hidden layer."""
    from layerwise.networks import dense_network

    return dense_network((4,), (8,), output_units=len(task.labels))


class WordByWord(Runner):
    """Streams a text back, a word more each time; keeps what happened to it for the tests."""

    def __init__(self, version: Version) -> None:
        self.cancelled: list[threading.Event] = []
        self.closed = threading.Event()

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        self.cancelled.append(cancelled)
        words = inputs["text"].split()
        for end in range(1, len(words) + 1):
            if cancelled.is_set():
                return
            if words[end - 1] == "BUG":
                raise ZeroDivisionError("a mistake of the plugin")
            yield {"text": " ".join(words[:end])}

    def close(self) -> None:
        self.closed.set()


class Counter(Runner):
    """Stateful: says how many texts the session has sent, and the label of the version it runs."""

    stateful = True

    def __init__(self, version: Version) -> None:
        self.version, self.counts, self.lock = version, {}, threading.Lock()

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        with self.lock:
            self.counts[session] = self.counts.get(session, 0) + 1
            return {"text": f"{self.counts[session]} by {self.version.id}"}

    def end_session(self, session: str) -> None:
        self.counts.pop(session, None)


class Centroids(Runner):
    """Not Keras: the nearest of a few centroids that are read from safetensors, in NumPy."""

    def __init__(self, version: Version) -> None:
        self.task = version.task
        self.centroids = weights.read_arrays(version.folder)["centroids"]

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        return self.task.decode(self.outputs(self.task.encode(inputs)))[0]

    def outputs(self, batch: np.ndarray) -> np.ndarray:
        return -((batch[:, None] - self.centroids[None]) ** 2).sum(axis=2)


def spec_of(name: str, *, task: Task | None = None, **values: Any) -> ModelSpec:
    """A ModelSpec with the parts that do not matter here filled in."""
    card = ModelCard(title=name, summary="A sample.")
    return ModelSpec(name=name, task=task or Grading(), build=values.pop("build", build_grader), card=card, **values)


STREAMING = spec_of("sample/stream", task=Saying(), runner=WordByWord)
STATEFUL = spec_of("sample/counter", task=Saying(), runner=Counter, train="sample_models:train_nothing")
NUMPY = spec_of("sample/centroids", runner=Centroids, data="grades")
NETWORK = spec_of("sample/grades", data="grades", variants=(Variant(name="small"), Variant(name="other")))


@dataclass(frozen=True)
class Shelf:
    """A fixed set of models and of data sets, looked up as in a registry and its snapshot."""

    models: Mapping[str, ModelSpec]
    datasets: Mapping[str, DatasetSpec]

    def snapshot(self) -> Shelf:
        return self

    def model(self, name: str) -> ModelSpec:
        if name not in self.models:
            raise NotFoundError(f"There is no model {name!r}")
        return self.models[name]

    def dataset(self, name: str) -> DatasetSpec:
        if name not in self.datasets:
            raise NotFoundError(f"There is no data set {name!r}")
        return self.datasets[name]


def shelf(*specs: ModelSpec, datasets: Sequence[DatasetSpec] = ()) -> Shelf:
    """These models, GRADES and the other data sets."""
    return Shelf({spec.name: spec for spec in specs}, {dataset.name: dataset for dataset in (GRADES, *datasets)})


def shifted(by: float) -> np.ndarray:
    """CENTROIDS that are the worse the further they are moved."""
    return CENTROIDS + by * np.array([0.6, -0.6, 0, 0], np.float32)


def examples(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around three CENTROIDS: float32 [count, 4] and labels int32 [count]."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, count).astype(np.int32)
    return CENTROIDS[targets] + random.normal(0, 0.6, (count, 4)).astype(np.float32), targets


def read_grades(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits of GRADES, which are drawn rather than read."""
    return {"train": Split(*examples(500, seed=10)), "test": Split(*examples(600, seed=11))}


GRADES = DatasetSpec(
    name="grades",
    title="Grades",
    sources=(Source(name="drawn", read="sample_models:read_grades", licence="CC0-1.0"),),
)


def grader(shift: float):
    """A network of NETWORK, untrained, whose logits all rise by `shift` for the first label."""
    import keras

    keras.utils.set_random_seed(0)
    model = build_grader(TrainingConfig(), Grading())
    model.get_layer("output").bias.assign([shift, 0.0, 0.0])
    return model


def save_version(home: Path, spec: ModelSpec, model: Any, *, variant: str | None = None, **record: Any) -> Run:
    """A run with `model` (a Keras model, or a dict of arrays) as its version."""
    chosen = spec.variant(variant)
    run = RunStore(home).create(spec, chosen.name, chosen.config)
    full = {
        "name": spec.name,
        "variant": chosen.name,
        "task": spec.task.parameters(),
        "config": {},
        **record,
    }
    save = weights.save_arrays if isinstance(model, dict) else weights.save
    save(model, run.folder / "version", full)
    return run


def promoted(home: Path, spec: ModelSpec, model: Any, *, variant: str | None = None, **record: Any) -> Run:
    """As `save_version`, put in use."""
    run = save_version(home, spec, model, variant=variant, **record)
    VersionStore(home).promote(spec, run)
    return run


def train_nothing(context: Any) -> None:
    """A `train` of its own, for a spec that is to need weights."""
