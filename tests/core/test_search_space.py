"""What a search tries for each field of a config."""

from dataclasses import asdict, dataclass

import pytest

from layerwise import TrainingConfig, setting
from layerwise.config import settings_of
from layerwise.errors import SpecError
from layerwise.hyperparameters.search_space import Range, parse_ranges, usual_ranges


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    dropout: float = setting(0.1, "Share", minimum=0, maximum=0.9)
    hidden_units: tuple[int, ...] = setting((512, 3), "Widths", minimum=2, maximum=800)
    flip: bool = setting(True, "Whether")
    shift: int = setting(2, "Pixels", minimum=0, maximum=8)
    temperature: float = setting(3.0, "Any", minimum=0)
    name: str = setting("a", "A word")


def usual(*names, **values):
    return {item.name: str(item) for item in usual_ranges(Config(**values), names or None)}


def test_ranges_are_around_the_values_of_the_variant():
    assert usual("learning_rate", "batch_size", learning_rate=3e-3, batch_size=64) == {
        "learning_rate": "0.0001..0.09",
        "batch_size": "16/32/64/128/256",
    }
    assert usual("learning_rate", "batch_size", learning_rate=5.0, batch_size=2) == {
        "learning_rate": "0.2..10",
        "batch_size": "1/2/4/8",
    }


def test_each_kind_of_field_has_its_rule():
    names = ("weight_decay", "optimizer", "flip", "dropout", "shift", "hidden_units", "temperature", "num_epochs")
    assert usual(*names) == {
        "weight_decay": "1e-06..0.01",
        "optimizer": "adam/adamw/sgd/rmsprop",
        "flip": "true/false",
        "dropout": "0..0.9",
        "shift": "0..8",
        "hidden_units": "256,2/512,3/800,6",
        "temperature": "1.5..6",
        "num_epochs": "5..20",
    }


def test_without_names_the_rate_the_batch_and_the_models_own_numbers_are_searched():
    assert list(usual()) == ["learning_rate", "batch_size", "dropout", "temperature"]


@pytest.mark.parametrize("name", ["name", "patience"])
def test_a_field_without_a_usual_range_says_how_to_name_one(name):
    with pytest.raises(SpecError, match=rf"--range {name}="):
        usual(name)


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["learning_rate"], r"FIELD=LOW\.\.HIGH"),
        (["rate=1..2"], "no field 'rate'"),
        (["learning_rate=1e-3..100"], "out of range"),
        (["learning_rate=1e-2..1e-3"], "is empty"),
        (["optimizer=adam..sgd"], "no number"),
        (["optimizer=adam/magic"], "unknown value"),
        (["seed=1..5"], "another seed"),
        (["validation_fraction=0.1..0.3"], "other examples"),
        (["lora_rank=1..8"], "from random weights"),
    ],
)
def test_a_range_that_cannot_be_searched_says_why(texts, reason):
    with pytest.raises(SpecError, match=reason):
        parse_ranges(Config(), texts)


def test_ranges_are_read_as_they_are_written():
    texts = ["learning-rate=1e-4..0.01", "hidden_units=64/128,128", "weight_decay=0..0.1", "flip=true/false"]
    found = parse_ranges(Config(), texts)
    assert found[0] == Range(name="learning_rate", kind="float", low=1e-4, high=0.01, log=True)
    assert found[1].choices == ("64", "128,128")
    assert found[2].log is False, "it reaches zero"
    assert parse_ranges(Config(), [f"{item.name}={item}" for item in found]) == found
    assert tuple(Range.of(asdict(item)) for item in found) == found


def test_all_that_is_tried_is_valid():
    settings = {item.name: item for item in settings_of(Config)}
    without = {"seed", "validation_fraction", "lora_rank", "name", "patience", "warmup_epochs"}
    for item in usual_ranges(Config(), [name for name in settings if name not in without]):
        for value in item.choices or (item.low, item.high):
            settings[item.name].parse(value)
