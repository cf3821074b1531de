"""Configs: values are checked where they are made, and `settings_of` says all that a form needs."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise import TrainingConfig, setting
from layerwise.config import config_from, settings_of
from layerwise.errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    depth: int = setting(2, "Number of layers", minimum=1, maximum=9, unit="layers")
    widths: tuple[int, ...] = setting((8, 4), "Width of each layer", minimum=1, maximum=64)
    kind: str = setting("conv", "Kind of network", choices=("conv", "dense"))
    bias: bool = setting(True, "Whether layers have a bias")


def test_fields_of_the_base_come_first_and_say_everything():
    names = [item.name for item in settings_of(Config)]
    assert names[0] == "num_epochs"
    assert names[-4:] == ["depth", "widths", "kind", "bias"]
    depth = settings_of(Config)[-4]
    assert (depth.kind, depth.default, depth.meaning, depth.range_text) == (int, 2, "Number of layers", "1 to 9 layers")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("depth", "3", 3),
        ("depth", 3.0, 3),
        ("widths", "16,8", (16, 8)),
        ("widths", "16 8", (16, 8)),
        ("widths", [5], (5,)),
        ("kind", "dense", "dense"),
        ("bias", "no", False),
        ("learning_rate", "1e-2", 0.01),
        ("learning_rate", 1, 1.0),
    ],
)
def test_values_are_read_from_text_and_json(name, text, value):
    config = config_from(Config, {name: text})
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(value)


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("depth", 0, "1 to 9 layers"),
        ("depth", "many", "a whole number"),
        ("depth", 2.5, "a whole number"),
        ("depth", True, "a whole number"),
        ("widths", (8, 100), "1 to 64"),
        ("kind", "recurrent", "conv, dense"),
        ("bias", "maybe", "true or false"),
        ("learning_rate", "nan", "1e-07 to 10"),
        ("learning_rate", False, "a number"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(name, wrong, words):
    with pytest.raises(SpecError, match=f"(?i){name}") as raised:
        config_from(Config, {name: wrong})
    assert words in str(raised.value)


def test_an_unknown_field_is_named():
    with pytest.raises(SpecError, match="no field deepness"):
        config_from(Config, {"deepness": 3})


def test_a_field_that_no_form_can_show_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Wrong(TrainingConfig):
        table: dict = setting(None, "A table")

    with pytest.raises(SpecError, match=r"Wrong\.table"):
        settings_of(Wrong)


def test_a_field_that_says_nothing_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Silent(TrainingConfig):
        depth: int = field(default=1)

    with pytest.raises(SpecError, match=r"Silent\.depth says nothing"):
        settings_of(Silent)


@given(st.integers(1, 10_000), st.floats(1e-7, 10.0), st.booleans())
def test_a_config_survives_being_written_as_text(epochs, rate, bias):
    config = Config(num_epochs=epochs, learning_rate=rate, bias=bias)
    text = {item.name: item.format(getattr(config, item.name)) for item in settings_of(Config)}
    assert config_from(Config, text) == config


def test_a_field_is_written_as_an_option():
    options = {item.name: item.option for item in settings_of(Config)}
    assert options["num_epochs"](3) == ["--num-epochs", "3"]
    assert options["widths"]((8, 4)) == ["--widths", "8,4"]
    assert options["bias"](True) == ["--bias"]
    assert options["bias"](False) == ["--no-bias"]


def test_ranges_are_said_in_whole_digits():
    ranges = {item.name: item.range_text for item in settings_of(Config)}
    assert ranges["seed"] == "0 to 2,147,483,647"
    assert ranges["learning_rate"] == "1e-07 to 10"
