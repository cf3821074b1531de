"""The registration objects of learning: lessons with live experiments, flashcards, quiz questions, tours.

Like those of `layerwise.specs` they are frozen, keyword-only and checked on creation, and name functions as text where
that keeps registration cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.config import Settings, settings_of
from layerwise.errors import SpecError
from layerwise.specs import Reference, check_name, check_reference, check_text, resolve

if TYPE_CHECKING:
    from layerwise.plots import Plot


@dataclass(frozen=True, kw_only=True)
class NoSettings(Settings):
    """The settings of an experiment that has nothing to turn."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Something to turn and what follows from it, live, in a lesson.

    Args:
        name: One word, unique in its lesson.
        title: A few words.
        show: `(settings) -> Sequence[Plot]`, called with an instance of `settings`; or a generator of such sequences,
            each of which replaces the one before, for what takes long. It is called at each change, in a thread of its
            own, so it must keep nothing between two calls.
        settings: A subclass of `layerwise.config.Settings`: each field becomes a control with a label, a number with
            both limits a slider.
        text: Markdown above it: what to try and what to look at.
        button: What the button says that starts it, for what takes more than a moment; empty shows it at once and
            again at each change.
    """

    name: str
    title: str
    show: Reference
    settings: type[Settings] = NoSettings
    text: str = ""
    button: str = ""

    def __post_init__(self) -> None:
        check_name("Experiment", self.name)
        owner = f"Experiment {self.name}"
        check_text(owner, title=self.title)
        check_reference(owner, "show", self.show)
        if not (isinstance(self.settings, type) and issubclass(self.settings, Settings)):
            raise SpecError(
                f"{owner}: settings is not usable", expected="a subclass of Settings", received=repr(self.settings)
            )
        settings_of(self.settings)

    def run(self, settings: Settings) -> Iterator[Sequence[Plot]]:
        """What there is to see, again and again while it becomes more; once for what is quick."""
        yield from in_turn(resolve(self.show)(settings))


def in_turn(shown: Sequence[Plot] | Iterator[Sequence[Plot]]) -> Iterator[Sequence[Plot]]:
    """What a function shows that gives all at once, or one sequence after the other."""
    if isinstance(shown, Sequence):
        yield shown
    else:
        yield from shown


def check_experiments(owner: str, experiments: Iterable[Experiment]) -> tuple[Experiment, ...]:
    """The experiments of a lesson or a page.

    Raises:
        SpecError: They are no experiments, or two have the same name.
    """
    found = tuple(experiments)
    if not all(isinstance(item, Experiment) for item in found):
        raise SpecError(
            f"{owner}: experiments is not usable", expected="a sequence of Experiment", received=repr(experiments)
        )
    names = [item.name for item in found]
    if len(set(names)) != len(names):
        raise SpecError(f"{owner} names an experiment twice", received=", ".join(names))
    return found


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A lesson: a short text, then its experiments.

    Args:
        name: One word, also its address.
        title: A few words.
        text: Markdown, with formulas in LaTeX between dollar signs.
        summary: One sentence, shown where lessons are listed.
        chapter: The heading under which it is listed; lessons of a chapter follow each other.
        experiments: In the order in which they are read.
        page: The name of a Page with a larger live experiment, or None.
        demos: Names of models, or of domains, in which it can be seen; those that are registered are linked.
    """

    name: str
    title: str
    text: str
    summary: str = ""
    chapter: str = ""
    experiments: tuple[Experiment, ...] = ()
    page: str | None = None
    demos: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("Lesson", self.name)
        owner = f"Lesson {self.name}"
        check_text(owner, title=self.title, text=self.text)
        object.__setattr__(self, "demos", tuple(self.demos))
        object.__setattr__(self, "experiments", check_experiments(owner, self.experiments))


