"""The quiz questions. Each wrong choice is a mistake that learners make, and the explanation says why it is one."""

from __future__ import annotations

from layerwise_learn.questions import applications, four_steps, network, training_well, why_it_works

QUESTIONS = (
    *network.QUESTIONS,
    *four_steps.QUESTIONS,
    *training_well.QUESTIONS,
    *why_it_works.QUESTIONS,
    *applications.QUESTIONS,
)
