"""Training in a process of its own: start it, follow it, stop it.

The run's folder is the only channel. The process is started anew (never forked, since TensorFlow's threads do
not survive a fork) and in a session of its own, so that it goes on when the terminal or the server that
started it is gone. `python -m layerwise.jobs FOLDER` is that process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.config import TrainingConfig
from layerwise.errors import LayerwiseError, RunError
from layerwise.runs import ENDINGS, Run, RunStore

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec


def start(
    runs: RunStore,
    spec: ModelSpec,
    *,
    variant: str | None = None,
    config: TrainingConfig | None = None,
    data: Path | str | None = None,
) -> Run:
    """Start training `spec` and return at once.

    Args:
        config: None trains with the variant's own config.
        data: A folder of the user's own data, or None for the model's data set.

    Raises:
        NotFoundError: The model has no such variant.
        RunError: There is nothing to train it on.
    """
    if data is None and spec.data is None and spec.train is None:
        raise RunError(f"{spec.name} has no data set of its own", remedy="name a folder of your own with --data FOLDER")
    if data is not None and not Path(data).exists():
        raise RunError("There is no such folder to train on", received=str(data))
    run = runs.create(spec, variant, config or spec.variant(variant).config, data=data)
    environment = {**os.environ, "LAYERWISE_HOME": str(runs.home), "PYTHONUNBUFFERED": "1"}
    with (run.folder / "log.txt").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", "layerwise.jobs", str(run.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    return run


def follow(run: Run, poll: float = 0.2) -> Iterator[dict[str, Any]]:
    """The events of a run, from its first to its last, as they come. Ends when the run has ended.

    Args:
        poll: Seconds between two looks.
    """
    position = 0
    while True:
        state = run.state
        events, position = run.events_from(position)
        for event in events:
            yield event
            if event["event"] in ENDINGS:
                return
        if state in ENDINGS:
            # Its process died and could not say so.
            yield {"time": time.time(), "event": state, "reason": run.reason}
            return
        time.sleep(poll)


def stop(run: Run) -> None:
    """Ask a run to stop after its current step.

    Raises:
        RunError: It has ended already.
    """
    if not run.is_active:
        raise RunError(f"The run {run.id} cannot be stopped", received=f"a run that is {run.state}")
    run.request_stop()


def main(folder: str) -> int:
    """The process of one run: takes its lock, trains, and says how it ended. Returns the exit status."""
    run = Run(Path(folder))
    with run.lock():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: run.request_stop())
        try:
            _train(run)
        except LayerwiseError as error:
            run.append("failed", reason=str(error))
        except MemoryError:
            run.append("failed", reason="The memory ran out. What to do: use a smaller batch_size or network.")
        except Exception as error:  # the last place where a reason can be written
            traceback.print_exc()
            run.append("failed", reason=_one_sentence(error), traceback=traceback.format_exc())
        return int(run.state == "failed")


def _train(run: Run) -> None:
    from layerwise.registry import Registry
    from layerwise.training import Context, fit

    home = run.folder.parent.parent
    snapshot = Registry(home).snapshot()
    fit(Context.of(run, snapshot))


def _one_sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else "no further word"
    if "ResourceExhausted" in type(error).__name__ or "out of memory" in first.lower():
        return f"The device's memory ran out ({first[:200]}). What to do: use a smaller batch_size or network."
    return f"An unexpected {type(error).__name__}: {first[:500]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
