"""Messages in, replies out that a network writes token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.conversation import ASSISTANT, USER, Conversation
from layerwise.tasks.fields import Field
from layerwise.tasks.generation import SAMPLING, Generation, Prompt, Row
from layerwise.text.chat_templates import ASSISTANT_TOKEN, PLAIN, USER_TOKEN, render

if TYPE_CHECKING:
    from layerwise.own_data import OwnData
    from layerwise.splits import Split
    from layerwise.text.generation import Generated

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Dialogue(Generation, Conversation):
    """A reply that is written token by token.

    The examples of a data set are conversations: its inputs an array of objects, a tuple of messages each, with "role"
    and "content". Its targets are not looked at.

    Args:
        chat_template: How a conversation is written as one text (`layerwise.text.chat_templates`).
        bos_token, eos_token: What the template calls so.
        is_both: Whether it learns to write both sides of a conversation, and not the replies alone.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "dialogue"
    folder_format: ClassVar[str] = """A CSV, TSV or Parquet file with the columns `message` and `reply`:

    message,reply
    What is your name?,I am Ada.

or a JSONL file with a conversation in each line, as chat models are mostly trained on:

    {"messages": [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "Hello, how are you?"}]}

At least 10. A fifth of them is held out to test the result; or divide them yourself into `train` and `test`.
"""
    chat_template: str = PLAIN
    bos_token: str = ""
    eos_token: str = "</s>"
    is_both: bool = False

    @property
    def settings(self) -> tuple[Field, ...]:
        return SAMPLING

    def prompt_of(self, inputs: Mapping[str, Any], room: int) -> Prompt:
        """The conversation and the beginning of a reply. What was said first is left out where there is no room.

        Raises:
            InputError: There is no message, or what was said before is no conversation.
        """
        messages = self.messages_of(inputs)
        for first in range(0, len(messages), 2):
            tokens = self._tokens(messages[first:])
            if len(tokens) <= room:
                return Prompt(tokens=tokens, note=_left_out(first))
        # The message alone is too long: its end is what was said last.
        text = messages[-1]["content"]
        while len(tokens := self._tokens([{"role": USER, "content": text}])) > room and text:
            text = text[max(1, len(text) - len(text) * room // len(tokens)) :]
        return Prompt(
            tokens=tokens[-room:], note="The message is too long for the network: only the end of it was read."
        )

    def answer_of(self, prompt: Prompt, generated: Generated) -> Answer:
        """The reply so far."""
        text = generated.text.strip() if generated.ended else generated.text.lstrip()
        notes = [prompt.note]
        if generated.ended == "length":
            notes.append("It has as many tokens as were asked for, and may not be at its end.")
        if generated.ended == "context":
            notes.append("The network takes no longer conversation, so the reply ends here.")
        if generated.ended.startswith("stop") and not text:
            notes.append("The network said nothing.")
        return {"reply": text, "note": " ".join(filter(None, notes))}

    def rows_of(self, examples: Sequence[Any]) -> list[Row]:
        """The turns of conversations, as many as there is room for in a row. What does not begin a conversation begins
        with the turn before, which is not learned twice. A turn that is longer than a row is cut off."""
        rows = []
        for number, messages in enumerate(examples):
            held: list[tuple[int, bool]] = []
            former: list[tuple[int, bool]] = []
            for turn in self._turns(messages):
                if held and len(held) + len(turn) > self.length + 1:
                    rows.append(_row(number, held))
                    fits = len(former) + len(turn) <= self.length + 1
                    held = [(token, False) for token, _ in former] if fits else []
                held = (held + turn)[: self.length + 1]
                former = turn
            rows.append(_row(number, held))
        return [row for row in rows if any(row.counts[1:])]

    def characters_of(self, example: Messages) -> int:
        """How many characters of a conversation are learned."""
        return sum(len(turn["content"]) for turn in example if self.is_both or turn["role"] == ASSISTANT)

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With a tokenizer: that of the version to begin with, and how it writes conversations; otherwise one that is
        trained on what was said."""
        from layerwise.text.tokenization import train_pieces

        names = ("stop_tokens", "chat_template", "bos_token", "eos_token") if isinstance(start, Dialogue) else ()
        known = dataclasses.replace(self, **{name: getattr(start, name) for name in names})
        texts = (turn["content"] for place in range(len(train)) for turn in train.inputs[place])
        special = (USER_TOKEN, ASSISTANT_TOKEN)
        return known.with_tokenizer(start, lambda: train_pieces(texts, self.vocabulary, special))

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Conversations. The replies are learned. See `folder_format`.

        Raises:
            DataError: The data are not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.dialogue_files import read_dialogues

        splits, report = read_dialogues(Path(folder))
        return OwnData(task=dataclasses.replace(self, is_both=False), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """A table of sums that are asked for, and the answers."""
        from layerwise.tasks.dialogue_files import write_sample

        write_sample(folder)

    def _turns(self, messages: Messages) -> list[list[tuple[int, bool]]]:
        """The tokens of each turn, and whether each is learned."""
        from layerwise.text.tokenization import tokenizer_of

        texts: list[str] = []
        written = ""
        for number, turn in enumerate(messages):
            # What the template puts before a reply is given, and not learned.
            begun = self._rendered(messages[:number], begins_reply=True) if turn["role"] == ASSISTANT else written
            whole = self._rendered(messages[: number + 1], begins_reply=False)
            if not (begun.startswith(written) and whole.startswith(begun)):
                raise SpecError(
                    "The chat template cannot be learned with",
                    expected="one that writes what was said before in the same way whatever follows",
                )
            texts += [begun[len(written) :], whole[len(begun) :]]
            written = whole
        encoded = tokenizer_of(self.known_tokenizer).encode_batch(texts, add_special_tokens=False)
        parts = [encoding.ids for encoding in encoded]
        return [
            [(token, self.is_both) for token in before] + [(token, self.is_both or is_reply) for token in after]
            for before, after, is_reply in zip(
                parts[::2], parts[1::2], (turn["role"] == ASSISTANT for turn in messages), strict=True
            )
        ]

    def _rendered(self, messages: Messages, *, begins_reply: bool) -> str:
        from layerwise.text.tokenization import without_special

        plain = [{**turn, "content": without_special(self.known_tokenizer, turn["content"])} for turn in messages]
        tokens = {"bos_token": self.bos_token, "eos_token": self.eos_token}
        return render(self.chat_template, plain, begins_reply=begins_reply, tokens=tokens)

    def _tokens(self, messages: Messages) -> list[int]:
        """A conversation and the beginning of a reply."""
        from layerwise.text.tokenization import tokenizer_of

        text = self._rendered(messages, begins_reply=True)
        return tokenizer_of(self.known_tokenizer).encode(text, add_special_tokens=False).ids


def _row(example: int, held: Sequence[tuple[int, bool]]) -> Row:
    return Row(example, [token for token, _ in held], [counts for _, counts in held])


def _left_out(count: int) -> str:
    return f"The first {count} messages of the conversation did not fit and were not read." if count else ""
