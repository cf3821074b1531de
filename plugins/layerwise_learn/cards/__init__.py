"""The flashcards: each asks for one idea, and names the lesson that explains it."""

from __future__ import annotations

from layerwise_learn.cards import applications, four_steps, network, training_well, why_it_works

CARDS = (
    *network.CARDS,
    *four_steps.CARDS,
    *training_well.CARDS,
    *why_it_works.CARDS,
    *applications.CARDS,
)
