"""What a search for hyperparameters tries: a range for each field of a config.

A range comes from the field itself, around the value that the variant has: the whole range of a learning rate, 1e-7 to
10, holds hardly anything that learns.

    a choice, or yes and no         all of them
    widths (several whole numbers)  all halved, as they are, all doubled
    a whole number by factors       a quarter, half, as it is, double, four times (batch_size)
    a number by factors             a factor of 30 down and up, rounded to one digit (learning_rate); where the
                                    variant has 0, from a millionth to a hundredth of the maximum (weight_decay)
    a share, or few whole numbers   the whole range (dropout)
    any other number                half to double

Whoever searches can name another one: `1e-4..1e-2`, or values between slashes: `adam/sgd`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from layerwise.config import Setting, TrainingConfig, settings_of
from layerwise.errors import SpecError

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

FACTOR = 30.0
FEW = 16
"""So many whole numbers are searched from end to end."""
USUAL = ("learning_rate", "batch_size")
_NEVER = {
    "seed": "another seed is not a better network",
    "validation_fraction": "each trial would be measured on other examples",
    "lora_rank": "a search trains from random weights, and LoRA from a version",
}


@dataclass(frozen=True, kw_only=True)
class Range:
    """What is tried for one field.

    Args:
        name: The field.
        kind: "int", "float", or "choice".
        low, high: The ends of a number, both included; None for a choice.
        log: Whether factors count rather than differences.
        choices: The values of a choice, as `Setting.parse` reads them.
    """

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The range that was stored as JSON."""
        return cls(**{**values, "choices": tuple(values["choices"])})

    def __str__(self) -> str:
        """As `parse_range` reads it."""
        return "/".join(self.choices) if self.kind == "choice" else f"{self.low:g}..{self.high:g}"

    def add_to(self, hyperparameters: HyperParameters) -> None:
        """Add it to what KerasTuner searches."""
        if self.kind == "choice":
            hyperparameters.Choice(self.name, list(self.choices), ordered=False)
            return
        add = hyperparameters.Int if self.kind == "int" else hyperparameters.Float
        add(self.name, self.low, self.high, sampling="log" if self.log else "linear")  # type: ignore[arg-type]


def usual_ranges(config: TrainingConfig, names: Iterable[str] | None = None) -> tuple[Range, ...]:
    """The ranges around the values of `config`.

    Args:
        names: The fields; None means the learning rate, the batch size, and the model's own numbers with a point.

    Raises:
        SpecError: There is no such field, or none that can be searched.
    """
    settings = {item.name: item for item in settings_of(type(config))}
    if names is None:
        common = {item.name for item in settings_of(TrainingConfig)}
        own = (item.name for item in settings.values() if item.kind is float and not item.advanced)
        names = (*USUAL, *(name for name in own if name not in common))
    return tuple(usual_range(_known(settings, name), getattr(config, name)) for name in dict.fromkeys(names))


def _known(settings: Mapping[str, Setting], name: str) -> Setting:
    if name not in settings:
        raise SpecError(f"There is no field {name!r} to search", expected=f"some of {', '.join(settings)}")
    if name in _NEVER:
        raise SpecError(f"{name} cannot be searched", received=_NEVER[name])
    return settings[name]


def usual_range(setting: Setting, value: Any) -> Range:
    """The range of a field around `value`, by the rule above.

    Raises:
        SpecError: The rule gives none.
    """
    if setting.kind is bool:
        return Range(name=setting.name, kind="choice", choices=("true", "false"))
    if setting.choices:
        return Range(name=setting.name, kind="choice", choices=setting.choices)
    if setting.kind is tuple:
        scaled = [[_within(setting, int(width * factor)) for width in value] for factor in (0.5, 1, 2)]
        return _choice(setting, scaled)
    if setting.kind is int and setting.log:
        return _choice(setting, [_within(setting, int(value * factor)) for factor in (0.25, 0.5, 1, 2, 4)])
    if setting.kind in (int, float):
        low, high = _ends(setting, value)
        if low < high:
            return Range(name=setting.name, kind=setting.kind.__name__, low=low, high=high, log=setting.log)
    raise SpecError(
        f"There is no usual range for {setting.name}", remedy=f"name one: --range {setting.name}=LOW..HIGH, or =A/B/C"
    )


def _choice(setting: Setting, values: Iterable[Any]) -> Range:
    return Range(name=setting.name, kind="choice", choices=tuple(dict.fromkeys(map(setting.format, values))))


def _within(setting: Setting, value: Any) -> Any:
    low = value if setting.minimum is None else max(value, setting.minimum)
    return low if setting.maximum is None else min(low, setting.maximum)


def _ends(setting: Setting, value: float) -> tuple[float, float]:
    low, high = setting.minimum, setting.maximum
    if setting.log:
        if value > 0:
            low, high = (float(f"{end:.0e}") for end in (value / FACTOR, value * FACTOR))
            return _within(setting, low), _within(setting, high)
        return (0.0, 0.0) if high is None else (1e-6 * high, 1e-2 * high)
    if low is not None and high is not None and (high - low <= 1 or (setting.kind is int and high - low <= FEW)):
        return low, high
    half, double = sorted((_within(setting, value / 2), _within(setting, value * 2)))
    return (round(half), round(double)) if setting.kind is int else (half, double)


def parse_ranges(config: TrainingConfig, texts: Sequence[str]) -> tuple[Range, ...]:
    """The ranges that were written as "learning_rate=1e-4..1e-2" or "optimizer=adam/sgd".

    Raises:
        SpecError: One cannot be read, is of no field, or leaves the range of its field.
    """
    settings = {item.name: item for item in settings_of(type(config))}
    found = {}
    for text in texts:
        name, sign, limits = text.partition("=")
        if not sign:
            raise SpecError("A range cannot be read", expected="FIELD=LOW..HIGH or FIELD=A/B/C", received=repr(text))
        setting = _known(settings, name.strip().replace("-", "_"))
        found[setting.name] = parse_range(setting, limits.strip())
    return tuple(found.values())


def parse_range(setting: Setting, text: str) -> Range:
    """The range of a field that `text` writes: "LOW..HIGH", or values between slashes.

    Raises:
        SpecError: It cannot be read, or leaves the range of the field.
    """
    if ".." not in text:
        return _choice(setting, [setting.parse(part.strip()) for part in text.split("/")])
    if setting.kind not in (int, float):
        raise SpecError(f"{setting.name} is no number", expected="values between slashes", received=repr(text))
    low, high = (setting.parse(part.strip()) for part in text.split("..", 1))
    if not low < high:
        raise SpecError(f"The range of {setting.name} is empty", expected="LOW..HIGH", received=repr(text))
    # A range that reaches zero has no factors.
    return Range(name=setting.name, kind=setting.kind.__name__, low=low, high=high, log=setting.log and low > 0)
