"""The part of the HTTP API that is about models beside each other.

POST   /api/v1/beside {"models": [NAME, NAME], "inputs": {...}}    asks all of them the same
GET    /api/v1/leaderboards                             POST /api/v1/leaderboards {"models": [NAME, NAME], ...}
GET    /api/v1/leaderboards/{id}                        DELETE /api/v1/leaderboards/{id}
GET    /api/v1/leaderboards/{id}/models.csv, /pairs.csv, /leaderboard.md
POST   /api/v1/leaderboards/{id}/stop, /resume
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from layerwise import jobs
from layerwise.beside import ask, check_same, described
from layerwise.comparing import leaderboards
from layerwise.errors import NotFoundError
from layerwise_app.values import plain
from layerwise_app.web.bodies import read_inputs

if TYPE_CHECKING:
    from layerwise.comparing.leaderboards import Leaderboard
    from layerwise.workspace import Workspace

AT_A_TIME = 2
"""How many requests are answered at the same time, each by several models; the others wait."""
FILES = ("models.csv", "pairs.csv", "leaderboard.md")


class BesideRequest(BaseModel):
    """What is asked, and whom."""

    model_config = ConfigDict(extra="forbid")

    models: list[str] = Field(description="domain/application[:variant][@version], two or more that take the same.")
    inputs: Any = Field(description="As for /predict; files in base64.")


class LeaderboardRequest(BaseModel):
    """What is measured, and on what."""

    model_config = ConfigDict(extra="forbid")

    models: list[str]
    data: str | None = Field(None, description="A data set, an upload or a folder on the server; else their own.")
    split: str = "test"
    limit: int | None = Field(None, description="How many examples at most; all when left out.")
    metric: str | None = Field(None, description="By which they are ranked; the main one of their task.")


def add_beside(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about models beside each other."""
    threads = CapacityLimiter(AT_A_TIME)

    @router.post("/beside")
    async def beside(body: BesideRequest) -> list[dict[str, Any]]:
        """The answer of each model to one input, with its time, and what it takes. What goes wrong with one of them is
        its `error`."""

        def answers() -> list[dict[str, Any]]:
            first, *_ = check_same(workspace, body.models)
            fields = workspace.registry.snapshot().model(first.name).task.inputs
            *_, replies = ask(workspace, body.models, read_inputs(fields, body.inputs))
            return plain(described(replies))

        return await to_thread.run_sync(answers, limiter=threads)

    @router.get("/leaderboards")
    def boards() -> list[dict[str, Any]]:
        """All leaderboards, the newest first."""
        return [describe(found) for found in workspace.leaderboards.list()]

    @router.post("/leaderboards", status_code=201)
    def start(body: LeaderboardRequest) -> dict[str, Any]:
        """Measure models on the same examples, in a process of its own."""
        found = leaderboards.start(
            workspace, body.models, data=body.data, split=body.split, limit=body.limit, metric=body.metric
        )
        return describe(found)

    @router.get("/leaderboards/{identifier}")
    def board(identifier: str) -> dict[str, Any]:
        """One leaderboard: the models, the best first, and every two of them tested against each other."""
        return describe(workspace.leaderboards.get(identifier))

    @router.get("/leaderboards/{identifier}/{file}")
    def download(identifier: str, file: str) -> Response:
        """A leaderboard as a file."""
        return as_file(workspace.leaderboards.get(identifier), file)

    @router.post("/leaderboards/{identifier}/stop")
    def stop(identifier: str) -> dict[str, Any]:
        """Ask a leaderboard to stop; what has been measured is kept."""
        found = workspace.leaderboards.get(identifier)
        jobs.stop(found)
        return describe(found)

    @router.post("/leaderboards/{identifier}/resume")
    def resume(identifier: str) -> dict[str, Any]:
        """Let a leaderboard that was stopped or failed measure what is missing."""
        found = workspace.leaderboards.get(identifier)
        jobs.resume(found)
        return describe(found)

    @router.delete("/leaderboards/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete a leaderboard that has ended."""
        workspace.leaderboards.delete(identifier)


def describe(found: Leaderboard) -> dict[str, Any]:
    """A leaderboard as JSON."""
    progress = found.progress
    return {
        "id": found.id,
        "created": found.created,
        "state": found.state,
        "reason": found.reason,
        "progress": dict(zip(("model", "done", "total"), progress, strict=True)) if progress else None,
        **found.board,
    }


def as_file(found: Leaderboard, name: str) -> Response:
    """A leaderboard as one of `FILES`.

    Raises:
        NotFoundError: There is no such file.
    """
    from layerwise.comparing.leaderboard_tables import as_markdown, write_csv, write_pairs_csv

    if name not in FILES:
        raise NotFoundError(f"There is no file {name!r}", remedy=f"ask for {' or '.join(FILES)}")
    if name == "leaderboard.md":
        content, kind = as_markdown(found.board), "text/markdown; charset=utf-8"
    else:
        file = io.StringIO(newline="")
        (write_csv if name == "models.csv" else write_pairs_csv)(found.board, file)
        content, kind = file.getvalue(), "text/csv"
    disposition = {"Content-Disposition": f'attachment; filename="layerwise-{name}"'}
    return Response(content, media_type=kind, headers=disposition)
