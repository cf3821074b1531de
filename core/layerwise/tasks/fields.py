"""Fields: what goes into a model and what comes out of it, each with a name and a kind. The web app turns kinds into
components and the command line turns them into text, so a model that uses a stock task brings no interface code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerwise.errors import InputError, SpecError

KINDS = (
    "image",
    "sketch",
    "audio",
    "live-audio",
    "text",
    "number",
    "choice",
    "table",
    "label-probabilities",
    "annotated-text",
    "boxes",
    "gallery",
    "mask",
    "board",
    "video",
    "plot",
    "file",
    "files",
    "conversation",
    "json",
)
"""The kinds of values that the front ends can show. A value of each kind, in Python:
image: PIL image, NumPy array [height, width(, channels)] uint8, path or bytes, an output also a mapping with "name" and
"content", the bytes of a file that may move; sketch: as image, or the mapping
of an editor with "composite", or "background" and "layers", which are images; audio: (sample rate in Hz,
waveform [samples] float32) or path; live-audio: the same, of what has been recorded so far; text: str; number: float;
choice: str, one of `choices`; table: mapping of column name to value, an output also a list of them;
label-probabilities: mapping of label to probability, most
probable first; boxes: `layerwise.tasks.annotations.AnnotatedPicture`; plot: a list of `layerwise.plots`; gallery: a
list of mappings with "label", "image" and, where words stand below it, "caption"; file: a path, or a mapping with
"name" and "content", which are bytes; files: a list of such, at most `MOST_FILES`
(`layerwise.tasks.several_files.named_files` reads it);
conversation: what was said so far, a list of mappings with "role", which is "user" or "assistant", and "content";
everything else: what JSON can hold."""


FILE_KINDS = ("image", "sketch", "audio", "video", "file", "files")
"""The kinds whose values come as files to the command line and the HTTP API."""
MOST_FILES = 200
"""How many files `files` may be."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input or output of a task.

    Args:
        name: The key in the mapping that is given to `encode` or comes from `decode`.
        kind: One of `KINDS`.
        label: What the reader sees beside it.
        choices: The values of a `choice`.
        columns: The columns of a `table`, each a Field of its own.
        alternatives: Further kinds in which the same input can be given (a picture that may be drawn:
            `kind="image", alternatives=("sketch",)`).
        optional: Whether it may be left out. True for what has a default. An optional text of an answer is shown when
            there is one.
        minimum, maximum: Of a `number`, None for no limit. One with both is a slider in the web app.
        default: What counts when it is left out.
        advanced: Whether it is one of those that few people change, which the web app keeps folded.

    Raises:
        SpecError: A value is not usable.
    """

    name: str
    kind: str
    label: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple[Field, ...] = ()
    alternatives: tuple[str, ...] = ()
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    default: Any = None
    advanced: bool = False

    def __post_init__(self) -> None:
        for kind in (self.kind, *self.alternatives):
            if kind not in KINDS:
                raise SpecError(
                    f"The field {self.name!r} is of an unknown kind", expected=", ".join(KINDS), received=repr(kind)
                )
        if self.default is not None:
            object.__setattr__(self, "optional", True)
            try:
                self.value(self.default)
            except InputError as error:
                raise SpecError(f"The default of the field {self.name!r} is not usable: {error}") from None

    @property
    def title(self) -> str:
        """What the reader sees beside it. Every field has a title."""
        return self.label or self.name.replace("_", " ").capitalize()

    def value(self, given: Any) -> Any:
        """What is given for it, checked: a number, which may come as text, and within its limits; one of its choices;
        anything else as it is. None is the default.

        Raises:
            InputError: It is none of these.
        """
        if given is None:
            return self.default
        if self.kind == "number":
            return self._number(given)
        if self.kind == "choice" and self.choices and given not in self.choices:
            raise InputError(f"{self.title} is not known", expected=", ".join(self.choices), received=repr(given))
        return given

    def _number(self, given: Any) -> float:
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise InputError(f"{self.title} is no number", expected=self._range, received=repr(given)) from None
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not (math.isfinite(number) and low <= number <= high):
            raise InputError(f"{self.title} is out of range", expected=self._range, received=f"{number:g}")
        return number

    @property
    def _range(self) -> str:
        limits = [
            f"{word} {limit:g}" for word, limit in (("from", self.minimum), ("to", self.maximum)) if limit is not None
        ]
        return " ".join(["a number", *limits])


def main_field(fields: Sequence[Field]) -> Field | None:
    """The field that a value without a name is meant for: the only one that is needed, or the first where none is; None
    where several are needed."""
    needed = [field for field in fields if not field.optional] or list(fields[:1])
    return needed[0] if len(needed) == 1 else None
