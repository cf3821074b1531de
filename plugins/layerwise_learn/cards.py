"""The flashcards."""

from __future__ import annotations

from layerwise import Card

CARDS: tuple[Card, ...] = ()
