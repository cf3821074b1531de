"""The examples in docstrings give what they say."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT / folder).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("core", "plugins", "apps")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name, capsys):
    module = pytest.importorskip(name, exc_type=ImportError)
    assert any(found.examples for found in doctest.DocTestFinder().find(module)), "what is not found is not tried"
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert not result.failed, capsys.readouterr().out
