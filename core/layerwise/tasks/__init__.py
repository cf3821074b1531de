"""The task types that more than one plugin could use, one file each."""

from layerwise.tasks.base import Answer, Field, Task
from layerwise.tasks.image_classification import ImageClassification
from layerwise.tasks.tabular import TabularClassification, TabularRegression

__all__ = ["Answer", "Field", "ImageClassification", "TabularClassification", "TabularRegression", "Task"]
