"""The part of the HTTP API that is about several runs: comparing them.

GET    /api/v1/comparison?run=ID&run=ID                 GET /api/v1/comparison/epochs.csv, /summary.csv
POST   /api/v1/comparison {"runs": [ID, ID]}            measures those that are not measured yet
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from layerwise import comparison
from layerwise.errors import NotFoundError
from layerwise.measurement import start_measuring

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

Identifiers = Annotated[list[str], Query(alias="run")]


class ComparisonRequest(BaseModel):
    """Which runs to measure."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str]


def add_comparison(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about comparing."""

    @router.get("/comparison")
    def compare(run: Identifiers) -> dict[str, Any]:
        """Runs beside each other: a summary and the history of each, what differs, and contrasts with the first."""
        return comparison.described(comparison.find_runs(workspace.runs, run))

    @router.get("/comparison/{table}.csv")
    def export(table: str, run: Identifiers) -> Response:
        """The table "epochs" (a row for each run and epoch) or "summary" (a row for each run)."""
        if table not in comparison.WRITERS:
            raise NotFoundError(f"There is no table {table!r}", remedy=f"ask for {' or '.join(comparison.WRITERS)}")
        file = io.StringIO(newline="")
        comparison.WRITERS[table](comparison.find_runs(workspace.runs, run), file)
        disposition = {"Content-Disposition": f'attachment; filename="layerwise-{table}.csv"'}
        return Response(file.getvalue(), media_type="text/csv", headers=disposition)

    @router.post("/comparison", status_code=202)
    def measure(body: ComparisonRequest) -> dict[str, Any]:
        """Measure the versions of runs on held-out examples, in a process of its own; says which are begun."""
        return {"measuring": [run.id for run in start_measuring(comparison.find_runs(workspace.runs, body.runs))]}
