"""Vectors in two dimensions: what stays as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise.projections import nearest, neighbour_map, plane

NUMBERS = st.floats(-10, 10, allow_nan=False).map(lambda number: round(number, 3))


def groups(count, dimensions, apart):
    """Vectors around two points, and which of the two each belongs to."""
    random = np.random.default_rng(0)
    classes = np.arange(count) % 2
    return random.normal(size=(count, dimensions)) + apart * classes[:, None], classes


def test_neighbours_stay_neighbours_and_the_same_map_is_drawn_again():
    vectors, classes = groups(60, 80, 6.0)
    drawn = neighbour_map(vectors)
    assert drawn.shape == (60, 2)
    assert (classes[nearest(drawn, 5)] == classes[:, None]).mean() > 0.95
    np.testing.assert_array_equal(neighbour_map(vectors), drawn)
    assert neighbour_map(vectors[:10, :1]).shape == (10, 2)


def test_the_nearest_are_those_with_the_least_distance():
    vectors = np.random.default_rng(1).normal(size=(20, 3))
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.testing.assert_array_equal(nearest(vectors, 4), distances.argsort(axis=1)[:, 1:5])
    assert nearest(vectors[:3], 5).shape == (3, 2)


def test_the_plane_shows_the_greatest_differences():
    random = np.random.default_rng(2)
    vectors = np.zeros((30, 5))
    vectors[:, :2] = random.normal(size=(30, 2)) * (9, 4)
    places, share = plane(vectors)
    assert share == pytest.approx(1)
    np.testing.assert_allclose(
        np.linalg.norm(places[0] - places[1:], axis=1), np.linalg.norm(vectors[0] - vectors[1:], axis=1)
    )


@settings(deadline=None)
@given(arrays(np.float64, (5, 4), elements=NUMBERS))
def test_the_plane_keeps_distances_as_far_as_two_dimensions_can(vectors):
    places, share = plane(vectors)
    assert 0 <= share <= 1 + 1e-9
    flat, _ = plane(vectors[:3])  # three points lie in a plane
    for one in range(3):
        for other in range(3):
            there, here = (np.linalg.norm(item[one] - item[other]) for item in (vectors, flat))
            assert here == pytest.approx(there, abs=1e-6)
    assert np.allclose(places.mean(axis=0), 0, atol=1e-6)
