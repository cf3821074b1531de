"""What the checks of one model share: the model, a version that answers, and how a check says that it failed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.datasets.sample_data import has_sample, write_sample
from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.paths import write_atomically
from layerwise.specs import resolve

if TYPE_CHECKING:
    from layerwise.registry import Snapshot
    from layerwise.runner import Runner
    from layerwise.runs import Run
    from layerwise.specs import Example, ModelSpec, Variant
    from layerwise.versions import Version

EPOCHS, BATCH_SIZE = 2, 8
"""Of the trainings that are tried."""


class CheckFailed(Exception):  # noqa: N818
    """The check failed; the text says what was expected and what was seen."""


class CheckWarned(Exception):  # noqa: N818
    """The check passed, and will not with a later release of Layerwise; the text says what is to be done."""


class CheckSkipped(Exception):  # noqa: N818
    """There is nothing to check; the text says why."""


@dataclass(frozen=True)
class Trial:
    """A model that is tried.

    Args:
        snapshot: What is registered.
        spec: The model.
        variant: Of it.
        home: An empty home, for this variant alone.
    """

    snapshot: Snapshot
    spec: ModelSpec
    variant: Variant
    home: Path

    @cached_property
    def config(self) -> Any:
        """The variant's config, for a training of seconds."""
        config = self.variant.config
        if self.spec.train is not None:
            return config  # what its numbers mean is its own
        small = {"num_epochs": EPOCHS, "batch_size": min(BATCH_SIZE, config.batch_size), "compiler": "graph"}
        return dataclasses.replace(config, **small)

    @cached_property
    def sample(self) -> Path:
        """A folder with a sample of the user's own data.

        Raises:
            CheckSkipped: The task takes none, or has no sample.
        """
        task = self.spec.task_of(self.variant)
        if not task.folder_format:
            raise CheckSkipped(f"{task.type_name} takes no data of the user's own")
        if not has_sample(task):
            raise CheckSkipped(f"{task.type_name} has no example of such data")
        folder = self.home / "sample"
        if not folder.exists():
            write_sample(task, folder)
        return folder

    def train(self, run: Run, *, calls: int | None = None) -> None:
        """Train until it is over, or stop as somebody would who asks for it the `calls`-th time that it looks."""
        from layerwise.context import Context
        from layerwise.training import fit

        looks = 0

        class Short(Context):
            def should_stop(self) -> bool:
                nonlocal looks
                looks += 1
                return calls is not None and looks >= calls

        fit(Short.of(run, self.snapshot))

    def new_run(self, data: Path | None) -> Run:
        """A run that has not begun."""
        from layerwise.runs import RunStore

        return RunStore(self.home).create(self.spec, self.variant.name, self.config, data=data)

    def keep(self, run: Run) -> None:
        """Remember a run whose version may answer, for the process of a later check too."""
        write_atomically(self.home / "trained.json", json.dumps({"run": run.id}))

    @cached_property
    def version(self) -> Version:
        """The version that answers: the one that is shipped, or what a training here has made.

        Raises:
            CheckSkipped: There is none.
        """
        from layerwise.serving.in_use import find_version
        from layerwise.versions import VersionStore

        store = VersionStore(self.home)
        try:
            return find_version(store, self.spec, self.variant.name, None)
        except NotFoundError:
            trained = self.home / "trained.json"
            if not trained.exists():
                raise CheckSkipped("it has no weights, and none could be trained here") from None
            return store.get(self.spec, self.variant.name, json.loads(trained.read_text(encoding="utf-8"))["run"])

    @cached_property
    def runner(self) -> Runner:
        """What answers, in memory."""
        from layerwise.runner import make_runner

        runner = make_runner(self.spec, self.version, lambda: self.snapshot)
        runner.warm()
        return runner

    @cached_property
    def examples(self) -> list[Example]:
        """Those of the model.

        Raises:
            CheckSkipped: It has none.
        """
        found = list(resolve(self.spec.examples)()) if self.spec.examples is not None else []
        if not found:
            raise CheckSkipped("it has no examples")
        return found

    def answer(self, inputs: Any) -> dict[str, Any]:
        """The whole answer to one input, by the way that every request goes.

        Raises:
            CheckFailed: A partial answer, or something else than an answer, came last.
        """
        import threading

        from layerwise.runner import last_answer
        from layerwise.serving.named_inputs import named_inputs

        result = self.runner.run(named_inputs(self.version, inputs), None, threading.Event())
        found = last_answer(result) if isinstance(result, Mapping | Iterable) else result
        if not isinstance(found, Mapping):
            raise CheckFailed(f"An answer is no mapping of names to values. Received: {found!r:.100}.")
        return dict(found)


def sentence_of(error: BaseException) -> str:
    """What a reader is told of an error that a check met."""
    if isinstance(error, CheckFailed | CheckSkipped | LayerwiseError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"It raised {type(error).__name__}: {lines[0][:300]}" if lines else f"It raised {type(error).__name__}"
