"""What a run looks like in the terminal: a bar for the epoch that is going on, a line for each that has ended."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any

import typer

from layerwise.errors import InputError
from layerwise.job_folders.events import ENDINGS, course, metrics_of
from layerwise_app.cli.output import figures, print_json
from layerwise_app.words import ago, went_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from layerwise.job_folders.job import Job
    from layerwise.runs import Run
    from layerwise.workspace import Workspace

STATUS = {"finished": 0, "failed": 1, "stopped": 130}
"""The exit status for each way in which a run can end; 130 is what shells give a program that Ctrl-C ended."""
PAST_EPOCHS = 10
"""How many of the epochs that are over already are shown."""


def refuse_promoting_detached(promote: bool, detach: bool) -> None:
    """Say that these two options exclude each other.

    Raises:
        InputError: Both are given.
    """
    if promote and detach:
        raise InputError("--promote waits for the end of the run, --detach does not", remedy="leave out one of them")


def see_off(workspace: Workspace, run: Run, *, promote: bool, detach: bool, json: bool) -> None:
    """Show a run that was just started or resumed to its end, and put its version in use when that is wanted; or
    return at once.

    Raises:
        typer.Exit: Always when it was shown: with status 1 when the run failed, 130 when it was stopped.
    """
    if detach:
        if json:
            print_json({"run": run.id, "state": run.state})
        else:
            typer.echo(f"{run.id} goes on by itself: layerwise follow {run.id[-4:]} shows it.")
        return
    status = show_to_its_end(run, json=json)
    if promote and status == 0:
        version = workspace.versions.promote(workspace.registry.snapshot().model(run.name), run)
        typer.echo(f"In use now: {version.reference}", err=json)
    raise typer.Exit(status)


def show_to_its_end(run: Run, *, json: bool = False, stop_on_interrupt: bool = True) -> int:
    """Show what a run has done so far in short, and then what it does. Ctrl-C asks it to stop and waits for that; a
    second one only stops looking.

    Args:
        json: Show nothing but the result, as JSON.
        stop_on_interrupt: False for one who only looks: Ctrl-C leaves the run alone.

    Returns:
        The exit status.
    """
    from layerwise import jobs

    past, position = run.event_log.read_from(0)
    ended = [event for event in past[-1:] if event["event"] in ENDINGS]
    last: dict[str, Any] = {}
    screen = _Screen(run)
    try:
        with (
            contextlib.nullcontext() if json else screen,
            stopping(run, screen.stop) if stop_on_interrupt else contextlib.nullcontext(),
        ):
            if not json:
                screen.show_past(course(past))
            for event in ended or jobs.follow(run, position=position):
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
def stopping(job: Job, told: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Make the first Ctrl-C a request to stop. As an exception it could come in the middle of anything.

    Args:
        told: Called then. It must not print: standard output may be in the middle of another line.
    """

    def on_interrupt(number: int, frame: Any) -> None:
        if job.stop_requested:
            signal.default_int_handler(number, frame)
        job.request_stop()
        told()

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
        self._checkpointed: float | None = None
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

    def stop(self) -> None:
        """Show from now on that it stops."""
        self.is_stopping = True

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False)

    def show(self, event: dict[str, Any]) -> None:
        """Show one event."""
        getattr(self, f"_{event['event']}", lambda _: None)(event)

    def show_past(self, events: list[dict[str, Any]]) -> None:
        """Show what was before one looked: of many epochs only the last."""
        epochs = [event for event in events if event["event"] == "epoch"]
        if len(epochs) > PAST_EPOCHS:
            self.say(f"{len(epochs) - PAST_EPOCHS} epochs before these: {self.run.folder / 'metrics.csv'}")
        hidden = epochs[:-PAST_EPOCHS]
        for event in events:
            if event["event"] in ("started", "epoch", "checkpoint") and event not in hidden:
                self.show(event)
        # What it waits for counts only while it does.
        if events and events[-1]["event"] in ("waiting", "preparing", "download", "progress"):
            self.show(events[-1])

    def _update(self, **values: Any) -> None:
        if self._bar is not None:
            self._bar.update(self._task, **values)

    def _download(self, event: dict[str, Any]) -> None:
        self._update(
            description=f"downloading {event['file']}", completed=event["bytes"], total=event["total_bytes"] or None
        )

    def _preparing(self, event: dict[str, Any]) -> None:
        if "total" in event:
            self._update(description=event["what"], completed=event["done"], total=event["total"])
        else:
            self._update(description="reading the data", total=None)

    def _waiting(self, event: dict[str, Any]) -> None:
        self.say(event["reason"])
        self._update(description="waiting", total=None)

    def _checkpoint(self, event: dict[str, Any]) -> None:
        self._checkpointed = event["time"]

    def _started(self, event: dict[str, Any]) -> None:
        self.num_epochs = event["num_epochs"]
        if resumed := went_on(event):
            self.say(f"It {resumed}.")
        self.say(
            f"{event['num_parameters']:,} parameters, {event['examples']:,} examples, "
            f"{event['steps_per_epoch']:,} steps an epoch, on {event['device']}"
        )
        self._update(description="compiling", completed=0, total=None)

    def _progress(self, event: dict[str, Any]) -> None:
        # An agent that only plays yet has no loss.
        loss = f"loss {event['loss']:.4f}  " if "loss" in event else ""
        self._update(
            description="stopping" if self.is_stopping else f"epoch {event['epoch']}/{self.num_epochs}",
            completed=event["step"],
            total=event["steps"],
            note=f"{loss}{event.get('samples_per_second', 0):,.0f} examples/s{self._kept()}",
        )

    def _kept(self) -> str:
        return "" if self._checkpointed is None else f"  checkpoint {ago(time.time() - self._checkpointed)}"

    def _epoch(self, event: dict[str, Any]) -> None:
        seconds = f"  {event['seconds']:.1f} s" if "seconds" in event else ""
        self.say(f"epoch {event['epoch']}/{self.num_epochs}  {figures(metrics_of(event))}{seconds}")

    def _finished(self, event: dict[str, Any]) -> None:
        self.say(f"Finished. To use the result: layerwise promote {self.run.id[-4:]}")

    def _stopped(self, event: dict[str, Any]) -> None:
        use = f"To use it: layerwise promote {self.run.id[-4:]}. " if self.run.version_folder else ""
        self.say(f"Stopped. {use}{self._resume_hint}")

    def _failed(self, event: dict[str, Any]) -> None:
        typer.secho(f"Failed. {event.get('reason', '')}", fg="red", err=True)
        if "traceback" in event:
            typer.echo(f"What its process printed: {self.run.folder / 'log.txt'}", err=True)
        typer.echo(self._resume_hint, err=True)

    @property
    def _resume_hint(self) -> str:
        return f"To go on: layerwise resume {self.run.id[-4:]}"
