"""What a Task is: raw input to a batch, outputs to an answer, and everything in between that more than
one model could share (loss, metrics, the format of a user's own data).

A task names the *kinds* of its inputs and outputs; the web app turns kinds into components and the
command line turns them into text, so a model that uses a stock task brings no interface code.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import DataError, InputError, SpecError
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

KINDS = (
    "image",
    "sketch",
    "audio",
    "live-audio",
    "text",
    "number",
    "choice",
    "table",
    "label-probabilities",
    "annotated-text",
    "boxes",
    "gallery",
    "mask",
    "board",
    "video",
    "plot",
    "file",
    "conversation",
    "json",
)
"""The kinds of values that the front ends can show. A value of each kind, in Python:
image: PIL image, NumPy array [height, width(, channels)] uint8, path or bytes, an output also a mapping with "name" and
"content", the bytes of a file that may move; sketch: as image, or the mapping
of an editor with "composite", or "background" and "layers", which are images; audio: (sample rate in Hz,
waveform [samples] float32) or path; live-audio: the same, of what has been recorded so far; text: str; number: float;
choice: str, one of `choices`; table: mapping of column name to value, an output also a list of them;
label-probabilities: mapping of label to probability, most
probable first; boxes: `layerwise.tasks.annotations.AnnotatedPicture`; plot: a list of `layerwise.plots`; gallery: a
list of mappings with "label", "image" and, where words stand below it, "caption"; file: a path, or a mapping with
"name" and "content", which are bytes;
conversation: what was said so far, a list of mappings with "role", which is "user" or "assistant", and "content";
everything else: what JSON can hold."""


FILE_KINDS = ("image", "sketch", "audio", "video", "file")
"""The kinds whose values come as files to the command line and the HTTP API."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input or output of a task.

    Args:
        name: The key in the mapping that is given to `encode` or comes from `decode`.
        kind: One of `KINDS`.
        label: What the reader sees beside it.
        choices: The values of a `choice`.
        columns: The columns of a `table`, each a Field of its own.
        alternatives: Further kinds in which the same input can be given (a picture that may be drawn:
            `kind="image", alternatives=("sketch",)`).
        optional: Whether it may be left out. True for what has a default. An optional text of an answer is shown when
            there is one.
        minimum, maximum: Of a `number`, None for no limit. One with both is a slider in the web app.
        default: What counts when it is left out.
        advanced: Whether it is one of those that few people change, which the web app keeps folded.

    Raises:
        SpecError: A value is not usable.
    """

    name: str
    kind: str
    label: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple[Field, ...] = ()
    alternatives: tuple[str, ...] = ()
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    default: Any = None
    advanced: bool = False

    def __post_init__(self) -> None:
        for kind in (self.kind, *self.alternatives):
            if kind not in KINDS:
                raise SpecError(
                    f"The field {self.name!r} is of an unknown kind", expected=", ".join(KINDS), received=repr(kind)
                )
        if self.default is not None:
            object.__setattr__(self, "optional", True)
            try:
                self.value(self.default)
            except InputError as error:
                raise SpecError(f"The default of the field {self.name!r} is not usable: {error}") from None

    @property
    def title(self) -> str:
        """What the reader sees beside it. Every field has a title."""
        return self.label or self.name.replace("_", " ").capitalize()

    def value(self, given: Any) -> Any:
        """What is given for it, checked: a number, which may come as text, and within its limits; one of its choices;
        anything else as it is. None is the default.

        Raises:
            InputError: It is none of these.
        """
        if given is None:
            return self.default
        if self.kind == "number":
            return self._number(given)
        if self.kind == "choice" and self.choices and given not in self.choices:
            raise InputError(f"{self.title} is not known", expected=", ".join(self.choices), received=repr(given))
        return given

    def _number(self, given: Any) -> float:
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise InputError(f"{self.title} is no number", expected=self._range, received=repr(given)) from None
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not (math.isfinite(number) and low <= number <= high):
            raise InputError(f"{self.title} is out of range", expected=self._range, received=f"{number:g}")
        return number

    @property
    def _range(self) -> str:
        limits = [
            f"{word} {limit:g}" for word, limit in (("from", self.minimum), ("to", self.maximum)) if limit is not None
        ]
        return " ".join(["a number", *limits])


def main_field(fields: Sequence[Field]) -> Field | None:
    """The field that a value without a name is meant for: the only one that is needed, or the first where none is; None
    where several are needed."""
    needed = [field for field in fields if not field.optional] or list(fields[:1])
    return needed[0] if len(needed) == 1 else None


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


def places_of(labels: Sequence[str], known: Sequence[str], folder: Path | str) -> list[int]:
    """Where the labels of a folder stand among those that a model knows. Where one is written otherwise, in capitals or
    with a hyphen for a space, it is the same label, unless the model tells such labels apart.

    Raises:
        DataError: It does not know all of them.

    Example:
        >>> places_of(("Ankle boot", "bag"), ("bag", "ANKLE_BOOT"), "photos")
        [1, 0]
    """
    exact = {label: place for place, label in enumerate(known)}
    counts = Counter(map(plain_label, known))
    folded = {plain: place for place, label in enumerate(known) if counts[plain := plain_label(label)] == 1}
    places = [exact.get(label, folded.get(plain_label(label))) for label in labels]
    unknown = [label for label, place in zip(labels, places, strict=True) if place is None]
    if unknown:
        raise DataError(
            f"{folder} has labels that the model does not know",
            expected=", ".join(known),
            received=", ".join(unknown),
            remedy="train a version on these data",
        )
    return [place for place in places if place is not None]


def plain_label(label: str) -> str:
    """A label without what two people may write otherwise: capitals, spaces, hyphens and underscores.

    Example:
        >>> plain_label("Ankle boot") == plain_label("ANKLE-BOOT")
        True
    """
    return "".join(letter for letter in label.casefold() if letter not in " -_")


def check_labels(labels: Sequence[str], owner: str) -> tuple[str, ...]:
    """Labels of a classification: at least two different, non-empty words.

    Raises:
        SpecError: They are not.
    """
    labels = tuple(labels) if not isinstance(labels, str) else (labels,)
    if len(labels) < 2 or len(set(labels)) != len(labels) or not all(isinstance(x, str) and x for x in labels):
        raise SpecError(
            f"{owner} has unusable labels", expected="at least two different, non-empty words", received=repr(labels)
        )
    return labels
