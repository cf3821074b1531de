"""Conversations of a user's own: a table of messages and replies, or a JSONL file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import DataReport, Sample, size_range
from layerwise.splits import Split
from layerwise.tasks.conversation import ASSISTANT, USER
from layerwise.tasks.csv_files import encoding_of, write_csv
from layerwise.tasks.folders import apart
from layerwise.tasks.table_folder import FEWEST_ROWS, divided, read_tables, table_files

SYSTEM = "system"
"""The role of what a network is told before a conversation."""
JSONL = (".jsonl", ".ndjson")
LARGEST_BYTES = 2**30
_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen"),
)
"""What the sums of an example of such data are made of, up to the largest."""
Messages = tuple[Mapping[str, str], ...]


def read_dialogues(path: Path) -> tuple[dict[str, Split], DataReport]:
    """The splits and the report of conversations. Both arrays of a split are tuples of messages [conversations].

    Args:
        path: As `layerwise.tasks.Dialogue.folder_format` says.

    Raises:
        DataError: It is not like that.
    """
    path = Path(path)
    found, warnings = _from_jsonl(path) if _is_jsonl(path) else _from_table(path)
    splits = {split: split_of(conversations) for split, conversations in found.items()}
    turns = [turn for part in found.values() for messages in part for turn in messages]
    report = DataReport(
        path=str(path),
        what="conversations",
        splits={split: len(part) for split, part in splits.items()},
        sizes={
            "messages of a conversation": size_range([len(messages) for part in found.values() for messages in part]),
            "words of a message": size_range([len(turn["content"].split()) for turn in turns]),
        },
        warnings=tuple(warnings),
        examples=tuple(
            Sample(label="", kind="text", value=_as_text(messages)[:400]) for messages in found["train"][:5]
        ),
    )
    return splits, report


def split_of(conversations: Sequence[Messages]) -> Split:
    """Conversations as a Split: both its arrays are tuples of messages [conversations]."""
    array = np.empty(len(conversations), object)
    array[:] = conversations
    return Split(array, array)


def _as_text(messages: Messages) -> str:
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in messages)


def _from_table(path: Path) -> tuple[dict[str, list[Messages]], Sequence[str]]:
    tables = read_tables(path, ("reply",))
    header = {name.lower(): name for name in tables.splits["train"].header}
    if not {"message", "reply"} <= header.keys():
        raise DataError(
            "The table does not say what was said",
            expected="the columns message and reply",
            received=", ".join(header.values()),
        )
    tables = divided(tables, [""] * len(tables.splits["train"]))
    messages, replies = (
        {split: cells.stripped() for split, cells in tables.cells(header[name]).items()}
        for name in ("message", "reply")
    )
    found: dict[str, list[Messages]] = {
        split: [
            ({"role": USER, "content": message}, {"role": ASSISTANT, "content": reply})
            for message, reply in zip(messages[split], replies[split], strict=True)
            if message
        ]
        for split in tables.splits
    }
    empty = sum(len(part) for part in messages.values()) - sum(len(part) for part in found.values())
    _check(found)
    return found, [*tables.warnings, *([f"{empty:,} rows have no message and are left out."] if empty else [])]


def _is_jsonl(path: Path) -> bool:
    files = [path] if path.is_file() else path.glob("*")
    return any(file.suffix.lower() in JSONL and not file.name.startswith(".") for file in files)


def _from_jsonl(path: Path) -> tuple[dict[str, list[Messages]], list[str]]:
    files = table_files(path, JSONL, "one JSONL file, or train.jsonl and test.jsonl")
    found = {split: list(_lines(file)) for split, file in files.items()}
    if "test" not in found:
        found["train"], found["test"] = apart(found["train"], [json.dumps(messages) for messages in found["train"]])
    _check(found)
    known = {json.dumps(messages) for messages in found["train"]}
    repeated = sum(json.dumps(messages) in known for split in found.keys() - {"train"} for messages in found[split])
    said = f"{repeated:,} conversations that are held out are in the training data as well."
    return found, [said] if repeated else []


def _lines(path: Path) -> Iterator[Messages]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(f"{path.name} is too large", expected="at most 1 GiB")
        with path.open(encoding=encoding_of(path), errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _messages(line, f"Line {number:,} of {path.name}")
    except OSError as error:
        raise DataError("The file cannot be opened", received=f"{path.name}: {error.strerror}") from None


def _messages(line: str, where: str) -> Messages:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON", received=str(error)) from None
    turns: Any = value.get("messages") if isinstance(value, Mapping) else None
    if not isinstance(turns, list) or not all(map(_is_turn, turns)) or not any(t["role"] == ASSISTANT for t in turns):
        raise DataError(
            f"{where} is no conversation",
            expected='{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}',
            received=line.strip()[:80],
        )
    return tuple({"role": turn["role"], "content": turn["content"]} for turn in turns)


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, Mapping) or turn.get("role") not in (USER, ASSISTANT, SYSTEM):
        return False
    return isinstance(turn.get("content"), str) and bool(turn["content"].strip())


def _check(found: Mapping[str, Sequence[Messages]]) -> None:
    count = sum(len(part) for part in found.values())
    if count < FEWEST_ROWS or not all(found.values()):
        raise DataError(
            "There are too few conversations to learn from",
            expected=f"at least {FEWEST_ROWS}, and one or more in each split",
            received=", ".join(f"{len(part)} {split}" for split, part in found.items()),
        )


def write_sample(folder: Path) -> None:
    """Write a table of sums that are asked for, and the answers.

    Args:
        folder: An empty folder.
    """
    count = (len(_NUMBERS) + 1) // 2
    rows = [
        (f"What is {_NUMBERS[one]} plus {_NUMBERS[other]}?", f"It is {_NUMBERS[one + other]}.")
        for one in range(count)
        for other in range(count)
    ]
    write_csv(folder / "dialogues.csv", ("message", "reply"), rows)
