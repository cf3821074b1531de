"""The conformance kit: each check passes what is right and fails what is wrong, whatever that does to its process."""

import json
import sys

import pytest
from plugins_sample.samples import GOOD, install

from layerwise.conformance.bad_inputs import bad_values
from layerwise.conformance.checking import check_plugin, checks_of
from layerwise.conformance.checks import differing
from layerwise.conformance.report import CheckResult, ConformanceReport, ReportStore
from layerwise.errors import NotFoundError
from layerwise.registry import Registry
from layerwise.tasks.fields import KINDS, Field

ECHO = """
from dataclasses import dataclass
from typing import ClassVar

from layerwise import Example, ModelCard, ModelSpec, hookimpl
from layerwise.errors import InputError
from layerwise.runner import Runner
from layerwise.tasks.base import Task


from layerwise.tasks.fields import Field


@dataclass(frozen=True, kw_only=True)
class Echo(Task):
    type_name: ClassVar[str] = "sample-echo"
    inputs = (Field(name="text", kind="text"),)
    outputs = (Field(name="text", kind="text"),)


class EchoRunner(Runner):
    def run(self, inputs, session, cancelled):
        if not inputs["text"].strip():
            raise InputError("There is no text", remedy="write one")
        {fault}
        return {{"text": inputs["text"]}}


CARD = ModelCard(title="Echo", summary="It says the same.", description="It does nothing.", limits="It knows nothing.")


def runner(version):
    return EchoRunner()


def examples():
    return [Example(inputs={{"text": "one"}}), Example(inputs={{"text": "two"}})]


@hookimpl
def layerwise_models():
    return [ModelSpec(name="sample/echo", task=Echo(), build="json:dumps", runner=runner, examples=examples, card=CARD)]
"""


@pytest.fixture
def checked(site, home):
    """`checked(code)`: the results of a plugin of that code, by check."""

    def check(code, seconds=60.0):
        install(site, code, name="sample")
        report = check_plugin(Registry(home), "sample", seconds=seconds)
        assert len({(result.subject, result.check) for result in report.results}) == len(report.results)
        return {result.check: result for result in report.results}

    return check


def test_what_is_right_passes(checked):
    found = checked(ECHO.format(fault=""))
    assert {result.check: result.detail for result in found.values() if result.status == "failed"} == {}
    assert found["its examples are answered"].detail == "2 examples"
    assert found["a batch is answered like single questions"].detail == "2 together"
    assert "ms an answer" in found["speed and memory are known"].detail
    assert found["it trains, stops and goes on"].status == "skipped"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ("raise TypeError('no such thing')", "its examples are answered", "It raised TypeError: no such thing"),
        ("import os; os._exit(3)", "its examples are answered", "Its process ended with the exit status 3."),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "its examples are answered",
            "Its process ended by the signal SIGSEGV.",
        ),
        (
            "open('/var/tmp/' + 'layerwise-nowhere/x', 'w')",
            "its examples are answered",
            "It wrote outside its folders: /var/tmp/layerwise-nowhere/x.",
        ),
        (
            "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
            "its examples are answered",
            "It asked for other machines: 192.0.2.1.",
        ),
        ("return {}", "its examples are answered", "The answer to the example '' has no text."),
        ("return 42", "its examples are answered", "Received: 42."),
        (
            "inputs['text'].encode('ascii')",
            "bad input is explained",
            "Text as other scripts and symbols: It raised Unicode",
        ),
    ],
)
def test_what_is_wrong_fails_and_the_next_checks_go_on(checked, fault, check, said):
    found = checked(ECHO.format(fault=fault))
    assert found[check].status == "failed"
    assert said in found[check].detail
    assert found["it is loaded"].status == found["its card is complete"].status == "passed"
    # Which other backends are installed is the machine's.
    others = [name for name in checks_of("sample/echo:default") if name.startswith("it computes the same with ")]
    assert {found[name].status for name in others} <= {"skipped"}


@pytest.mark.slow
def test_what_never_ends_fails_in_time(checked):
    found = checked(ECHO.format(fault="import time; time.sleep(600)"), seconds=4.0)
    assert found["its examples are answered"].detail == "It did not end within 4 seconds."
    assert found["weights are saved and loaded"].status == "skipped"


