"""What people say to each other around a question: greetings, thanks, goodbyes. The replies are those that people gave
in the dialogues of Synthetic-Persona-Chat (Jandaghi et al. 2023, arXiv:2312.10007; CC BY 4.0), in `dialogues.json`.

    python -m layerwise_language.tutor.small_talk CSV ...       chooses them anew from the data set's files
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from layerwise_language.persona_chat import conversations_of
from layerwise_language.tutor.topics import HERE, known_questions

FILE = HERE / "dialogues.json"
KINDS = ("greeting", "how-are-you", "thanks", "goodbye")
"""The kinds that the dialogues have replies to."""
MOST_WORDS, LEAST_COUNT = 9, 2
_PERSONAL = re.compile(
    r"\b(my|name|fun|living|work|your|job|from|movie|game|like|you do|user|weekend|up|out)\b|[\[(*\d]", re.IGNORECASE
)
"""What a reply says that is about somebody in particular."""


@cache
def dialogues() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Messages and replies by their kind."""
    return {kind: [tuple(pair) for pair in pairs] for kind, pairs in json.loads(FILE.read_text("utf-8")).items()}


def choose(conversations: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """The messages and replies of some conversations that are small talk and nothing else.

    Args:
        conversations: A turn on each line, "User 1: Hi!".
    """
    known = {words_of(text): kind for kind in KINDS for text in known_questions()["small_talk"][kind]}
    found: Counter[tuple[str, str, str]] = Counter()
    for conversation in conversations:
        turns = [line.partition(": ")[2].strip() for line in conversation.splitlines()]
        for message, reply in pairwise(turns):
            kind = known.get(words_of(message))
            if kind and 0 < len(reply.split()) <= MOST_WORDS and not _PERSONAL.search(reply):
                found[kind, message, reply] += 1
    replies = Counter[tuple[str, str]]()
    for (kind, _, reply), count in found.items():
        replies[kind, reply] += count
    return {
        kind: sorted((m, r) for k, m, r in found if k == kind and replies[kind, r] >= LEAST_COUNT) for kind in KINDS
    }


def words_of(text: str) -> str:
    """A text without case and signs."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def main(paths: Sequence[str]) -> None:
    """Write `dialogues.json`."""
    chosen = choose(conversations_of([Path(path) for path in paths]))
    lines = [f'"{kind}": [\n' + ",\n".join(json.dumps(pair) for pair in pairs) + "]" for kind, pairs in chosen.items()]
    FILE.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
