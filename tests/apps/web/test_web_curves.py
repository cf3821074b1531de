"""Curves of a training: what is drawn, and that it keeps its shape."""

import itertools
import math
import re

from layerwise_app.web.curves import MARK_HEIGHT, MAX_POINTS, curve, curve_html, metric_of, overlay_html

EVENTS = [
    {"event": "queued", "time": 1.0},
    {"event": "started", "num_epochs": 2, "device": "CPU"},
    {"event": "progress", "epoch": 1, "step": 1, "steps": 4, "loss": 2.0, "accuracy": 0.2, "samples_per_second": 9.0},
    {"event": "progress", "epoch": 1, "step": 4, "steps": 4, "loss": 1.0, "accuracy": 0.5},
    {"event": "epoch", "epoch": 1, "loss": 1.0, "val_loss": 1.5, "accuracy": 0.5, "val_accuracy": 0.4, "seconds": 1.0},
]


def test_points_of_training_and_validation():
    assert curve(EVENTS, "loss") == {"training": [(0.25, 2.0), (1.0, 1.0), (1.0, 1.0)], "validation": [(1.0, 1.5)]}
    assert curve(EVENTS, "accuracy")["validation"] == [(1.0, 0.4)]
    assert curve([], "loss") == {"training": [], "validation": []}


def test_the_metric_is_the_first_besides_the_loss():
    assert metric_of(EVENTS) == "accuracy"
    assert metric_of(EVENTS[:2]) is None
    assert metric_of([{"event": "epoch", "epoch": 1, "loss": 1.0, "val_loss": 1.0}]) is None


def test_a_diverged_training_is_drawn_as_far_as_it_goes():
    events = [
        {"event": "epoch", "epoch": epoch, "loss": loss} for epoch, loss in enumerate((1.0, math.nan, math.inf), 1)
    ]
    points = curve(events, "loss")
    assert points["training"] == [(1.0, 1.0)]
    assert "nan" not in curve_html("Loss", points, 3)


def test_long_curves_are_thinned_and_end_where_they_end():
    events = [
        {"event": "progress", "epoch": 1, "step": step, "steps": 5000, "loss": 1 / step} for step in range(1, 5001)
    ]
    points = curve(events, "loss")["training"]
    assert len(points) <= MAX_POINTS + 1
    assert points[0] == (1 / 5000, 1.0)
    assert points[-1] == (1.0, 1 / 5000)


def test_the_drawing_stays_in_its_frame():
    shown = curve_html("Loss", curve(EVENTS, "loss"), 2)
    lines = re.findall(r' points="([^"]+)"', shown)
    points = [tuple(map(float, point.split(","))) for line in lines for point in line.split()]
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in points)
    assert points[0][0] == 12.5, "a quarter of the first of two epochs"
    assert 'data-points="4"' in shown
    assert "Loss: training 1 after 1 epochs, validation 1.5 after 1 epochs" in shown


def test_before_the_first_step_and_with_foreign_names():
    waiting = curve_html("<i>", {"training": [], "validation": []}, 2)
    assert 'data-points="0"' in waiting
    assert "<i>" not in waiting


def ended(*values, val=(), epoch=1, start=100.0, seconds=10.0):
    """Events of a run with an epoch every ten seconds."""
    yield {"event": "queued", "time": start - 50}
    yield {"event": "started", "time": start, "num_epochs": 9, "epoch": epoch, "step": 0}
    for number, value in enumerate(values):
        validation = {"val_loss": val[number]} if val else {}
        time = start + seconds * (number + 1)
        yield {"event": "epoch", "time": time, "epoch": epoch + number, "loss": value, **validation}


def test_on_the_axis_of_time_waiting_and_standing_still_do_not_count():
    events = [*ended(3.0, 2.0), {"event": "stopped", "time": 121.0}, *ended(1.0, epoch=3, start=10_000.0)]
    assert curve(events, "loss", axis="time")["training"] == [(10.0, 3.0), (20.0, 2.0), (31.0, 1.0)]


def test_what_a_resume_did_again_is_drawn_once():
    events = [*ended(3.0, 2.5), *ended(2.0, 1.0, epoch=2, start=500.0)]
    assert curve(events, "loss")["training"] == [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]
    assert curve(events, "loss", axis="time")["training"] == [(10.0, 3.0), (30.0, 2.0), (40.0, 1.0)]


def test_runs_over_each_other_are_numbered_and_keep_their_colours():
    runs = [
        curve(list(ended(3.0, 2.0, val=(3.5, 2.5))), "loss"),
        curve([], "loss"),
        curve(list(ended(3.0, 2.0)), "loss"),
    ]
    shown = overlay_html("Loss", runs)
    assert "Loss: run 3, training 2 after 2 epochs, run 1, validation 2.5 after 2 epochs" in shown or (
        "Loss: run 1, validation 2.5 after 2 epochs, run 3, training 2 after 2 epochs" in shown
    )
    assert shown.count('class="lw-run-1 lw-minor"') == 1, "the training of a run with validation"
    assert "lw-run-2" not in shown, "it has not begun"
    assert shown.count('class="lw-run-3"') == 2, "a line and its place in the legend"
    assert shown.count("lw-numbered") == 2
    assert "The curve begins" in overlay_html("Loss", [curve([], "loss")])


def test_numbers_at_the_ends_do_not_cover_each_other():
    runs = [curve(list(ended(1.0, value)), "loss") for value in (0.5, 0.501, 0.502)]
    tops = sorted(float(top) for top in re.findall(r"lw-numbered[^>]+top: ([\d.]+)%", overlay_html("Loss", runs)))
    assert all(below - above >= MARK_HEIGHT - 0.01 for above, below in itertools.pairwise(tops))


def test_a_run_that_diverges_leaves_the_others_visible():
    good = curve(list(ended(*(1.0 - 0.05 * step for step in range(10)))), "loss")
    bad = curve(list(ended(2.0, 1e30)), "loss")
    shown = overlay_html("Loss", [good, bad])
    tops = [float(point.split(",")[1]) for line in re.findall(r' points="([^"]+)"', shown) for point in line.split()]
    assert max(tops) - min(tops) > 50
    assert all(0 <= top <= 100 for top in tops)
    assert "1e+30" in shown
