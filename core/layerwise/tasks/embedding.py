"""A text, a picture or a sound in, a vector that stands for it out; and which others are near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.projections import COMPONENTS, T_SNE
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from layerwise.plots import LinePlot

OF = {"text": ("text", "texts"), "image": ("picture", "pictures"), "audio": ("sound", "sounds")}
"""What vectors can be made of, and what one and several of these are called."""
MOST_TEXTS = 1000
"""The most texts that one is compared with. Of pictures and sounds `layerwise.tasks.fields.MOST_FILES`."""
MOST_PIXELS = 2**20
"""A larger picture is made smaller first: encoders look at fewer pixels than these."""
LONGEST_SOUND = 300.0
"""The most seconds of a sound."""
RATES = (4_000, 96_000)
"""Samples a second."""
NAMED = 24
"""Up to so many are named on the map."""
FEWEST_NEIGHBOURS = 10
"""Among fewer others the neighbours of each are nearly all that there are, which t-SNE makes no map of."""
GROUND = (243, 244, 246)
"""Between the pictures on a map."""
_LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True)
class Embedding(Task):
    """A vector for a text, a picture or a sound, such that those that mean, show or sound alike are near each other.

    Nearness is the cosine of the angle between two vectors, from -1 to 1.

    Args:
        dimensions: How many numbers a vector has.
        of: What it is a vector of: "text", "image" or "audio".
        rate: Samples a second of the sounds that the network takes.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> import numpy as np
        >>> vectors = np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.1]])
        >>> Embedding(dimensions=2).answer("a cat", ["a dog", "the cat"], vectors)["nearest"]
        [{'text': 'the cat', 'similarity': 0.995}, {'text': 'a dog', 'similarity': 0.6}]
        >>> [field.kind for field in Embedding(dimensions=2, of="image").inputs]
        ['image', 'files', 'choice']
    """

    type_name: ClassVar[str] = "embedding"
    network_gives: ClassVar[str] = "A vector for each text, picture or sound [example, dimension]."
    dimensions: int
    of: str = "text"
    rate: int = 16_000

    def __post_init__(self) -> None:
        if type(self.dimensions) is not int or self.dimensions < 1:
            raise SpecError(
                "Embedding: dimensions is not usable",
                expected="a whole number from 1 on",
                received=repr(self.dimensions),
            )
        if self.of not in OF:
            raise SpecError("Embedding: of is not known", expected=", ".join(OF), received=repr(self.of))
        low, high = RATES
        if not (type(self.rate) is int and low <= self.rate <= high):
            raise SpecError(
                "Embedding: rate is not usable",
                expected=f"{low} to {high} samples a second",
                received=repr(self.rate),
            )

    @property
    def inputs(self) -> tuple[Field, ...]:
        one, several = OF[self.of]
        more = f"{several.capitalize()} to compare it with"
        if self.of == "text":
            others = Field(name="others", kind="text", label=f"{more}, one on each line", optional=True)
        else:
            others = Field(name="others", kind="files", label=more, optional=True)
        return (
            Field(name=self.of, kind=self.of, label=one.capitalize()),
            others,
            Field(
                name="method",
                kind="choice",
                label="How the map is made",
                choices=(COMPONENTS, T_SNE),
                default=COMPONENTS,
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        pictures = Field(name="pictures", kind="image", label="All of them on a map; yours has a frame", optional=True)
        return (
            Field(name="nearest", kind="table", label=f"The nearest {OF[self.of][1]} first"),
            *((pictures,) if self.of == "image" else ()),
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

    def files_of(self, inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """The picture or the sound that was given and then those that it is compared with: what each is called, and
        what `read` takes.

        Raises:
            InputError: The others are too many, or too large together.
        """
        from layerwise.tasks.several_files import named_files

        return [(f"your {OF[self.of][0]}", inputs.get(self.of)), *named_files(inputs.get("others"))]

    def read(self, value: Any, name: str = "") -> Any:
        """A picture in colour, of `MOST_PIXELS` at most; or a sound, float32 [samples] at `rate`.

        Args:
            value: In any form that `layerwise.tasks.images.load_image` or `layerwise.tasks.sounds.load_sound` reads.
            name: The name of its file, for the message; empty for the one that is compared.

        Raises:
            InputError: It cannot be read, or is too long.
        """
        try:
            return self._picture(value) if self.of == "image" else self._waveform(value)
        except InputError as error:
            if not name:
                raise
            raise InputError(
                f"{name} cannot be used: {error.what}",
                expected=error.expected,
                received=error.received,
                remedy=error.remedy or "leave it out",
            ) from None

    def _picture(self, value: Any) -> Image.Image:
        from layerwise.tasks.images import load_image

        picture = load_image(value).convert("RGB")
        scale = (MOST_PIXELS / (picture.width * picture.height)) ** 0.5
        if scale >= 1:
            return picture
        return picture.resize((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))

    def _waveform(self, value: Any) -> np.ndarray:
        from layerwise.tasks.sounds import load_sound

        return load_sound(value, self.rate, longest=LONGEST_SOUND)

    def answer(
        self,
        text: str,
        others: Sequence[str],
        vectors: np.ndarray,
        *,
        method: str | None = None,
        pictures: Sequence[Image.Image] = (),
    ) -> Answer:
        """What is shown of a text, a picture or a sound.

        Args:
            text: The text, or what the picture or sound is called.
            others: The texts that it is compared with, or the names of the files.
            vectors: Of it and then of the others, [1 + others, dimensions].
            method: How the map is made, one of the choices of the input; None for the first.
            pictures: Of pictures these themselves, as `small` gives them, [1 + others].

        Raises:
            InputError: There is no such way to make a map.
        """
        import numpy as np

        vectors = np.asarray(vectors, "float64")
        way = self.inputs[-1].value(method)
        answer: Answer = {
            "nearest": self.nearest(others, vectors),
            "map": [],
            "vector": [round(float(number), 6) for number in vectors[0]],
        }
        if len(others) >= 2:
            places, words = _places(vectors, way)
            answer["map"] = [_map([text, *others], places, words)]
            if pictures:
                answer["pictures"] = _with_pictures(pictures, places)
        return answer

    def nearest(self, others: Sequence[str], vectors: np.ndarray) -> list[dict[str, Any]]:
        """The others, the nearest first, each with its similarity.

        Args:
            others, vectors: As of `answer`.
        """
        near = similarities(vectors[:1], vectors[1:])[0]
        column = "text" if self.of == "text" else "file"
        return [
            {column: others[place], "similarity": round(float(near[place]), 4)}
            for place in (-near).argsort(kind="stable")
        ]

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The vectors alone: what they are of is not known here.

        Args:
            outputs: [examples, dimensions].
        """
        return [self.answer("", (), vector[None]) for vector in outputs]


