"""A text in, a vector that stands for its meaning out; and which other texts are near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np

    from layerwise.plots import LinePlot

MOST_TEXTS = 1000
"""The most texts that one is compared with."""
NAMED = 24
"""Up to so many texts are named on the map."""
_LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True)
class Embedding(Task):
    """A vector for a text, such that texts that mean alike are near each other.

    Nearness is the cosine of the angle between two vectors, from -1 to 1.

    Args:
        dimensions: How many numbers a vector has.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> import numpy as np
        >>> vectors = np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.1]])
        >>> Embedding(dimensions=2).answer("a cat", ["a dog", "the cat"], vectors)["nearest"]
        [{'text': 'the cat', 'similarity': 0.995}, {'text': 'a dog', 'similarity': 0.6}]
    """

    type_name: ClassVar[str] = "embedding"
    network_gives: ClassVar[str] = "A vector for each text [text, dimension]."
    dimensions: int

    def __post_init__(self) -> None:
        if type(self.dimensions) is not int or self.dimensions < 1:
            raise SpecError(
                "Embedding: dimensions is not usable",
                expected="a whole number from 1 on",
                received=repr(self.dimensions),
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="text", kind="text", label="Text"),
            Field(name="others", kind="text", label="Texts to compare it with, one on each line", optional=True),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="nearest", kind="table", label="The nearest texts first"),
            Field(name="map", kind="plot", label="All of them on a map"),
            Field(name="vector", kind="json", label="The vector"),
        )

    def texts_of(self, inputs: Mapping[str, Any]) -> tuple[str, list[str]]:
        """The text that was given, and those that it is compared with: the lines of `inputs["others"]` that are not
        empty, each once.

        Raises:
            InputError: There is no text, or there are too many others.
        """
        text, others = inputs.get("text"), inputs.get("others")
        if not (isinstance(text, str) and text.strip()):
            raise InputError("There is no text", expected="a word or more", received=repr(text)[:40])
        lines = others.splitlines() if isinstance(others, str) else others or []
        if not isinstance(lines, Sequence) or not all(isinstance(line, str) for line in lines):
            raise InputError("The other texts are not usable", expected="texts, one on each line")
        kept = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        if len(kept) > MOST_TEXTS:
            raise InputError(
                "There are too many texts to compare with", expected=f"at most {MOST_TEXTS}", received=str(len(kept))
            )
        return text.strip(), kept

    def answer(self, text: str, others: Sequence[str], vectors: np.ndarray) -> Answer:
        """What is shown of a text.

        Args:
            text: The text.
            others: Those that it is compared with.
            vectors: Of the text and then of the others, [1 + others, dimensions].
        """
        import numpy as np

        vectors = np.asarray(vectors, "float64")
        near = similarities(vectors[:1], vectors[1:])[0]
        order = (-near).argsort(kind="stable")
        return {
            "nearest": [{"text": others[place], "similarity": round(float(near[place]), 4)} for place in order],
            "map": [text_map([text, *others], vectors)] if len(others) >= 2 else [],
            "vector": [round(float(number), 6) for number in vectors[0]],
        }

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The vectors alone: the texts are not known here.

        Args:
            outputs: [texts, dimensions].
        """
        return [self.answer("", (), vector[None]) for vector in outputs]


def similarities(queries: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """The cosine of the angle between each query and each text, [queries, texts]; 0 for a vector of length 0.

    Args:
        queries: [queries, dimensions].
        texts: [texts, dimensions].

    Example:
        >>> import numpy as np
        >>> similarities(np.array([[2.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 3.0]])).tolist()
        [[1.0, 0.0]]
    """
    import numpy as np

    def unit(vectors: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1.0)

    return unit(queries) @ unit(texts).T


def text_map(texts: Sequence[str], vectors: np.ndarray) -> LinePlot:
    """Texts as dots, the first in a colour of its own; those that mean alike are near each other as far as two
    dimensions can show it.

    Args:
        texts: What they are.
        vectors: [texts, dimensions].
    """
    from layerwise.plots import Line, LinePlot
    from layerwise.projections import plane

    places, share = plane(vectors)
    if len(texts) <= NAMED:
        lines = [
            Line(label=_name(text), x=places[row : row + 1, 0], y=places[row : row + 1, 1], kind="dots")
            for row, text in enumerate(texts)
        ]
    else:
        lines = [
            Line(label="the others", x=places[1:, 0], y=places[1:, 1], kind="dots", color=1),
            Line(label=_name(texts[0]), x=places[:1, 0], y=places[:1, 1], kind="dots", color=0),
        ]
    return LinePlot(
        title=f"The plane in which they differ most; it shows {share:.0%} of the variance",
        lines=lines,
        x_label="first principal component",
        y_label="second",
    )


def _name(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…"
