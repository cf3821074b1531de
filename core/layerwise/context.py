"""What a training is given: the run that it writes to, what it trains, and its checkpoints.

A ModelSpec's own `train(context)` uses the same methods as the core's supervised loop, so its runs are listed,
followed, stopped, resumed and promoted in the same way.
"""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise import weights
from layerwise.config import TrainingConfig, config_from, settings_of
from layerwise.errors import RunError
from layerwise.hardware.environment import cpu_seconds
from layerwise.hardware.slots import parse_device
from layerwise.job_folders.checkpoints import Cadence, Checkpoint
from layerwise.own_data import REPORT_FILE
from layerwise.paths import write_atomically
from layerwise.versions import MILESTONES, VersionStore

if TYPE_CHECKING:
    import keras
    import numpy as np

    from layerwise.registry import Snapshot
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.base import Task
    from layerwise.versions import Version

TASK_FOLDER, TASK_FILE = "task", "task.json"
"""Where a run keeps the task that learned from its data, and the files that belong to it."""
EPOCH_SECONDS = 30.0
"""How long after the last checkpoint or version the end of an epoch makes another one, at least."""


@dataclass
class Context:
    """What a training is given.

    Args:
        run: Its run.
        spec: The model.
        task: The model's task; own data change its labels.
        config: A value of `spec.config`.
        snapshot: What is registered.
        data: What it trains on, for the record: dataset, source, folder, counts.
    """

    leads: ClassVar[bool] = True
    """Whether it is this process that writes to the run's folder and calls callbacks; of several workers, one does."""

    run: Run
    spec: ModelSpec
    task: Task
    config: Any
    snapshot: Snapshot
    data: dict[str, Any] = field(default_factory=dict)
    _num_parameters: int | None = field(default=None, repr=False)
    _said: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self._checkpoints = Cadence(60 * self.config.checkpoint_minutes)
        # The first version is written at once, so that there is something to use.
        self._versions: Cadence | None = None
        # To come to the checkpoint that this process goes on from took some time before it.
        kept = [event.get("cpu_seconds") or 0.0 for event in self.run.events() if event["event"] == "checkpoint"]
        self._cpu_seconds_before = (kept[-1] if kept else 0.0) - cpu_seconds()
        self._unwritten: tuple[dict[str, np.ndarray], dict[str, Any]] | None = None

    @classmethod
    def of(cls, run: Run, snapshot: Snapshot) -> Self:
        """The context of a run that was asked for."""
        spec = snapshot.model(run.name)
        task = spec.task_of(spec.variant(run.variant))
        return cls(run=run, spec=spec, task=task, config=config_from(spec.config, run.config), snapshot=snapshot)

    def start_from(self) -> Version | None:
        """The version whose weights the training begins with; None begins with random ones.

        Raises:
            NotFoundError: It has been deleted.
        """
        if self.run.start_from is None:
            return None
        return VersionStore(self.run.folder.parent.parent).get(self.spec, self.run.variant, self.run.start_from)

    def read_data(self) -> tuple[Split, Split | None]:
        """What the run trains on, and what is held out to watch for overfitting, None for nothing: the user's own data,
        whose labels become those of the task, or the model's data set, downloaded first where it is not here.

        Raises:
            DataError: The data cannot be had, or are not what they should be.
            RunError: There is no data set.
        """
        from layerwise.data import hold_out, load

        config = self.config
        if self.run.data is not None:
            own = self.task.read_folder(Path(self.run.data))
            self.task, splits = own.task, own.splits
            write_atomically(self.run.folder / REPORT_FILE, json.dumps(own.report.as_json(), indent=2) + "\n")
            self.data = {"dataset": None, "folder": self.run.data, "source": "folder"}
        elif self.spec.data is not None:
            dataset = load(self.snapshot.dataset(self.spec.data), self.snapshot, progress=self.downloading)
            splits = dataset.splits
            self.data = {"dataset": dataset.spec.name, "folder": None, "source": dataset.source.name}
        else:
            raise RunError(f"{self.spec.name} has no data set of its own", remedy="name a folder: --data FOLDER")
        train, validation = splits["train"], splits.get("validation")
        if validation is None:
            train, validation = hold_out(train, config.validation_fraction, config.seed)
        self.data |= {
            "train_examples": len(train.targets),
            "validation_examples": 0 if validation is None else len(validation.targets),
            "validation_fraction": config.validation_fraction,
            "seed": config.seed,
        }
        return train, validation

    def fit_task(self, train: Split) -> None:
        """Let the task learn what it learns from the training data. That is done once for a run and kept in its folder,
        so that a run which goes on reads its data as before.

        Args:
            train: The examples, without those that are held out for validation.
        """
        folder = self.run.folder / TASK_FOLDER
        kept = folder / TASK_FILE
        if kept.exists():
            self.task = self.task.with_parameters(json.loads(kept.read_text(encoding="utf-8")), folder)
            return
        start = self.start_from()
        self.task = self.task.fitted(train, start.task if start is not None else None)
        if self.leads and self.task.files():
            folder.mkdir(exist_ok=True)
            for name, content in self.task.files().items():
                write_atomically(folder / name, content)
            write_atomically(kept, json.dumps(self.task.parameters()))

    @property
    def device(self) -> str:
        """The device word for `layerwise.devices.prepare`: its process sees only the GPUs that it was given."""
        return str(parse_device(self.run.device).pinned)

    def scope(self) -> AbstractContextManager[None]:
        """The scope in which the model, the optimizer and the trainer must be built: that of all devices that share
        the batches."""
        from layerwise.hardware.distribution import over

        return over(self.device)

    def should_stop(self) -> bool:
        """Whether somebody asked for a stop."""
        return self.run.stop_requested

    def downloading(self, file: str, done: int, total: int) -> None:
        """Say how much of a file of the data set is here, twice a second at most."""
        if self._is_due(done, total):
            self.run.append("download", file=file, bytes=done, total_bytes=total)

    def preparing(self, what: str, done: int, total: int) -> None:
        """Say how many of some things are done that have to be before the first step, twice a second at most.

        Args:
            what: What they are, in the plural: "texts".
        """
        if self._is_due(done, total):
            self.run.append("preparing", what=what, done=done, total=total)

    def _is_due(self, done: int, total: int) -> bool:
        now = time.monotonic()
        if done < total and now - self._said < 0.5:
            return False
        self._said = now
        return True

    def started(
        self, *, num_parameters: int, examples: int, steps_per_epoch: int, epoch: int = 1, step: int = 0, **more: Any
    ) -> None:
        """Say that the next step is step `step` + 1 of epoch `epoch`. What was said of later ones does not count any
        more: they are done again."""
        from layerwise.devices import describe

        self._num_parameters = num_parameters
        devices = describe()
        chosen = next((device for device in devices if device["kind"] != "CPU"), devices[0])
        self.run.append(
            "started",
            device=chosen["name"],
            num_epochs=self.config.num_epochs,
            steps_per_epoch=steps_per_epoch,
            num_parameters=num_parameters,
            examples=examples,
            epoch=epoch,
            step=step,
            **more,
        )
        self.run.rewrite_metrics()

    def progress(self, **values: Any) -> None:
        """Say how far it is: epoch (from 1), step, steps, loss, metrics, samples_per_second."""
        self.run.append("progress", **_rounded(values))

    def finished_epoch(self, **values: Any) -> None:
        """Say what an epoch gave: epoch (from 1), loss, metrics, val_loss ..., learning_rate, seconds."""
        self.run.append("epoch", **_rounded(values))
        self.run.append_metrics(_rounded(values))

    def latest_checkpoint(self) -> Checkpoint | None:
        """What a former process of this run has kept, None when there is nothing to go on from."""
        return self.run.checkpoints.latest()

    def checkpoint_due(self, *, epoch_ended: bool = False) -> bool:
        """Whether it is time for a checkpoint: at the end of an epoch when the last one is 30 seconds old, otherwise
        when it is `checkpoint_minutes` old; writing them never takes more than two percent of the time."""
        return self._checkpoints.is_due(EPOCH_SECONDS if epoch_ended else None)

    def save_checkpoint(
        self, arrays: dict[str, np.ndarray], state: Mapping[str, Any], *, epoch: int, step: int
    ) -> None:
        """Keep all that it takes to go on with the step after `step` of epoch `epoch`.

        Args:
            arrays: By name: weights, states of random generators, the optimizer's variables, replay buffers ...
            state: What is not an array, as JSON can hold it.

        Raises:
            OSError: It cannot be written; the former checkpoint is still there.
        """
        self.write_version()
        begin = time.monotonic()
        self.run.checkpoints.save(arrays, dict(state))
        self.run.append("checkpoint", epoch=epoch, step=step, cpu_seconds=self.cpu_seconds)
        self._checkpoints.did(begin)

    def save_version(
        self, model: keras.Model | Mapping[str, np.ndarray], *, epoch: int, metrics: dict[str, float]
    ) -> None:
        """Keep the weights of `model` as what this run has made so far, or arrays by name of a model that is not Keras.
        They are written now unless others were written within the last 30 seconds, and otherwise before the next
        checkpoint or at the end."""
        arrays = dict(model) if isinstance(model, Mapping) else weights.merged_arrays(model)
        self._unwritten = arrays, self.record(model, epoch=epoch, metrics=metrics)
        if self._versions is None or self._versions.is_due():
            self.write_version()

    def save_milestone(self, model: keras.Model, *, epoch: int, metrics: dict[str, float]) -> None:
        """Keep the weights of `model` as what it was after an epoch (`Version.milestones`), beside the version; 0 is
        before the first. They are written at once, in 16 bits."""
        folder = self.run.folder / "version" / MILESTONES / f"{epoch:05d}"
        weights.save(model, folder, {"epoch": epoch, "metrics": _rounded(metrics)}, dtype="float16")

    @property
    def has_version(self) -> bool:
        """Whether this run has made a version, written or not."""
        return self._unwritten is not None or self.run.version_folder is not None

    def write_version(self) -> None:
        """Write what `save_version` has kept, if that is not done yet."""
        if self._unwritten is None:
            return
        begin = time.monotonic()
        arrays, record = self._unwritten
        weights.save_arrays(arrays, self.run.folder / "version", record, self.task.files())
        self._unwritten = None
        self._versions = self._versions or Cadence(EPOCH_SECONDS)
        self._versions.did(begin)

    @property
    def cpu_seconds(self) -> float | None:
        """The processor time that the training has taken, without what was done in vain before a resume; None on a
        cluster, where nobody counts that of the other machines."""
        return None if self.run.cluster else round(self._cpu_seconds_before + cpu_seconds(), 1)

    def write_cost(self) -> None:
        """Write into the record of the version what the training has taken. To be called at its end: only then the
        time of processes of its own counts."""
        if self.leads and self.run.version_folder is not None:
            record = weights.read_record(self.run.version_folder)
            weights.write_record(self.run.version_folder, {**record, "cpu_seconds": self.cpu_seconds})

    def record(
        self, model: keras.Model | Mapping[str, np.ndarray], *, epoch: int, metrics: dict[str, float]
    ) -> dict[str, Any]:
        """What is known of the version, for its `version.json`."""
        request = self.run.request
        return {
            "name": self.spec.name,
            "variant": self.run.variant,
            "run": self.run.id,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "task": self.task.parameters(),
            "config": self.run.config,
            "data": self.data,
            "epoch": epoch,
            "metrics": _rounded(metrics),
            # While some layers are frozen, fewer values change than training changes in all.
            "num_parameters": self._num_parameters or num_trainable_parameters(model),
            "start_from": self.run.start_from,
            "command": train_command(
                self.spec, self.run.variant, self.config, self.run.data, start_from=self.run.start_from
            ),
            "git": request.get("git"),
            "environment": request.get("environment"),
        }


def train_command(
    spec: ModelSpec, variant: str, config: TrainingConfig, data: str | None = None, *, start_from: str | None = None
) -> str:
    """The command that trains this again: the options that differ from what it does without them."""
    chosen = spec.variant(variant)
    usual = chosen.config if start_from is None else chosen.fine_tuning or chosen.config
    words = ["layerwise", "train", f"{spec.name}:{variant}"]
    for item in settings_of(type(config)):
        value = getattr(config, item.name)
        if value != getattr(usual, item.name):
            words += item.option(value)
    words += ["--data", data] if data else []
    words += ["--from", start_from] if start_from else []
    return shlex.join(words)


def num_trainable_parameters(model: keras.Model | Mapping[str, np.ndarray]) -> int:
    """The number of values that training changes."""
    if isinstance(model, Mapping):
        return sum(array.size for array in model.values())
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Floats with six significant digits: what a reader or a plot can use."""
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()}
