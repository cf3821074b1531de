"""The quiz questions."""

from __future__ import annotations

from layerwise import Question

QUESTIONS: tuple[Question, ...] = ()
