"""Sequences in, a label for each of their letters out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.tasks.labels import check_labels

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.sequences.alphabets import Alphabet
    from layerwise.tasks.sequences.fasta import Record
    from layerwise.versions import Version

ALPHABETS = ("dna", "protein")
"""Those of `layerwise.tasks.sequences.alphabets`."""
UNCOUNTED = "."
"""Stands among label letters for a letter whose label is not known: it counts neither in training nor in a figure."""
SHAPES = ("spiral", "arrow", "bar", "line")
"""How a label can be drawn: as the helix of a protein, a strand of a sheet, anything else, nothing in particular."""
MOST_LETTERS = 10_000
"""The most letters of a sequence that is labelled."""
MOST_SEQUENCES, MOST_IN_ALL = 1_000, 500_000
"""The most sequences that are labelled at a time, and letters of all of them together."""
SMALLEST_WINDOW = 64
"""Letters of the smallest window that the network is given; others are twice, four times ... as long."""


@dataclass(frozen=True, kw_only=True)
class SequenceLabelling(Task):
    """A label for each letter of a sequence, such as what each residue of a protein belongs to.

    The network takes shares of letters float32 [examples, places, letters] (`layerwise.tasks.sequences.alphabets`),
    zeros where nothing stands, and gives logits [examples, places, labels]. It is trained on rows of `longest` places,
    in which with a `gap` several sequences stand, so many empty places apart. Longer sequences are cut into windows
    that overlap; of each its inner part counts. Targets are int [examples, places], -1 where nothing counts.

    A data set holds texts: sequences as inputs, and as targets for each the letters of its labels, `UNCOUNTED` where
    the label is not known.

    Args:
        labels: The name of each label, in the order of the network's outputs.
        letters_of_labels: A letter for each label, as data and answers write them.
        shapes: How each label is drawn along the sequence, one of `SHAPES` each; empty draws bars.
        alphabet: "protein" or "dna".
        longest: Letters that the network takes at once.
        context: Letters on either side of a cut that are only looked at.
        gap: Empty places between the sequences of a row; 0 gives each a row of its own.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = SequenceLabelling(labels=("helix", "other"), letters_of_labels=("H", "-"), longest=64, context=8)
        >>> task.encode({"text": "MKV"}).shape
        (1, 64, 20)
    """

    type_name: ClassVar[str] = "sequence-labelling"
    metric: ClassVar[str] = "accuracy"
    folder_format: ClassVar[str] = """Two FASTA files: one of sequences, and one with a letter for the label of each of
their letters, under the same names:

    mine/sequences.fasta        mine/labels.fasta
    >first                      >first
    MKVLAAGIVGLC                CCHHHHHHHH..

