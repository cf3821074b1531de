"""Names that go: they still work, their replacement is told once, and the author of a plugin sees it."""

import inspect
import sys
import types
import warnings
from collections import namedtuple
from dataclasses import dataclass
from importlib import import_module

import pytest
from plugins_sample.samples import GOOD, HEAD, install

import layerwise
from layerwise import deprecations, hookspecs, tasks
from layerwise.conformance.checking import check_subject
from layerwise.deprecations import Deprecated, keep_former_arguments, minor_release, used_by
from layerwise.errors import PluginError
from layerwise.plugins import implementations
from layerwise.plugins.discovery import load_one
from layerwise.registry import Registry
from layerwise.testing import contract

WHEN = {"since": "0.1", "gone_in": "0.4"}
NAME = Deprecated(name="layerwise.ModelDescription", replacement="layerwise.ModelSpec", **WHEN)
TASK = Deprecated(name="layerwise.tasks.Pictures", replacement="layerwise.tasks.ImageClassification", **WHEN)
HOOK = Deprecated(name="layerwise_networks", replacement="layerwise_models", **WHEN)
ARGUMENT = Deprecated(name="layerwise_callbacks(folder)", replacement="layerwise_callbacks(run)", **WHEN)
SENTENCE = (
    "layerwise.ModelDescription is deprecated since Layerwise 0.1 and gone in 0.4. What to do: use layerwise.ModelSpec."
)


@pytest.fixture
def table(monkeypatch):
    """`table(entries...)` deprecates names for the time of a test."""

    def deprecate(*entries):
        monkeypatch.setattr(deprecations, "DEPRECATED", entries)

    return deprecate


def run(code, name="user_of_names"):
    """A module of that code, and the warnings that it gave."""
    module = types.ModuleType(name)
    module.__file__ = f"{name}.py"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(code, module.__file__, "exec"), vars(module))
    return module, seen


def test_nothing_that_should_be_gone_is_left_and_every_replacement_is_there():
    for entry in deprecations.DEPRECATED:
        assert minor_release(entry.gone_in) > minor_release(layerwise.__version__), f"take {entry.name} out"
        if "." in entry.replacement:
            place, _, name = entry.replacement.partition("(")[0].rpartition(".")
            assert hasattr(import_module(place), name)
        elif entry.replacement:
            assert entry.replacement.partition("(")[0] in implementations.HOOKS


@pytest.mark.parametrize(("since", "gone_in"), [("0.2", "0.4"), ("0.2.1", "0.3"), ("0.2", "0.2")])
def test_a_name_cannot_go_too_early(since, gone_in):
    with pytest.raises(ValueError, match=r"has to stay for 2 releases after 0\.2"):
        Deprecated(name="layerwise.A", replacement="layerwise.B", since=since, gone_in=gone_in)


@pytest.mark.parametrize(("since", "gone_in"), [("0.2", "0.5"), ("0.2", "1.0"), ("1.9", "2.0")])
def test_a_name_goes_after_two_releases_or_in_the_next_major_one(since, gone_in):
    assert Deprecated(name="layerwise.A", replacement="", since=since, gone_in=gone_in).gone_in == gone_in


def test_a_former_name_leads_to_its_replacement_and_warns_once_where_it_is_used(table):
    table(NAME, TASK)
    code = """
from layerwise import ModelDescription
import layerwise

for _ in range(3):
    assert layerwise.ModelDescription is ModelDescription is layerwise.ModelSpec
assert layerwise.tasks.Pictures is layerwise.tasks.ImageClassification
"""
    _, seen = run(code)
    assert [(str(one.message), one.category, one.filename, one.lineno) for one in seen] == [
        (SENTENCE, DeprecationWarning, "user_of_names.py", 2),
        (str(TASK), DeprecationWarning, "user_of_names.py", 7),
    ]


def test_other_names_are_not_there(table):
    table(NAME)
    assert not hasattr(layerwise, "ModelDescribing")
    with pytest.raises(ImportError, match="cannot import name 'Picture'"):
        run("from layerwise.tasks import Picture")
    with pytest.raises(AttributeError, match=r"module 'layerwise\.tasks' has no attribute 'ModelDescription'"):
        _ = tasks.ModelDescription


def test_a_former_argument_becomes_its_replacement(table):
    @dataclass(frozen=True, kw_only=True)
    class Box:
        data: str = ""

    def open_it(box, *, where=""):
        return box, where

    place = types.ModuleType("boxes")
    vars(place).update(Box=Box, open_it=open_it)
    table(
        Deprecated(name="boxes.Box(dataset)", replacement="boxes.Box(data)", **WHEN),
        Deprecated(name="boxes.open_it(place)", replacement="boxes.open_it(where)", **WHEN),
        Deprecated(name="other.open_it(where)", replacement="other.open_it(there)", **WHEN),
    )
    keep_former_arguments(vars(place))
    code = "made = Box(dataset='digits'), Box(dataset='words'), Box(data='x'), open_it(1, place='here'), open_it(2)"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(code, "user.py", "exec"), vars(place))
    assert place.made == (Box(data="digits"), Box(data="words"), Box(data="x"), (1, "here"), (2, ""))
    assert [str(one.message).partition(" is")[0] for one in seen] == ["boxes.Box(dataset)", "boxes.open_it(place)"]
    assert inspect.signature(Box).parameters.keys() == {"data"}
    with pytest.raises(TypeError, match="dataset"):
        Box(data="x", dataset="y")


