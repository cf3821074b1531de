"""What a Task is: raw input to a batch, outputs to an answer, and everything in between that more than
one model could share (loss, metrics, the format of a user's own data).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError
from layerwise.tasks.fields import Field
from layerwise.tasks.labels import places_of
from layerwise.text.text_file import TextFile

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version

Answer = dict[str, Any]
"""What a model says to one input: a value for the name of each output Field."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Base of all task types. A task type is a frozen dataclass; its fields (labels, sizes, columns) are
    stored with every trained version, so they must be what JSON can hold: numbers, texts, tuples, mappings, or
    frozen dataclasses of these, which the field's annotation must name; or a `TextFile`.

    Subclasses give `inputs`, `outputs`, `encode`, `decode` and, to be trainable, `loss`,
    `training_metrics` and `evaluate`; to accept a user's own data, `read_folder` and `folder_format`, and
    `write_sample` for an example of such.
    `view`, when set, is `module:function`: a function `(spec, predictor) -> None` that draws Gradio
    components; only the web app imports it.
    """

    type_name: ClassVar[str]
    """The name under which the task type is registered: "image-classification"."""
    folder_format: ClassVar[str] = ""
    """In Markdown: how a folder of the user's own data must look. Empty: own data is not supported."""
    metric: ClassVar[str] = ""
    """The name of the metric of `evaluate` that is shown first."""
    metric_between: ClassVar[str] = ""
    """The metric by which models are ranked against each other, where `metric` depends on how a model reads; empty for
    `metric`."""
    network_takes: ClassVar[str] = ""
    """What the numbers are that the network takes, for those who run it without Layerwise: a sentence."""
    network_gives: ClassVar[str] = ""
    """What the numbers are that the network gives, likewise."""
    view: ClassVar[str | None] = None

    @property
    def inputs(self) -> tuple[Field, ...]:
        raise NotImplementedError(f"{type(self).__name__} must say what goes in")

    @property
    def outputs(self) -> tuple[Field, ...]:
        raise NotImplementedError(f"{type(self).__name__} must say what comes out")

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray | dict[str, np.ndarray]:
        """One raw input as a batch of one: an array [1, ...], or a dict of them for a network with
        several inputs.

        Raises:
            InputError: The input cannot be used; its text says what to give instead.
        """
        raise NotImplementedError(f"{type(self).__name__} must turn raw input into a batch")

    def part_names(self, encoded: Any) -> Sequence[str] | Mapping[str, Sequence[str]] | None:
        """What the parts of an encoded input are called, for those who look into the network: the text of each token,
        the column of each number.

        Args:
            encoded: What `encode` gave.

        Returns:
            A name for each place along the first axis of the example (the same one for places that belong together,
            such as those of a one-hot code; empty for padding); by the name of the input where there are several; None
            when they have no names.
        """
        return None

    def explained(self, outputs: Any) -> Any:
        """What is explained of a network that gives scores at each of several places, a tensor [examples, ..., scores],
        when somebody looks into it: the mean over places, [examples, scores]."""
        from keras import ops

        return ops.mean(outputs, axis=tuple(range(1, len(outputs.shape) - 1)))

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The outputs of the network [batch, ...] as one answer for each example."""
        raise NotImplementedError(f"{type(self).__name__} must turn outputs into answers")

    def loss(self, config: TrainingConfig) -> Callable:
        """The loss: `(targets, outputs) -> scalar` in `keras.ops`, averaged over the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is trained")

    def training_metrics(self) -> dict[str, Callable]:
        """What is watched during training, by name: `(targets, outputs) -> scalar` in `keras.ops`, the mean
        over the batch."""
        return {}

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """The field's own metrics over a whole split, in NumPy; the first is the main one.

        Args:
            outputs: What the network gave, [examples, ...].
            targets: What was right, [examples, ...].
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it is evaluated")

    def hits(self, outputs: Any, targets: np.ndarray) -> np.ndarray | None:
        """Whether each example is answered right, bool [examples], which `accuracy` is the mean of; None where answers
        are not simply right or wrong.

        Args:
            outputs, targets: As for `evaluate`.
        """
        return None

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        """What answers for a version whose model brings no runner of its own: one forward pass of its network."""
        from layerwise.runner import NetworkRunner

        return NetworkRunner(version, spec)

    def fitted(self, train: Split, start: Task | None) -> Self:
        """This task with what it learns from the training data before the network is built, such as a vocabulary.

        Args:
            train: The examples, without those that are held out for validation.
            start: The task of the version that a fine-tuning begins with; what that has learned the network knows.
        """
        return self

    def calibrated(self, outputs: Any, targets: np.ndarray) -> Self:
        """This task with what it learns once the network has learned, from examples held out for validation, such as
        how wide its intervals must be.

        Args:
            outputs: What the network gives for them, [examples, ...].
            targets: What was right, as `to_train_on` gives it.
        """
        return self

    def own_splits(self) -> Mapping[str, Split]:
        """What it is measured on where there are no data: the episodes of an environment, say. Empty for none."""
        return {}

    def to_train_on(self, split: Split) -> Split:
        """The examples of a data set as the network takes them in training, where the data set holds something else."""
        return split

    def to_measure_on(self, split: Split) -> Split:
        """The examples of a data set as they are measured on, where one of them is several or several are one."""
        return split

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """What a reader wants to see beside the metrics: the figures of each class, failures. Empty for none.

        Args:
            outputs: What the network gave, [examples, ...].
            targets: What was right, [examples, ...].
            inputs: What it was given, [examples, ...].
        """
        return ()

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """A user's own data, in a folder or a file: this task with the labels (columns ...) found there, its splits,
        "train" at least, and the report of what was seen.

        Raises:
            DataError: The folder is not laid out as `folder_format` says.
        """
        raise InputError(
            f"{self.type_name} cannot be trained on a folder of your own", remedy="choose a model of another task"
        )

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """The splits of a user's own data as this very task encodes and numbers them: what a trained version is
        measured on. Tasks that learn more than labels from data (columns, statistics) give their own.

        Raises:
            DataError: The folder is not laid out as `folder_format` says, or has labels that this task does not know.
        """
        data = self.read_folder(folder)
        known, present = getattr(self, "labels", None), getattr(data.task, "labels", None)
        if known is None or present is None or tuple(known) == tuple(present):
            return data.splits
        import numpy as np

        from layerwise.splits import Split

        places = np.array(places_of(present, known, folder))
        return {name: Split(part.inputs, places[np.asarray(part.targets)]) for name, part in data.splits.items()}

    def write_sample(self, folder: Path) -> None:
        """Write a small example of the format of a user's own data into an empty folder: what `read_folder` reads, and
        a network can learn. Always the same bytes, less than a megabyte of them. To be called where there is a
        `folder_format`; `layerwise.datasets.sample_data.write_sample` does so for users.

        Args:
            folder: An empty folder.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no example of a user's own data")

    def warm_input(self) -> np.ndarray | dict[str, np.ndarray]:
        """A batch of one with which the predict function is compiled before the first request."""
        raise NotImplementedError(f"{type(self).__name__} must give an input to warm up with")

    def parameters(self) -> dict[str, Any]:
        """The fields of this task as plain JSON values, for a version's record."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def files(self) -> dict[str, str]:
        """What lies beside the weights: the contents of those of its fields that are files, by their names."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return {value.name: value.content for value in values if isinstance(value, TextFile)}

    def with_parameters(self, parameters: Mapping[str, Any], folder: Path = Path()) -> Self:
        """This task with the fields that a version's record holds.

        Args:
            folder: Where the version's files are, if it has any.

        Raises:
            SpecError: A file is missing or another one.
        """
        return dataclasses.replace(self, **self.fields_from(parameters, folder))

    @classmethod
    def fields_from(cls, parameters: Mapping[str, Any], folder: Path = Path()) -> dict[str, Any]:
        """The values of fields, by their names, as `parameters` gave them; what is no field is left out.

        Raises:
            SpecError: A file is missing or another one.
        """
        hints = typing.get_type_hints(cls)
        names = {field.name for field in dataclasses.fields(cls)}
        return {
            name: TextFile.read(folder, value["file"], value["sha256"])
            if isinstance(value, Mapping) and value.keys() == {"file", "sha256"}
            else _restored(value, hints[name])
            for name, value in parameters.items()
            if name in names
        }


def _plain(value: Any) -> Any:
    if isinstance(value, TextFile):
        return {"file": value.name, "sha256": value.sha256}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _restored(value: Any, hint: Any) -> Any:
    """What `_plain` made of a field annotated `hint`, as it was: lists as tuples, mappings as the dataclass
    that the annotation names."""
    if isinstance(value, list):
        items = [item for item in typing.get_args(hint) if item is not Ellipsis]
        # tuple[int, int] has a type for each item, tuple[Column, ...] one for all.
        hints = items if len(items) == len(value) else (items[:1] or [Any]) * len(value)
        return tuple(_restored(item, item_hint) for item, item_hint in zip(value, hints, strict=True))
    if isinstance(value, Mapping) and isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{key: _restored(item, hints[key]) for key, item in value.items() if key in hints})
    return value
