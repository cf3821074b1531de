"""The part of the HTTP API that is about training runs.

GET    /api/v1/runs                                     POST /api/v1/runs {"model": ..., "config": {...}, "device": ...}
GET    /api/v1/runs/{id}                                DELETE /api/v1/runs/{id}
GET    /api/v1/runs/{id}/events?start=0                 POST /api/v1/runs/{id}/stop, /resume, /promote
GET    /api/v1/runs/{id}/stream?start=0                 the events as they come (`layerwise_app.web.api_streams`)
POST   /api/v1/models/{domain}/{application}/rollback
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from layerwise import jobs
from layerwise.config import config_from
from layerwise.fine_tuning import find_start, usual_config
from layerwise_app.web.access.asking import asker, locate, named_cluster
from layerwise_app.web.bodies_described import RunBody, RunDetails, RunEvents, VersionBody, answers
from layerwise_app.web.descriptions import describe_run, describe_version

if TYPE_CHECKING:
    from layerwise.workspace import Workspace


class RunRequest(BaseModel):
    """What to train."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="The name of the model, as /models lists them.", examples=["vision/fashion"])
    variant: str | None = Field(None, description="The network; the model's first when it is left out.")
    config: dict[str, Any] = Field({}, description="Settings; those that are left out are the usual ones.")
    data: str | None = Field(
        None, description="Data of your own: an upload, or a folder on the server. The model's own when left out."
    )
    start_from: str | None = Field(
        None, description="in-use, or the id of a version whose weights it begins with; random ones when left out."
    )
    device: str = Field("auto", description="auto, cpu, gpu (any one), gpu:0, gpu:1 ... or all (every GPU).")
    cluster: str | None = Field(
        None, description="The address of a Ray cluster, or local to start one there; none when left out."
    )
    workers: int | None = Field(None, description="How many processes of the cluster share every batch.")


def add_runs(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about training runs."""

    @router.get("/runs", **answers(list[RunBody]))
    def runs() -> list[dict[str, Any]]:
        """All training runs, the newest first: what was asked for, the state (queued, running, finished, stopped,
        failed) with its reason, the metrics of the last epoch, and whether it can be resumed."""
        return [describe_run(workspace, run) for run in workspace.runs.list()]

    @router.post("/runs", status_code=201, **answers(RunBody, 201))
    def start(body: RunRequest) -> dict[str, Any]:
        """Start a training run in a process of its own, which goes on when the server ends. While another run has the
        device it is queued, and its reason says what it waits for."""
        spec = workspace.registry.snapshot().model(body.model)
        variant = spec.variant(body.variant)
        start_from = find_start(workspace.versions, spec, variant.name, body.start_from)
        config = config_from(spec.config, {**asdict(usual_config(variant, start_from)), **body.config})
        data = locate(workspace.uploads, body.data)
        run = jobs.start(
            workspace.runs,
            spec,
            variant=variant.name,
            config=config,
            data=data,
            start_from=start_from,
            device=body.device,
            cluster=named_cluster(body.cluster),
            workers=body.workers,
            by=asker(),
        )
        return describe_run(workspace, run)

    @router.get("/runs/{identifier}", **answers(RunDetails))
    def run(identifier: str) -> dict[str, Any]:
        """One run, with its config and the metrics of each epoch."""
        found = workspace.runs.get(identifier)
        return {**describe_run(workspace, found), "config": found.config, "history": found.history()}

    @router.get("/runs/{identifier}/events", **answers(RunEvents))
    def events(
        identifier: str,
        start: Annotated[int, Query(description="The number of the first event that is wanted, from 0.")] = 0,
    ) -> dict[str, Any]:
        """What happened in a run, from event number `start` on; `next` is the `start` of the next request. The run has
        ended when `state` is finished, stopped or failed. An event "started" with an `epoch` and a `step` means that
        the run went on from there: what earlier events say of later steps is done again."""
        found = workspace.runs.get(identifier)
        state, first = found.state, max(start, 0)
        new = workspace.runs.course(found).since(first)
        return {"state": state, "events": new, "next": first + len(new)}

    @router.post("/runs/{identifier}/stop", **answers(RunBody))
    def stop(identifier: str) -> dict[str, Any]:
        """Ask a run to stop after its current step and to keep what there is, or to leave the queue."""
        found = workspace.runs.get(identifier)
        jobs.stop(found)
        return describe_run(workspace, found)

    @router.post("/runs/{identifier}/resume", **answers(RunBody))
    def resume(identifier: str) -> dict[str, Any]:
        """Let a run that was stopped or failed go on from its newest checkpoint, or from its beginning when there is
        none."""
        found = workspace.runs.get(identifier)
        jobs.resume(found)
        return describe_run(workspace, found)

    @router.post("/runs/{identifier}/promote", **answers(VersionBody))
    def promote(identifier: str) -> dict[str, Any]:
        """Put the version that a run made in use."""
        found = workspace.runs.get(identifier)
        return describe_version(workspace.versions.promote(workspace.registry.snapshot().model(found.name), found))

    @router.post("/models/{domain}/{application}/rollback", **answers(VersionBody))
    def rollback(domain: str, application: str, variant: str | None = None) -> dict[str, Any]:
        """Put the version in use that was in use before."""
        spec = workspace.registry.snapshot().model(f"{domain}/{application}")
        return describe_version(workspace.versions.rollback(spec, variant))

    @router.delete("/runs/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete a run that has ended, with its version."""
        workspace.runs.delete(identifier)
