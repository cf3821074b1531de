"""Configs: frozen dataclasses whose fields say what they mean, their range and their unit.

The command line's options, the web app's train form and the controls of an experiment are generated from
`settings_of(config_type)`, so a plugin that adds a field to its config writes none of them.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from layerwise.errors import SpecError

ConfigT = TypeVar("ConfigT", bound="Settings")
_SCALARS = (bool, int, float, str)
NUM_REMEMBERED = 256
"""Of how many types of configs the fields are remembered; each config that is made asks for them."""


def setting(
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
    log: bool = False,
    advanced: bool = False,
) -> Any:
    """A field of a config.

    Args:
        default: The default value; its field's annotation is `int`, `float`, `bool`, `str` or
            `tuple[int, ...]`.
        meaning: One line, shown as the help of the option and under the control of the form.
        minimum, maximum: The inclusive range of a number, or of each number of a tuple.
        choices: The values allowed for a `str`.
        unit: The unit of a number ("epochs", "examples"), empty when it has none.
        log: Whether a search or a slider should step by factors rather than by differences.
        advanced: Whether the form shows it only when more options are asked for.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "meaning": meaning,
            "minimum": minimum,
            "maximum": maximum,
            "choices": choices,
            "unit": unit,
            "log": log,
            "advanced": advanced,
        },
    )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of a config, as the command line and the form see it.

    `kind` is `bool`, `int`, `float`, `str` or `tuple` (of whole numbers).
    """

    name: str
    kind: type
    default: Any
    meaning: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...] | None
    unit: str
    log: bool
    advanced: bool

    @property
    def label(self) -> str:
        """The name in words, as the form shows it: `num_epochs` is "Number of epochs"."""
        text = self.name.replace("_", " ")
        text = f"number of {text.removeprefix('num ')}" if text.startswith("num ") else text
        return text.capitalize()

    @property
    def range_text(self) -> str:
        """The range or the choices in words, for help texts: "1 to 100 epochs"."""
        if self.choices:
            return ", ".join(self.choices)
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is not None and self.maximum is not None:
            return f"{_digits(self.minimum)} to {_digits(self.maximum)}{unit}"
        if self.minimum is not None:
            return f"at least {_digits(self.minimum)}{unit}"
        if self.maximum is not None:
            return f"at most {_digits(self.maximum)}{unit}"
        return self.unit

    def format(self, value: Any) -> str:
        """A value of this field as `parse` reads it.

        Example:
            >>> settings_of(TrainingConfig)[0].format(10)
            '10'
        """
        if self.kind is bool:
            return str(value).lower()
        return ",".join(map(str, value)) if self.kind is tuple else str(value)

    def option(self, value: Any) -> list[str]:
        """The words that set this field to `value` on the command line: `["--num-epochs", "10"]`, `["--no-flip"]`."""
        name = self.name.replace("_", "-")
        if self.kind is bool:
            return [f"--{name}" if value else f"--no-{name}"]
        return [f"--{name}", self.format(value)]

    def parse(self, value: Any) -> Any:
        """`value` (a string from the command line, a number from a form or from JSON) as this field's
        type, in its range.

        Raises:
            SpecError: It is of another type, out of range, or none of the choices.
        """
        try:
            parsed = self._convert(value)
        except (TypeError, ValueError):
            raise SpecError(
                f"{self._named} cannot be read",
                expected=f"{_KIND_WORDS[self.kind]}{', ' + self.range_text if self.range_text else ''}",
                received=repr(value),
            ) from None
        self._check(parsed)
        return parsed

    @property
    def _named(self) -> str:
        """For an error: as the form calls it, and as the command line, the API and Python do."""
        return self.label if self.label.lower() == self.name else f"{self.label} ({self.name})"

    def _convert(self, value: Any) -> Any:
        if self.kind is tuple:
            items = value.replace(",", " ").split() if isinstance(value, str) else value
            return tuple(_whole(item) for item in items)
        if self.kind is bool:
            return _boolean(value)
        if self.kind is int:
            return _whole(value)
        if self.kind is float:
            if isinstance(value, bool):
                raise TypeError
            return float(value)
        if not isinstance(value, str):
            raise TypeError
        return value

    def _check(self, value: Any) -> None:
        if self.choices and value not in self.choices:
            raise SpecError(f"{self._named} has an unknown value", expected=self.range_text, received=repr(value))
        for number in value if self.kind is tuple else (value,):
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            below = self.minimum is not None and not number >= self.minimum
            above = self.maximum is not None and not number <= self.maximum
            if below or above:
                raise SpecError(f"{self._named} is out of range", expected=self.range_text, received=f"{number:g}")


_KIND_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    tuple: "whole numbers separated by commas",
}


def _digits(number: float) -> str:
    """Whole numbers in full, others as short as they can be."""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise TypeError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A config: subclasses add fields, each a `setting`, and are frozen, keyword-only dataclasses too.

    Raises:
        SpecError: A value is of the wrong type or out of its range.
    """

    def __post_init__(self) -> None:
        for item in settings_of(type(self)):
            # Frozen: values that came as text or as a JSON list are stored as the field's own type.
            object.__setattr__(self, item.name, item.parse(getattr(self, item.name)))


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
    """What every training by the core's own loop can be told. Plugins subclass it to add fields of their
    architecture; each field is a `setting`.

    Raises:
        SpecError: A value is of the wrong type or out of its range.

    Example:
        >>> TrainingConfig(num_epochs=3).num_epochs
        3
    """

    unused: ClassVar[tuple[str, ...]] = ()
    """Fields that mean nothing to a training of the subclass's own, which nobody is asked for."""

    num_epochs: int = setting(10, "Passes over the training data", minimum=1, maximum=10_000, unit="epochs")
    batch_size: int = setting(
        128, "Examples per step of the optimizer", minimum=1, maximum=65_536, unit="examples", log=True
    )
    learning_rate: float = setting(1e-3, "Largest step size of the optimizer", minimum=1e-7, maximum=10.0, log=True)
    optimizer: str = setting(
        "adam", "Rule that turns gradients into updates", choices=("adam", "adamw", "sgd", "rmsprop")
    )
    schedule: str = setting(
        "cosine", "How the learning rate falls over the run", choices=("constant", "cosine", "linear"), advanced=True
    )
    warmup_epochs: float = setting(
        0.0, "Rise of the learning rate from zero at the start", minimum=0, maximum=1_000, unit="epochs", advanced=True
    )
    weight_decay: float = setting(
        0.0, "Decoupled weight decay (used by adamw and sgd)", minimum=0, maximum=1, log=True, advanced=True
    )
    label_smoothing: float = setting(
        0.0, "Share of the target spread over all classes (classification)", minimum=0, maximum=0.5, advanced=True
    )
    validation_fraction: float = setting(
        0.1, "Share of the training data held out to watch for overfitting", minimum=0, maximum=0.5
    )
    frozen_epochs: int = setting(
        1,
        "In a fine-tuning, epochs at the start in which only the new last layer learns",
        minimum=0,
        maximum=10_000,
        unit="epochs",
        advanced=True,
    )
    lora_rank: int = setting(
        0,
        "In a fine-tuning, rank of what is learned beside the kernels of dense layers, which stay (LoRA); 0 for off",
        minimum=0,
        maximum=1_024,
        advanced=True,
    )
    patience: int = setting(
        0,
        "Epochs without a better validation loss before stopping early; 0 never stops early",
        minimum=0,
        maximum=10_000,
        unit="epochs",
        advanced=True,
    )
    checkpoint_minutes: float = setting(
        5.0,
        "Time between checkpoints within a long epoch; the end of an epoch makes one after 30 seconds",
        minimum=0,
        maximum=1_440,
        unit="minutes",
        advanced=True,
    )
    seed: int = setting(0, "Seed of all randomness of the run", minimum=0, maximum=2**31 - 1, advanced=True)
    precision: str = setting(
        "float32",
        "Number format of the computation; auto: 16 bits where the device multiplies them faster",
        choices=("float32", "mixed_bfloat16", "mixed_float16", "auto"),
        advanced=True,
    )
    compiler: str = setting(
        "auto",
        "Compilation of the training step: xla, graph (no xla), or what suits this network and device",
        choices=("auto", "xla", "graph"),
        advanced=True,
    )
    deterministic: bool = setting(
        False,
        "Only operations whose result never varies from run to run; on a GPU that takes more time",
        advanced=True,
    )


