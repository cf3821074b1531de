"""Columns of a table: what is known of one, and how its values become numbers for a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from layerwise.errors import InputError, SpecError
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import numpy as np

    from layerwise.tasks.tables import Cells

MISSING = frozenset(("", "?", "-", "na", "n/a", "nan", "null"))
"""Texts, in lower case, that stand for a value that is not there."""
LARGEST = 1e4
"""In standard deviations: values further from the mean are taken for this far, so that no typing error can
overflow a network, 16-bit ones included."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One input column of a table.

    Args:
        name: As in the header.
        kind: "number" or "choice".
        choices: The values of a choice that are known; every other value counts as unknown.
        mean, deviation: Of a number over the training data; the network is given (value - mean) / deviation,
            which makes a missing value an average one.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> Column(name="age", kind="number", mean=40.0, deviation=10.0).encode([50, None]).tolist()
        [[1.0], [0.0]]
        >>> Column(name="colour", kind="choice", choices=("blue", "red")).encode(["red", "mauve"]).tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    name: str
    kind: str
    choices: tuple[str, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        owner = f"The column {self.name!r}"
        if not isinstance(self.name, str) or not self.name.strip():
            raise SpecError("A column has no name", received=repr(self.name))
        if self.kind not in ("number", "choice"):
            raise SpecError(f"{owner} is of an unknown kind", expected="number or choice", received=repr(self.kind))
        texts = [choice for choice in self.choices if isinstance(choice, str) and choice.strip()]
        if self.kind == "choice" and not 0 < len(self.choices) == len(set(texts)):
            raise SpecError(f"{owner} has unusable choices", expected="different texts", received=repr(self.choices))
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0):
            raise SpecError(
                f"{owner} has unusable statistics",
                expected="a finite mean and a deviation above 0",
                received=f"{self.mean} and {self.deviation}",
            )

    @classmethod
    def learned(cls, name: str, cells: Cells, kind: str) -> Self:
        """The column with the statistics or the choices of these training values; missing ones do not count.

        Args:
            name: As in the header.
            cells: The text of each row.
            kind: "number" or "choice".
        """
        if kind == "choice":
            return cls(name=name, kind=kind, choices=tuple(sorted_naturally({text.strip() for text in cells.present})))
        mean, deviation = mean_and_deviation(numbers_of(cells, name))
        return cls(name=name, kind=kind, mean=mean, deviation=deviation)

    @property
    def field(self) -> Field:
        """The column as a part of an input form."""
        return Field(name=self.name, kind=self.kind, label=self.name, choices=self.choices, optional=True)

    @property
    def width(self) -> int:
        """How many numbers the network is given for one value."""
        return 1 if self.kind == "number" else len(self.choices) + 1

    def encode(self, values: Sequence[Any]) -> np.ndarray:
        """Values [rows] as float32 [rows, width]: a number standardised, a choice as one-hot with a last place
        for unknown and missing ones.

        Raises:
            InputError: A value of a number column is no finite number.
        """
        import numpy as np

        if self.kind == "number":
            numbers = [self.mean if is_missing(value) else number(value, self.name) for value in values]
            with np.errstate(over="ignore"):  # to infinity, which is clipped
                scaled = (np.array(numbers, "float64") - self.mean) / self.deviation
            return np.clip(scaled, -LARGEST, LARGEST).astype("float32")[:, None]
        places = {choice: place for place, choice in enumerate(self.choices)}
        encoded = np.zeros([len(values), self.width], "float32")
        for row, value in enumerate(values):
            encoded[row, places.get(_text(value), len(self.choices))] = 1
        return encoded


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN or one of MISSING."""
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or (isinstance(value, Real) and value != value)


def number(value: Any, column: str) -> float:
    """A cell (a number, or the text of one) as a float.

    Raises:
        InputError: It is no finite number.
    """
    try:
        usable = is_number(value) if isinstance(value, str) else isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        usable = False
    if not usable:
        raise InputError(
            f"{column} cannot be read", expected="a number, with a point for decimals", received=_short(value)
        )
    return float(value)


def numbers_of(cells: Cells, column: str) -> np.ndarray:
    """The numbers of a column, float64 [rows that are not missing].

    Raises:
        InputError: A text is no finite number.
    """
    import numpy as np

    values = [math.nan if is_missing(text) else number(text, column) for text in cells.texts]
    numbers = np.array(values, "float64")[cells.codes]
    return numbers[~np.isnan(numbers)]


def is_number(text: str) -> bool:
    """Whether a text of a table is a finite number. Underscores, which Python allows, make it a name."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def in_digits(value: float, deviation: float) -> str:
    """A number with as many digits as tell values apart that spread so much.

    Example:
        >>> in_digits(5.8431, 0.83), in_digits(51_234.5, 9_000.0)
        ('5.843', '51234')
    """
    return f"{value:.{max(0, 2 - math.floor(math.log10(deviation)))}f}"


def mean_and_deviation(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; the deviation of equal values counts as 1, so that one can divide by it."""
    import numpy as np

    if not len(values):
        return 0.0, 1.0
    numbers = np.asarray(values, "float64")
    # Scaled, as squares of the largest floats would overflow.
    scale = float(np.abs(numbers).max()) or 1.0
    scaled = numbers / scale
    deviation = float(scaled.std()) * scale
    return float(scaled.mean()) * scale, deviation if deviation > 1e-12 * scale else 1.0


def sorted_naturally(texts: set[str]) -> list[str]:
    """Sorted as numbers when all are numbers, otherwise by name."""
    if all(map(is_number, texts)):
        return sorted(texts, key=lambda text: (float(text), text))
    return sorted(texts)


def _text(value: Any) -> str:
    """The text by which a choice is looked up; forms and JSON may give a number for one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
