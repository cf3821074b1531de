"""Training in a process of its own: start it, follow it, stop it, resume it.

The run's folder is the only channel. The process is started anew (never forked, since TensorFlow's threads do
not survive a fork) and in a session of its own, so that it goes on when the terminal or the server that
started it is gone. `python -m layerwise.jobs FOLDER` is that process. It waits for its device
(`layerwise.job_folders.queue`) before it imports anything heavy.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from layerwise.config import TrainingConfig
from layerwise.errors import LayerwiseError, RunError
from layerwise.fine_tuning import check_lora, usual_config
from layerwise.hardware.slots import num_gpus, parse_device, slots_of, visible_devices
from layerwise.job_folders.events import ENDINGS
from layerwise.job_folders.job import Job
from layerwise.job_folders.queue import turn
from layerwise.processes import start_detached
from layerwise.runs import Run, RunStore
from layerwise.specs import ForeignSpec

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec, Variant
    from layerwise.versions import Version

ASKED = "Somebody asked it to stop."
STUBBORN_SECONDS = 60.0
"""After so long a job that was asked to stop, and has not, is ended when it is asked again."""
LEAVING_SECONDS = 10.0
"""For which the process of a job that is over waits for threads that still run."""
# What TensorFlow, XLA, PyTorch and CUDA's libraries say when an allocation on a device fails.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|\bOOM\b|RESOURCE_?EXHAUSTED|ALLOC_FAILED|can't allocate memory", re.IGNORECASE
)
_NODE = re.compile(r"\{\{.*?\}\}\s*")  # where in TensorFlow's graph it happened


def start(
    runs: RunStore,
    spec: ModelSpec,
    *,
    variant: str | None = None,
    config: TrainingConfig | None = None,
    data: Path | str | None = None,
    start_from: Version | None = None,
    device: str = "auto",
    cluster: str | None = None,
    workers: int | None = None,
    **more: Any,
) -> Run:
    """Start training `spec` and return at once. The run waits while another one has its device.

    Args:
        config: None trains with the usual one (`layerwise.fine_tuning.usual_config`).
        data: A folder of the user's own data, or None for the model's data set.
        start_from: A version of this variant whose weights it begins with; None begins with random ones.
        device: "auto", "cpu", "gpu", "gpu:1" or "all" (`layerwise.hardware.slots`).
        cluster: The address of a Ray cluster to train on, or "local" to start one on this machine; None trains in a
            process of this machine.
        workers: How many processes of the cluster share the batches.
        more: What else `run.json` shall hold.

    Raises:
        NotFoundError: The model has no such variant.
        RunError: There is nothing to train it on, or nothing that it could start from.
        DeviceError: There is no such device, or none that the workers of a cluster can use.
        MissingDependencyError: Ray, which runs the workers, is not installed.
    """
    check_data(spec, data)
    if start_from is not None:
        _check_start(spec, spec.variant(variant), start_from)
        more |= {"start_from": start_from.id}
    config = config or usual_config(spec.variant(variant), start_from)
    check_lora(config, has_start=start_from is not None)
    if cluster is not None:
        from layerwise.hardware.cluster import check

        word = str(parse_device(device))
        check(spec, config, word, workers)
        more |= {"cluster": cluster, "workers": workers}
    elif workers is None:
        word = str(parse_device(device, num_gpus()))
    else:
        raise RunError("Workers are those of a cluster", remedy="name it with --cluster ADDRESS, or --cluster local")
    if isinstance(spec, ForeignSpec):
        if cluster is not None:
            raise RunError(f"{spec.name} has a Python of its own, which no cluster has")
        more |= {"python": spec.python}
    run = runs.create(spec, variant, config, data=data, device=word, **more)
    launch(run)
    return run


def check_data(spec: ModelSpec, data: Path | str | None) -> None:
    """Whether there is something to train `spec` on.

    Raises:
        RunError: There is not.
    """
    if not spec.is_trainable:
        raise RunError(f"{spec.name} cannot be trained here", remedy="its card says where its weights come from")
    if data is None and spec.data is None and spec.train is None:
        raise RunError(f"{spec.name} has no data set of its own", remedy="name a folder of your own with --data FOLDER")
    if data is not None and not Path(data).exists():
        raise RunError("There is no such folder to train on", received=str(data))


def _check_start(spec: ModelSpec, variant: Variant, version: Version) -> None:
    if spec.train is not None and variant.fine_tuning is None:
        raise RunError(f"{spec.name} has a training of its own, which always begins with random weights")
    if (version.name, version.variant) != (spec.name, variant.name):
        raise RunError(
            "A training can only begin with the weights of the same network",
            expected=f"a version of {spec.name}:{variant.name}",
            received=version.reference,
        )


def resume(job: Job) -> None:
    """Let a job that was stopped or failed go on, a run from its newest checkpoint, and return at once.

    Raises:
        RunError: It is going on, or has finished.
    """
    # Of two who ask at the same time, only one must start a process.
    with FileLock(job.folder / "resume.lock", is_singleton=False):
        if not job.is_resumable:
            raise RunError(
                f"The {job.KIND} {job.id} cannot be resumed",
                expected="one that was stopped or failed",
                received=f"one that is {job.state}",
            )
        job.withdraw_stop()
        job.forget_process()
        job.append("queued")
    launch(job)


def launch(job: Job) -> None:
    """Start the process of a job."""
    start_detached(
        job.MODULE,
        str(job.folder),
        home=job.folder.parent.parent,
        log=job.folder / "log.txt",
        held=job.folder / "starting",
        python=job.request.get("python"),
    )


def follow(job: Job, poll: float = 0.2, *, position: int = 0) -> Iterator[dict[str, Any]]:
    """The events of a job, from its first to its last, as they come. Ends when the job has ended.

    Args:
        poll: Seconds between two looks.
        position: Where to begin, as `job.event_log.read_from` gave it; 0 is the first event.
    """
    last = ""
    while True:
        state = job.state
        events, position = job.event_log.read_from(position)
        for event in events:
            last = event["event"]
            yield event
        if state in ENDINGS:
            if last not in ENDINGS:
                # Its process died and could not say so.
                yield {"time": time.time(), "event": state, "reason": job.reason}
            return
        if last not in ENDINGS:
            time.sleep(poll)


def stop(job: Job) -> None:
    """Ask a job to stop: a run after its current step or in the queue, a study with its current run. One that was asked
    more than a minute ago, and has not stopped, is ended.

    Raises:
        RunError: It has ended already.
    """
    if not job.is_active:
        raise RunError(f"The {job.KIND} {job.id} cannot be stopped", received=f"one that is {job.state}")
    asked = job.stop_requested_at
    if asked is None:
        job.request_stop()
    elif time.time() - asked > STUBBORN_SECONDS:
        job.kill()


def main(folder: str) -> int:
    """The process of one run: waits for its device, and trains. Returns the exit status."""
    run = Run(Path(folder))
    return conduct(run, lambda: _train_on_cluster(run) if run.cluster else _train_in_turn(run))


def conduct(job: Job, work: Callable[[], None]) -> int:
    """The process of a job: takes its lock, does `work`, and says how it ended when that could not. Returns the exit
    status."""
    with job.lock():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: job.request_stop())
        try:
            job.enter()
            work()
        except LayerwiseError as error:
            job.append_failure(str(error))
        except (Exception, SystemExit) as error:  # the last place where a reason can be written
            traceback.print_exc()
            job.append_failure(sentence_of(error), traceback=traceback.format_exc())
        return int(job.state == "failed")


def _train_on_cluster(run: Run) -> None:
    # Ray has a queue of its own for what its machines have.
    from layerwise.hardware import cluster

    cluster.train(run)


def _train_in_turn(run: Run) -> None:
    def waiting(other: str) -> None:
        run.append("waiting", reason=f"It waits for {other}, which has the device.", run=other)

    alternatives = slots_of(parse_device(run.device), num_gpus())
    with turn(run, alternatives, waiting=waiting, should_stop=lambda: run.stop_requested) as slots:
        if slots is None or run.stop_requested:
            run.append("stopped", reason=ASKED)
            return
        os.environ.update(visible_devices(slots))
        run.append("preparing")
        _train(run)


def _train(run: Run) -> None:
    from layerwise.context import Context
    from layerwise.registry import Registry
    from layerwise.training import fit
    from layerwise.workers.guard import nothing_left_over

    snapshot = Registry(run.folder.parent.parent).snapshot()
    plugin = snapshot.plugin_of(run.name)
    is_strange = plugin is not None and not plugin.built_in
    with nothing_left_over() if is_strange else contextlib.nullcontext():
        fit(Context.of(run, snapshot))


def sentence_of(error: BaseException) -> str:
    """An exception as a reason that a user can read."""
    if isinstance(error, LayerwiseError):
        return str(error)
    text = str(error).strip().splitlines()
    first = text[0][:500] if text else "no further word"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. What to do: make room and resume it; it goes on from its last checkpoint."
    if isinstance(error, MemoryError):
        return "The memory ran out. What to do: use a smaller batch_size or network."
    told = next((line for line in (*text, type(error).__name__) if _OUT_OF_MEMORY.search(line)), None)
    if told is not None:
        told = _NODE.sub("", told)[:200]
        return f"The device's memory ran out ({told}). What to do: use a smaller batch_size or network."
    return f"An unexpected {type(error).__name__}: {first}"


def _leave(status: int) -> None:
    """End this process, whatever threads somebody's code has left running."""
    end = time.monotonic() + LEAVING_SECONDS
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    _leave(main(sys.argv[1]))
