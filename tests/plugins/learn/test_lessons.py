"""Lessons: every experiment runs, at its defaults and at the ends of its settings; nothing shown is not a number."""

import dataclasses
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from layerwise.activations import ACTIVATIONS
from layerwise.config import settings_of
from layerwise.from_scratch.descent import OPTIMIZERS
from layerwise.plots import Heatmap, Line, LinePlot, Pictures, Row, Text
from layerwise_learn.experiments import neuron, shapes
from layerwise_learn.lessons import LESSONS, controls, hierarchical_features
from layerwise_learn.lessons.neuron import GATES

CHAPTERS = {
    "The network": ["deep-learning", "neuron", "architecture", "activations"],
    "The four steps of training": ["forward-pass", "loss", "backpropagation", "gradient-descent"],
    "Training well": ["learning-rate", "epochs-and-overfitting", "regularisation", "computation"],
    "Why it works": ["hierarchical-features", "end-to-end", "depth"],
    "Applications": ["applications"],
}
INSPECTIONS = {"patches", "features"}
EXPERIMENTS = [(lesson.name, experiment) for lesson in LESSONS for experiment in lesson.experiments]
QUICK = [item for item in EXPERIMENTS if not item[1].button]
LIVE = [item for item in EXPERIMENTS if item[1].button and item[1].name not in INSPECTIONS]
QUICK_SECONDS, LIVE_SECONDS = 2.0, 60.0
"""Generous: what is shown while dragging takes a few hundredths, a training up to ten seconds on a quiet machine."""


def ids(items):
    return [f"{lesson}-{experiment.name}" for lesson, experiment in items]


def ends(experiment):
    """The defaults, then each setting at each of its ends, or each of its choices, the others at their defaults."""
    yield experiment.settings()
    for item in settings_of(experiment.settings):
        values = item.choices or ((not item.default,) if item.kind is bool else (item.minimum, item.maximum))
        for value in values:
            yield experiment.settings(**{item.name: value})


def flat(shown):
    for plot in shown:
        yield from flat(plot.plots) if isinstance(plot, Row) else (plot,)


def check_finite(plot):
    if isinstance(plot, LinePlot):
        for line in plot.lines:
            assert np.isfinite(line.x).all(), plot.title
            assert not np.isinf(line.y).any(), plot.title
        for limits in (plot.x_range, plot.y_range):
            assert limits is None or (np.isfinite(limits).all() and limits[0] < limits[1]), plot.title
        if plot.y_log:
            assert all(np.nanmin(line.y, initial=1) > 0 for line in plot.lines), plot.title
        return
    for field in dataclasses.fields(plot):
        value = getattr(plot, field.name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert np.isfinite(value).all(), (plot, field.name)
    if isinstance(plot, Heatmap):
        assert all(isinstance(line, Line) and np.isfinite(line.x).all() for line in plot.lines)
    if isinstance(plot, Pictures):
        assert all(np.isfinite(picture.pixels).all() for picture in plot.pictures)


def check(shown):
    plots = list(flat(shown))
    assert plots
    for plot in plots:
        check_finite(plot)
        assert not any(word in repr(plot) for word in ("nan}", "= nan", "inf}", "= inf"))


def test_there_are_sixteen_in_the_order_of_the_chapters():
    found = {}
    for lesson in LESSONS:
        found.setdefault(lesson.chapter, []).append(lesson.name)
    assert found == CHAPTERS
    assert list(found) == list(CHAPTERS)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_is_short_has_a_formula_and_something_to_turn(lesson):
    assert 150 <= len(lesson.text.split()) <= 350
    assert lesson.text.count("$") % 2 == 0
    assert "$" in lesson.text
    assert lesson.summary
    assert 1 <= len(lesson.experiments) <= 4
    assert "!" not in lesson.text.replace("!=", "")


def test_they_are_registered_without_numpy():
    code = "import sys; import layerwise_learn.lessons; print([n for n in ('numpy', 'keras') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


def test_choices_that_are_written_out_are_those_of_the_core():
    assert set(controls.ACTIVATION_NAMES) == set(ACTIVATIONS)
    assert set(controls.OPTIMIZER_NAMES) == set(OPTIMIZERS)
    assert set(GATES) == set(neuron.GATES)
    assert hierarchical_features.SHAPES == shapes.SHAPES


@pytest.mark.parametrize(("lesson", "experiment"), QUICK, ids=ids(QUICK))
def test_a_quick_experiment_runs_at_all_ends(lesson, experiment):
    for settings in ends(experiment):
        begin = time.perf_counter()
        (shown,) = experiment.run(settings)
        assert time.perf_counter() - begin < QUICK_SECONDS, settings
        check(shown)


@pytest.mark.parametrize(("lesson", "experiment"), QUICK, ids=ids(QUICK))
def test_the_same_settings_show_the_same(lesson, experiment):
    first, second = (next(experiment.run(experiment.settings())) for _ in range(2))
    for one, other in zip(flat(first), flat(second), strict=True):
        assert repr(one) == repr(other)


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "experiment"), LIVE, ids=ids(LIVE))
def test_a_live_experiment_runs_and_shows_its_progress(lesson, experiment):
    begin = time.perf_counter()
    frames = list(experiment.run(experiment.settings()))
    assert time.perf_counter() - begin < LIVE_SECONDS
    assert len(frames) > 1
    for shown in frames:
        check(shown)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("lesson", "experiment"), LIVE, ids=ids(LIVE))
def test_a_live_experiment_runs_at_all_ends(lesson, experiment):
    for settings in ends(experiment):
        for shown in experiment.run(settings):
            check(shown)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(INSPECTIONS))
def test_the_hierarchy_is_seen_in_a_registered_network(name, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path))
    (experiment,) = (item for _, item in EXPERIMENTS if item.name == name)
    *_, shown = experiment.run(experiment.settings(channels=1))
    titles = [plot.title for plot in flat(shown) if isinstance(plot, Pictures)]
    assert [any(word in title for title in titles) for word in ("early", "middle", "deep")] == [True] * 3
    assert any(isinstance(plot, Text) and "vision/" in plot.text for plot in flat(shown))


def test_the_hierarchy_of_shipped_weights_is_there_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path))
    (experiment,) = (item for _, item in EXPERIMENTS if item.name == "hierarchy")
    (shown,) = experiment.run(experiment.settings())
    titles = [plot.title for plot in flat(shown) if isinstance(plot, Pictures)]
    assert [title.partition(":")[0] for title in titles] == ["early", "middle", "deep"] * 2
    assert all(plot.pictures for plot in flat(shown) if isinstance(plot, Pictures))
