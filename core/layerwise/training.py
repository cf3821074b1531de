"""The one training loop: config in, run folder out.

`fit(context)` is called in the process of a job. It hands a model with a `train` of its own to that function,
and trains every other one here: compiled calls of many steps, metrics and events after each, validation after each
epoch, checkpoints from which a killed run goes on to the very same weights, and a stop after the current call when
somebody asks for it.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise import weights
from layerwise.compilation import compile_fastest, is_known, uses_xla
from layerwise.context import Context, num_trainable_parameters
from layerwise.datasets.feed import Feed, take
from layerwise.devices import own_precision, prepare, quiet_import
from layerwise.errors import RunError
from layerwise.fine_tuning import Freezer, add_lora, check_lora, take_over
from layerwise.job_folders.events import metrics_of
from layerwise.jobs import ASKED
from layerwise.optimizers import build_optimizer, current_learning_rate
from layerwise.specs import resolve
from layerwise.tasks.base import Task

if TYPE_CHECKING:
    import keras

    from layerwise.engines.base import Trainer
    from layerwise.splits import Split

SECONDS_PER_CALL = 0.5
"""How long one compiled call should last: long enough to cost nothing, short enough to stop soon."""
EVALUATION_BATCH = 512


def fit(context: Context) -> None:
    """Train what the context says, and write how it ended as the run's last event.

    Raises:
        LayerwiseError: The data, the config or the loss make it impossible; versions saved before stay.
    """
    check_lora(context.config, has_start=context.run.start_from is not None)
    with own_precision():
        try:
            if context.spec.train is not None:
                resolve(context.spec.train)(context)
                stopped = context.should_stop()
            else:
                stopped = Supervised(context).fit()
        finally:
            context.write_version()
    context.write_cost()
    metrics = metrics_of((context.run.history() or [{}])[-1])
    if stopped:
        context.run.append("stopped", reason=ASKED, metrics=metrics)
    else:
        context.run.append("finished", metrics=metrics)


@dataclass
class Place:
    """Where a training is. With the variables and the state of the callbacks it is all that decides how it goes on.

    Args:
        epoch: The epoch that is going on, from 1.
        step: How many of its steps are done.
        sums: The loss and the metrics, summed over these steps.
        learning_rate: The learning rate of the epoch's first step.
        seconds: How long the epoch has taken so far.
        best: The lowest validation loss yet.
        new_layers: In a fine-tuning, the layers that started anew.
    """

    epoch: int = 1
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 0.0
    seconds: float = 0.0
    best: float = math.inf
    new_layers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Phase:
    """A part of a training in which the same layers learn.

    Args:
        learning: The names of these layers; empty for all.
        last_epoch: When it ends.
    """

    learning: list[str]
    last_epoch: int
    optimizer: keras.optimizers.Optimizer
    trainer: Trainer


class Supervised:
    """Training of a Keras model on inputs with known targets."""

    def __init__(self, context: Context) -> None:
        self.context, config = context, context.config
        prepare(config.precision, context.device, deterministic=config.deterministic)
        with context.scope():
            self._build(quiet_import())

    def _build(self, keras: ModuleType) -> None:
        context, config = self.context, self.context.config
        keras.utils.set_random_seed(config.seed)
        train_split, self.validation = context.read_data()
        context.fit_task(train_split)
        self.feed = Feed(self.to_train_on(train_split, "train"), config.batch_size, config.seed)
        if self.validation is not None:
            self.validation = self.to_train_on(self.validation, "validation")
        self.model = resolve(context.spec.build)(config, context.task)
        self.num_parameters = num_trainable_parameters(self.model)
        self.checkpoint = context.latest_checkpoint()
        self.place = self._first_place()
        if config.lora_rank:
            add_lora(self.model, config.lora_rank, self.place.new_layers, seed=config.seed)
        self.freezer = Freezer(self.model)
        self.phases = [self._phase([], config.num_epochs)]
        if self.place.new_layers and config.frozen_epochs:
            self.phases.insert(0, self._phase(self.place.new_layers, config.frozen_epochs))
        self._enter_phase()
        self.callbacks = keras.callbacks.CallbackList(self._callbacks(), model=self.model)
        self.steps_per_call = 1

    def to_train_on(self, split: Split, name: str) -> Split:
        """What the network is given of a split, "train" or "validation"."""
        return self.context.task.to_train_on(split)

    def _first_place(self) -> Place:
        """Where the newest checkpoint is; otherwise the beginning, with the weights of the version to start from."""
        if self.checkpoint is not None:
            return Place(**self.checkpoint.state["place"])
        version = self.context.start_from()
        return Place(new_layers=take_over(self.model, self.context.task, version) if version is not None else [])

    def _phase(self, learning: list[str], last_epoch: int) -> Phase:
        from layerwise import engines

        config, task = self.context.config, self.context.task
        self.freezer.let_learn(learning)
        optimizer = build_optimizer(config, self.feed.steps_per_epoch)
        xla = uses_xla(self.model, config.compiler)
        loss, metrics = task.loss(config), task.training_metrics()
        trainer = engines.current().Trainer(self.model, optimizer, loss, metrics, xla=xla)
        return Phase(learning, last_epoch, optimizer, trainer)

    def _enter_phase(self) -> None:
        """Go on with the layers that learn in the present epoch. The learning rate goes on where it is."""
        phase = next((phase for phase in self.phases if self.place.epoch <= phase.last_epoch), self.phases[-1])
        self.freezer.let_learn(phase.learning)
        self.optimizer, self.trainer = phase.optimizer, phase.trainer
        # Keras callbacks look for it there.
        self.model.optimizer = self.optimizer
        if self.place.epoch > 1:
            inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
            inner.iterations.assign((self.place.epoch - 1) * self.feed.steps_per_epoch)

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        import keras

        if not self.context.leads:
            return []
        found = list(self.context.snapshot.callbacks(self.context.run))
        if self.context.config.patience and self.validation is not None:
            found.append(keras.callbacks.EarlyStopping("val_loss", patience=self.context.config.patience, mode="min"))
        if importlib.util.find_spec("tensorboard") and keras.backend.backend() == "tensorflow":
            folder = str(self.context.run.folder / "tensorboard")
            found.append(keras.callbacks.TensorBoard(folder, write_graph=False))
        return found

    def fit(self) -> bool:
        """Train the epochs that are left. Returns whether it was stopped by request."""
        self.model.stop_training = False
        self.callbacks.on_train_begin()
        self._initial = [_plain_state(callback) for callback in self.callbacks.callbacks]
        if not self._resume() and not is_known(self.model, self.context.config.compiler):
            self._measure_compilers()
        self._compare_workers()
        self.context.started(
            num_parameters=self.num_parameters,
            examples=self.feed.num_examples,
            steps_per_epoch=self.feed.steps_per_epoch,
            epoch=self.place.epoch,
            step=self.place.step,
            replicas=self.trainer.num_replicas,
            compiler="xla" if self.trainer.xla else "graph",
        )
        stopped, logs = False, {}
        while self._goes_on() and not stopped:
            stopped, logs = self._epoch()
        self.callbacks.on_train_end(logs)
        self._calibrate()
        return stopped

    def _calibrate(self) -> None:
        """Let the task learn what it learns from the weights that are kept, and keep it beside them."""
        context = self.context
        if not context.leads or self.validation is None or type(context.task).calibrated is Task.calibrated:
            return
        from layerwise.datasets.batches import of_any_number
        from layerwise.engines import current

        context.write_version()
        folder = context.run.folder / "version"
        record, model = weights.read_record(folder), resolve(context.spec.build)(context.config, context.task)
        weights.load_into(model, folder)
        forward = current().compile_predict(model)
        outputs = [
            of_any_number(forward, take(self.validation, np.arange(start, stop))[0])
            for start, stop in self._validation_parts()
        ]
        context.task = context.task.calibrated(np.concatenate(outputs), np.asarray(self.validation.targets))
        context.save_version(model, epoch=record["epoch"], metrics=record["metrics"])
        context.write_version()

    def _validation_parts(self) -> Iterator[tuple[int, int]]:
        """Where each batch of the validation begins and ends."""
        count = 0 if self.validation is None else len(self.validation.targets)
        for start in range(0, count, EVALUATION_BATCH):
            yield start, min(start + EVALUATION_BATCH, count)

    def _measure_compilers(self) -> None:
        """Compile with what is fastest here, and have nothing changed by trying it out."""
        variables = self._variables()
        former = weights.arrays_of(variables)
        data, order, start, _ = next(self.feed.chunks(self.trainer, self.place.epoch, self.place.step))
        compile_fastest(self.trainer, data, order, start)
        self._compile(xla=self.trainer.xla)
        weights.assign(variables, former, self.context.run.checkpoints.folder)

    def _compile(self, *, xla: bool) -> None:
        for phase in self.phases:
            if phase.trainer.xla != xla:
                phase.trainer.compile(xla=xla)

    def _compare_workers(self) -> None:
        """Whether all workers go on from the same step: one that reads another checkpoint would spoil the weights."""
        mine = [self.place.epoch, self.place.step]
        theirs = self.trainer.agree(*mine)
        if mine != theirs:
            raise RunError(
                "The workers see different checkpoints",
                expected="epoch {:.0f}, step {:.0f}, as the first worker".format(*theirs),
                received="epoch {}, step {}".format(*mine),
                remedy="check that all of them have the same shared storage, and resume the run",
            )

    def _goes_on(self) -> bool:
        return self.place.epoch <= self.context.config.num_epochs and not self.model.stop_training

    def _epoch(self) -> tuple[bool, dict[str, float]]:
        place = self.place
        begin = time.perf_counter() - place.seconds
        if place.step == 0:
            place.learning_rate = current_learning_rate(self.optimizer)
        self.callbacks.on_epoch_begin(place.epoch - 1)
        logs, stopped = self._train_epoch(begin)
        if stopped:
            self._keep(logs)
            self._save_checkpoint()
            return True, logs
        logs |= {f"val_{name}": value for name, value in self._validate().items()}
        self._keep(logs)
        place.seconds = time.perf_counter() - begin
        self.context.finished_epoch(epoch=place.epoch, **logs, learning_rate=place.learning_rate, seconds=place.seconds)
        self.callbacks.on_epoch_end(place.epoch - 1, logs)
        (stops,) = self.trainer.agree(self.model.stop_training)
        self.model.stop_training = bool(stops)
        self.place = Place(epoch=place.epoch + 1, best=place.best, new_layers=place.new_layers)
        if place.epoch in [phase.last_epoch for phase in self.phases[:-1]]:
            self._enter_phase()
        if not self._goes_on() or self.context.checkpoint_due(epoch_ended=True):
            self._save_checkpoint()
        return False, logs

    def _train_epoch(self, begin: float) -> tuple[dict[str, float], bool]:
        place, steps = self.place, self.feed.steps_per_epoch
        for data, order, start, end in self.feed.chunks(self.trainer, place.epoch, place.step):
            while start < end:
                stop = min(start + self.steps_per_call, end)
                means, rate = self._call(data, order, start, stop, place.epoch)
                for name, value in means.items():
                    place.sums[name] = place.sums.get(name, 0.0) + value * (stop - start)
                place.step, start = place.step + stop - start, stop
                place.seconds = time.perf_counter() - begin
                logs = self._means()
                self.callbacks.on_train_batch_end(place.step - 1, logs)
                self.context.progress(epoch=place.epoch, step=place.step, steps=steps, **logs, samples_per_second=rate)
                steps_per_call, stops = self.trainer.agree(self.steps_per_call, self.context.should_stop())
                self.steps_per_call = int(steps_per_call)
                if stops:
                    return logs, True
                if place.step < steps and self.context.checkpoint_due():
                    self._save_checkpoint()
        return self._means(), False

    def _means(self) -> dict[str, float]:
        return {name: total / self.place.step for name, total in self.place.sums.items()}

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
        for start, stop in self._validation_parts():
            data = self.trainer.place(*take(self.validation, slice(start, stop)))
            for name, value in self.trainer.evaluate_batch(data, 0, stop - start).items():
                sums[name] = sums.get(name, 0.0) + value * (stop - start)
        return {name: total / count for name, total in sums.items()}

    def _keep(self, logs: dict[str, float]) -> None:
        """Save the version if it is the best by validation; without validation the newest one is. A stop within an
        epoch, before which nothing was saved, saves what there is."""
        loss = logs.get("val_loss", math.inf)
        if self.validation is None or loss < self.place.best or not self.context.has_version:
            self.context.save_version(self.model, epoch=self.place.epoch, metrics=logs)
        self.place.best = min(loss, self.place.best)

    def _variables(self) -> dict[str, Any]:
        """All that training changes, the states of random generators included."""
        # An optimizer names its variables after those of the model, with Keras' numbers within.
        optimizer = {f"optimizer/{index:03d}": variable for index, variable in enumerate(self.optimizer.variables)}
        return weights.by_name(self.model.variables) | optimizer

    def _save_checkpoint(self) -> None:
        changed = [
            {name: value for name, value in _plain_state(callback).items() if value != initial.get(name)}
            for callback, initial in zip(self.callbacks.callbacks, self._initial, strict=True)
        ]
        state = {
            "place": asdict(self.place),
            "callbacks": changed,
            "stop_training": self.model.stop_training,
            "xla": self.trainer.xla,
            "data": self.context.data,
        }
        arrays = weights.arrays_of(self._variables())
        self.context.save_checkpoint(arrays, state, epoch=self.place.epoch, step=self.place.step)

    def _resume(self) -> bool:
        """Go on from the newest checkpoint. Returns whether there is one."""
        checkpoint, self.checkpoint = self.checkpoint, None
        if checkpoint is None:
            return False
        if checkpoint.state["data"] != self.context.data:
            raise RunError(
                "The data are not those that the run began with, so it cannot go on",
                expected=str(checkpoint.state["data"]),
                received=str(self.context.data),
                remedy="put the data back, or start a new run",
            )
        weights.assign(self._variables(), checkpoint.arrays, self.context.run.checkpoints.folder)
        self.model.stop_training = checkpoint.state["stop_training"]
        self._compile(xla=checkpoint.state["xla"])
        for callback, changed in zip(self.callbacks.callbacks, checkpoint.state["callbacks"], strict=False):
            vars(callback).update(changed)
        return True


def _plain_state(callback: Any) -> dict[str, Any]:
    """The public attributes of a callback that JSON can hold: what the callbacks of Keras count and remember."""
    plain = {name: value.item() if isinstance(value, np.number) else value for name, value in vars(callback).items()}
    return {
        name: value
        for name, value in plain.items()
        if not name.startswith("_") and (value is None or isinstance(value, bool | int | float | str))
    }
