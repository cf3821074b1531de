"""The lessons, in the order in which they are read: texts and controls. What the experiments compute is in
`layerwise_learn.experiments`.
"""

from __future__ import annotations

from layerwise import Lesson
from layerwise_learn.lessons import (
    activations,
    architecture,
    backpropagation,
    deep_learning,
    depth,
    epochs_and_overfitting,
    forward_pass,
    gradient_descent,
    learning_rate,
    loss,
    neuron,
)

LESSONS: tuple[Lesson, ...] = (
    deep_learning.LESSON,
    neuron.LESSON,
    architecture.LESSON,
    activations.LESSON,
    forward_pass.LESSON,
    loss.LESSON,
    backpropagation.LESSON,
    gradient_descent.LESSON,
    learning_rate.LESSON,
    epochs_and_overfitting.LESSON,
    depth.LESSON,
)
