"""The one training loop: config in, run folder out.

`fit(context)` is called in the process of a job. It hands a model with a `train` of its own to that function,
and trains every other one here: compiled calls of many steps, metrics and events after each, validation and
a saved version after each epoch, a stop after the current call when somebody asks for it.
"""

from __future__ import annotations

import importlib.util
import math
import shlex
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from layerwise import weights
from layerwise.compilation import uses_xla
from layerwise.config import TrainingConfig, config_from, settings_of
from layerwise.data import hold_out, load
from layerwise.errors import RunError
from layerwise.feed import Feed, take
from layerwise.optimizers import build_optimizer, current_learning_rate
from layerwise.specs import resolve

if TYPE_CHECKING:
    import keras

    from layerwise.data import Split
    from layerwise.engines.base import Trainer
    from layerwise.registry import Snapshot
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec
    from layerwise.tasks.base import Task

SECONDS_PER_CALL = 0.5
"""How long one compiled call should last: long enough to cost nothing, short enough to stop soon."""
EVALUATION_BATCH = 512


@dataclass
class Context:
    """What a training is given: the run that it writes to, and what it trains.

    A ModelSpec's own `train(context)` uses the same methods as the supervised loop, so its runs are listed,
    followed, stopped and promoted in the same way.
    """

    run: Run
    spec: ModelSpec
    task: Task
    config: Any
    snapshot: Snapshot
    data: dict[str, Any] = field(default_factory=dict)
    """What it trains on, for the record: dataset, source, folder, counts."""
    _said_downloading: float = field(default=0.0, repr=False)

    @classmethod
    def of(cls, run: Run, snapshot: Snapshot) -> Self:
        """The context of a run that was asked for."""
        spec = snapshot.model(run.name)
        return cls(run=run, spec=spec, task=spec.task, config=config_from(spec.config, run.config), snapshot=snapshot)

    def should_stop(self) -> bool:
        """Whether somebody asked for a stop."""
        return self.run.stop_requested

    def downloading(self, file: str, done: int, total: int) -> None:
        """Say how much of a file of the data set is here, twice a second at most."""
        now = time.monotonic()
        if done >= total or now - self._said_downloading >= 0.5:
            self._said_downloading = now
            self.run.append("download", file=file, bytes=done, total_bytes=total)

    def started(self, *, num_parameters: int, examples: int, steps_per_epoch: int) -> None:
        """Say that the first step comes next."""
        from layerwise.devices import describe

        devices = describe()
        chosen = next((device for device in devices if device["kind"] != "CPU"), devices[0])
        self.run.append(
            "started",
            device=chosen["name"],
            num_epochs=self.config.num_epochs,
            steps_per_epoch=steps_per_epoch,
            num_parameters=num_parameters,
            examples=examples,
        )

    def progress(self, **values: Any) -> None:
        """Say how far it is: epoch (from 1), step, steps, loss, metrics, samples_per_second."""
        self.run.append("progress", **_rounded(values))

    def finished_epoch(self, **values: Any) -> None:
        """Say what an epoch gave: epoch (from 1), loss, metrics, val_loss ..., learning_rate, seconds."""
        self.run.append("epoch", **_rounded(values))
        self.run.append_metrics(_rounded(values))

    def save_version(self, model: keras.Model, *, epoch: int, metrics: dict[str, float]) -> None:
        """Keep the weights of `model` as what this run has made so far."""
        weights.save(model, self.run.folder / "version", self.record(model, epoch=epoch, metrics=metrics))

    def record(self, model: keras.Model, *, epoch: int, metrics: dict[str, float]) -> dict[str, Any]:
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
            "num_parameters": num_trainable_parameters(model),
            "command": train_command(self.spec, self.run.variant, self.config, self.run.data),
            "git": request.get("git"),
            "environment": request.get("environment"),
        }


def train_command(spec: ModelSpec, variant: str, config: TrainingConfig, data: str | None = None) -> str:
    """The command that trains this again: the options that differ from the variant's own config."""
    usual = spec.variant(variant).config
    words = ["layerwise", "train", f"{spec.name}:{variant}"]
    for item in settings_of(type(config)):
        value = getattr(config, item.name)
        if value != getattr(usual, item.name):
            words += item.option(value)
    return shlex.join(words + (["--data", data] if data else []))