def test_batches_that_are_answered_otherwise_are_seen(checked):
    batch = "\n    def run_batch(self, batch):\n        return [{'text': 'something else'} for _ in batch]\n"
    found = checked(ECHO.format(fault="").replace("\n\nCARD =", f"{batch}\n\nCARD ="))
    assert "is answered otherwise: answer.text" in found["a batch is answered like single questions"].detail


MIXED_UP = "self.last = inputs['text']; import time; time.sleep(0.01); return {'text': self.last}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "status", "said"), [("", "passed", "8 at a time"), (MIXED_UP, "failed", "is answered otherwise beside")]
)
def test_answers_that_depend_on_who_else_asks_are_seen(checked, fault, status, said):
    code = ECHO.format(fault=fault).replace(
        "class EchoRunner(Runner):", "class EchoRunner(Runner):\n    joins = True\n"
    )
    result = checked(code)["questions that come together are answered like single ones"]
    assert result.status == status
    assert said in result.detail


def test_a_plugin_that_does_not_load_says_why(checked):
    found = checked("import a_module_that_is_not_installed")
    assert all(result.status == "failed" for result in found.values())
    assert "No module named 'a_module_that_is_not_installed'" in found["it is loaded"].detail


@pytest.mark.slow
def test_registering_must_be_cheap_and_give_the_same(checked, monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas", raising=False)  # the plugin is loaded in this process, too
    again = "import functools\n" + GOOD.replace("model('sample/good')", "model('sample/good', examples=lambda: [])")
    found = checked("import sys, types\nsys.modules['pandas'] = types.ModuleType('pandas')\n" + again)
    assert "It imports pandas." in found["registering imports nothing heavy"].detail
    assert "layerwise_models gives other objects each time" in found["registering twice gives the same"].detail
    assert "says nothing of description and limits" in found["its card is complete"].detail


def test_unknown_names_are_refused(site, home):
    install(site, GOOD, name="sample")
    with pytest.raises(NotFoundError, match=r"There is no plugin 'sampl'. What to do: did you mean sample"):
        check_plugin(Registry(home), "sampl")
    with pytest.raises(NotFoundError, match=r"There is no model of sample 'vision/fashion'"):
        check_plugin(Registry(home), "sample", models=["vision/fashion"])


def test_a_report_is_kept_for_its_release(home):
    results = (
        CheckResult(check="one", subject="sample", status="passed"),
        CheckResult(check="two", subject="sample/echo:default", status="failed", detail="a | b\nc"),
    )
    report = ConformanceReport(plugin="sample", source="sample-plugin 1.0", created="2026-01-02T03:04", results=results)
    store = ReportStore(home=home)
    assert store.find("sample", "sample-plugin 1.0") is None
    store.keep(report)
    assert store.find("sample", "sample-plugin 1.0") == report
    assert store.find("sample", "sample-plugin 1.1") is None, "another release has to be checked again"
    assert (report.conforms, report.summary) == (False, "1 passed, 1 failed")
    assert "| two | failed | 0.0 | a \\| b c |" in report.as_markdown()
    assert json.loads(json.dumps(report.as_json()))["results"][1]["detail"] == "a | b\nc"
    (home / "conformance" / "sample.json").write_text("{")
    assert store.find("sample", "sample-plugin 1.0") is None
    skipped = ConformanceReport(plugin="a", source="", created="", results=(results[0], results[0]))
    assert skipped.conforms
    assert not ConformanceReport(plugin="a", source="", created="").conforms, "nothing was checked"


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_bad_input_of_every_kind(kind):
    values = list(bad_values(Field(name="it", kind=kind)))
    assert len({name for name, _ in values}) == len(values) >= 1


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ({"a": 1.0}, {"a": 1.0005}, ""),
        ({"a": 1.0}, {"a": 1.01}, "answer.a is 1 and 1.01"),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, "answer.a[1].b"),
        ({"a": 1}, {"b": 1}, "answer has other keys"),
        ([1, 2], [1], "answer has 2 and 1 items"),
        (float("nan"), float("nan"), ""),
        (None, 0, "answer"),
    ],
)
def test_where_answers_differ(one, other, place):
    assert differing(one, other) == place
