"""What a run looks like in the terminal: a bar for the epoch that is going on, a line for each that has ended."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import typer

from layerwise.events import metrics_of
from layerwise_app.cli.output import figures, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from layerwise.runs import Run

STATUS = {"finished": 0, "failed": 1, "stopped": 130}
"""The exit status for each way in which a run can end; 130 is what shells give a program that Ctrl-C ended."""


def show_to_its_end(run: Run, *, json: bool = False, stop_on_interrupt: bool = True) -> int:
    """Show a run while it goes on. Ctrl-C asks it to stop and waits for that; a second one only stops looking.

    Args:
        json: Show nothing but the result, as JSON.
        stop_on_interrupt: False for one who only looks: Ctrl-C leaves the run alone.

    Returns:
        The exit status.
    """
    from layerwise import jobs

    last: dict[str, Any] = {}
    screen = _Screen(run)
    try:
        with (
            contextlib.nullcontext() if json else screen,
            _stopping(run, screen) if stop_on_interrupt else contextlib.nullcontext(),
        ):
            for event in jobs.follow(run):
                last = event
                if not json:
                    screen.show(event)
    except KeyboardInterrupt:
        typer.echo(f"It goes on by itself: layerwise follow {run.id[-4:]} shows it.", err=True)
        raise
    ending = last.get("event", "failed")
    if json:
        print_json({"run": run.id, "state": ending, "reason": run.reason, "history": run.history()})
    return STATUS.get(ending, 1)


@contextlib.contextmanager
def _stopping(run: Run, screen: _Screen) -> Iterator[None]:
    """Make the first Ctrl-C a request to stop. As an exception it could come in the middle of anything."""

    def on_interrupt(number: int, frame: Any) -> None:
        if run.stop_requested:
            signal.default_int_handler(number, frame)
        run.request_stop()
        # Not a line of text: standard output may be in the middle of another one.
        screen.is_stopping = True

    former = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


class _Screen:
    """The terminal while a run goes on. Without a terminal the bar is left out and the lines remain."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.num_epochs = run.config.get("num_epochs", 0)
        self.is_stopping = False
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> _Screen:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(highlight=False, soft_wrap=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("starting", total=None, note="")
        self.say(f"{self.run.id}: {self.run.name}:{self.run.variant}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False)

    def show(self, event: dict[str, Any]) -> None:
        """Show one event."""
        getattr(self, f"_{event['event']}", lambda _: None)(event)

    def _update(self, **values: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._task, **values)

    def _download(self, event: dict[str, Any]) -> None:
        self._update(
            description=f"downloading {event['file']}", completed=event["bytes"], total=event["total_bytes"] or None
        )

    def _started(self, event: dict[str, Any]) -> None:
        self.num_epochs = event["num_epochs"]
        self.say(
            f"{event['num_parameters']:,} parameters, {event['examples']:,} examples, "
            f"{event['steps_per_epoch']:,} steps an epoch, on {event['device']}"
        )
        self._update(description="compiling", completed=0, total=None)

    def _progress(self, event: dict[str, Any]) -> None:
        self._update(
            description="stopping" if self.is_stopping else f"epoch {event['epoch']}/{self.num_epochs}",
            completed=event["step"],
            total=event["steps"],
            note=f"loss {event['loss']:.4f}  {event.get('samples_per_second', 0):,.0f} examples/s",
        )

    def _epoch(self, event: dict[str, Any]) -> None:
        seconds = f"  {event['seconds']:.1f} s" if "seconds" in event else ""
        self.say(f"epoch {event['epoch']}/{self.num_epochs}  {figures(metrics_of(event))}{seconds}")

    def _finished(self, event: dict[str, Any]) -> None:
        self.say(f"Finished. To use the result: layerwise promote {self.run.id[-4:]}")

    def _stopped(self, event: dict[str, Any]) -> None:
        kept = (
            f"To use it: layerwise promote {self.run.id[-4:]}" if self.run.version_folder else "Nothing was kept yet."
        )
        self.say(f"Stopped. {kept}")

    def _failed(self, event: dict[str, Any]) -> None:
        typer.secho(f"Failed. {event.get('reason', '')}", fg="red", err=True)
        if "traceback" in event:
            typer.echo(f"What its process printed: {self.run.folder / 'log.txt'}", err=True)
