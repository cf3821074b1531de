"""What the tutor can talk about: registered cards and lessons, and small talk, each with its texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.teaching.lessons import Card, Lesson

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.splits import Split

HERE = Path(__file__).parent
TALK = "talk/"
"""What the names of topics of small talk begin with. Those of cards and lessons are "card/NAME" and "lesson/NAME"."""
NOTHING = ""
"""The topic of what nothing registered is about."""
HELD_OUT = 10
"""One of so many questions is in the validation split."""
_LINK, _MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)"), re.compile(r"[*_`#$\\]+")


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Something to talk about.

    Args:
        name: "card/neuron", "lesson/neuron" or "talk/greeting".
        item: The card or the lesson; None for small talk.
        texts: Its own words, and questions that are known to be about it, without markup.
    """

    name: str
    item: Card | Lesson | None
    texts: tuple[str, ...]


@cache
def known_questions() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Questions that were written for the tutor to learn from: "questions" by the name of the card that answers them,
    "small_talk" by its kind, and "off_topic", which no card answers."""
    return json.loads((HERE / "questions.json").read_text(encoding="utf-8"))


def topics_of(snapshot: Snapshot) -> list[Topic]:
    """The topics of what is registered: all cards, the lessons that have none, and small talk."""
    cards = [item for item in snapshot.lessons if isinstance(item, Card)]
    lessons = [item for item in snapshot.lessons if isinstance(item, Lesson)]
    covered = {card.lesson for card in cards}
    known = known_questions()
    found = [
        Topic(
            name=f"card/{card.name}",
            item=card,
            texts=(plain(card.front), plain(card.back), *known["questions"].get(card.name, ())),
        )
        for card in cards
    ]
    for lesson in lessons:
        if lesson.name not in covered:
            texts = (lesson.title, plain(lesson.summary), *map(plain, lesson.text.split("\n\n")))
            found.append(Topic(name=f"lesson/{lesson.name}", item=lesson, texts=tuple(filter(str.strip, texts))))
    return found + [
        Topic(name=f"{TALK}{kind}", item=None, texts=tuple(texts)) for kind, texts in known["small_talk"].items()
    ]


def plain(text: str) -> str:
    """Markdown as the words that are in it."""
    return " ".join(_MARKUP.sub(" ", _LINK.sub(r"\1", text)).split())


def read_questions(_files: Mapping[str, Path], snapshot: Snapshot) -> dict[str, Split]:
    """Texts, and the names of their topics, NOTHING for those that no topic is about.

    "train" and "validation" are made of `topics_of` and `known_questions`; "test" are questions that were written apart
    from these, of which some have several right cards: targets are tuples there.
    """
    import zlib

    train: list[tuple[str, str]] = []
    validation: list[tuple[str, str]] = []
    asked = {text for texts in known_questions()["questions"].values() for text in texts}
    strange = known_questions()["off_topic"]
    for text, name in [
        *((text, topic.name) for topic in topics_of(snapshot) for text in topic.texts),
        *((text, NOTHING) for text in strange),
    ]:
        is_held_out = (text in asked or name == NOTHING) and zlib.crc32(text.lower().encode()) % HELD_OUT == 0
        (validation if is_held_out else train).append((text, name))
    return {"train": _split(train), "validation": _split(validation), "test": _split(_written_apart())}


def _written_apart() -> list[tuple[str, tuple[str, ...]]]:
    test = json.loads((HERE / "test_questions.json").read_text(encoding="utf-8"))
    questions = [(item["question"], tuple(f"card/{name}" for name in item["cards"])) for item in test["paraphrases"]]
    return [*questions, *((text, (NOTHING,)) for text in test["off_topic"])]


def _split(pairs: Sequence[tuple[str, str | tuple[str, ...]]]) -> Split:
    import numpy as np

    from layerwise.splits import Split

    texts, names = np.empty((2, len(pairs)), object)
    for place, (text, name) in enumerate(pairs):
        texts[place], names[place] = text, name
    return Split(texts, names)
