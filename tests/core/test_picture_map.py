"""Pictures on a map: each where its vector lies, and all of them where they are few."""

import numpy as np
from PIL import Image

from layerwise.picture_map import CELL, FRAME, HEIGHT, WIDTH, cell_of, pasted

COLORS = [(90, 90, 90), (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)]
BLACK = (0, 0, 0)


def plain(color):
    return Image.new("RGB", (8, 8), color)


def test_each_picture_lies_where_its_vector_does():
    places = np.array([[0.5, 0.5], [0, 0], [1, 0], [0, 1], [1, 1]], "float64")
    drawn = pasted([plain(color) for color in COLORS], places, BLACK)
    assert drawn.size == (WIDTH, HEIGHT)
    canvas, half = np.asarray(drawn), CELL // 2
    corners = [(-half, half), (-half, -half), (half, half), (half, -half)]  # the vertical axis points upwards
    for color, place in zip(COLORS[1:], corners, strict=True):
        assert tuple(canvas[place]) == color
    assert tuple(canvas[HEIGHT // 2, WIDTH // 2]) == COLORS[0]
    assert tuple(canvas[HEIGHT // 2, WIDTH // 2 - CELL - 2]) == FRAME
    assert not canvas[HEIGHT // 4, WIDTH // 2].any()


def test_of_several_in_one_square_all_are_seen_where_they_are_few():
    random = np.random.default_rng(0)
    for count in (1, 24, 80, 200):
        colors = [tuple(int(value) for value in random.integers(1, 200, 3)) for _ in range(count)]
        pictures, cell = [plain(color) for color in [(255, 255, 255), *colors]], cell_of(count)
        for places in (np.zeros((count + 1, 2)), random.normal(size=(count + 1, 2))):
            seen = {color for _, color in pasted(pictures, places, BLACK, cell=cell, is_complete=True).getcolors(10**6)}
            assert seen == {BLACK, FRAME, (255, 255, 255), *colors}
    assert (cell_of(24), cell_of(25), cell_of(80), cell_of(81)) == (96, 64, 64, CELL)
