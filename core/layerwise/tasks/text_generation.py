"""The beginning of a text in, what follows out, written token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.tasks.generation import SAMPLING, Generation, Prompt, Row
from layerwise.text.tokenization import BEGIN, END

if TYPE_CHECKING:
    from layerwise.own_data import OwnData
    from layerwise.splits import Split
    from layerwise.text.generation import Generated


@dataclass(frozen=True, kw_only=True)
class TextGeneration(Generation):
    """What follows the beginning of a text.

    The examples of a data set are texts: its inputs an array of texts. Its targets are not looked at.
    """

    type_name: ClassVar[str] = "text-generation"
    folder_format: ClassVar[str] = """A folder of text files (`.txt`, `.md`), each a text to learn from, or one file
with texts that are divided by empty lines:

    folder/one.txt
    folder/another.txt

At least 10 texts. A fifth of them is held out to test the result; or divide them yourself into the folders, or the
files, `train` and `test`.
"""

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="text", kind="text", label="How it begins"), *SAMPLING)

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="text", kind="text", label="The text"),
            Field(name="note", kind="text", label="Mind this", optional=True),
            Field(name="pieces", kind="plot", label="How sure the network was"),
        )

    def prompt_of(self, inputs: Mapping[str, Any], room: int) -> Prompt:
        """The beginning; of one that is too long its end.

        Raises:
            InputError: There is no text.
        """
        from layerwise.text.tokenization import without_special

        text = inputs.get("text")
        if not isinstance(text, str):
            raise InputError("There is no text", expected="how it begins", received=repr(text)[:40])
        tokens = self._tokens([without_special(self.known_tokenizer, text)])[0]
        if len(tokens) < room:
            return Prompt(tokens=[BEGIN, *tokens], text=text)
        note = f"The text is too long for the network: only its last {room - 1:,} tokens were read."
        return Prompt(tokens=[BEGIN, *tokens[len(tokens) - room + 1 :]], text=text, note=note)

    def answer_of(self, prompt: Prompt, generated: Generated) -> Answer:
        """The text so far, and how probable what was written is."""
        from layerwise.plots import Tokens

        pieces, chances = zip(*generated.pieces, strict=True) if generated.pieces else ((), ())
        marked = Tokens(
            title="How probable it found each piece: the stronger the colour, the more",
            tokens=pieces,
            weights=chances,
            is_signed=False,
        )
        return {
            "text": prompt.text + generated.text if prompt.text else generated.text.lstrip(),
            "note": prompt.note,
            "pieces": [marked],
        }

    def rows_of(self, examples: Sequence[Any]) -> list[Row]:
        """Texts between BEGIN and END, those that are too long in parts that follow each other."""
        rows = []
        for number, tokens in enumerate(self._tokens([str(text) for text in examples])):
            whole = [BEGIN, *tokens, END]
            for start in range(0, len(whole) - 1, self.length):
                part = whole[start : start + self.length + 1]
                rows.append(Row(number, part, [True] * len(part)))
        return rows

    def characters_of(self, example: str) -> int:
        """How many characters of a text are learned."""
        return len(example)

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With a tokenizer: that of the version to begin with, otherwise one that is trained on the texts."""
        from layerwise.text.tokenization import train_pieces

        texts = (str(train.inputs[place]) for place in range(len(train)))
        return self.with_tokenizer(start, lambda: train_pieces(texts, self.vocabulary))

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Texts. See `folder_format`.

        Raises:
            DataError: The data are not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.plain_text import read_plain_texts

        splits, report = read_plain_texts(Path(folder))
        return OwnData(task=self, splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Very short stories, a file each."""
        from layerwise.tasks.plain_text import write_sample

        write_sample(folder)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        from layerwise.text.tokenization import tokenizer_of

        encoded = tokenizer_of(self.known_tokenizer).encode_batch(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]