def test_an_implementation_of_a_former_hook_is_called_under_the_new_name(site, home, table):
    table(HOOK)
    install(site, GOOD.replace("layerwise_models", "layerwise_networks"), name="elder")
    with pytest.warns(DeprecationWarning, match="layerwise_networks is deprecated") as seen:
        snapshot = Registry(home).snapshot()
    assert seen[0].filename == str(site / "sample_elder.py")
    assert "sample/good" in snapshot.models
    report = next(report for report in snapshot.plugins if report.name == "elder")
    assert (report.status, report.hooks, report.deprecated) == ("loaded", ("layerwise_models",), (str(HOOK),))


def test_a_plugin_with_both_names_is_for_older_releases_too(site, home, table):
    table(HOOK)
    elder = "\n@hookimpl\ndef layerwise_networks():\n    return [model('sample/elder')]\n"
    install(site, GOOD + elder, name="both")
    plugin = load_one("both", home)
    assert (plugin.report.models, plugin.report.deprecated) == (("sample/good",), ())


def test_a_former_argument_of_a_hook_is_still_given(site, home, table, monkeypatch):
    table(ARGUMENT)

    @hookspecs.hookspec
    def layerwise_callbacks(run, folder):
        raise NotImplementedError

    specs = types.SimpleNamespace(
        **{name: getattr(hookspecs, name) for name in (*implementations.HOOKS, "HOOKSPEC_VERSION")}
    )
    specs.layerwise_callbacks, specs.LAST_RELEASES = layerwise_callbacks, {}
    monkeypatch.setattr(implementations, "hookspecs", specs)
    install(site, HEAD + "@hookimpl\ndef layerwise_callbacks(folder):\n    return [folder]\n", name="elder")
    plugin = load_one("elder", home)
    assert (plugin.report.status, plugin.report.deprecated) == ("loaded", (str(ARGUMENT),))
    assert plugin.manager.hook.layerwise_callbacks(run=None, folder="here") == [["here"]]


def test_what_a_plugin_uses_later_is_known_too(table, monkeypatch):
    table(NAME)
    module, _ = run("def build():\n    import layerwise\n    return layerwise.ModelDescription")
    monkeypatch.setitem(sys.modules, "user_of_names.model", module)
    assert used_by("user_of_names.hooks") == ()
    with pytest.warns(DeprecationWarning, match="ModelDescription"):
        module.build()
    assert used_by("user_of_names.hooks") == (SENTENCE,)
    assert used_by("user_of") == ()


def test_a_file_that_no_longer_uses_it_is_forgiven(home, table):
    table(NAME)
    file = home / "plugins" / "elder_file.py"
    file.parent.mkdir()
    code = GOOD.replace("ModelSpec, hookimpl", "ModelDescription, ModelSpec, hookimpl")
    file.write_text(code)
    try:
        assert load_one("elder-file", home).report.deprecated == (SENTENCE,)
        assert load_one("elder-file", home).report.deprecated == (SENTENCE,), "the file is not run again"
        file.write_text(GOOD)
        assert load_one("elder-file", home).report.deprecated == ()
    finally:
        sys.modules.pop("elder_file", None)


CHECKED = f"""
from layerwise import deprecations

deprecations.DEPRECATED = (deprecations.{NAME!r},)
from layerwise import ModelDescription
{GOOD}
"""


def test_the_conformance_kit_warns_and_the_plugin_conforms(site, home, table):
    table()
    install(site, CHECKED, name="elder")
    found = {result.check: result for result in check_subject(Registry(home), "elder")}
    assert {result.status for result in found.values()} == {"passed", "warned"}
    assert found["registering uses nothing that goes"].detail == SENTENCE
    promise = next(one.values[0] for one in contract("elder") if "nothing that goes" in one.id)
    with pytest.warns(DeprecationWarning, match="elder: layerwise.ModelDescription is deprecated"):
        promise.keep()


Distribution = namedtuple("Distribution", "requires")


@pytest.mark.parametrize(
    ("stated", "requires", "sentence"),
    [
        (3, None, 'Expected: version 1 or 2. What to do: pip install "layerwise>{0}", or install an older release'),
        (9, ["numpy>=2", "Layerwise >=0.7,<2"], 'pip install "layerwise>=0.7,<2", or install an older release of'),
        (9, ["layerwise-extras>=1", "layerwise"], 'What to do: pip install "layerwise>{0}", or'),
    ],
)
def test_a_newer_version_of_the_hooks_is_refused_by_naming_the_release(monkeypatch, stated, requires, sentence):
    monkeypatch.setattr(hookspecs, "HOOKSPEC_VERSION", 2)
    with pytest.raises(PluginError) as error:
        implementations.check_version(
            types.SimpleNamespace(LAYERWISE_HOOKS=stated), requires and Distribution(requires)
        )
    assert f"It was written for version {stated} of the hooks, which Layerwise" in str(error.value)
    assert sentence.format(layerwise.__version__) in str(error.value)


def test_a_version_of_the_hooks_that_has_ended_is_refused_by_naming_the_last_release(monkeypatch):
    monkeypatch.setattr(hookspecs, "HOOKSPEC_VERSION", 3)
    monkeypatch.setattr(hookspecs, "LAST_RELEASES", {1: "0.6"})
    for served in (2, 3):
        implementations.check_version(types.SimpleNamespace(LAYERWISE_HOOKS=served), None)
    implementations.check_version(types.SimpleNamespace(), None)
    with pytest.raises(PluginError, match=r'Expected: version 2 or 3\. What to do: pip install "layerwise==0\.6\.\*"'):
        implementations.check_version(types.SimpleNamespace(LAYERWISE_HOOKS=1), None)
