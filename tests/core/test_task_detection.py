"""Object detection: boxes, the metrics computed by hand, the loss, the way from outputs to answers."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies
from PIL import Image

from layerwise.config import TrainingConfig
from layerwise.errors import InputError, SpecError
from layerwise.tasks import ObjectDetection
from layerwise.tasks.detection.boxes import areas, iou, suppressed
from layerwise.tasks.detection.head import detection_loss, found_boxes, heat_and_boxes
from layerwise.tasks.detection.metrics import Detected, average_precisions, detection_metrics
from layerwise.tasks.detection.report import COLORS

TASK = ObjectDetection(labels=("cat", "dog"), size=(64, 96))
TARGETS = np.full((2, 3, 5), -1, "float32")
TARGETS[0, 0], TARGETS[0, 1] = [10, 20, 50, 60, 1], [70, 10, 90, 40, 0]
TARGETS[1, 0] = [0, 0, 30, 16, 1]


def perfect_outputs():
    """What a network would give that knows TARGETS: cells of 4 pixels."""
    outputs = np.zeros((2, 16, 24, 6), "float32")
    outputs[..., :2] = -9
    for example, row in zip(outputs, TARGETS, strict=True):
        for left, top, right, bottom, label in row[row[:, 4] >= 0] / [4, 4, 4, 4, 1]:
            x, y = int((left + right) / 2), int((top + bottom) / 2)
            example[y, x, int(label)] = 9
            sides = np.array([x + 0.5 - left, y + 0.5 - top, right - x - 0.5, bottom - y - 0.5])
            example[y, x, 2:] = np.log(np.expm1(sides))
    return outputs


def detected(*rows):
    """Rows of left, top, right, bottom, score, label."""
    table = np.array(rows, "float32").reshape(-1, 6)
    return Detected(table[:, :4], table[:, 4], table[:, 5].astype(int))


def test_overlaps_by_hand():
    one = np.array([[0, 0, 4, 4]])
    others = np.array([[0, 0, 4, 4], [2, 0, 6, 4], [1, 1, 3, 3], [4, 0, 8, 4], [3, 3, 2, 2]])
    np.testing.assert_allclose(iou(one, others), [[1, 8 / 24, 4 / 16, 0, 0]])
    assert areas(others).tolist() == [16, 16, 4, 16, 0]


def test_a_box_is_suppressed_by_a_surer_one_that_stays():
    # The second is suppressed by the first, so that it cannot suppress the third.
    boxes = np.array([[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], float)
    assert suppressed(boxes, np.array([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]
    assert suppressed(boxes, np.array([0.7, 0.9, 0.8]), 0.5).tolist() == [1]
    within = np.array([[0, 0, 100, 100], [40, 40, 50, 50]], float)
    assert suppressed(within, np.array([0.9, 0.8]), 0.5).tolist() == [0, 1]
    assert suppressed(within, np.array([0.9, 0.8]), 0.5, by_smaller=True).tolist() == [0]
    assert suppressed(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []


@given(strategies.lists(strategies.tuples(*[strategies.integers(0, 20)] * 4), max_size=12), strategies.randoms())
def test_what_stays_does_not_overlap_and_everything_else_does(corners, random):
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in corners], float).reshape(-1, 4)
    scores = np.array([random.random() for _ in corners])
    kept = suppressed(boxes, scores, 0.4)
    overlaps = iou(boxes, boxes)
    assert all(overlaps[a, b] <= 0.4 for a in kept for b in kept if a != b)
    assert np.all(np.diff(scores[kept]) <= 0)
    for left_out in set(range(len(boxes))) - set(kept.tolist()):
        assert any(overlaps[left_out, a] > 0.4 and scores[a] >= scores[left_out] for a in kept)


def test_average_precision_by_hand():
    # Found in this order: right, wrong, right; of two things. Up to recall 0.5 the precision is 1, then 2/3.
    hits = np.array([[True, False, True]])
    scores = np.array([0.9, 0.8, 0.7])
    assert average_precisions(hits, scores, 2) == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    # Of three things one is never found: no precision beyond recall 2/3, which 67 of 101 recalls are within.
    assert average_precisions(hits, scores, 3) == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert average_precisions(np.zeros((1, 0), bool), np.zeros(0), 3) == 0


def test_a_thing_is_found_once_by_the_surest_box_of_its_class():
    right = np.array([[0, 0, 10, 10, 0], [-1, -1, -1, -1, -1]], "float32")
    found = detected([0, 0, 10, 10, 0.9, 1], [1, 0, 10, 10, 0.8, 0], [0, 0, 10, 10, 0.7, 0])
    hits = found.hits(right)
    # An overlap of 0.9 counts up to the threshold 0.9, the ninth.
    assert hits[:, 1].tolist() == [True] * 9 + [False]
    assert not hits[:, 0].any()
    # Only where the second did not take it may the third.
    assert hits[:, 2].tolist() == [False] * 9 + [True]
    assert found.hits(right) is hits, "it is remembered"
    assert not found.hits(np.full((1, 5), -1, "float32")).any()


def test_metrics_by_hand():
    right = [np.array([[0, 0, 10, 10, 0], [20, 0, 30, 10, 1]], "float32"), np.array([[0, 0, 10, 10, 0]], "float32")]
    found = [detected([0, 0, 10, 10, 0.9, 0], [20, 0, 30, 6, 0.3, 1]), detected([50, 50, 60, 60, 0.8, 0])]
    metrics = detection_metrics(found, right, 3, threshold=0.5)
    # Class 0: right, wrong; one of two found at every threshold: 51/101. Class 1: overlap 0.6, found at the first three
    # thresholds. Class 2 is in no picture and does not count.
    assert metrics["mean_average_precision_50"] == pytest.approx((51 / 101 + 1) / 2)
    assert metrics["mean_average_precision"] == pytest.approx((51 / 101 + 0.3) / 2)
    assert metrics["precision"] == pytest.approx(1 / 2)
    assert metrics["recall"] == pytest.approx(1 / 3)


def test_nothing_found_and_nothing_there():
    nothing, empty = detected(), np.full((1, 5), -1, "float32")
    metrics = detection_metrics([nothing], [empty], 2, threshold=0.5)
    assert all(np.isnan(value) for value in metrics.values())
    assert detection_metrics([nothing], [TARGETS[0]], 2, threshold=0.5)["mean_average_precision"] == 0


def test_heat_is_one_in_the_cell_of_each_middle():
    heat, weights, boxes = (np.asarray(part) for part in heat_and_boxes(TARGETS, 16, 24, 4.0, 2))
    heat = heat.reshape(2, 16, 24, 2)
    assert np.argwhere(heat == 1).tolist() == [[0, 6, 20, 0], [0, 10, 7, 1], [1, 2, 3, 1]]
    # Beside the middle less, and the wider the box the more.
    assert 0 < heat[0, 12, 7, 1] < heat[0, 11, 7, 1] < 1
    assert heat[1, 2, 4, 1] > heat[1, 3, 3, 1]
    np.testing.assert_array_equal(heat.max(axis=-1).reshape(2, -1), weights)
    np.testing.assert_allclose(boxes.reshape(2, 16, 24, 4)[1, 2, 3], TARGETS[1, 0, :4] / 4)


def test_the_loss_is_zero_for_what_is_right_and_falls_on_the_way_there():
    loss = TASK.loss(TrainingConfig())
    perfect, wrong = perfect_outputs(), np.zeros((2, 16, 24, 6), "float32")
    values = [float(loss(TARGETS, wrong + share * (perfect - wrong))) for share in (0, 0.5, 1)]
    assert values[0] > values[1] > values[2]
    # A picture without boxes has no sizes to learn.
    nothing = np.full((1, 1, 5), -1, "float32")
    silent = np.full((1, 16, 24, 6), -30, "float32")
    assert float(detection_loss(nothing, silent, 96)) == pytest.approx(0, abs=1e-6)


def test_outputs_become_boxes_in_pixels_of_the_frame_and_then_of_the_picture():
    (first, second) = TASK.detected(perfect_outputs())
    np.testing.assert_allclose(first.boxes, [[70, 10, 90, 40], [10, 20, 50, 60]], atol=1e-3)
    assert (first.labels.tolist(), second.labels.tolist()) == ([0, 1], [1])
    # 192 x 192 pixels: shown in the middle of the frame, 64 wide, from 16 on.
    picture = Image.new("RGB", (192, 192), "white")
    (item,) = TASK.answer(picture, second, 0.5)["objects"].found
    assert item.label == "dog"
    assert item.box == pytest.approx((0, 0, 42, 48), abs=0.1)
    assert TASK.answer(picture, second, 0.9999)["objects"].found == ()


def test_of_many_cells_one_box_stays():
    outputs = np.full((16, 24, 6), -9, "float32")
    outputs[5:8, 5:8, 0] = [[1, 2, 1], [2, 3, 2], [1, 2, 1]]
    outputs[..., 2:] = 5
    assert len(found_boxes(outputs, (64, 96), 0.1).scores) == 1
    outputs[5:8, 5:8, 1] = outputs[5:8, 5:8, 0]
    found = found_boxes(outputs, (64, 96), 0.1)
    assert sorted(found.labels) == [0, 1], "classes do not suppress each other where they are measured"
    (item,) = TASK.answer(Image.new("RGB", (96, 64)), found, 0.1)["objects"].found
    assert item.score == found.scores.max(), "but what is at one place is one thing to those who look"


def test_evaluate_takes_outputs_and_what_a_runner_made_of_them():
    outputs = perfect_outputs()
    assert TASK.evaluate(outputs, TARGETS) == TASK.evaluate(TASK.detected(outputs), TARGETS)
    assert TASK.evaluate(outputs, TARGETS)["mean_average_precision"] == 1


def test_the_report_has_each_class_each_threshold_and_the_worst_pictures():
    outputs, pictures = perfect_outputs(), np.zeros((len(TARGETS), 64, 96, 3), "uint8")
    classes, thresholds, worst = TASK.report(outputs, TARGETS, pictures)
    assert [row[0] for row in classes.rows] == list(TASK.labels)
    assert [row[2:] for row in classes.rows] == [("1.000",) * 3] * len(TASK.labels)
    assert thresholds.lines[1].y[0] == 1
    assert {picture.caption for picture in worst.pictures} == {"0 missed, 0 invented"}
    colors = {tuple(color) for picture in worst.pictures for color in picture.pixels.reshape(-1, 3)}
    assert colors == {(0, 0, 0), COLORS["found"]}
    # Nothing is found; everything is found where it is not.
    *_, worst = TASK.report(np.full_like(outputs, -9), TARGETS, pictures)
    assert worst.pictures[0].caption.endswith("missed, 0 invented")
    assert not worst.pictures[0].caption.startswith("0")
    *_, worst = TASK.report(outputs, np.full_like(TARGETS, -1), pictures)
    assert {tuple(color) for color in worst.pictures[0].pixels.reshape(-1, 3)} == {(0, 0, 0), COLORS["invented"]}


def test_outputs_of_another_shape_are_refused():
    with pytest.raises(SpecError, match=r"\[examples, rows, columns, 2 labels \+ 4\]"):
        TASK.detected(np.zeros((1, 4, 4, 5)))


@pytest.mark.parametrize(
    "wrong", [{"labels": ()}, {"labels": ("a", "a")}, {"size": (4, 4)}, {"channels": 2}, {"threshold": 0}]
)
def test_unusable_parameters_are_refused(wrong):
    with pytest.raises(SpecError, match="ObjectDetection"):
        ObjectDetection(**{"labels": ("a",), "size": (64, 64), **wrong})


def test_parameters_survive_json_and_the_picture_is_needed():
    assert TASK.with_parameters(json.loads(json.dumps(TASK.parameters()))) == TASK
    with pytest.raises(InputError, match="There is no picture"):
        TASK.encode({})
    picture = np.arange(64 * 96, dtype="uint8").reshape(64, 96)
    assert TASK.encode({"image": picture}).shape == TASK.warm_input().shape
    assert TASK.inputs[1].value(None) == TASK.threshold
