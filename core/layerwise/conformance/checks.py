"""The checks of a model, in their order: functions that take a Trial, return what was measured, and raise CheckFailed
or CheckSkipped. Anything else that they raise is a failure too."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.card_pictures import read_picture
from layerwise.conformance.bad_inputs import bad_values
from layerwise.conformance.registering import no_deprecated_names
from layerwise.conformance.trial import CheckFailed, CheckSkipped, Trial, sentence_of
from layerwise.deprecations import used_by
from layerwise.errors import LayerwiseError
from layerwise.specs import resolve

if TYPE_CHECKING:
    import keras
    import numpy as np

    from layerwise.runs import Run

TOLERANCE = 1e-3
"""How far numbers may be apart that should be the same: batches and backends sum in another order."""
ANSWERS_TIMED = 10
ASKED_TOGETHER = 4
"""How often each example is asked at the same moment, and how many such moments there are."""
MOST_THREADS = 16
ANY_SIDE = 64
OUTPUTS_FILE = "outputs.npz"

Check = Callable[[Trial], str]
CHECKS: dict[str, Check] = {}
"""By name, in the order in which they are made."""


def check(name: str) -> Callable[[Check], Check]:
    """Add a check of that name."""

    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


@check("its card is complete")
def card_is_complete(trial: Trial) -> str:
    """A reader learns how it works, where it fails and what its licence is, and sees its picture."""
    card = trial.spec.card
    missing = [name for name in ("description", "limits", "licence") if not getattr(card, name).strip()]
    if missing:
        raise CheckFailed(f"The ModelCard says nothing of {' and '.join(missing)}.")
    if card.picture is not None:
        read_picture(card.picture)
    return ""


@check("own data are read")
def own_data_are_read(trial: Trial) -> str:
    """What its task writes as a sample, its task reads, and measures a version by."""
    task = trial.spec.task_of(trial.variant)
    data = task.read_folder(trial.sample)
    if not len(data.splits["train"].targets):
        raise CheckFailed("read_folder found no training examples in what write_sample wrote.")
    parameters = json.loads(json.dumps(data.task.parameters()))
    if set(parameters) != set(task.parameters()):
        raise CheckFailed("The task that read_folder gives has other parameters than its own task.")
    return data.report.summary


@check("it trains, stops and goes on")
def it_trains(trial: Trial) -> str:
    """Two epochs on the sample, or the first calls of a training of its own: the loss is a number, a stop keeps what
    there is, and the run goes on from there to the very same weights."""
    data = _training_data(trial)
    if data is None:
        return _first_calls(trial)
    whole = trial.new_run(data)
    trial.train(whole)
    trial.keep(whole)
    loss = _loss_of(whole)
    parts = _stopped_and_resumed(trial, data)
    if different := _different(whole, parts):
        again = trial.new_run(data)
        trial.train(again)
        if _different(whole, again):
            raise CheckFailed(f"Two runs with the same seed differ: {different}. Something is drawn without the seed.")
        raise CheckFailed(f"A run that was stopped and went on differs from one that was not: {different}.")
    return f"loss {loss:.4g} after {trial.config.num_epochs} epochs; stopped and resumed to the very same weights"


def _training_data(trial: Trial) -> Path | None:
    """The sample to train on; None for a training that makes its data by itself, or on the model's data set."""
    from layerwise.data import find_files

    if trial.spec.train is not None and trial.spec.data is None:
        return None
    try:
        return trial.sample
    except CheckSkipped:
        if trial.spec.data is None:
            raise
        if find_files(trial.snapshot.dataset(trial.spec.data)) is None:
            raise CheckSkipped(f"its data set {trial.spec.data} is not on this machine") from None
        return None


def _first_calls(trial: Trial) -> str:
    whole, parts = trial.new_run(None), trial.new_run(None)
    trial.train(whole, calls=2)
    for _ in range(2):
        trial.train(parts, calls=1)
    trial.keep(parts)
    ends = [run.events()[-1]["event"] for run in (whole, parts)]
    if not set(ends) <= {"stopped", "finished"}:
        raise CheckFailed(f"A training that was asked to stop ended as {' and '.join(sorted(set(ends)))}.")
    _loss_of(parts)
    if trial.spec.train is None:
        return "it began, stopped and went on; its calls may be of different lengths, so they are not compared"
    if different := _different(whole, parts):
        raise CheckFailed(f"A run that was stopped and went on differs from one that was not: {different}.")
    return "two calls of its own training; stopped between them and resumed to the very same weights"


def _stopped_and_resumed(trial: Trial, data: Path) -> Run:
    run = trial.new_run(data)
    trial.train(run, calls=1)
    if run.state != "stopped":
        raise CheckFailed("A training that was asked to stop went on to its end.")
    trial.train(run)
    return run


def _loss_of(run: Run) -> float:
    """The last loss that a run told of.

    Raises:
        CheckFailed: It told of none, or it is no number.
    """
    losses = [event["loss"] for event in run.events() if "loss" in event]
    if not losses:
        return math.nan  # a training of its own may have nothing of the kind to tell yet
    if not math.isfinite(losses[-1]):
        raise CheckFailed(f"The loss is {losses[-1]}.")
    return float(losses[-1])


