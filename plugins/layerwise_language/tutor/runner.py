"""What answers for the tutor: the card whose texts are nearest to the question, and its lesson."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise import engines
from layerwise.datasets.batches import Batch, padded
from layerwise.devices import quiet_import
from layerwise.runner import Runner
from layerwise.tasks.base import Answer
from layerwise.tasks.conversation import ASSISTANT, USER
from layerwise.teaching.lessons import Card, Lesson
from layerwise.versions import Version
from layerwise.weights import load_into
from layerwise_language.tutor.network import build
from layerwise_language.tutor.small_talk import dialogues, words_of
from layerwise_language.tutor.task import Tutoring
from layerwise_language.tutor.topics import TALK, Topic, topics_of

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot

AT_ONCE = 64
"""How many texts are encoded at a time."""
SHOWN = 3
"""How many sources are named."""
FOLLOWS, NEAR = 6, 10
"""A message of at most so many words may lean on the one before: "and why?", "give me an example". It is then about one
of so many topics that are nearest to that one."""


@dataclass(frozen=True)
class Library:
    """The topics of one state of the registry.

    Args:
        number: Of the snapshot.
        topics: All of them.
        vectors: Theirs, float32 [topics, dimensions], each of length 1.
        titles: Of the lessons, by name.
    """

    number: int
    topics: Sequence[Topic]
    vectors: np.ndarray
    titles: Mapping[str, str]


class Tutor(Runner):
    """Answers questions about what is registered."""

    def __init__(self, version: Version, registered: Callable[[], Snapshot]) -> None:
        keras = quiet_import()
        from layerwise_language.tutor import TutorConfig

        task, config = version.task, version.config
        assert isinstance(task, Tutoring)
        assert isinstance(config, TutorConfig)
        self.task, self.registered = task, registered
        self.model = build(config, task)
        load_into(self.model, version.folder)
        nearness = self.model.get_layer("nearness")
        encoder = keras.Model(self.model.input, nearness.input)
        self._encode = engines.current().compile_predict(encoder)
        learned = np.asarray(keras.ops.convert_to_numpy(nearness.vectors))
        self._learned = dict(zip(task.topics, _of_length_one(learned), strict=True))
        self._lock = threading.Lock()
        self._library: Library | None = None

    def warm(self) -> None:
        self.similarities(["warm"])

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Answer:
        messages = self.task.messages_of(inputs)
        said = [turn["content"] for turn in messages if turn["role"] == USER]
        replies = {turn["content"] for turn in messages if turn["role"] == ASSISTANT}
        library, message = self.library(), said[-1]
        similarity = self.similarities([message])[0]
        if len(said) > 1 and len(message.split()) <= FOLLOWS:
            before, together = self.similarities([said[-2], f"{said[-2]} {message}"])
            if together.max() > similarity.max():
                # It leans on the question before: what is near to that, and was not answered already, is meant.
                told = np.array([topic.item is None or text_of(topic.item) in replies for topic in library.topics])
                is_near = before >= np.sort(before)[-NEAR:][0]
                similarity = np.where(is_near & ~told, together, -1.0)
        best = np.argsort(-similarity, kind="stable")[:SHOWN]
        topic = library.topics[best[0]]
        if similarity[best[0]] < self.task.threshold:
            return {"reply": self._unknown(library, best), "sources": [], "note": ""}
        if topic.item is None:
            return {"reply": self._small_talk(library, topic, message), "sources": [], "note": ""}
        return {"reply": text_of(topic.item), "sources": self._sources(library, similarity, best), "note": ""}

    def outputs(self, batch: Batch) -> Any:
        """The topics that texts are nearest to.

        Args:
            batch: Texts [texts].

        Returns:
            "topics", their names, object [texts, 3], the nearest first, and "similarity", cosines [texts, 3].
        """
        library = self.library()
        similarity = self.similarities([str(text) for text in batch])
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :SHOWN]
        names = np.array([topic.name for topic in library.topics], object)
        return {"topics": names[best], "similarity": np.take_along_axis(similarity, best, axis=1)}

    def similarities(self, texts: Sequence[str]) -> np.ndarray:
        """How near each text is to each topic: cosines [texts, topics]."""
        return self._vectors(texts) @ self.library().vectors.T

    def library(self) -> Library:
        """The topics of what is registered now."""
        snapshot = self.registered()
        with self._lock:
            if self._library is None or self._library.number != snapshot.number:
                topics = topics_of(snapshot)
                vectors = np.stack([self._vector_of(topic) for topic in topics])
                titles = {item.name: item.title for item in snapshot.lessons if isinstance(item, Lesson)}
                self._library = Library(snapshot.number, topics, vectors, titles)
            return self._library

    def _vector_of(self, topic: Topic) -> np.ndarray:
        """What was learned for a topic; of one that was registered later the mean of its texts."""
        if topic.name in self._learned:
            return self._learned[topic.name]
        return _of_length_one(self._vectors(topic.texts).mean(axis=0))

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of texts, float32 [texts, dimensions]."""
        tokens = self.task.encode_batch(texts)
        found = []
        for start in range(0, len(tokens), AT_ONCE):
            part = tokens[start : start + AT_ONCE]
            found.append(np.asarray(self._encode(padded(part)))[: len(part)])
        return np.concatenate(found)

    def _unknown(self, library: Library, best: np.ndarray) -> str:
        near = [item for item in (library.topics[place].item for place in best) if item is not None]
        hint = f" The nearest to it that I know of: {name_of(near[0])}" if near else ""
        return f"I don't know.{hint}"

    def _small_talk(self, library: Library, topic: Topic, message: str) -> str:
        kind = topic.name.removeprefix(TALK)
        pairs = dialogues().get("thanks" if kind == "praise" else kind)
        if not pairs:
            return self._about(library)
        near = self._vectors([text for text, _ in pairs]) @ self._vectors([message])[0]
        replies = [reply for (_, reply), cosine in zip(pairs, near, strict=True) if cosine >= near.max() - 1e-6]
        # The same message gets the same reply, and not all messages the first one.
        return replies[sum(words_of(message).encode()) % len(replies)]

    def _about(self, library: Library) -> str:
        items = [topic.item for topic in library.topics if topic.item is not None]
        cards = [item for item in items if isinstance(item, Card)]
        some = [card.front for card in cards[:: max(1, len(cards) // SHOWN)][:SHOWN]]
        asked = "".join(f"\n- {front}" for front in some)
        return f"I find the flashcard that answers a question; there are {len(cards)}. Ask me for example:\n{asked}"

    def _sources(self, library: Library, similarity: np.ndarray, best: np.ndarray) -> list[dict[str, Any]]:
        found = [(library.topics[place].item, float(similarity[place])) for place in best]
        return [
            {
                "flashcard": name_of(item) if isinstance(item, Card) else "",
                "lesson": library.titles.get(str(lesson_of(item)), ""),
                "similarity": round(cosine, 2),
            }
            for item, cosine in found
            if item is not None and cosine >= self.task.threshold
        ]


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def text_of(item: Card | Lesson) -> str:
    """What is answered: the back of a card, the summary of a lesson. Markdown."""
    return item.back if isinstance(item, Card) else item.summary or item.title


def name_of(item: Card | Lesson) -> str:
    """What it is called: the front of a card, the title of a lesson. Markdown."""
    return item.front if isinstance(item, Card) else item.title


def lesson_of(item: Card | Lesson) -> str | None:
    """The name of the lesson that it belongs to."""
    return item.lesson if isinstance(item, Card) else item.name