def settings_of(config_type: type) -> tuple[Setting, ...]:
    """The fields of a config dataclass in the order of their definition, those of base classes first.

    Raises:
        SpecError: `config_type` is no dataclass, or a field was not made by `setting`, or is of a type
            that neither the command line nor the form can show.
    """
    if not (isinstance(config_type, type) and dataclasses.is_dataclass(config_type)):
        raise SpecError("A config must be a dataclass type", received=repr(config_type))
    return _settings_of(config_type)


@functools.lru_cache(maxsize=NUM_REMEMBERED)
def _settings_of(config_type: type) -> tuple[Setting, ...]:
    hints = typing.get_type_hints(config_type)
    return tuple(_setting_of(config_type, field, hints[field.name]) for field in dataclasses.fields(config_type))


def offered_settings(config_type: type[TrainingConfig]) -> tuple[Setting, ...]:
    """Those of the fields that the command line and the forms ask for."""
    return tuple(item for item in settings_of(config_type) if item.name not in config_type.unused)


def _setting_of(config_type: type, field: dataclasses.Field, hint: Any) -> Setting:
    if "meaning" not in field.metadata:
        raise SpecError(
            f"{config_type.__name__}.{field.name} says nothing about itself",
            expected=f'{field.name}: ... = setting(default, "what it means")',
        )
    is_tuple = typing.get_origin(hint) is tuple and typing.get_args(hint) == (int, ...)
    if not is_tuple and hint not in _SCALARS:
        shown = hint if isinstance(hint, types.GenericAlias) else getattr(hint, "__name__", hint)
        raise SpecError(
            f"{config_type.__name__}.{field.name} has a type that no option or form can show",
            expected="bool, int, float, str or tuple[int, ...]",
            received=str(shown),
        )
    return Setting(name=field.name, kind=tuple if is_tuple else hint, default=field.default, **field.metadata)


def config_from(config_type: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """The config that `values` (parsed JSON, a form, options) describe; fields left out keep their default.

    Raises:
        SpecError: A name is no field of the config, or a value is not valid.
    """
    names = [item.name for item in settings_of(config_type)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise SpecError(
            f"{config_type.__name__} has no field {', '.join(unknown)}", expected=f"some of {', '.join(names)}"
        )
    return config_type(**values)
