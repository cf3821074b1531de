"""The lessons, in the order in which they are read: texts and controls. What the experiments compute is in
`layerwise_learn.experiments`.
"""

from __future__ import annotations

from layerwise import Lesson
from layerwise_learn.lessons import (
    activations,
    applications,
    architecture,
    backpropagation,
    computation,
    deep_learning,
    depth,
    end_to_end,
    epochs_and_overfitting,
    forward_pass,
    gradient_descent,
    hierarchical_features,
    learning_rate,
    loss,
    neuron,
    regularisation,
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
    regularisation.LESSON,
    computation.LESSON,
    hierarchical_features.LESSON,
    end_to_end.LESSON,
    depth.LESSON,
    applications.LESSON,
)
