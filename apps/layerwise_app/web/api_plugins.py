"""The routes about plugins.

GET    /api/v1/plugins/report.md?plugin=NAME            what `layerwise check-plugin` has found, as Markdown
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from layerwise.conformance.report import ReportStore
from layerwise.errors import NotFoundError
from layerwise.snapshot import named

if TYPE_CHECKING:
    from layerwise.workspace import Workspace


def report_link(plugin: str) -> str:
    """The link to the report of a plugin, relative to any page."""
    return f"./api/v1/plugins/report.md?{urlencode({'plugin': plugin})}"


def add_plugins(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about plugins."""

    @router.get("/plugins/report.md")
    def report(plugin: str) -> Response:
        """What the conformance kit has found of the release of a plugin that is there."""
        known = {report.name: report for report in workspace.registry.snapshot().plugins}
        found = named(known, plugin, "plugin", "layerwise plugins lists them")
        checks = ReportStore(home=workspace.home).find(found.name, found.source)
        if checks is None:
            raise NotFoundError(
                f"Nobody has checked {found.name}, as it is now", remedy=f"layerwise check-plugin {found.name}"
            )
        return Response(checks.as_markdown(), media_type="text/markdown; charset=utf-8")
