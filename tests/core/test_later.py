"""What is imported later is there for whoever uses it, and costs nothing before."""

import inspect
import json
import sys
from types import ModuleType

import pytest
from fresh_process import run_python

from layerwise.later import Later, in_place_of

CODE = """
import json, sys
from layerwise.devices import quiet_import

keras = quiet_import()
at_first = [name for name in ("sklearn", "keras.src.wrappers") if name in sys.modules]
name = keras.wrappers.SKLearnClassifier.__name__
from keras.wrappers import SKLearnRegressor
import tensorflow as tf
print(json.dumps({
    "at_first": at_first,
    "used": [name, SKLearnRegressor.__name__, tf.keras.wrappers.SKLearnTransformer.__name__],
    "is_real": keras.wrappers is sys.modules["keras.wrappers"],
    "later": "sklearn" in sys.modules,
}))
"""


@pytest.mark.slow
def test_keras_is_imported_without_what_hardly_anybody_uses():
    done = run_python(CODE)
    assert json.loads(done.stdout) == {
        "at_first": [],
        "used": ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"],
        "is_real": True,
        "later": True,
    }, done.stderr


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that is not imported yet."""
    (tmp_path / "seldom_used.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "seldom_used"
    sys.modules.pop("seldom_used", None)


def test_a_stand_in_is_imported_when_it_is_used(module):
    with in_place_of({module: Later(module)}):
        import seldom_used

        assert isinstance(seldom_used, Later)
        inspect.getmodule(inspect.currentframe())  # which asks every module for its file
        assert sys.modules[module] is seldom_used
        assert seldom_used.answer == 42
        assert sys.modules[module] is not seldom_used
    assert seldom_used.answer == 42
    assert sys.modules[module].answer == 42


def test_nothing_is_left_of_a_stand_in_that_nobody_used(module):
    with in_place_of({module: Later(module), "json": ModuleType("json")}):
        assert sys.modules["json"] is json, "what is imported already stays"
    assert module not in sys.modules
    with in_place_of({module: None}), pytest.raises(ImportError):
        import seldom_used  # noqa: F401
    assert module not in sys.modules