A dot says that a label is not known. Any letters will do as labels, two at least. A fifth of the sequences is held out
to test the result; or divide them yourself into folders `train` and `test` with two such files each. Put similar
sequences into the same of them.
"""
    network_takes: ClassVar[str] = (
        "Shares of the letters [sequence, place, letter], in the order of the task's alphabet; zeros after the end."
    )
    network_gives: ClassVar[str] = (
        "Logits [sequence, place, label], in the order of the labels; softmax turns them into probabilities."
    )
    labels: tuple[str, ...]
    letters_of_labels: tuple[str, ...]
    shapes: tuple[str, ...] = ()
    alphabet: str = "protein"
    longest: int = 512
    context: int = 64
    gap: int = 0

    def __post_init__(self) -> None:
        owner = type(self).__name__
        object.__setattr__(self, "labels", check_labels(self.labels, owner))
        # Not looked up: that would import NumPy wherever a model is registered.
        if self.alphabet not in ALPHABETS:
            raise SpecError(
                f"{owner}: alphabet is not known", expected=" or ".join(ALPHABETS), received=repr(self.alphabet)
            )
        letters = tuple(self.letters_of_labels)
        object.__setattr__(self, "letters_of_labels", letters)
        if len(set(letters)) != len(self.labels) or not all(_is_letter(letter) for letter in letters):
            raise SpecError(
                f"{owner}: letters_of_labels is not usable",
                expected=f"a different letter for each of {len(self.labels)} labels, none of them {UNCOUNTED!r}",
                received=repr(letters),
            )
        object.__setattr__(self, "shapes", tuple(self.shapes) or ("bar",) * len(self.labels))
        if len(self.shapes) != len(self.labels) or not set(self.shapes) <= set(SHAPES):
            raise SpecError(
                f"{owner}: shapes is not usable",
                expected=f"for each of {len(self.labels)} labels one of {', '.join(SHAPES)}",
                received=repr(self.shapes),
            )
        if not (self.context >= 0 and self.gap >= 0 and self.longest > 2 * self.context):
            raise SpecError(
                f"{owner}: the windows are not usable",
                expected="longest above twice context, and neither context nor gap below 0",
                received=f"longest {self.longest}, context {self.context}, gap {self.gap}",
            )

    @property
    def letters(self) -> Alphabet:
        """The alphabet of the sequences."""
        from layerwise.tasks.sequences.alphabets import alphabet_named

        return alphabet_named(self.alphabet)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="text", kind="text", label="Sequence, or several as FASTA", optional=True),
            Field(name="file", kind="file", label="FASTA file", optional=True),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="summary", kind="text", label="In short"),
            Field(name="strip", kind="plot", label="Along the sequence"),
            Field(name="labels", kind="text", label="Labels, a letter each", optional=True),
            Field(name="table", kind="table", label="Sequences"),
            Field(name="fasta", kind="file", label="Download the labels (FASTA)"),
            Field(name="probabilities", kind="file", label="Download the probabilities (CSV)"),
        )

    def records(self, inputs: Mapping[str, Any]) -> list[Record]:
        """The sequences of `inputs["text"]`, or of the FASTA file `inputs["file"]`.

        Raises:
            InputError: There are none, or too many; one is too long, or has letters that are none.
        """
        from layerwise.tasks.sequences.fasta import parse
        from layerwise.tasks.sequences.files import text_of

        found = parse(text_of(inputs, self.letters.name_in_words), self.letters, most=MOST_SEQUENCES)
        for record in found:
            if len(record.sequence) > MOST_LETTERS:
                raise InputError(
                    f"The sequence {record.name!r} is too long" if record.name else "The sequence is too long",
                    expected=f"{MOST_LETTERS:,} letters at most",
                    received=f"{len(record.sequence):,}",
                    remedy="cut it into parts",
                )
        if sum(len(record.sequence) for record in found) > MOST_IN_ALL:
            raise InputError(
                "These are too many letters", expected=f"{MOST_IN_ALL:,} at most", remedy="divide the file"
            )
        return found

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The first window of the first sequence, [1, places, letters]: what a look into the network is given.

        Raises:
            InputError: As from `records`.
        """
        from layerwise.tasks.sequences.labelled_rows import padded_shares

        sequence = self.records(inputs)[0].sequence[: self.longest]
        return padded_shares([sequence], self.letters, self.places_for(len(sequence)))

    def places_for(self, length: int) -> int:
        """Places of the network's input for that many letters: few different ones, since each is compiled."""
        places = SMALLEST_WINDOW
        while places < length:
            places *= 2
        return min(places, max(self.longest, SMALLEST_WINDOW))

    def part_names(self, encoded: Any) -> list[str]:
        """The letters, X for those that stand for several; nothing after the end."""
        shares = encoded[0]
        names = [self.letters.letters[place] for place in shares.argmax(axis=1).tolist()]
        return [
            "" if not row.any() else name if row.max() > 0.99 else "X" for row, name in zip(shares, names, strict=True)
        ]

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.sequences.labelling_runner import LabellingRunner

        return LabellingRunner(version, spec)

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The letters of the likeliest labels. What is more is known only together with the sequence.

        Args:
            outputs: Logits [examples, places, labels].
        """
        return [{"labels": self.letters_for(logits)} for logits in outputs]

    def letters_for(self, logits: np.ndarray) -> str:
        """The likeliest labels [letters, labels], a letter each."""
        return "".join(self.letters_of_labels[number] for number in logits.argmax(axis=1).tolist())

    def answer(self, records: Sequence[Record], logits: Sequence[np.ndarray]) -> Answer:
        """What is said of sequences.

        Args:
            logits: Of each sequence, [letters, labels].
        """
        from layerwise.tasks.sequences.labelling_answer import answer

        return answer(self, records, logits)

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats, the mean over letters that count, its targets smoothed by `config.label_smoothing`."""
        num_labels, smoothing = len(self.labels), config.label_smoothing

        def cross_entropy(targets: Any, logits: Any) -> Any:
            from keras import ops

            logits = ops.convert_to_tensor(logits)
            # -1 is a row of zeros, so what does not count is worth nothing.
            wanted: Any = ops.one_hot(ops.cast(targets, "int32"), num_labels, dtype=logits.dtype)
            counts: Any = ops.cast(ops.greater_equal(targets, 0), logits.dtype)
            smoothed = (1 - smoothing) * wanted + smoothing / num_labels * counts[..., None]
            total: Any = ops.sum(smoothed * ops.log_softmax(logits, axis=-1))
            return -total / ops.maximum(ops.sum(counts), 1.0)

        return cross_entropy

    def training_metrics(self) -> dict[str, Callable]:
        """The share of right labels."""

        def accuracy(targets: Any, logits: Any) -> Any:
            from keras import ops

            counts: Any = ops.cast(ops.greater_equal(targets, 0), "float32")
            hits: Any = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(targets, "int32")), "float32")
            right: Any = ops.sum(hits * counts)
            return right / ops.maximum(ops.sum(counts), 1.0)

        return {"accuracy": accuracy}

    def numbers_of(self, letters: str) -> np.ndarray:
        """The numbers of labels, int8 [letters], -1 where none is known.

        Raises:
            DataError: A letter stands for none of them.
        """
        from layerwise.tasks.sequences.labelled_rows import numbers_of

        return numbers_of(letters, self.letters_of_labels)

    def to_train_on(self, split: Split) -> Split:
        """Sequences in rows: shares float32 [rows, longest, letters] and numbers of labels int8 [rows, longest]."""
        from layerwise.tasks.sequences.labelled_rows import rows_of

        targets = [self.numbers_of(split.targets[place]) for place in range(len(split))]
        sequences = [split.inputs[place] for place in range(len(split))]
        return rows_of(sequences, targets, self.letters, longest=self.longest, context=self.context, gap=self.gap)

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.sequences.labelling_metrics`.

        Args:
            outputs: What was found in each sequence, `layerwise.tasks.sequences.labelling_metrics.Labelled`
                [sequences]; or logits [rows, places, labels].
            targets: Texts of label letters [sequences]; or numbers of labels [rows, places], -1 where nothing counts.
        """
        from layerwise.tasks.sequences.labelling_metrics import metrics

        return metrics(self._confusions(outputs, targets))

    def _confusions(self, outputs: Any, targets: np.ndarray) -> np.ndarray:
        """How often each label (row) was taken for each (column), [sequences, labels, labels]."""
        import numpy as np

        from layerwise.tasks.sequences.labelling_metrics import Labelled

        if not outputs.dtype.hasobject:
            pairs = [(Labelled(logits), numbers) for logits, numbers in zip(outputs, targets, strict=True)]
            return np.stack([found.confusion(numbers) for found, numbers in pairs])
        return np.stack(
            [found.confusion(right, self.numbers_of) for found, right in zip(outputs, targets, strict=True)]
        )

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """The figures of each label, what is taken for what, and how far probabilities can be trusted, letter by
        letter; and how the sequences went."""
        from layerwise.tasks.sequences.labelling_metrics import report

        numbers = [self.numbers_of(text) for text in targets]
        return report(self.labels, outputs, numbers, self._confusions(outputs, targets))

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Sequences with their labels: this task with the labels found there. See `folder_format`.

        Raises:
            DataError: The folder is not laid out like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.sequences.labelled_folder import read_labelled

        letters, splits, report = read_labelled(folder, self.letters)
        if set(letters) <= set(self.letters_of_labels):
            return OwnData(task=self, splits=splits, report=report)
        task = dataclasses.replace(self, labels=letters, letters_of_labels=letters, shapes=())
        return OwnData(task=task, splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Sequences in which each label has letters of its own."""
        from layerwise.tasks.sequences.labelled_folder import write_sample

        write_sample(folder, self.letters, self.letters_of_labels)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """As for every task; a label that this task does not know is an error."""
        from layerwise.tasks.labels import places_of
        from layerwise.tasks.sequences.labelled_folder import read_labelled

        letters, splits, _ = read_labelled(folder, self.letters)
        places_of(letters, self.letters_of_labels, folder)
        return splits

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros([1, SMALLEST_WINDOW, len(self.letters.letters)], "float32")


def _is_letter(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 1 and text != UNCOUNTED and text.isprintable() and text != " "
