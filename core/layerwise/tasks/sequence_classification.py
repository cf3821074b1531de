"""A sequence of DNA or a protein in, one of several labels out; a long one is scanned for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError, SpecError
from layerwise.tasks.classification import Classification
from layerwise.tasks.fields import Field
from layerwise.tasks.sequences.motif import Motif

if TYPE_CHECKING:
    import numpy as np

    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.sequences.alphabets import Alphabet
    from layerwise.tasks.sequences.fasta import Record
    from layerwise.versions import Version

KINDS = {"dna": "DNA", "protein": "Protein"}
"""What the sequences of each alphabet are called on a page."""
LONGEST_WINDOW = 10_000
"""The most letters that a network may take."""


@dataclass(frozen=True, kw_only=True)
class SequenceClassification(Classification):
    """Which of several kinds a stretch of DNA or of a protein is, and where in a long sequence stretches of a kind are.

    The network takes shares of letters (`layerwise.tasks.sequences.alphabets`), float32 [examples, length, letters],
    and gives logits [examples, classes]. One sequence as long as that is classified; a longer one is scanned window by
    window, DNA on both strands; of several there is a row each.

    Args:
        labels: The name of each class, in the order of the network's outputs. The last one is what a longer sequence
            is scanned for unless somebody chooses another, and "positive" where there are two.
        alphabet: "dna" or "protein".
        length: How many letters the network takes: its window.
        motifs: What is known to matter; the motifs that a network has learned are compared with these.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = SequenceClassification(labels=("other", "start"), alphabet="dna", length=4)
        >>> task.encode({"text": "atgn"})[0, :, 2].tolist()
        [0.0, 0.0, 1.0, 0.25]
    """

    type_name: ClassVar[str] = "sequence-classification"
    folder_format: ClassVar[str] = """A FASTA file for each class, named like it, or a folder of FASTA files for each:

    starts/start.fasta          >one
    starts/other.fasta          ACGTTGCA...

