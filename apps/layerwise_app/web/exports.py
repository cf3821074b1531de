"""Exports that a server makes: one at a time, into files that end with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask

from layerwise.export import Exported, exporting
from layerwise.versions import Reference

if TYPE_CHECKING:
    from layerwise.workspace import Workspace

KEPT = 6 * 3600.0
"""Seconds for which an export can be downloaded."""
_busy = threading.Lock()
"""An export is a process that uses all cores for some seconds."""


class ExportRequest(BaseModel):
    """What to export; None is the default variant, and the version in use."""

    model_config = ConfigDict(extra="forbid")

    format: str
    variant: str | None = None
    version: str | None = None
    precision: str = "float32"


def export_steps(
    workspace: Workspace, reference: Reference, file_format: str, *, to: Path, precision: str = "float32"
) -> Iterator[str | Exported]:
    """`layerwise.export.exporting`, after those that were asked for before."""
    while not _busy.acquire(timeout=0.5):
        yield "waiting for another export"
    try:
        yield from exporting(workspace, reference, file_format, to=to, precision=precision)
    finally:
        _busy.release()


def export_folder() -> Path:
    """A new folder for one export, where what visitors upload is too: it is gone when the server ends, and with the
    first export after some hours."""
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=os.environ.get("GRADIO_TEMP_DIR")))
    for former in folder.parent.glob("export-*"):
        with contextlib.suppress(OSError):
            if time.time() - former.stat().st_mtime > KEPT:
                shutil.rmtree(former)
    return folder


def add_exports(router: APIRouter, workspace: Workspace) -> None:
    """Add the route that exports."""

    @router.post("/models/{domain}/{application}/export")
    def export(domain: str, application: str, body: ExportRequest) -> FileResponse:
        """A version as a zip that runs without Layerwise. Takes some seconds; the file is sent when it was checked."""
        reference = Reference(f"{domain}/{application}", body.variant, body.version)
        folder = export_folder()
        try:
            *_, last = export_steps(workspace, reference, body.format, to=folder, precision=body.precision)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        assert isinstance(last, Exported)
        removal = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        return FileResponse(last.path, filename=last.path.name, media_type="application/zip", background=removal)
