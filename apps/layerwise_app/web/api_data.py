"""The part of the HTTP API that is about data of the user's own: bringing them, looking at them, deleting them.

GET    /api/v1/data                                     PUT /api/v1/data/{file name}, the file as the body
GET    /api/v1/data/{id}/report?model=NAME              DELETE /api/v1/data/{id}

`POST /api/v1/runs` takes the id of an upload, or a path on the machine of the server, as "data".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from layerwise import own_data
from layerwise.archives import safe_name
from layerwise.errors import InputError
from layerwise.quota import Quota
from layerwise.temporary import temporary_folder
from layerwise.uploads import LARGEST_UPLOAD

if TYPE_CHECKING:
    from layerwise.workspace import Workspace


def add_data(router: APIRouter, workspace: Workspace) -> None:
    """Add the routes about data."""
    uploads = workspace.uploads

    @router.get("/data")
    def listed() -> list[dict[str, Any]]:
        """All data that were brought, the newest first."""
        return [upload.as_json() for upload in uploads.list()]

    @router.put("/data/{name}", status_code=201)
    async def bring(name: str, request: Request) -> dict[str, Any]:
        """Take a zip archive or a table, streamed to the disk."""
        # A folder for each file: it is there until the upload is complete.
        with temporary_folder(uploads.folder) as folder:
            path = folder / (safe_name(name, "The upload").replace("/", "_") or "upload")
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
        spec = workspace.registry.snapshot().model(model)
        return own_data.check(spec.task, uploads.get(identifier).folder).as_json()

    @router.delete("/data/{identifier}", status_code=204)
    def delete(identifier: str) -> None:
        """Delete an upload that no run trains on."""
        uploads.delete(identifier)


def _content_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise InputError("The length of the request cannot be read", received=repr(length[:40]))
    return int(length)