def _different(one: Run, other: Run) -> str:
    """What is different in the weights that two runs end with; empty for nothing."""
    ours, theirs = _weights_of(one), _weights_of(other)
    if ours.keys() != theirs.keys():
        return "they have other variables"
    return ", ".join(name for name, array in ours.items() if array.tobytes() != theirs[name].tobytes())[:200]


def _weights_of(run: Run) -> dict[str, np.ndarray]:
    from layerwise.weights import read_arrays

    checkpoint = run.checkpoints.latest()
    if checkpoint is None:
        raise CheckFailed("A training that was stopped, or ended, left no checkpoint.")
    found = dict(checkpoint.arrays)
    if run.version_folder is not None:
        found |= {f"version/{name}": array for name, array in read_arrays(run.version_folder).items()}
    return found


@check("its examples are answered")
def examples_are_answered(trial: Trial) -> str:
    """Each, with a value for every output that is always there."""
    needed = [field.name for field in trial.version.task.outputs if not field.optional]
    for example in trial.examples:
        answer = trial.answer(example.inputs)
        if missing := [name for name in needed if name not in answer]:
            raise CheckFailed(f"The answer to the example {example.label!r} has no {' and no '.join(missing)}.")
    return f"{len(trial.examples)} examples"


@check("a batch is answered like single questions")
def batch_equals_single(trial: Trial) -> str:
    """`run_batch` gives what `run` gives."""
    from layerwise.serving.named_inputs import named_inputs

    batch = [named_inputs(trial.version, example.inputs) for example in trial.examples]
    together = trial.runner.run_batch(batch)
    if len(together) != len(batch):
        raise CheckFailed(f"run_batch gave {len(together)} answers to {len(batch)} inputs.")
    if _draws(trial):
        raise CheckSkipped("it draws what it says, so no two answers need be the same")
    for inputs, answer, example in zip(batch, together, trial.examples, strict=True):
        if difference := differing(trial.answer(inputs), answer):
            raise CheckFailed(f"The example {example.label!r} in a batch is answered otherwise: {difference}.")
    return f"{len(batch)} together"


@check("questions that come together are answered like single ones")
def together_equals_single(trial: Trial) -> str:
    """Asked by many at the same moment, which may be computed together, each example is answered as alone."""
    if not trial.runner.joins:
        raise CheckSkipped("it computes one question at a time")
    if _draws(trial):
        raise CheckSkipped("it draws what it says, so no two answers need be the same")
    asked = [example.inputs for example in trial.examples] * ASKED_TOGETHER
    alone = [trial.answer(example.inputs) for example in trial.examples] * ASKED_TOGETHER
    with ThreadPoolExecutor(MOST_THREADS) as threads:
        # More than once: the sizes of batches are compiled only when they are wanted.
        for _ in range(ASKED_TOGETHER):
            for number, answer in enumerate(threads.map(trial.answer, asked)):
                if difference := differing(alone[number], answer):
                    label = trial.examples[number % len(trial.examples)].label
                    raise CheckFailed(f"The example {label!r} is answered otherwise beside others: {difference}.")
    return f"{len(asked)} at a time"


def _draws(trial: Trial) -> bool:
    first = trial.examples[0].inputs
    return bool(differing(trial.answer(first), trial.answer(first)))


