"""What every page is drawn from."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.versions import Reference
from layerwise_app.web.routes import Routes

if TYPE_CHECKING:
    from layerwise.predictor import Predictor
    from layerwise.registry import Snapshot
    from layerwise.workspace import Workspace


SERVER_START = secrets.token_hex(8)
"""Which start of the server drew a page. An open page compares it with the one that answers."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One state of the registry, and what answers for it.

    Args:
        workspace: The runs, the versions and the predictor.
        snapshot: What is registered. Pages are drawn from it, never from the registry's newest.
        address: Where the server is reached, "http://127.0.0.1:7860", for the snippets.
        has_accounts: Whether visitors sign in, and not everybody may do everything.
        refresh: Looks at the registry at once and returns when the pages are up to date.
    """

    workspace: Workspace
    snapshot: Snapshot
    address: str
    refresh: Callable[[], None]
    has_accounts: bool = False

    @property
    def predictor(self) -> Predictor:
        """What answers."""
        return self.workspace.predictor

    @property
    def routes(self) -> Routes:
        """The path of each page."""
        return Routes.of(self.snapshot)

    def references(self, *, trainable: bool = False) -> list[Reference]:
        """Every variant of every model, or of those that can be trained, in the order of the registry."""
        return [
            Reference(spec.name, variant.name)
            for spec in self.snapshot.models.values()
            if spec.is_trainable or not trainable
            for variant in spec.variants
        ]
