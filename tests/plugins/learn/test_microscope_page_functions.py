"""What the script of the microscope's page asks for: JSON in, JSON out, and sentences where something is wrong."""

import json

import pytest

from layerwise_learn.pages.microscope import look, tell

FORM = {
    "sizes": "2, 3, 1",
    "activations": ["relu"],
    "output_activation": "linear",
    "loss": "squared_error",
    "learning_rate": "0.1",
    "seed": "0",
    "inputs": "1, 2\n3 4",
    "targets": "1\n0",
}


def test_a_form_becomes_a_network_whose_numbers_can_be_asked_about():
    found = json.loads(json.dumps(look({"form": FORM})))
    assert found["sizes"] == [2, 3, 1]
    for _, name, index, _ in found["numbers"]:
        told = tell({"problem": found["problem"], "name": name, "index": index})
        assert "error" not in told
        assert "<math" in told["symbol"]


def test_steps_lower_the_loss_and_are_the_same_at_once_or_one_by_one():
    problem = look({"form": FORM})["problem"]
    whole = look({"problem": problem, "steps": 3})
    parts = problem
    for _ in range(3):
        parts = look({"problem": parts, "steps": 1})["problem"]
    assert parts == whole["problem"]
    assert len(whole["losses"]) == 3
    assert whole["losses"][-1] < whole["losses"][0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sizes": "2"}, "numbers of units are not usable"),
        ({"sizes": "2, 999, 1"}, "numbers of units are not usable"),
        ({"sizes": "a"}, "cannot be read"),
        ({"inputs": "1, 2\n3"}, "The inputs cannot be read"),
        ({"targets": "1"}, "a line of inputs and a line of targets"),
        ({"activations": []}, "activations does not fit"),
        ({"activations": ["bumpy"]}, "activation is not known"),
        ({"learning_rate": "fast"}, "The learning rate cannot be read"),
        ({"loss": "cross_entropy"}, "Cross-entropy is not defined"),
        ({"inputs": "1, 2, 3\n4, 5, 6"}, "do not fit"),
    ],
)
def test_what_is_wrong_with_a_form_is_said(changed, said):
    assert said in look({"form": {**FORM, **changed}})["error"]


@pytest.mark.parametrize(
    "asked", [{"preset": "nowhere"}, {"problem": None}, {"problem": {"weights": "x"}}, {"problem": [1]}]
)
def test_a_made_up_request_gets_a_sentence(asked):
    assert look(asked)["error"]


def test_a_number_that_is_not_there_gets_a_sentence():
    problem = look({"form": FORM})["problem"]
    assert tell({"problem": problem, "name": "a_9", "index": [0, 0]})["error"]
    assert tell({"problem": problem, "name": "a_1", "index": [0, 99]})["error"]