@dataclass(frozen=True, kw_only=True)
class Card:
    """A flashcard: `front` asks, `back` answers, both Markdown; `lesson` names the Lesson that explains it."""

    name: str
    front: str
    back: str
    lesson: str | None = None

    def __post_init__(self) -> None:
        check_name("Card", self.name)
        check_text(f"Card {self.name}", front=self.front, back=self.back)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A quiz question with one right choice.

    Args:
        text: Markdown.
        choices: At least two different answers.
        answer: The position of the right one, from 0.
        explanation: Markdown: why it is right.
        lesson: The name of the Lesson that explains it, or None.
        plots: What the question is about, shown below its text; or a function without arguments that gives it, which is
            called when the question is asked.
    """

    name: str
    text: str
    choices: tuple[str, ...]
    answer: int
    explanation: str
    lesson: str | None = None
    plots: tuple[Plot, ...] | Reference = ()

    def __post_init__(self) -> None:
        check_name("Question", self.name)
        check_text(f"Question {self.name}", text=self.text, explanation=self.explanation)
        object.__setattr__(self, "choices", tuple(self.choices))
        if callable(self.plots) or isinstance(self.plots, str):
            check_reference(f"Question {self.name}", "plots", self.plots)
        else:
            object.__setattr__(self, "plots", tuple(self.plots))
        if len(set(self.choices)) < 2 or len(set(self.choices)) != len(self.choices):
            raise SpecError(f"Question {self.name} needs at least two different choices", received=repr(self.choices))
        if not (isinstance(self.answer, int) and 0 <= self.answer < len(self.choices)):
            raise SpecError(
                f"Question {self.name} has no right choice",
                expected=f"0 to {len(self.choices) - 1}",
                received=repr(self.answer),
            )

    def shown(self) -> tuple[Plot, ...]:
        """The plots themselves."""
        return self.plots if isinstance(self.plots, tuple) else tuple(resolve(self.plots)())


@dataclass(frozen=True, kw_only=True)
class QuestionMaker:
    """Makes quiz questions from the learner's own training runs.

    Args:
        name: One word.
        make: `(runs) -> Iterable[Question]`, given the finished runs (`layerwise.runs.Run`), the newest first. The same
            runs must give the same questions.
    """

    name: str
    make: Reference

    def __post_init__(self) -> None:
        check_name("QuestionMaker", self.name)
        check_reference(f"QuestionMaker {self.name}", "make", self.make)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A place of a tour, and what to do there. Of the four kinds of places it names one.

    Args:
        title: A few words.
        text: One to three sentences without markup, read beside what they speak of: what to do, and what to look at.
        minutes: How long it takes.
        lesson: The name of a Lesson.
        page: The name of a Page.
        model: The name of a model: its demo.
        train: The name of a model: the page on which it is trained.

    Raises:
        SpecError: A value is not usable.
    """

    title: str
    text: str
    minutes: float = 1.0
    lesson: str | None = None
    page: str | None = None
    model: str | None = None
    train: str | None = None

    def __post_init__(self) -> None:
        owner = f"Stage {self.title!r}"
        check_text(owner, title=self.title, text=self.text)
        if not (isinstance(self.minutes, int | float) and 0 < self.minutes <= 60):
            raise SpecError(
                f"{owner}: minutes is not usable", expected="above 0, at most 60", received=repr(self.minutes)
            )
        named = [name for name in ("lesson", "page", "model", "train") if getattr(self, name) is not None]
        if len(named) != 1:
            raise SpecError(
                f"{owner} needs a place",
                expected="one of lesson, page, model and train",
                received=", ".join(named) or "none of them",
            )


@dataclass(frozen=True, kw_only=True)
class Tour:
    """A way through the showcase: places one after another, with a word on each that stays in sight.

    Args:
        name: One word.
        title: A few words.
        summary: One sentence: from where to where.
        stages: In their order. Those whose place nobody has registered are left out.

    Raises:
        SpecError: A value is not usable.
    """

    name: str
    title: str
    summary: str
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        check_name("Tour", self.name)
        owner = f"Tour {self.name}"
        check_text(owner, title=self.title, summary=self.summary)
        object.__setattr__(self, "stages", tuple(self.stages))
        if not self.stages or not all(isinstance(stage, Stage) for stage in self.stages):
            raise SpecError(f"{owner}: stages is not usable", expected="at least one Stage", received=repr(self.stages))
