"""A quiz: which questions are asked, in which order their choices stand, and what the answers say."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.specs import resolve
from layerwise.teaching.lessons import Question, QuestionMaker

if TYPE_CHECKING:
    from layerwise.runs import Run

logger = logging.getLogger(__name__)

KNOWN = 0.75
"""From which share of right answers on a lesson need not be repeated."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question of a quiz.

    Args:
        question: What is asked.
        order: The positions of its choices in the order in which they are shown.
    """

    question: Question
    order: tuple[int, ...]

    @property
    def answer(self) -> int:
        """Where the right choice is shown."""
        return self.order.index(self.question.answer)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How many of some questions were answered rightly."""

    right: int
    total: int

    @property
    def is_known(self) -> bool:
        """Whether there is nothing to repeat."""
        return self.right >= KNOWN * self.total


def draw(questions: Iterable[Question], count: int, chance: random.Random) -> list[Asked]:
    """`count` of the questions, or all if there are fewer, each once: as many of each lesson as can be, mixed.

    Args:
        chance: Decides which, in which order, and the order of their choices.
    """
    by_lesson: defaultdict[str | None, list[Question]] = defaultdict(list)
    for question in questions:
        by_lesson[question.lesson].append(question)
    piles = list(by_lesson.values())
    for pile in piles:
        chance.shuffle(pile)
    drawn: list[Question] = []
    while piles and len(drawn) < count:
        # A round takes one of each lesson; the last round may reach some lessons only, by chance.
        chance.shuffle(piles)
        drawn += [pile.pop() for pile in piles[: count - len(drawn)]]
        piles = [pile for pile in piles if pile]
    chance.shuffle(drawn)
    return [
        Asked(question=question, order=tuple(chance.sample(range(len(question.choices)), len(question.choices))))
        for question in drawn
    ]


def scores(answers: Iterable[tuple[str | None, bool]]) -> dict[str | None, Score]:
    """The score of each lesson, in the order in which they were first asked about.

    Args:
        answers: For each question its lesson, and whether the answer was right.
    """
    counts: dict[str | None, list[bool]] = {}
    for lesson, is_right in answers:
        counts.setdefault(lesson, []).append(is_right)
    return {lesson: Score(right=sum(rights), total=len(rights)) for lesson, rights in counts.items()}


def from_runs(makers: Iterable[QuestionMaker], runs: Sequence[Run]) -> list[Question]:
    """All questions that can be made from these runs. A maker that fails makes none, and the log says why.

    Args:
        runs: The finished ones, the newest first.
    """
    found: list[Question] = []
    for maker in makers:
        try:
            found += list(resolve(maker.make)(runs))
        except Exception:
            logger.exception("The question maker %s failed", maker.name)
    return found


def total(found: Mapping[str | None, Score]) -> Score:
    """The score of all lessons together."""
    return Score(right=sum(score.right for score in found.values()), total=sum(score.total for score in found.values()))
