"""Conversation: what was said, checked."""

import pytest

from layerwise.errors import InputError
from layerwise.tasks import Conversation

TASK = Conversation()
HELLO = {"role": "user", "content": "Hello"}


def test_the_new_message_comes_last():
    reply = {"role": "assistant", "content": "Hi!", "metadata": {"title": "of a front end"}}
    assert TASK.messages_of({"message": "And you?", "history": (HELLO, reply)}) == [
        HELLO,
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "And you?"},
    ]
    assert TASK.messages_of({"message": "Hello"}) == [HELLO]
    assert TASK.messages_of({"message": "Hello", "history": []}) == [HELLO]


@pytest.mark.parametrize(
    "history",
    [
        "Hello",
        {"role": "user"},
        [HELLO, "Hi!"],
        [{"role": "robot", "content": "Hi!"}],
        [{"role": "user", "content": 1}],
    ],
    ids=["a text", "a mapping", "a bare reply", "an unknown role", "a number"],
)
def test_what_is_no_conversation_is_refused(history):
    with pytest.raises(InputError, match='"role": "user" or "assistant"'):
        TASK.messages_of({"message": "Hello", "history": history})


@pytest.mark.parametrize("message", [None, "", " \n", 7])
def test_a_message_is_needed(message):
    with pytest.raises(InputError, match="There is no message"):
        TASK.messages_of({"message": message})


def test_its_fields():
    assert [field.name for field in TASK.inputs if not field.optional] == ["message"]
    assert [field.name for field in TASK.outputs if not field.optional] == ["reply"]
