"""The registration objects refuse what could not work later, and say what they expected."""

import dataclasses
from pathlib import Path

import pytest

from layerwise import DatasetSpec, Experiment, File, ModelCard, ModelSpec, Page, Source, TrainingConfig, Variant
from layerwise.errors import NotFoundError, SpecError
from layerwise.specs import call, resolve
from layerwise.tasks import ImageClassification

TASK = ImageClassification(labels=("a", "b"), size=(4, 4), channels=1)
CARD = ModelCard(title="Title", summary="What it does.")
USUAL = {"name": "toy/model", "task": TASK, "build": "json:dumps", "card": CARD}
SUM = "0" * 64
WEIGH = Experiment(name="weigh", title="Weigh", show="json:dumps")


def test_a_model_without_variants_has_one_of_its_default_config():
    spec = ModelSpec(**USUAL)
    assert [variant.name for variant in spec.variants] == ["default"]
    assert spec.variant().config == TrainingConfig()
    assert spec.domain == "toy"


def test_specs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelSpec(**USUAL).name = "toy/other"


@pytest.mark.parametrize(
    ("field", "wrong", "words"),
    [
        ("name", "model", "domain/application"),
        ("name", "Toy/Model", "lower case"),
        ("name", "../model", "domain/application"),
        ("name", None, "domain/application"),
        ("task", "image-classification", "a Task"),
        ("build", 7, "module:function"),
        ("build", "no colon", "module:function"),
        ("card", "text", "a ModelCard"),
        ("config", dict, "subclass of TrainingConfig"),
        ("train", "nothing", "module:function"),
        ("data", "Fashion MNIST", "lower case"),
    ],
)
def test_a_wrong_model_is_refused(field, wrong, words):
    with pytest.raises(SpecError) as raised:
        ModelSpec(**{**USUAL, field: wrong})
    assert words in str(raised.value)
    assert field in str(raised.value) or "name" in str(raised.value)


def test_two_variants_of_one_name_are_refused():
    with pytest.raises(SpecError, match="names a variant twice"):
        ModelSpec(**USUAL, variants=(Variant(name="small"), Variant(name="small")))


def test_a_variant_with_the_config_of_another_model_is_refused():
    class Other(TrainingConfig):
        pass

    with pytest.raises(SpecError, match="config of another type"):
        ModelSpec(**USUAL, config=Other, variants=(Variant(name="small"),))


def test_a_variant_may_have_another_task():
    wide = Variant(name="wide", task={"labels": ("one", "two", "three")})
    spec = ModelSpec(**USUAL, variants=(Variant(name="usual"), wide))
    assert spec.task_of(spec.variant("usual")) == spec.task
    assert spec.task_of(wide).labels == ("one", "two", "three")
    for wrong in ({"unheard": 1}, {"labels": ("one",)}):
        with pytest.raises(SpecError):
            ModelSpec(**USUAL, variants=(Variant(name="wrong", task=wrong),))


def test_data_sets_may_share_a_folder():
    source = Source(name="made", read="module:read", licence="MIT")
    assert DatasetSpec(name="one", title="One", sources=(source,)).folder_name == "one"
    assert DatasetSpec(name="one", title="One", sources=(source,), folder="many").folder_name == "many"
    with pytest.raises(SpecError, match="folder"):
        DatasetSpec(name="one", title="One", sources=(source,), folder="../many")


def test_an_unknown_variant_names_the_known_ones():
    with pytest.raises(NotFoundError, match="default"):
        ModelSpec(**USUAL).variant("tiny")


def test_a_function_is_given_as_much_as_it_takes():
    assert call(lambda: 0, 1, 2) == 0
    assert call(lambda one, other=None: (one, other), 1, 2, 3) == (1, 2)
    assert call("pathlib:Path", "a", "b") == Path("a/b")
    assert call(lambda *all_of_them, more=0: (all_of_them, more), 1, 2) == ((1, 2), 0)


def test_text_references_are_imported_at_use():
    import json

    assert resolve("json:dumps") is json.dumps
    assert resolve(len) is len
    with pytest.raises(SpecError, match="nowhere"):
        resolve("nowhere:build")
    with pytest.raises(SpecError, match="json:nothing"):
        resolve("json:nothing")


@pytest.mark.parametrize("name", ["/etc/passwd", "../data.csv"])
def test_a_file_stays_below_its_data_set(name):
    with pytest.raises(SpecError, match="stay below"):
        File(name=name, url="https://example.org/data.csv", sha256=SUM, size=1)


def test_a_file_needs_a_checksum():
    with pytest.raises(SpecError, match="checksum"):
        File(name="data.csv", url="https://example.org/data.csv", sha256="abc", size=1)


def test_a_data_set_needs_a_source():
    with pytest.raises(SpecError, match="at least one Source"):
        DatasetSpec(name="empty", title="Empty", sources=())
    source = Source(name="generated", read="json:dumps", licence="CC0-1.0")
    assert DatasetSpec(name="full", title="Full", sources=[source]).sources == (source,)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Page(name="Play ground", title="Playground", draw=print), "unusable name"),
        (lambda: Page(name="play", title="Playground"), "shows nothing"),
        (lambda: Page(name="play", title="Playground", draw=print, experiments=[WEIGH]), "or two things"),
        (lambda: Page(name="play", title="Playground", experiments=[WEIGH, WEIGH]), "an experiment twice"),
        (lambda: Page(name="play", title="Playground", experiments=["weigh"]), "sequence of Experiment"),
        (lambda: ModelCard(title="Title", summary=""), "summary is missing"),
    ],
)
def test_other_specs_are_checked_too(make, words):
    with pytest.raises(SpecError, match=words):
        make()


def test_a_page_is_drawn_or_has_experiments():
    assert Page(name="play", title="Playground", experiments=[WEIGH]).experiments == (WEIGH,)
    assert Page(name="play", title="Playground", draw=print).experiments == ()
