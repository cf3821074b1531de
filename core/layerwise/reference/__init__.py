"""Documents that are written from the code: `python -m layerwise.reference docs` writes docs/hooks.md, docs/lessons.md,
docs/model-cards.md and docs/tasks.md."""

from __future__ import annotations

from layerwise.reference.cards import cards_document
from layerwise.reference.hooks import hooks_document
from layerwise.reference.learning import lessons_document
from layerwise.reference.tasks import tasks_document
from layerwise.snapshot import Snapshot


def documents(snapshot: Snapshot) -> dict[str, str]:
    """The text of each document by its name, as it follows from what is registered."""
    return {
        "hooks.md": hooks_document(),
        "lessons.md": lessons_document(snapshot),
        "model-cards.md": cards_document(snapshot),
        "tasks.md": tasks_document([spec.task for spec in snapshot.models.values()]),
    }
