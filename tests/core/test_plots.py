"""What plots refuse, and that their arrays are arrays."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.errors import SpecError
from layerwise.plots import BarPlot, Heatmap, Histogram, Line, Logo, Picture, Tokens


def test_sequences_become_arrays_of_floats():
    line = Line(x=[1, 2], y=(3, 4), low=[2, 3], high=[4, 5])
    assert all(values.dtype == np.float64 for values in (line.x, line.y, line.low, line.high))
    assert Picture(pixels=[[0, 255]]).pixels.shape == (1, 2)


def test_a_histogram_counts_what_is_finite():
    found = Histogram.of([[0.0, 0.5], [1.0, np.nan]], bins=2)
    assert found.edges.tolist() == [0.0, 0.5, 1.0]
    assert found.counts.tolist() == [1.0, 2.0]
    assert Histogram.of([np.inf]).counts.sum() == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Line(x=[1], y=[1, 2]), "equal length"),
        (lambda: Line(x=[1], y=[1], low=[0]), "equal length"),
        (lambda: Line(x=[1], y=[1], kind="wavy"), "expected: one of line, dashed, dots"),
        (lambda: Line(x=[[1]], y=[1]), "expected: 1 dimensions"),
        (lambda: BarPlot(labels=("a",), values=[1, 2]), "value for each label"),
        (lambda: Histogram(edges=[0, 1], counts=[1, 2]), "one edge more"),
        (lambda: Heatmap(values=[1, 2]), "expected: 2 dimensions"),
        (lambda: Picture(pixels=np.zeros((4, 4, 2))), "unusable pixels"),
        (lambda: Picture(pixels=np.zeros((0, 4))), "unusable pixels"),
        (lambda: Tokens(tokens=("a", "b"), weights=[1]), "weight for each token"),
        (lambda: Logo(letters="ACGT", heights=[[1, 2, 3]]), "one for each letter"),
        (lambda: Logo(letters="AC", heights=[[1, -2]]), "none negative"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, reason):
    with pytest.raises(SpecError, match=f"(?i){reason}"):
        make()
