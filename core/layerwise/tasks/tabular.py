"""Tables (being written)."""

from layerwise.tasks.base import Task


class TabularClassification(Task): ...


class TabularRegression(Task): ...
