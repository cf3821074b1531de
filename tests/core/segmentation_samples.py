"""Pictures of discs, as tests of segmentation find them."""

import numpy as np

from layerwise.tasks import ImageSegmentation

TASK = ImageSegmentation(labels=("cell",), tile=64)


def discs(height, width, places):
    """A map of labels with a disc for each (row, column, radius)."""
    rows, columns = np.mgrid[:height, :width]
    labels = np.zeros((height, width), "int32")
    for number, (row, column, radius) in enumerate(places, start=1):
        labels[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return labels


CELLS = discs(70, 90, [(20, 20, 10), (20, 38, 10), (50, 60, 14), (60, 10, 5)])