DNA, RNA or proteins, as the model takes them; any number of classes, at least two sequences for each. Where all have
the same length, the network will take that many letters; otherwise as many as the model's, from the middle of each. A
fifth of them is held out to test the result; or divide them yourself into folders `train` and `test`.
"""
    network_takes: ClassVar[str] = (
        "Shares of letters [sequence, place, letter]: 1 for the letter that stands there, equal shares of those that "
        "it may be (N). The letters of DNA are A, C, G, T, those of proteins ACDEFGHIKLMNPQRSTVWY."
    )
    alphabet: str = "dna"
    length: int
    motifs: tuple[Motif, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alphabet not in KINDS:
            raise SpecError(
                "SequenceClassification: alphabet is not known",
                expected=" or ".join(KINDS),
                received=repr(self.alphabet),
            )
        object.__setattr__(self, "motifs", tuple(self.motifs))
        if not (type(self.length) is int and 1 <= self.length <= LONGEST_WINDOW):
            raise SpecError(
                "SequenceClassification: length is not usable",
                expected=f"1 to {LONGEST_WINDOW:,} letters",
                received=repr(self.length),
            )

    @property
    def letters(self) -> Alphabet:
        """Its alphabet."""
        from layerwise.tasks.sequences.alphabets import alphabet_named

        return alphabet_named(self.alphabet)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(
                name="text",
                kind="text",
                label=f"{KINDS[self.alphabet]}: {self.length} letters, more to scan them, or FASTA",
                optional=True,
            ),
            Field(name="file", kind="file", label="... or a FASTA file", optional=True),
            Field(
                name="wanted",
                kind="text",
                label=f"What a longer sequence is scanned for ({self.labels[-1]} unless another label is named)",
                optional=True,
                advanced=True,
            ),
            Field(
                name="stride",
                kind="number",
                label="Letters from window to window in a scan",
                minimum=1,
                maximum=max(self.length, 2),
                default=1,
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        label, probabilities = super().outputs
        return (
            Field(name="summary", kind="text", label="What was found", optional=True),
            dataclasses.replace(label, optional=True),
            dataclasses.replace(probabilities, optional=True),
            Field(name="track", kind="plot", label="Along the sequence", optional=True),
            Field(name="hits", kind="table", label="Where it was found", optional=True),
        )

    def records(self, inputs: Mapping[str, Any]) -> list[Record]:
        """The sequences that were given: those of the file if there is one, otherwise those of the text.

        Raises:
            InputError: There are none, or they cannot be read.
        """
        from layerwise.tasks.sequences.fasta import parse
        from layerwise.tasks.sequences.files import text_of

        return parse(text_of(inputs, self.letters.name_in_words), self.letters)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """One sequence that is as long as the network's window, float32 [1, length, letters].

        Raises:
            InputError: It is shorter or longer, there are several, or they cannot be read.
        """
        first, *others = self.records(inputs)
        self.check_length(first)
        if others or len(first.sequence) > self.length:
            raise InputError(
                "The network takes one stretch of letters at a time",
                expected=f"{self.length} letters",
                received=f"{1 + len(others):,} sequences" if others else f"{len(first.sequence):,} letters",
                remedy="give it one of the stretches that a scan has found",
            )
        return self.letters.encode(first.sequence)[None]

    def check_length(self, record: Record) -> None:
        """Check that a sequence is not shorter than the window.

        Raises:
            InputError: It is.
        """
        if len(record.sequence) < self.length:
            raise InputError(
                f"The sequence{f' {record.name!r}' if record.name else ''} is too short",
                expected=f"{self.length} letters, or more to be scanned",
                received=f"{len(record.sequence)} letter{'s' * (len(record.sequence) != 1)}",
                remedy="give more of what stands around it",
            )

    def wanted(self, inputs: Mapping[str, Any]) -> int:
        """The number of the class that a longer sequence is scanned for.

        Raises:
            InputError: There is no such class.
        """
        name = inputs.get("wanted") or self.labels[-1]
        if name not in self.labels:
            raise InputError("There is no such label", expected=", ".join(self.labels), received=repr(name))
        return self.labels.index(name)

    def part_names(self, encoded: Any) -> list[str]:
        """The letter at each place; a shared place has the name of what it may be."""
        return list(self.letters.decode(encoded[0]))

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """The metrics of any classification, and for two classes those of `layerwise.tasks.sequences.metrics`."""
        from layerwise.tasks.sequences.metrics import binary_metrics

        metrics = super().evaluate(outputs, targets)
        return metrics | (binary_metrics(self._check_logits(outputs), targets) if len(self.labels) == 2 else {})

    def report(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        from layerwise.tasks.classification_report import mistaken_texts

        logits = self._check_logits(outputs)
        texts = _Letters(self.letters, inputs)
        return [*super().report(outputs, targets, inputs), *mistaken_texts(self.labels, logits, targets, texts)]

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        """One forward pass for one window, many for a scan."""
        from layerwise.tasks.sequences.scanning_runner import SequenceRunner

        return SequenceRunner(version, spec)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Sequences by class: this task with the classes and the length found there, and the splits "train" and "test"
        (and "validation" where the data have one). See `folder_format`.

        Raises:
            DataError: The folder is not like that.
        """
        from layerwise.tasks.sequences.folder import read_sequences

        return read_sequences(self, folder)

    def write_sample(self, folder: Path) -> None:
        """Sequences as long as the network's window, half of them with a motif."""
        from layerwise.tasks.sequences.folder import write_sample

        write_sample(folder, self.letters, self.length)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """As `read_folder`, with the window of this very task.

        Raises:
            DataError: The folder is not like that, has labels that this task does not know, or sequences that are
                shorter than its window.
        """
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.labels import places_of
        from layerwise.tasks.sequences.folder import read_sequences

        data = read_sequences(self, folder, keep_length=True)
        places = np.array(places_of(data.task.labels, self.labels, folder), "int32")
        return {name: Split(part.inputs, places[part.targets]) for name, part in data.splits.items()}

    def warm_input(self) -> np.ndarray:
        import numpy as np

        shape = (1, self.length, len(self.letters.letters))
        return np.full(shape, 1 / shape[-1], "float32")


class _Letters(Sequence):
    """Encoded sequences [examples, length, letters] as texts, each when it is asked for."""

    def __init__(self, alphabet: Alphabet, encoded: Any) -> None:
        self._alphabet, self._encoded = alphabet, encoded

    def __len__(self) -> int:
        return len(self._encoded)

    def __getitem__(self, place: Any) -> str:
        return self._alphabet.decode(self._encoded[place])
