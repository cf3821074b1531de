"""What Home invites to goes well: nobody's first look is at a mistake."""

import pytest

from layerwise.specs import resolve
from layerwise.workspace import open_workspace

SAID = {
    "vision/faces": lambda answer: len(answer["crops"]) == 1,
    "speech/digits-and-words": lambda answer: answer["text"] == "three seven one four",
    "language/translation": lambda answer: answer["translation"] == "Wo hast du Deutsch gelernt?",
    "science/solubility": lambda answer: "solubility in water" in answer["answer"],
}
"""What is right of the answer to the first example."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_all_invitations_to_examples_are_tried_here(workspace):
    specs = workspace.registry.snapshot().models.values()
    assert {spec.name for spec in specs if spec.card.invitation and spec.examples is not None} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_the_first_example_is_answered_rightly(workspace, name):
    spec = workspace.registry.snapshot().model(name)
    example = resolve(spec.examples)()[0]
    assert SAID[name](workspace.predictor.predict(name, dict(example.inputs)))
