"""Small examples of the data that models can be trained on: the format of one's own data, to look at and to copy from.

write_sample(task, Path("example"))
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError, InputError
from layerwise.own_data import format_of
from layerwise.paths import is_new_or_empty, written_whole

if TYPE_CHECKING:
    from layerwise.tasks.base import Task

FOLDER = "example"
"""What the folder in an archive is called."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time that all files of an archive have, so that it is always the same bytes: the first that zip can write."""


def has_sample(task: Task) -> bool:
    """Whether the task gives an example of a user's own data."""
    from layerwise.tasks.base import Task

    return bool(task.folder_format) and type(task).write_sample is not Task.write_sample


def write_sample(task: Task, folder: Path) -> None:
    """Write an example of the data that a model can be trained on: the whole folder, or nothing.

    Args:
        task: The model's.
        folder: Not there yet, or empty.

    Raises:
        InputError: The model cannot be trained on data of one's own, or has no example of such.
        DataError: The folder has something in it, or cannot be written.
    """
    folder = Path(folder).expanduser().absolute()
    _check_has_sample(task)
    try:
        if not is_new_or_empty(folder):
            raise DataError(
                "There is something already", expected="a folder that is new or empty", received=str(folder)
            )
        with written_whole(folder) as written:
            task.write_sample(written)
    except OSError as error:
        raise DataError("The folder cannot be written", received=f"{folder}: {error.strerror}") from None


def zipped_sample(task: Task) -> bytes:
    """An example of the data that a model can be trained on, as a zip archive.

    Raises:
        InputError: As from `write_sample`.
    """
    _check_has_sample(task)
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(name)
        task.write_sample(folder)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = zipfile.ZipInfo(f"{FOLDER}/{path.relative_to(folder).as_posix()}", _EARLIEST)
            archive.writestr(inside, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _check_has_sample(task: Task) -> None:
    format_of(task)
    if not has_sample(task):
        raise InputError(
            f"{task.type_name} has no example of data of your own",
            remedy="layerwise check NAME says how they must look",
        )
