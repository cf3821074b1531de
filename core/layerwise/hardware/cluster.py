"""Training on several machines: Ray starts the workers, watches them and starts them again when one is lost;
TensorFlow's MultiWorkerMirroredStrategy sums their gradients; the loop is the core's own (`layerwise.training`).

Every worker sees the run's folder, which must be on storage that all machines share. The first one writes events,
versions and checkpoints there as the process of any run does. When a worker is lost, all begin again from the newest
checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.context import Context
from layerwise.errors import DeviceError, LayerwiseError, RunError, missing_extra
from layerwise.hardware.distribution import share
from layerwise.hardware.environment import backend_name, cores
from layerwise.job_folders.events import ENDINGS
from layerwise.jobs import sentence_of
from layerwise.runs import Run

if TYPE_CHECKING:
    from layerwise.config import TrainingConfig
    from layerwise.specs import ModelSpec

LOCAL = "local"
"""The address that starts Ray on this machine alone."""
MAX_LOSSES = 10
"""How often workers may be lost before the run gives up."""
_PASSED_ON = ("LAYERWISE_DATA", "LAYERWISE_CACHE")


def check(spec: ModelSpec, config: TrainingConfig, device: str, workers: int | None) -> None:
    """Whether a training on a cluster can be asked for, before a run is made of it.

    Raises:
        RunError: The number of workers is missing or makes no sense, or the model brings a training of its own.
        DeviceError: The device or the backend is none that workers can use, or the batch cannot be shared out.
        MissingDependencyError: Ray is not installed.
    """
    if spec.train is not None:
        raise RunError(f"{spec.name} brings a training of its own", expected="one by the core, to run on a cluster")
    if workers is None or workers < 1:
        raise RunError("The number of workers is missing", expected="--workers N, at least 1", received=str(workers))
    if device == "all" or ":" in device:
        raise DeviceError("A worker has one device", expected="auto, cpu or gpu", received=repr(device))
    if backend_name() != "tensorflow":
        raise DeviceError(
            "A cluster trains with TensorFlow", received=backend_name(), remedy="set KERAS_BACKEND=tensorflow"
        )
    share(config.batch_size, workers)
    _ray()


def train(run: Run) -> None:
    """Train a run on the cluster that it names, and return when it has ended.

    Raises:
        RunError: The cluster cannot be reached, its machines do not share the run's folder, or workers were lost
            again and again.
    """
    if run.cluster == LOCAL:
        # Read when Ray is imported: nothing listens outside this machine then.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray = _ray()
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.tensorflow import TensorflowTrainer

    workers = run.workers
    with _connected(ray, run.cluster or LOCAL, workers):
        _check_storage(ray, run.folder)
        # What Ray kept of a former start would be taken up again, and checkpoints are the core's own.
        shutil.rmtree(run.folder / "ray", ignore_errors=True)
        trainer = TensorflowTrainer(
            work,
            train_loop_config={"folder": str(run.folder), "variables": _variables(run)},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=_uses_gpus(ray, run.device, workers)),
            run_config=RunConfig(
                name="ray", storage_path=str(run.folder), failure_config=FailureConfig(max_failures=MAX_LOSSES)
            ),
        )
        try:
            trainer.fit()
        except TrainingFailedError as error:
            if not _has_ended(run):
                raise RunError(
                    f"Workers were lost more than {MAX_LOSSES} times",
                    received=str(error).strip().rpartition("\n")[2],
                    remedy="see log.txt in the run's folder, and resume the run",
                ) from error


def work(settings: Mapping[str, Any]) -> None:
    """What each worker does: train its part of every batch. Ray has set TF_CONFIG, by which they find each other.

    Args:
        settings: folder: that of the run; variables: of the environment.
    """
    os.environ.update(settings["variables"])
    import ray.train

    from layerwise.registry import Registry
    from layerwise.training import fit

    folder, leads = Path(settings["folder"]), ray.train.get_context().get_world_rank() == 0
    run = Run(folder) if leads else _SilentRun(folder)
    if _has_ended(run):
        return  # all are started again when one fails, though it has said why
    snapshot = Registry(folder.parent.parent).snapshot()
    context = (Leader if leads else Follower).of(run, snapshot)
    try:
        fit(context)
    except LayerwiseError as error:
        run.append_failure(str(error))
        raise
    except Exception as error:
        if not _is_loss(error):
            run.append_failure(sentence_of(error), traceback=traceback.format_exc())
        raise


def _is_loss(error: Exception) -> bool:
    """Whether another worker was lost, so that it is worth while to begin again."""
    from tensorflow import errors

    return isinstance(
        error, errors.UnavailableError | errors.AbortedError | errors.CancelledError | errors.DeadlineExceededError
    )


def _has_ended(run: Run) -> bool:
    return (run.event_log.last() or {}).get("event") in ENDINGS


class Leader(Context):
    """The context of the first worker: its devices are those of all workers."""

    @property
    def device(self) -> str:
        """The device word of a worker: Ray has given it a GPU or none."""
        return "auto"

    def scope(self) -> AbstractContextManager[None]:
        """The scope of the strategy that all workers share."""
        import tensorflow as tf

        return tf.distribute.MultiWorkerMirroredStrategy().scope()


class Follower(Leader):
    """The context of every other worker: it does the same steps, and writes nothing."""

    leads: ClassVar[bool] = False

    def checkpoint_due(self, *, epoch_ended: bool = False) -> bool:
        """Never."""
        return False

    def save_checkpoint(self, arrays: Any, state: Mapping[str, Any], *, epoch: int, step: int) -> None:
        """Leave it to the first worker."""

    def save_version(self, model: Any, *, epoch: int, metrics: dict[str, float]) -> None:
        """Leave it to the first worker."""

    def write_version(self) -> None:
        """Leave it to the first worker."""


class _SilentRun(Run):
    """A run that is only read."""

    def append(self, event: str, **values: Any) -> None:
        pass

    def append_failure(self, reason: str, **values: Any) -> None:
        pass

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        pass

    def rewrite_metrics(self) -> None:
        pass


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_COLOR_PREFIX", "0")  # it writes to a file
    try:
        import ray
        import ray.train
    except ModuleNotFoundError as error:
        raise missing_extra("ray", "cluster", "Training on a cluster") from error
    return ray


@contextlib.contextmanager
def _connected(ray: Any, address: str, workers: int) -> Iterator[None]:
    local = {"num_cpus": max(workers, cores()) + 1, "include_dashboard": False}
    try:
        _knock(address)
        ray.init(address=address, **(local if address == LOCAL else {}))
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(
            f"The cluster {address!r} cannot be reached",
            received=str(error).partition("\n")[0],
            remedy="start it with `ray start --head` on one machine and `ray start --address=HOST:6379` on the others "
            "(docs/training.md)",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Whether anybody answers there: Ray itself would try again for minutes.

    Raises:
        OSError: Nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _variables(run: Run) -> dict[str, str]:
    """The environment variables that a worker needs, on whichever machine."""
    home = str(run.folder.parent.parent)
    return {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "LAYERWISE_HOME": home} | {
        name: os.environ[name] for name in _PASSED_ON if name in os.environ
    }


def _uses_gpus(ray: Any, device: str, workers: int) -> bool:
    """Whether each worker gets a GPU.

    Raises:
        DeviceError: The cluster is too small.
    """
    resources = ray.cluster_resources()
    there = resources.get("GPU", 0)
    if resources.get("CPU", 0) < workers:
        raise DeviceError(
            "The cluster has too few processor cores",
            expected=f"{workers}, one for each worker",
            received=f"{resources.get('CPU', 0):.0f}",
            remedy="ask for fewer workers",
        )
    if device == "gpu" and there < workers:
        raise DeviceError(
            "The cluster has too few GPUs", expected=f"{workers}, one for each worker", received=f"{there:.0f}"
        )
    return device != "cpu" and there >= workers


def _check_storage(ray: Any, folder: Path) -> None:
    """Whether every machine of the cluster sees what is written into the run's folder here.

    Raises:
        RunError: One does not.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    token = secrets.token_hex(16)
    probe = folder / "probe"
    probe.write_text(token, encoding="ascii")

    @ray.remote(num_cpus=0)
    def sees() -> bool:
        with contextlib.suppress(OSError):
            return os.access(folder, os.W_OK) and probe.read_text(encoding="ascii") == token
        return False

    try:
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            if not ray.get(sees.options(scheduling_strategy=there).remote()):
                raise RunError(
                    f"The machine {node['NodeManagerHostname']} does not see the run's folder, or may not write there",
                    expected=f"{folder} on storage that all machines of the cluster share",
                    remedy="set LAYERWISE_HOME to a folder on it",
                )
    finally:
        probe.unlink(missing_ok=True)
