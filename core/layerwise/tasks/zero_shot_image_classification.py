"""Pictures and any labels in, how well each label fits out: the labels are named by whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np

MOST_LABELS, LONGEST_LABEL = 100, 100
"""How many labels there may be, and how many characters each may have."""
PLACE = "{}"
"""Where the label stands in a template."""
LONGEST_TEMPLATE = 200
_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class ZeroShotImageClassification(Task):
    """Which of the labels that one names fits a picture, by a network that was trained on pictures and texts about them
    and not on these labels (Radford et al. 2021, arXiv:2103.00020).

    The network gives a logit for each pair of a picture and a text, [pictures, labels].

    Args:
        labels: Those that are chosen among unless others are named.
        template: The text that a label becomes, with `{}` where the label stands.
        is_independent: Whether each label is judged by itself, by a sigmoid (Zhai et al. 2023, arXiv:2303.15343), so
            that several may fit, or none; otherwise a softmax shares out 100 % among them.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> import numpy as np
        >>> task = ZeroShotImageClassification(labels=("a cat", "a dog"))
        >>> task.texts_of({"labels": "a cat, a car"})
        (('a cat', 'a car'), ('This is a photo of a cat.', 'This is a photo of a car.'))
        >>> task.answer(("a cat", "a car"), np.array([0.0, 0.0]))["probabilities"]
        {'a cat': 0.5, 'a car': 0.5}
    """

    type_name: ClassVar[str] = "zero-shot-image-classification"
    network_gives: ClassVar[str] = "A logit for each pair of a picture and a text about a label [picture, label]."
    labels: tuple[str, ...] = ("a cat", "a dog", "a bird", "a person", "a car", "a building", "a plant", "food")
    template: str = "This is a photo of {}."
    is_independent: bool = False

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "labels", self._checked(tuple(self.labels)))
            self._check_template(self.template)
        except InputError as error:
            raise SpecError(f"ZeroShotImageClassification is not usable: {error}") from None

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="image", kind="image", label="Picture", alternatives=("sketch",)),
            Field(
                name="labels",
                kind="text",
                label="Labels, one on each line or separated by commas",
                default=", ".join(self.labels),
            ),
            Field(
                name="template",
                kind="text",
                label="The sentence about a label, which stands at {}",
                default=self.template,
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        title = "How probable each label is by itself" if self.is_independent else "Probabilities"
        return (
            # Models that begin alike are asked the same, side by side; a classifier, which says its label first, takes
            # no labels.
            Field(name="probabilities", kind="label-probabilities", label=title),
            Field(name="label", kind="text", label="Most probable"),
        )

    def texts_of(self, inputs: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The labels that were named, and the text that is made of each.

        Args:
            inputs: In "labels" a text with a label on each line, in a single line separated by commas; or a list of
                them. In "template" a text with `{}` in it.

        Raises:
            InputError: There are none, too few or too many, one is too long or there twice, or the template has no
                place for it.
        """
        given, template = inputs.get("labels"), inputs.get("template")
        labels = self.labels if given is None else self._checked(_parted(given))
        template = self.template if template is None else template
        self._check_template(template)
        return labels, tuple(template.replace(PLACE, label) for label in labels)

    def _checked(self, labels: Sequence[str]) -> tuple[str, ...]:
        least = 1 if self.is_independent else 2
        if not labels:
            raise InputError("There are no labels", remedy="name some, separated by commas: a cat, a dog")
        if not all(isinstance(label, str) and label.strip() for label in labels):
            raise InputError("The labels are not usable", expected="words", received=repr(labels)[:_SHOWN])
        if len(labels) < least:
            raise InputError(
                "There is one label only", received=repr(labels[0]), remedy="name another one, which it is chosen from"
            )
        if len(labels) > MOST_LABELS:
            raise InputError("There are too many labels", expected=f"at most {MOST_LABELS}", received=str(len(labels)))
        if long := next((label for label in labels if len(label) > LONGEST_LABEL), None):
            raise InputError(
                "A label is too long",
                expected=f"at most {LONGEST_LABEL} characters",
                received=f"{len(long):,}, {long[:_SHOWN]!r} and so on",
            )
        seen: set[str] = set()
        for label in labels:
            # To most of these networks capitals make no difference.
            if label.casefold() in seen:
                raise InputError("A label is there twice", received=repr(label), remedy="name each once")
            seen.add(label.casefold())
        return tuple(labels)

    def _check_template(self, template: Any) -> None:
        if not (isinstance(template, str) and PLACE in template and len(template) <= LONGEST_TEMPLATE):
            raise InputError(
                "The sentence about a label is not usable",
                expected=f"at most {LONGEST_TEMPLATE} characters, and {PLACE} where the label stands",
                received=repr(template)[:_SHOWN],
            )

    def answer(self, labels: Sequence[str], logits: np.ndarray) -> Answer:
        """What is said of a picture.

        Args:
            labels: Those that were named.
            logits: One for each [labels].
        """
        import numpy as np

        from layerwise.from_scratch.losses import softmax

        exact = np.asarray(logits, "float64")
        probabilities = np.exp(-np.logaddexp(0.0, -exact)) if self.is_independent else softmax(exact[None])[0]
        # Stable: of equally probable labels the first is named.
        order = (-probabilities).argsort(kind="stable")
        ranked = {labels[place]: float(probabilities[place]) for place in order}
        return {"probabilities": ranked, "label": next(iter(ranked))}


def _parted(given: Any) -> tuple[str, ...]:
    """The labels in a text or a list: lines where there are several, which may have commas in them, otherwise what
    stands between commas."""
    if isinstance(given, str):
        lines = [line for line in given.splitlines() if line.strip()]
        given = lines if len(lines) > 1 else given.split(",")
        given = [part for part in given if part.strip()]
    if not isinstance(given, Sequence) or not all(isinstance(part, str) for part in given):
        raise InputError("The labels are not usable", expected="a text", received=repr(given)[:_SHOWN])
    # Of a line that ends with a comma, the comma is no part of the label.
    return tuple(" ".join(part.strip().rstrip(",").split()) for part in given)