def num_trainable_parameters(model: keras.Model) -> int:
    """The number of values that training changes."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def fit(context: Context) -> None:
    """Train what the context says, and write how it ended as the run's last event.

    Raises:
        LayerwiseError: The data, the config or the loss make it impossible; versions saved before stay.
    """
    if context.spec.train is not None:
        resolve(context.spec.train)(context)
        stopped, metrics = context.should_stop(), (context.run.history() or [{}])[-1]
    else:
        stopped, metrics = Supervised(context).fit()
    measured = {name: value for name, value in metrics.items() if name not in ("time", "event")}
    if stopped:
        context.run.append("stopped", reason="Somebody asked it to stop.", metrics=measured)
    else:
        context.run.append("finished", metrics=measured)


class Supervised:
    """Training of a Keras model on inputs with known targets."""

    def __init__(self, context: Context) -> None:
        from layerwise.devices import prepare, quiet_import

        keras = quiet_import()
        from layerwise import engines

        self.context, config = context, context.config
        prepare(precision=config.precision)
        keras.utils.set_random_seed(config.seed)
        train_split, self.validation = self._read_data()
        self.feed = Feed(train_split, config.batch_size, config.seed)
        self.model = resolve(context.spec.build)(config, context.task)
        self.optimizer = build_optimizer(config, self.feed.steps_per_epoch)
        # Keras callbacks look for it there.
        self.model.optimizer = self.optimizer
        self.trainer: Trainer = engines.current().Trainer(
            self.model,
            self.optimizer,
            context.task.loss(config),
            context.task.training_metrics(),
            xla=uses_xla(self.model, config.compiler),
        )
        self.callbacks = keras.callbacks.CallbackList(self._callbacks(), model=self.model)
        self.steps_per_call = 1
        self.best = math.inf

    def _read_data(self) -> tuple[Split, Split | None]:
        context, config = self.context, self.context.config
        if context.run.data is not None:
            context.task, splits = context.task.read_folder(Path(context.run.data))
            context.data = {"dataset": None, "folder": context.run.data, "source": "folder"}
        elif context.spec.data is not None:
            dataset = load(context.snapshot.dataset(context.spec.data), progress=context.downloading)
            splits = dataset.splits
            context.data = {"dataset": dataset.spec.name, "folder": None, "source": dataset.source.name}
        else:
            raise RunError(f"{context.spec.name} has no data set of its own", remedy="name a folder: --data FOLDER")
        train, validation = splits["train"], splits.get("validation")
        if validation is None:
            train, validation = hold_out(train, config.validation_fraction, config.seed)
        context.data |= {
            "train_examples": len(train.targets),
            "validation_examples": 0 if validation is None else len(validation.targets),
            "validation_fraction": config.validation_fraction,
            "seed": config.seed,
        }
        return train, validation

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        import keras

        found = list(self.context.snapshot.callbacks(self.context.run))
        if self.context.config.patience and self.validation is not None:
            found.append(keras.callbacks.EarlyStopping("val_loss", patience=self.context.config.patience, mode="min"))
        if importlib.util.find_spec("tensorboard") and keras.backend.backend() == "tensorflow":
            folder = str(self.context.run.folder / "tensorboard")
            found.append(keras.callbacks.TensorBoard(folder, write_graph=False))
        return found

    def fit(self) -> tuple[bool, dict[str, Any]]:
        """Train all epochs. Returns whether it was stopped by request, and what the last epoch gave."""
        self.context.started(
            num_parameters=num_trainable_parameters(self.model),
            examples=self.feed.num_examples,
            steps_per_epoch=self.feed.steps_per_epoch,
        )
        self.model.stop_training = False
        self.callbacks.on_train_begin()
        logs: dict[str, Any] = {}
        stopped = False
        for epoch in range(1, self.context.config.num_epochs + 1):
            logs, stopped = self._epoch(epoch)
            if stopped or self.model.stop_training:
                break
        self.callbacks.on_train_end(logs)
        return stopped, logs

    def _epoch(self, epoch: int) -> tuple[dict[str, Any], bool]:
        begin = time.perf_counter()
        self.callbacks.on_epoch_begin(epoch - 1)
        rate = current_learning_rate(self.optimizer)
        logs, stopped = self._train_epoch(epoch)
        if not stopped:
            logs |= {f"val_{name}": value for name, value in self._validate().items()}
        values = {"epoch": epoch, **logs, "learning_rate": rate, "seconds": time.perf_counter() - begin}
        self._keep(epoch, logs, stopped)
        if not stopped:
            self.context.finished_epoch(**values)
            self.callbacks.on_epoch_end(epoch - 1, logs)
        return values, stopped

    def _train_epoch(self, epoch: int) -> tuple[dict[str, float], bool]:
        sums: dict[str, float] = {}
        logs: dict[str, float] = {}
        done = 0
        for data, order, count in self.feed.chunks(self.trainer, epoch):
            start = 0
            while start < count:
                stop = min(start + self.steps_per_call, count)
                means, rate = self._call(data, order, start, stop, epoch)
                for name, value in means.items():
                    sums[name] = sums.get(name, 0.0) + value * (stop - start)
                done, start = done + stop - start, stop
                logs = {name: total / done for name, total in sums.items()}
                self.callbacks.on_train_batch_end(done - 1, logs)
                self.context.progress(
                    epoch=epoch, step=done, steps=self.feed.steps_per_epoch, **logs, samples_per_second=rate
                )
                if self.context.should_stop():
                    return logs, True
        return logs, False

    def _call(self, data: Any, order: Any, start: int, stop: int, epoch: int) -> tuple[dict[str, float], float]:
        begin = time.perf_counter()
        means = self.trainer.train(data, order, start, stop)
        seconds = time.perf_counter() - begin
        if not math.isfinite(means["loss"]):
            raise RunError(
                f"The loss became {means['loss']} in epoch {epoch}: the training diverged",
                remedy="lower learning_rate, or add warmup_epochs; the version of the last good epoch is kept",
            )
        # At most doubled, since the first call of all is mostly compilation.
        wanted = (stop - start) * SECONDS_PER_CALL / max(seconds, 1e-6)
        self.steps_per_call = max(1, min(int(wanted), 2 * self.steps_per_call))
        return means, (stop - start) * self.feed.batch_size / max(seconds, 1e-9)

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        count, sums = len(self.validation.targets), {}
        for start in range(0, count, EVALUATION_BATCH):
            stop = min(start + EVALUATION_BATCH, count)
            data = self.trainer.place(*take(self.validation, slice(start, stop)))
            for name, value in self.trainer.evaluate_batch(data, 0, stop - start).items():
                sums[name] = sums.get(name, 0.0) + value * (stop - start)
        return {name: total / count for name, total in sums.items()}

    def _keep(self, epoch: int, logs: dict[str, float], stopped: bool) -> None:
        """Save the version if it is the best by validation; without validation the newest one is."""
        has_version = self.context.run.version_folder is not None
        if self.validation is not None and has_version and not logs.get("val_loss", math.inf) < self.best:
            return
        self.best = logs.get("val_loss", math.inf)
        self.context.save_version(self.model, epoch=epoch, metrics=logs)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Floats with six significant digits: what a reader or a plot can use."""
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()}
