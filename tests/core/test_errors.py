"""Errors read as sentences, and survive the way from one process to another."""

import pickle

from layerwise.errors import InputError, MissingDependencyError, missing_extra


def test_the_text_says_what_was_expected_received_and_what_to_do():
    error = InputError("It is no picture", expected="PNG or JPEG", received="a text", remedy="save it as PNG")
    assert str(error) == "It is no picture. Expected: PNG or JPEG. Received: a text. What to do: save it as PNG."


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(InputError("No", expected="a", received="b", remedy="c")))
    assert isinstance(error, InputError)
    assert (error.what, error.expected, error.received, error.remedy) == ("No", "a", "b", "c")


def test_a_missing_extra_gives_the_install_command():
    error = missing_extra("torch", "hub", "Pretrained models")
    assert isinstance(error, MissingDependencyError)
    assert str(error) == 'Pretrained models needs the package torch. What to do: pip install "layerwise[hub]".'
