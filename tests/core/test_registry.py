"""The registry: immutable numbered snapshots, switches, and changes that other processes make."""

import dataclasses
import json
import logging
import textwrap
import threading

import pytest
from fresh_process import run_python
from plugins_sample.samples import BROKEN, BUILT_IN, GOOD, HEAD, install

from layerwise.errors import NotFoundError
from layerwise.registry import Registry, Snapshot


@pytest.fixture
def registry(site, home):
    """A registry with the built-in, the toy and a sample plugin."""
    install(site, GOOD, name="good")
    return Registry(home)


def status(snapshot, name):
    return next(report.status for report in snapshot.plugins if report.name == name)


def promote_something(home, content="{}"):
    pointer = home / "promoted" / "toy" / "bars" / "small.json"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(content)


def test_a_snapshot_cannot_be_changed(registry):
    snapshot = registry.snapshot()
    assert snapshot.number == 1
    assert registry.snapshot() is snapshot
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.number = 2  # pyright: ignore[reportAttributeAccessIssue]
    for mapping in (snapshot.models, snapshot.tasks, snapshot.datasets, snapshot.pages):
        with pytest.raises(TypeError):
            mapping["new"] = None  # pyright: ignore[reportIndexIssue]
    assert all(type(value) is tuple for value in (snapshot.lessons, snapshot.plugins, snapshot.loaded))


def test_names_are_found_and_near_misses_suggested(registry):
    snapshot = registry.snapshot()
    assert snapshot.model("toy/bars").name == "toy/bars"
    assert snapshot.dataset("bars").name == "bars"
    counts = {domain: len(specs) for domain, specs in snapshot.domains.items()}
    assert counts["vision"] >= 1
    assert {domain: count for domain, count in counts.items() if domain not in BUILT_IN} == {"sample": 1, "toy": 1}
    with pytest.raises(NotFoundError, match=r"There is no model 'toy/bar'. What to do: did you mean toy/bars\?"):
        snapshot.model("toy/bar")
    with pytest.raises(NotFoundError, match=r"There is no data set 'zzz'. What to do: layerwise data lists them."):
        snapshot.dataset("zzz")
    with pytest.raises(NotFoundError, match=r"There is no plugin 'gold'. What to do: did you mean good\?"):
        registry.set_enabled("gold", False)


def test_a_plugin_switched_off_and_on(registry, home):
    first = registry.snapshot()
    second = registry.set_enabled("good", False)
    assert (second.number, status(second, "good")) == (2, "disabled")
    assert "sample/good" not in second.models
    assert "sample/good" in first.models, "who holds the former snapshot goes on with it"
    reason = next(report.reason for report in second.plugins if report.name == "good")
    assert reason == "It was switched off. What to do: layerwise plugins --enable good."
    assert status(Registry(home).snapshot(), "good") == "disabled", "a later start remembers it"
    third = registry.set_enabled("good", True)
    assert (third.number, status(third, "good")) == (3, "loaded")
    assert dataclasses.replace(third, number=1) == first


def test_a_built_in_can_be_switched_off_too(registry):
    assert "vision/fashion" not in registry.set_enabled("vision", False).models


def test_switching_off_what_is_off_changes_nothing(registry):
    assert registry.set_enabled("good", False) is registry.set_enabled("good", False)


def test_the_second_of_two_with_one_name_gets_its_turn(registry, site):
    install(site, GOOD, name="z-other")
    assert status(registry.reload(), "z-other") == "failed"
    assert status(registry.set_enabled("good", False), "z-other") == "loaded"


def test_reload_finds_what_was_installed_and_what_was_repaired(registry, site):
    install(site, BROKEN["syntax-error"], name="new")
    assert status(registry.reload(), "new") == "failed"
    install(site, GOOD.replace("sample/good", "sample/new"), name="new")
    snapshot = registry.reload()
    assert (snapshot.number, "sample/new" in snapshot.models) == (2, True)
    assert registry.reload() is snapshot, "nothing is different"


def test_a_plugin_that_registers_more_than_before(registry, site):
    """As the one for pretrained models, which asks for its list anew."""
    (site / "names.json").write_text('["a"]')
    code = """\
        import json
        from pathlib import Path

        @hookimpl
        def layerwise_models():
            return [model(f"more/{name}") for name in json.loads(Path(__file__).with_name("names.json").read_text())]
        """
    install(site, HEAD + textwrap.dedent(code), name="more")
    assert [spec.name for spec in registry.reload().domains["more"]] == ["more/a"]
    (site / "names.json").write_text('["a", "b"]')
    assert [spec.name for spec in registry.reload().domains["more"]] == ["more/a", "more/b"]


def test_what_cannot_be_compared_counts_as_different(registry, site):
    code = """\
        from dataclasses import dataclass
        from typing import Any

        @dataclass(frozen=True, kw_only=True)
        class Weighted(ImageClassification):
            type_name = "weighted"
            weights: Any

        @hookimpl
        def layerwise_models():
            import numpy
            return [model("sample/odd", Weighted(labels=("a", "b"), size=(8, 8), weights=numpy.ones(2)))]
        """
    install(site, HEAD + textwrap.dedent(code), name="odd")
    numbers = [registry.reload().number, registry.reload().number]
    assert numbers == [1, 2]
    assert registry.snapshot() == registry.snapshot()
    assert registry.snapshot() != "something else"


def test_bump_numbers_the_same_anew(registry):
    first = registry.snapshot()
    second = registry.bump()
    assert (second.number, registry.snapshot()) == (2, second)
    assert second.models is first.models


def test_check_follows_switches_and_promotions_of_other_processes(registry, home):
    first = registry.snapshot()
    assert registry.check() is first
    promote_something(home)
    second = registry.check()
    assert (second.number, second.models is first.models) == (2, True)
    assert registry.check() is second
    code = "from layerwise.registry import Registry\nRegistry().set_enabled('good', False)"
    assert run_python(code).returncode == 0
    third = registry.check()
    assert (third.number, status(third, "good")) == (3, "disabled")
    promote_something(home, '{"id": "another"}')
    (home / "plugins.json").write_text(json.dumps({"disabled": ["toy", "good"]}))
    fourth = registry.check()
    assert (fourth.number, status(fourth, "toy")) == (4, "disabled"), "one step for both"
    promote_something(home, '{"id": "a third one"}')
    (home / "plugins.json").write_text(json.dumps({"disabled": ["good", "toy"]}))
    assert registry.check().number == 5, "the promotion counts, though the switches say the same"


def test_subscribers_are_told_each_new_snapshot(registry, caplog):
    seen = []

    def fails(snapshot: Snapshot) -> None:
        raise RuntimeError("a bad subscriber")

    registry.snapshot()
    for function in (fails, lambda snapshot: seen.append((snapshot.number, snapshot is registry.snapshot()))):
        registry.subscribe(function)
    with caplog.at_level(logging.ERROR):
        registry.bump()
        registry.set_enabled("good", False)
        registry.reload()
    assert seen == [(2, True), (3, True)]
    assert caplog.text.count("a bad subscriber") >= 2


def test_threads_get_one_first_snapshot_and_no_number_twice(registry):
    barrier, found = threading.Barrier(8), []

    def work(index):
        barrier.wait()
        found.append(registry.snapshot())
        found.append(registry.bump() if index % 2 else registry.set_enabled("good", index % 4 == 0))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {}
    for snapshot in found:
        assert numbers.setdefault(snapshot.number, snapshot) is snapshot
    assert registry.snapshot().number == max(numbers)


def test_without_a_home_it_is_the_users_own(site, home):
    assert Registry().home == home