def small(picture: Image.Image) -> Image.Image:
    """A picture as a map has it: its middle as a square."""
    from PIL import ImageOps

    from layerwise.picture_map import cell_of

    side = 2 * cell_of(1)
    return ImageOps.fit(picture, (side, side))


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


def _places(vectors: np.ndarray, method: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Where each vector [vectors, dimensions] lies on the map, [vectors, 2], and the words of a LinePlot about it."""
    import numpy as np

    from layerwise.projections import neighbour_map, plane

    is_enough = len(vectors) > FEWEST_NEIGHBOURS
    # Of vectors that are all the same t-SNE makes what is no number.
    if method == T_SNE and is_enough and np.ptp(vectors, axis=0).any():
        return neighbour_map(vectors), {"title": "Neighbours stay neighbours (t-SNE); long distances say little"}
    places, share = plane(vectors)
    said = f"The plane in which they differ most; it shows {share:.0%} of the variance"
    if method == T_SNE and not is_enough:
        said = f"{said} (t-SNE takes {FEWEST_NEIGHBOURS} others)"
    return places, {"title": said, "x_label": "first principal component", "y_label": "second"}


def _map(texts: Sequence[str], places: np.ndarray, words: Mapping[str, Any]) -> LinePlot:
    """Texts, or names of files, as dots at their places [texts, 2], the first in a colour of its own."""
    from layerwise.plots import Line, LinePlot

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
    return LinePlot(lines=lines, **words)


def _with_pictures(pictures: Sequence[Image.Image], places: np.ndarray) -> Image.Image:
    from layerwise.picture_map import cell_of, pasted

    return pasted(pictures, places, GROUND, cell=cell_of(len(pictures) - 1), is_complete=True)


def _name(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…"