def differing(one: Any, other: Any, place: str = "answer") -> str:
    """Where two answers are different, by more than rounding; empty for nowhere."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() != other.keys():
            return f"{place} has other keys"
        return next((found for key in one if (found := differing(one[key], other[key], f"{place}.{key}"))), "")
    if isinstance(one, str | bytes | bool) or one is None:
        return "" if one == other else place
    if isinstance(one, int | float) and isinstance(other, int | float):
        same = math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (one != one and other != other)
        return "" if same else f"{place} is {one:g} and {other:g}"
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        if len(one) != len(other):
            return f"{place} has {len(one)} and {len(other)} items"
        pairs = enumerate(zip(one, other, strict=True))
        return next((found for at, pair in pairs if (found := differing(*pair, f"{place}[{at}]"))), "")
    # Pictures, plots and the like are drawn from what was compared.
    return "" if type(one) is type(other) else f"{place} is of another type"


@check("weights are saved and loaded")
def weights_are_kept(trial: Trial) -> str:
    """A network that is built anew and given the saved weights says the same."""
    model, batch = _network(trial)
    import numpy as np

    from layerwise import weights

    folder = trial.home / "saved"
    weights.save(model, folder, {"name": trial.spec.name})
    other = resolve(trial.spec.build)(trial.version.config, trial.version.task)
    weights.load_into(other, folder)
    expected, received = (_outputs(one, batch) for one in (model, other))
    np.savez(trial.home / OUTPUTS_FILE, *expected)
    for one, two in zip(expected, received, strict=True):
        if not np.array_equal(one, two, equal_nan=True):
            raise CheckFailed("A network built anew with the saved weights gives other outputs.")
    return f"{model.count_params():,} parameters"


def _network(trial: Trial) -> tuple[Any, Any]:
    """The network of the version with its weights, and a batch for it.

    Raises:
        CheckSkipped: It is no network of Keras, or its task has nothing to warm it up with.
    """
    if not trial.version.record:
        raise CheckSkipped("it has no weights")
    import keras

    from layerwise import weights

    try:
        model = resolve(trial.spec.build)(trial.version.config, trial.version.task)
    except LayerwiseError as error:
        if trial.spec.runner is None:
            raise
        raise CheckSkipped(str(error)) from None
    if not isinstance(model, keras.Model):
        raise CheckSkipped("what it builds is no model of Keras")
    weights.load_into(model, trial.version.folder)
    try:
        return model, trial.version.task.warm_input()
    except NotImplementedError as error:
        raise CheckSkipped(str(error)) from None


def _outputs(model: Any, batch: Any) -> list[np.ndarray]:
    """What a model gives for a batch; one that only holds networks, what each of them gives for noise."""
    import keras

    from layerwise import engines

    predict = engines.current().compile_predict
    if type(model).call is not keras.Model.call:
        return _flat(predict(model)(batch))
    networks = model.inspectable()
    return [array for name in sorted(networks) for array in _flat(predict(networks[name])(_noise(networks[name])))]


def _noise(network: keras.Model) -> list[np.ndarray]:
    """One example of random numbers for each input of a network; sides that may be of any length have `ANY_SIDE`."""
    import numpy as np

    random = np.random.default_rng(0)
    shapes = [[1, *(side or ANY_SIDE for side in tensor.shape[1:])] for tensor in network.inputs]
    return [random.random(shape, "float32") for shape in shapes]


def _flat(outputs: Any) -> list[np.ndarray]:
    import numpy as np

    if isinstance(outputs, Mapping):
        return [array for name in sorted(outputs) for array in _flat(outputs[name])]
    if isinstance(outputs, list | tuple):
        return [array for item in outputs for array in _flat(item)]
    return [np.asarray(outputs, "float32")]


@check("bad input is explained")
def bad_input_is_explained(trial: Trial) -> str:
    """For each input what nobody should give: an answer, or an error that a user can read."""
    from layerwise.serving.named_inputs import named_inputs

    task = trial.version.task
    good: dict[str, Any] = {}
    with contextlib.suppress(CheckSkipped):
        good = dict(named_inputs(trial.version, trial.examples[0].inputs))
    tried = 0
    for field in task.inputs:
        for name, value in bad_values(field):
            tried += 1
            try:
                trial.answer({**good, field.name: value})
            except LayerwiseError as error:
                if not str(error).strip():
                    raise CheckFailed(f"{field.title} as {name}: an error without a word.") from error
            except Exception as error:
                raise CheckFailed(
                    f"{field.title} as {name}: {sentence_of(error)}, where a LayerwiseError is for."
                ) from error
    if not tried:
        raise CheckSkipped("nothing goes in")
    return f"{tried} sorts"


@check("speed and memory are known")
def speed_and_memory(trial: Trial) -> str:
    """The median time of an answer to its first example, and the memory of the process by then."""
    inputs = trial.examples[0].inputs
    trial.answer(inputs)
    seconds = []
    for _ in range(ANSWERS_TIMED):
        begin = time.perf_counter()
        trial.answer(inputs)
        seconds.append(time.perf_counter() - begin)
    return f"{1000 * statistics.median(seconds):.1f} ms an answer, {_most_memory()} of memory"


@check("it uses nothing that goes")
def nothing_deprecated(trial: Trial) -> str:
    """What the checks before made it call, in the same process, uses no deprecated name."""
    report = trial.snapshot.plugin_of(trial.spec.name)
    return no_deprecated_names(used_by(report.module) if report is not None else ())


def _most_memory() -> str:
    try:
        import resource
        import sys
    except ImportError:  # Windows has no such figures
        return "an unknown amount"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"{most / 2**20:,.0f} MiB"


def on_another_backend(trial: Trial) -> str:
    """The same weights on the backend of this process give what they gave before on the first one."""
    import numpy as np

    model, batch = _network(trial)
    with np.load(trial.home / OUTPUTS_FILE) as arrays:
        expected = [arrays[name] for name in arrays.files]
    received = _outputs(model, batch)
    for one, other in zip(expected, received, strict=True):
        if one.shape != other.shape:
            raise CheckFailed(f"Its outputs have another shape. Expected: {one.shape}. Received: {other.shape}.")
        scale = max(1.0, float(np.max(np.abs(one), initial=0)))
        apart = float(np.max(np.abs(one - other), initial=0)) / scale
        if not apart <= TOLERANCE:
            raise CheckFailed(f"Its outputs are apart by {apart:.2g} of their size.")
    return ""


def made(trial: Trial, names: Sequence[str]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Those of the checks, in their order."""
    for name in names:
        yield name, functools.partial(CHECKS.get(name, on_another_backend), trial)
