"""The part of the HTTP API that is about data of the user's own: bringing them, looking at them, deleting them.

GET    /api/v1/data                                     PUT /api/v1/data/{file name}, the file as the body
GET    /api/v1/data/{id}/report?model=NAME              DELETE /api/v1/data/{id}
GET    /api/v1/data/example.zip?model=NAME

`POST /api/v1/runs` takes the id of an upload, or a path on the machine of the server, as "data".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from layerwise import own_data
from layerwise.datasets.archives import safe_name
from layerwise.datasets.sample_data import zipped_sample
from layerwise.datasets.uploads import LARGEST_UPLOAD
from layerwise.errors import InputError
from layerwise.quota import Quota
from layerwise.temporary import temporary_folder
from layerwise.versions import parse_reference

if TYPE_CHECKING:
    from layerwise.tasks.base import Task
    from layerwise.workspace import Workspace


def add_data(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about data."""
    uploads = workspace.uploads

    def task_of(name: str) -> Task:
        reference = parse_reference(name)
        spec = workspace.registry.snapshot().model(reference.name)
        return spec.task_of(spec.variant(reference.variant))

    @router.get("/data")
    def listed() -> list[dict[str, Any]]:
        """All data that were brought, the newest first."""
        return [upload.as_json() for upload in uploads.list()]

    # Named as in the other routes: to a schema the same path by two names would be two.
    @router.put("/data/{identifier}", status_code=201)
    async def bring(
        identifier: Annotated[str, Path(description="The name of the file.")], request: Request
    ) -> dict[str, Any]:
        """Take a zip archive or a table, streamed to the disk."""
        # A folder for each file: it is there until the upload is complete.
        with temporary_folder(uploads.folder) as folder:
            path = folder / (safe_name(identifier, "The upload").replace("/", "_") or "upload")
            quota = Quota(folder, LARGEST_UPLOAD, "The upload")
            quota.expect(_content_length(request))
            with path.open("wb") as file:
                async for chunk in request.stream():
                    quota.take(len(chunk))
                    await asyncio.to_thread(file.write, chunk)
            return (await asyncio.to_thread(uploads.add, [path])).as_json()

    @router.get("/data/{identifier}/report")
    def report(identifier: str, model: str) -> dict[str, Any]:
        """What a model would see in an upload."""
        return own_data.check(task_of(model), uploads.get(identifier).folder).as_json()

    @router.get("/data/example.zip")
    def example(model: str) -> Response:
        """A small example of the data that a model can be trained on."""
        disposition = {"Content-Disposition": 'attachment; filename="example.zip"'}
        return Response(zipped_sample(task_of(model)), media_type="application/zip", headers=disposition)

    @router.delete("/data/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete an upload that no run trains on."""
        uploads.delete(identifier)


def _content_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise InputError("The length of the request cannot be read", received=repr(length[:40]))
    return int(length)
