"""Messages in, replies out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from layerwise.errors import InputError
from layerwise.tasks.fields import Field
from layerwise.tasks.texts import Texts

USER, ASSISTANT = "user", "assistant"
"""The roles of those who talk."""


@dataclass(frozen=True, kw_only=True)
class Conversation(Texts):
    """A reply to a message, and to what was said before it.

    What was said is a list of mappings with "role", USER or ASSISTANT, and "content", as chat templates take it.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = Conversation()
        >>> task.messages_of({"message": "And why?", "history": [{"role": "user", "content": "What is a bias?"}]})
        [{'role': 'user', 'content': 'What is a bias?'}, {'role': 'user', 'content': 'And why?'}]
    """

    type_name: ClassVar[str] = "conversation"

    @property
    def settings(self) -> tuple[Field, ...]:
        """Further inputs, which have defaults."""
        return ()

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="message", kind="text", label="Message"),
            Field(name="history", kind="conversation", label="What was said before", optional=True),
            *self.settings,
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="reply", kind="text", label="Reply"),
            Field(name="sources", kind="table", label="What it rests on", optional=True),
            Field(name="note", kind="text", label="Mind this", optional=True),
        )

    def messages_of(self, inputs: Mapping[str, Any]) -> list[dict[str, str]]:
        """What was said, the new message last.

        Raises:
            InputError: There is no message, or what was said before is no conversation.
        """
        message = inputs.get("message")
        if not (isinstance(message, str) and message.strip()):
            raise InputError("There is no message", expected="a word or more", received=repr(message)[:40])
        return [*_checked(inputs.get("history")), {"role": USER, "content": message}]


def _checked(history: Any) -> list[dict[str, str]]:
    if history is None:
        return []
    if not isinstance(history, Sequence) or isinstance(history, str):
        raise _unusable(history)
    for turn in history:
        is_turn = isinstance(turn, Mapping) and turn.get("role") in (USER, ASSISTANT)
        if not is_turn or not isinstance(turn.get("content"), str):
            raise _unusable(turn)
    return [{"role": turn["role"], "content": turn["content"]} for turn in history]


def _unusable(received: Any) -> InputError:
    return InputError(
        "What was said before is not usable",
        expected='a list of {"role": "user" or "assistant", "content": a text}',
        received=repr(received)[:80],
    )
