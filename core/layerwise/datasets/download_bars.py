"""Bars in a terminal for files that are downloaded, for commands of the app and of plugins."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerwise.datasets.downloads import Progress


@contextlib.contextmanager
def download_bars() -> Iterator[Progress]:
    """What shows how much of each file is here. It is drawn from the first news on: what is imported before that holds
    back what is written."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TimeRemainingColumn())
    bars = Bars(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[str, Any] = {}

    def show(file: str, done: int, total: int) -> None:
        if file not in tasks:
            bars.start()
            tasks[file] = bars.add_task(file, total=total or None)
        bars.update(tasks[file], completed=done, total=total or None)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
