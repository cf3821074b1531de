"""Export: a version as one file that runs without Layerwise, checked before it is handed over.

    PATH.zip    the network, metadata.json (inputs, outputs, labels, origin, how it was checked), README.md

A process of its own (`layerwise.export.process`, whose backend is TensorFlow whatever this one's is) writes the
network, reads it back by the runtime of its format, and compares what it answers with the core's own forward pass on
real examples. Nothing appears at its place before that.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from layerwise import errors
from layerwise.errors import ExportError
from layerwise.export.formats import FORMATS, PRECISIONS, Format, format_named
from layerwise.processes import start
from layerwise.temporary import temporary_folder
from layerwise.versions import Version, parse_reference

if TYPE_CHECKING:
    from layerwise.versions import Reference
    from layerwise.workspace import Workspace

__all__ = ["FORMATS", "PRECISIONS", "TIME_LIMIT", "Exported", "Format", "export", "exporting", "file_name"]

TIME_LIMIT = 600.0
"""Seconds after which an export is given up."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A finished export: the file, and what its `metadata.json` says."""

    path: Path
    metadata: dict[str, Any]


def file_name(version: Version, file_format: str, precision: str = "float32") -> str:
    """How the file of an export is called: "vision-fashion-conv-shipped-onnx.zip"."""
    parts = [version.name.replace("/", "-"), version.variant, version.id, file_format]
    return "-".join([*parts, *([precision] if precision != "float32" else [])]) + ".zip"


def export(
    workspace: Workspace,
    reference: str | Reference,
    file_format: str,
    *,
    to: Path | str | None = None,
    precision: str = "float32",
    progress: Callable[[str], None] | None = None,
    seconds: float = TIME_LIMIT,
) -> Exported:
    """Write a version in a format that runs without Layerwise. Whatever goes wrong, nothing new is at `to`.

    Args:
        reference: The model, variant and version, as for the predictor.
        file_format: A name of `FORMATS`.
        to: The file, PATH.zip, which is replaced; or a folder to put it into under the name that `file_name` gives,
            made if it is missing. None is the current folder.
        precision: Of the stored weights, one of `PRECISIONS`. Less than float32 changes the answers: by how much is in
            the metadata, with the metrics on the test split when the data set is on this machine.
        progress: Told what is being done, a few words.
        seconds: After this time it is given up.

    Raises:
        NotFoundError: There is no such model, variant or version.
        SpecError: There is no such format, or it does not store weights in that precision.
        MissingDependencyError: The extra "export" is not installed.
        ExportError: The model is not one network, it cannot be written in this format, or it answers differently.

    Example:
        >>> export(workspace, "vision/fashion:dense", "onnx").path.name  # doctest: +SKIP
        'vision-fashion-dense-shipped-onnx.zip'
    """
    for step in exporting(workspace, reference, file_format, to=to, precision=precision, seconds=seconds):
        if isinstance(step, Exported):
            return step
        if progress is not None:
            progress(step)
    raise AssertionError("the last step of an export is its result")


def exporting(
    workspace: Workspace,
    reference: str | Reference,
    file_format: str,
    *,
    to: Path | str | None = None,
    precision: str = "float32",
    seconds: float = TIME_LIMIT,
) -> Iterator[str | Exported]:
    """`export` step by step: what is being done, a few words each time, and at last the result. Closing the iterator
    gives the export up.

    Raises:
        LayerwiseError: While iterating, as for `export`.
    """
    # Commands name the formats in their help, which should not have to wait for all that answers.
    from layerwise.serving.in_use import find_version

    found = format_named(file_format, precision)
    found.check_packages()
    wanted = parse_reference(reference)
    spec = workspace.registry.snapshot().model(wanted.name)
    version = find_version(workspace.versions, spec, wanted.variant, wanted.version)
    if spec.runner is not None:
        raise ExportError(
            f"{spec.name} cannot be exported",
            expected="a model that is one Keras network",
            received="one that brings its own runner",
        )
    path = Path(to or ".").expanduser()
    if path.suffix != ".zip":
        path /= file_name(version, file_format, precision)
    request = {
        "home": str(workspace.home),
        "reference": version.reference,
        "format": file_format,
        "precision": precision,
    }
    with _written(path) as (folder, archive):
        metadata: dict[str, Any] = {}
        for step in _in_a_process({**request, "folder": str(folder)}, seconds):
            if isinstance(step, str):
                yield step
            else:
                metadata = step
        _pack(folder, archive)
    yield Exported(path=path, metadata=metadata)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder to work in and a path for the archive, which is moved to `path` when nothing was raised."""
    try:
        # Beside its place, since a rename is atomic only within a file system.
        with temporary_folder(path.parent) as work:
            folder, archive = work / "content", work / "archive"
            folder.mkdir()
            yield folder, archive
            archive.replace(path)
    except OSError as error:
        raise ExportError(
            f"The export cannot be written to {path}",
            received=error.strerror or str(error),
            remedy="name another place, or free space on the disk",
        ) from error


def _pack(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))


def _in_a_process(request: Mapping[str, Any], seconds: float) -> Iterator[str | dict[str, Any]]:
    """Do what `request` asks for in a process of its own: what it does, and at last the metadata."""
    yield "starting TensorFlow"
    is_late = threading.Event()
    with tempfile.TemporaryFile() as log:
        process = start(
            "layerwise.export.process",
            json.dumps(request),
            home=request["home"],
            environment={"KERAS_BACKEND": "tensorflow"},
            stdin=subprocess.PIPE,  # its end tells the process that nobody waits any more
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
        )

        def give_up() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            is_done = yield from _messages(process)
        finally:
            timer.cancel()
            process.kill()
            process.communicate()
        if is_late.is_set():
            raise ExportError(f"The export took longer than {seconds:g} seconds and was given up")
        if not is_done:
            raise ExportError("The process of the export ended before it was done", received=_end_of(log, process))


def _messages(process: subprocess.Popen[str]) -> Iterator[str | dict[str, Any]]:
    """What the process says; returns whether it came to the metadata, its last word.

    Raises:
        LayerwiseError: It says that it cannot do it.
    """
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "error" in message:
            kind = getattr(errors, message["error"].pop("type"), ExportError)
            raise kind(**message["error"])
        if "metadata" in message:
            yield message["metadata"]
            return True
        yield message["doing"]
    return False


def _end_of(log: IO[bytes], process: subprocess.Popen[str]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else f"exit status {process.returncode}"
