"""Segmentation: metrics by hand, and the report."""

import numpy as np
import pytest
from segmentation_samples import CELLS, TASK

from layerwise.tasks import ImageSegmentation
from layerwise.tasks.segmentation import metrics
from layerwise.tasks.segmentation.metrics import Segmented


def test_metrics_by_hand():
    right = np.zeros((4, 10), "int32")
    right[:, 0:4], right[:, 6:8] = 1, 2
    found = np.zeros((4, 10), "int32")
    found[:, 0:3], found[:, 9:10] = 7, 3  # 12 of 16 pixels; nothing of the second; one too many
    score = metrics.score_instances(found, right)
    assert (score.count, score.found) == (2, 2)
    assert score.matched == (1, 1, 1, 1, 1, 0, 0, 0, 0, 0)  # IoU 12/16 is above 0.5 to 0.7
    assert score.precision() == pytest.approx(1 / 3)
    assert score.dice == pytest.approx(2 * 12 / (24 + 16))
    assert score.iou == pytest.approx(12 / 28)
    nothing = metrics.score_instances(np.zeros((4, 10)), np.zeros((4, 10)))
    assert (nothing.precision(), nothing.dice) == (1, 1)
    found = metrics.instance_metrics([score, nothing])
    assert found["mean_average_precision_50"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["mean_average_precision"] == pytest.approx((0.5 / 3 + 1) / 2)
    assert found["f1_50"] == pytest.approx(2 / 4)


def test_metrics_of_areas_by_hand():
    right, found = np.array([[0, 0, 1, 1, 2]]), np.array([[0, 1, 1, 1, 0]])
    table = metrics.confusion_of_areas(found, right, 4)
    measured = metrics.area_metrics([table], ("a", "b", "c"))
    assert measured["iou_a"] == pytest.approx(2 / 3)
    assert measured["iou_b"] == 0
    assert "iou_c" not in measured  # it occurs nowhere
    assert measured["mean_iou"] == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    assert measured["pixel_accuracy"] == pytest.approx(3 / 5)


def test_a_report_has_the_figures_of_each_look_and_the_worst_pictures():
    pictures = [np.full((70, 90, 3), level, "uint8") for level in (10, 200)] + [np.zeros((70, 90, 3), "uint8")]
    pictures[2][..., 0] = 90
    found = [Segmented(CELLS), Segmented(np.zeros_like(CELLS)), Segmented(np.where(CELLS == 2, 0, CELLS))]
    table, line, worst = TASK.report(found, [CELLS] * 3, pictures)
    assert [row[:2] for row in table.rows] == [("dark", 1), ("light", 1), ("coloured", 1)]
    assert [row[4] for row in table.rows] == ["1.000", "0.000", "0.750"]
    np.testing.assert_allclose(line.lines[0].y, (1 + 0 + 0.75) / 3)
    assert [picture.caption for picture in worst.pictures[:4]] == [
        "found 0 of 4, and 0 that are none",
        "right",
        "found 3 of 4, and 0 that are none",
        "right",
    ]


def test_a_report_of_areas_has_a_row_for_each_class():
    task = ImageSegmentation(labels=("a", "b"), instances=False, tile=64)
    found, right = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])
    (table,) = task.report([Segmented(found)], [right], [np.zeros((1, 4, 3))])
    assert list(table.rows) == [("ground", 1, "0.500", "0.667"), ("a", 3, "0.667", "0.800"), ("b", 0, "–", "–")]


def test_what_was_compared_is_not_compared_again():
    calls = []

    def compare(found, right):
        calls.append(1)
        return len(calls)

    segmented, right = Segmented(CELLS), CELLS.copy()
    assert [segmented.compare(right, compare) for _ in range(3)] == [1, 1, 1]
    assert segmented.compare(CELLS, compare) == 2
