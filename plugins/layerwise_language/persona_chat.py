"""Conversations of two people who get to know each other: Synthetic-Persona-Chat (Jandaghi et al. 2023,
arXiv:2312.10007; CC BY 4.0).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import DatasetSpec, File, Source
from layerwise.tasks.conversation import ASSISTANT, USER
from layerwise_language.text_files import lines_of

if TYPE_CHECKING:
    from layerwise.splits import Split
    from layerwise.tasks.dialogue_files import Messages

TEST_SHARE = 0.1
NAMES = {"1": "Alex", "2": "Sam"}
"""What the speakers are called where a conversation leaves their names open."""
_COLUMN = "Best Generated Conversation"
_TURN = re.compile(r"[*\s]*User ([12]):\s*(.*)")
_NAME_OF = re.compile(r"[\[(]user ?([12])(?:'s)?(?: name)?[\])]", re.IGNORECASE)
_OWN_NAME = re.compile(r"[\[(](?:your |user)?name[\])]", re.IGNORECASE)
_STAGE = re.compile(r"\s*(?:[\[(*].*)?")
"""A line that nobody says."""


def conversations_of(paths: Iterable[Path]) -> Iterator[str]:
    """The conversations in the data set's files, a turn on each line: "User 1: Hi!".

    Raises:
        DataError: A file cannot be used.
    """
    for path in paths:
        with lines_of(path, compressed=path.suffix == ".xz") as lines:
            yield from (row[_COLUMN] for row in csv.DictReader(lines))


def messages_of(conversation: str) -> Messages:
    """The turns of a conversation, User 1's as those of the user. Names that are left open are filled in; where
    something else is, the conversation ends before that.

    Example:
        >>> messages_of("User 1: Hi, I'm [name].\\nUser 2: Hi [user 1]!\\nUser 1: I'm from [city].")
        ({'role': 'user', 'content': "Hi, I'm Alex."}, {'role': 'assistant', 'content': 'Hi Alex!'})
    """
    turns: list[dict[str, str]] = []
    for line in conversation.splitlines():
        if _STAGE.fullmatch(line) and not _TURN.fullmatch(line):
            continue
        match = _TURN.fullmatch(line)
        if not match:
            break
        speaker, text = match.groups()
        text = _NAME_OF.sub(lambda found: NAMES[found[1]], _OWN_NAME.sub(NAMES[speaker], text)).strip()
        if "[" in text or not text:
            break
        role = USER if speaker == "1" else ASSISTANT
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f" {text}"
        else:
            turns.append({"role": role, "content": text})
    return tuple(turns)


def read(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train" and "test": conversations of at least four turns, a tenth of them held out by a hash of how
    they begin. Both arrays of a split are tuples of messages [conversations]."""
    from layerwise.tasks.dialogue_files import split_of

    found: dict[str, list[Messages]] = {"train": [], "test": []}
    for name in sorted(files):
        for messages in map(messages_of, conversations_of([files[name]])):
            if len(messages) >= 4:
                found["test" if _is_test(messages) else "train"].append(messages)
    return {split: split_of(part) for split, part in found.items()}


def _is_test(messages: Messages) -> bool:
    """By the first turns that say more than "Hi!", so that conversations that begin alike are on one side."""
    text = " ".join(turn["content"] for turn in messages[:6]).lower()
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64 < TEST_SHARE


_HOME = "https://raw.githubusercontent.com/google-research-datasets/Synthetic-Persona-Chat"
_COMMIT = "1f367a0f05d388ca96ebbbc9e5752ab19ac76510"
_PAGE = "https://github.com/google-research-datasets/Synthetic-Persona-Chat"

PERSONA_CHAT = DatasetSpec(
    name="chat-spc",
    title="Synthetic-Persona-Chat",
    summary="Conversations of two people who get to know each other: the validation and test parts of the data set.",
    sources=(
        Source(
            name="csv",
            read="layerwise_language.persona_chat:read",
            licence="CC-BY-4.0",
            homepage=_PAGE,
            files=tuple(
                File(
                    name=f"Synthetic-Persona-Chat_{part}.csv",
                    url=f"{_HOME}/{_COMMIT}/data/Synthetic-Persona-Chat_{part}.csv",
                    sha256=sha256,
                    size=size,
                )
                for part, sha256, size in (
                    ("valid", "e8128d2b7b0eed8064715cb1d71cdd241a3fa28ddf6fb80ece5c8156c1fd819d", 1_783_640),
                    ("test", "531356d642b426ef8fc4d65446330cb34c7b473a4cf482ad12a8cf7838fe52a8", 1_720_617),
                )
            ),
        ),
        Source(
            name="xz",
            read="layerwise_language.persona_chat:read",
            licence="CC-BY-4.0",
            homepage=_PAGE,
            files=tuple(
                File(name=f"Synthetic-Persona-Chat_{part}.csv.xz", url="", sha256=sha256, size=size)
                for part, sha256, size in (
                    ("valid", "f55a75af4c295e9eb6af36f37857a74bfdabb15738ed9ad74ce500f39548ad35", 240_516),
                    ("test", "816848fc4238d1e544d320ffd3bf572cc6a60b607e306a3236e8f8c6f661385a", 234_432),
                )
            ),
        ),
    ),
)
