"""The part of the HTTP API that is about several runs: comparing them, and searching for hyperparameters.

GET    /api/v1/comparison?run=ID&run=ID                 GET /api/v1/comparison/epochs.csv, /summary.csv
POST   /api/v1/comparison {"runs": [ID, ID]}            measures those that are not measured yet
    GET    /api/v1/studies                                  POST /api/v1/studies {"model": ..., "ranges": {...}}
    GET    /api/v1/studies/{id}                             DELETE /api/v1/studies/{id}
    POST   /api/v1/studies/{id}/stop, /resume
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from layerwise import jobs
from layerwise.comparing import comparison
from layerwise.comparing.measurement import start_measuring
from layerwise.errors import NotFoundError
from layerwise.hyperparameters import tuning
from layerwise.hyperparameters.search_space import parse_ranges, usual_ranges
from layerwise_app.web.access.asking import locate

if TYPE_CHECKING:
    from layerwise.hyperparameters.studies import Study
    from layerwise.workspace import Workspace

Identifiers = Annotated[list[str], Query(alias="run")]


class ComparisonRequest(BaseModel):
    """Which runs to measure."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str]


class StudyRequest(BaseModel):
    """What to search."""

    model_config = ConfigDict(extra="forbid")

    model: str
    variant: str | None = None
    ranges: dict[str, str] = {}
    algorithm: str = "bayesian"
    objective: str = "val_loss"
    trials: int = 20
    epochs: int | None = None
    seed: int = Field(default=1, ge=1)
    data: str | None = None
    device: str = "auto"


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


def add_studies(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about searching."""

    def described(study: Study) -> dict[str, Any]:
        return study.report(workspace.registry.snapshot().model(study.name))

    @router.get("/studies")
    def studies() -> list[dict[str, Any]]:
        """All studies, the newest first."""
        return [described(study) for study in workspace.studies.list()]

    @router.post("/studies", status_code=201)
    def start(body: StudyRequest) -> dict[str, Any]:
        """Start a search. `ranges` maps a field to "from..to" or to values between slashes; without any, the usual
        fields are searched in their usual ranges."""
        spec = workspace.registry.snapshot().model(body.model)
        config = spec.variant(body.variant).config
        texts = [f"{name}={text}" for name, text in body.ranges.items()]
        study = tuning.start(
            workspace.studies,
            spec,
            body.variant,
            parse_ranges(config, texts) if texts else usual_ranges(config),
            algorithm=body.algorithm,
            objective=body.objective,
            num_trials=body.trials,
            num_epochs=body.epochs,
            seed=body.seed,
            data=locate(workspace.uploads, body.data),
            device=body.device,
        )
        return described(study)

    @router.get("/studies/{identifier}")
    def study(identifier: str) -> dict[str, Any]:
        """One study: its trials, the best first, and the command that trains with the best."""
        return described(workspace.studies.get(identifier))

    @router.post("/studies/{identifier}/stop")
    def stop(identifier: str) -> dict[str, Any]:
        """Ask a study to stop with its current run."""
        found = workspace.studies.get(identifier)
        jobs.stop(found)
        return described(found)

    @router.post("/studies/{identifier}/resume")
    def resume(identifier: str) -> dict[str, Any]:
        """Let a study that was stopped or failed go on."""
        found = workspace.studies.get(identifier)
        tuning.resume(found)
        return described(found)

    @router.delete("/studies/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete a study that has ended. Its runs stay."""
        workspace.studies.delete(identifier)
