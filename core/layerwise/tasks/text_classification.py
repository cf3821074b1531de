"""Texts in, one of several labels out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError
from layerwise.tasks.base import Task
from layerwise.tasks.classification import Classification
from layerwise.tasks.fields import Field
from layerwise.tasks.texts import Texts

if TYPE_CHECKING:
    import numpy as np

    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version


@dataclass(frozen=True, kw_only=True)
class TextClassification(Texts, Classification):
    """Which of several things a text is about, or how it is meant.

    The network takes tokens, int32 [examples, length], 0 after the end of a text, and gives logits
    [examples, classes]. The vocabulary is learned from the training texts, if `tokenizer` is not given.

    Args:
        labels: The name of each class, in the order of the network's outputs.
        length: How many tokens the network takes. Longer texts are cut off.
        vocabulary: The most tokens that there are.
        tokenizer: As from `layerwise.text.tokenization.train_words`; None before a training.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = TextClassification(labels=("bad", "good"), length=16)
        >>> task.warm_input().shape
        (1, 16)
    """

    type_name: ClassVar[str] = "text-classification"
    folder_format: ClassVar[str] = """A CSV, TSV or Parquet file with a column `text` and a column `label`:

    text,label
    "A joy from beginning to end.",good
    "Two hours that nobody gives back.",bad

Or a folder for each class, named like it, with its texts, a file each: `reviews/good/1.txt`. Any number of classes, in
any language, at least two texts for each. A fifth of them is held out to test the result; or divide them yourself into
`train` and `test`.
"""
    network_takes: ClassVar[str] = (
        "Tokens [text, place], as tokenizer.json numbers them, without special ones; 0 after the end of a text."
    )

    def __post_init__(self) -> None:
        Classification.__post_init__(self)
        Texts.__post_init__(self)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text", label="Text"),)

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The tokens of `inputs["text"]`, int32 [1, length].

        Raises:
            InputError: There is no text, or nothing in it.
        """
        text = self.text_of(inputs)
        tokens = self.encode_batch([text])
        if not tokens.any():
            raise InputError("There is nothing to read in the text", received=repr(text)[:40])
        return tokens

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With a tokenizer: that of the version to begin with, otherwise one that is trained on the texts."""
        from layerwise.text.tokenization import train_words

        texts = (train.inputs[place] for place in range(len(train)))
        return self.with_tokenizer(start, lambda: train_words(texts, self.vocabulary))

    def to_train_on(self, split: Split) -> Split:
        """Tokens in the place of texts."""
        from layerwise.splits import Split

        texts = [split.inputs[place] for place in range(len(split))]
        return Split(self.encode_batch(texts), split.targets)

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        """One forward pass, which takes texts for tokens too."""
        from layerwise.tasks.text_runner import TextRunner

        return TextRunner(version, spec)

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Texts by class: this task with the classes found there, and the splits "train" and "test" (and "validation"
        where the data have one), their inputs texts. See `folder_format`.

        Raises:
            DataError: The data are not like that, or a tenth of the files or more is unreadable.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.text_folder import read_texts

        labels, splits, report = read_texts(folder)
        return OwnData(task=dataclasses.replace(self, labels=labels), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """A table of short reviews, good and bad."""
        from layerwise.tasks.text_folder import write_sample

        write_sample(folder)

    def report(self, outputs: np.ndarray, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        from layerwise.tasks.classification_report import mistaken_texts

        return [
            *super().report(outputs, targets, inputs),
            *mistaken_texts(self.labels, self._check_logits(outputs), targets, inputs),
        ]

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, self.length), "int32")
