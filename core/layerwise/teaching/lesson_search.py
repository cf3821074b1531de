"""Which lessons and flashcards answer a question in plain words: full-text search by BM25.

The ranking is that of Robertson & Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", by the
library bm25s, over the stems of words (Porter's second English stemmer), so that "diverges" finds "diverging".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from layerwise.teaching.lessons import Card, Lesson

TITLE_WEIGHT = 4
"""How many times a title counts: who asks with the words of a title wants that lesson."""
_SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*$])|\n\s*\n|\n(?=[-|#])")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_STOPWORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by can do does for from has have how i if in into is it its me my no not of on or "
        "should so than that the their them then there these they this to was we what when where which who why will "
        "with would you your mean means use used work works"
    )
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """An answer.

    Args:
        item: The lesson or the card.
        score: How well it fits; greater is better.
        sentence: The part of its text that fits best, Markdown.
    """

    item: Lesson | Card
    score: float
    sentence: str


class LessonSearch:
    """Searches lessons and cards. What is registered changes with a snapshot, and so does this.

    Example:
        >>> lesson = Lesson(name="neuron", title="The neuron", text="It adds up its inputs. A bias shifts the sum.")
        >>> [(found.item.name, found.sentence) for found in LessonSearch([lesson]).search("what is a bias?")]
        [('neuron', 'A bias shifts the sum.')]
    """

    def __init__(self, items: Sequence[Lesson | Card]) -> None:
        self.items = list(items)
        self._index = _index([stems(_weighted(item)) for item in self.items]) if self.items else None

    def search(self, question: str) -> list[Found]:
        """What answers a question, the best first; nothing that shares no word with it. The cards of a lesson speak for
        it too: it counts as much as itself and the best of them together."""
        wanted = sorted(stems(question))
        if self._index is None or not wanted:
            return []
        scores = [float(score) for score in self._index.get_scores(wanted)]
        of_cards: dict[str, float] = {}
        for item, score in zip(self.items, scores, strict=True):
            if isinstance(item, Card) and item.lesson is not None:
                of_cards[item.lesson] = max(score, of_cards.get(item.lesson, 0.0))
        found = []
        for item, own in zip(self.items, scores, strict=True):
            score = own + of_cards.get(item.name, 0.0) if isinstance(item, Lesson) else own
            if score > 0:
                found.append(Found(item=item, score=score, sentence=_best(item, wanted)))
        return sorted(found, key=lambda item: -item.score)


def stems(text: str) -> list[str]:
    """The stems of the words of a text that carry meaning; of all words when none does.

    Example:
        >>> stems("Why does the learning rate matter?")
        ['learn', 'rate', 'matter']
    """
    words = [word.lower() for word in _WORD.findall(text)]
    kept = [word for word in words if word not in _STOPWORDS] or words
    return [_stem(word) for word in kept]


@functools.lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


@functools.cache
def _stemmer():
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def _index(documents: list[list[str]]):
    import bm25s

    index = bm25s.BM25()
    index.index(documents, show_progress=False)
    return index


def _weighted(item: Lesson | Card) -> str:
    title, text = _texts(item)
    return f"{title} " * TITLE_WEIGHT + text


def _texts(item: Lesson | Card) -> tuple[str, str]:
    if isinstance(item, Card):
        return item.front, item.back
    experiments = " ".join(f"{experiment.title}. {experiment.text}" for experiment in item.experiments)
    return item.title, f"{item.summary}\n\n{item.text}\n\n{experiments}"


def _best(item: Lesson | Card, wanted: Sequence[str]) -> str:
    """The sentence that holds the most of the stems, the first of them; what defines a word has it in bold, which
    counts once more. The summary, or the beginning, where no sentence holds any. "This is overfitting." says nothing
    without the sentence before it, so that comes with it."""
    text = item.back if isinstance(item, Card) else f"{item.summary}\n\n{item.text}"
    sentences = [part.strip(" \n#-") for part in _SENTENCE.split(text) if part.strip(" \n#-|")]

    def fit(sentence: str) -> int:
        bold = " ".join(_BOLD.findall(sentence))
        return sum(len(set(wanted) & set(stems(part))) for part in (sentence, bold))

    if not sentences:
        return ""
    place = max(range(len(sentences)), key=lambda index: fit(sentences[index]))
    is_reply = place > 0 and sentences[place].startswith(("This ", "It ", "They "))
    return f"{sentences[place - 1]} {sentences[place]}" if is_reply else sentences[place]
