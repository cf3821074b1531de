"""The process of one export: `python -m layerwise.export.process REQUEST`.

It builds the network, writes it, reads it back by the runtime of its format, compares, and fills the folder that the
request names. What it does, and at last the metadata or what went wrong, it says on its standard output, a JSON object
a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.data import load
from layerwise.datasets.batches import map_arrays
from layerwise.datasets.feed import take
from layerwise.devices import prepare
from layerwise.errors import DataError, ExportError, LayerwiseError
from layerwise.evaluation import compute_outputs, find_split
from layerwise.export.formats import FORMATS, Format, inference_model, named_outputs
from layerwise.export.metadata import metadata_of, readme
from layerwise.runner import NetworkRunner, Runner
from layerwise.serving.in_use import find_version
from layerwise.serving.loading import explained
from layerwise.specs import resolve
from layerwise.versions import Version, VersionStore, parse_reference
from layerwise.weights import read_record

if TYPE_CHECKING:
    from layerwise.registry import Snapshot
    from layerwise.splits import Split

TOLERANCE = 1e-5
"""How far an output may be from the core's, absolutely and relatively: |difference| <= 1e-5 + 1e-5 |output|."""
EXAMPLES = 32
"""How many examples the exported network is compared on, at most."""

Batch = Any
"""Encoded examples [examples, ...], or a dict of them for a network with several inputs."""


def main(request: Mapping[str, str]) -> None:
    """Do what `request` asks for: home, reference, format, precision, and folder, where the result belongs."""
    # Libraries print what they do; what is meant for the other process must be alone.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()

    def say(**message: Any) -> None:
        print(json.dumps(message), file=messages, flush=True)

    try:
        with explained(request["reference"], "be exported"):
            say(metadata=_export(request, lambda doing: say(doing=doing)))
    except LayerwiseError as error:
        parts = {name: getattr(error, name) for name in ("what", "expected", "received", "remedy")}
        say(error={"type": type(error).__name__, **parts})


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _export(request: Mapping[str, str], progress: Callable[[str], None]) -> dict[str, Any]:
    from layerwise.registry import Registry

    # On the CPU, where the runtimes compute that it is compared with.
    prepare(device="cpu")
    home, wanted = Path(request["home"]), parse_reference(request["reference"])
    snapshot = Registry(home).snapshot()
    spec = snapshot.model(wanted.name)
    version = find_version(VersionStore(home), spec, wanted.variant, wanted.version)
    file_format, precision, folder = FORMATS[request["format"]], request["precision"], Path(request["folder"])

    progress("building the network")
    runner = NetworkRunner(version, spec)
    _check_not_replaced(version)
    origin, batch = _examples(snapshot, version)
    model = inference_model(runner.model, batch)
    with _explained_format(version, file_format):
        progress(f"writing {file_format.title}")
        file_format.write(model, folder / file_format.file, precision)
        progress("comparing its answers with Layerwise's")
        exported = _ExportedRunner(file_format, folder / file_format.file, model.inputs[0].name)
        largest = _largest_difference(exported, runner, batch, exact=precision == "float32")
    count = len(next(iter(batch.values())) if isinstance(batch, Mapping) else batch)
    check = {"runtime": file_format.runtime_version, "examples": count, "origin": origin, "largest_difference": largest}
    if precision == "float32":
        check["tolerance"] = TOLERANCE
    else:
        progress("measuring it on the test split")
        check["measured"] = _measured(snapshot, version, exported, runner)
    for name, content in version.task.files().items():
        (folder / name).write_text(content, encoding="utf-8")
    metadata = metadata_of(spec, version, file_format, precision, model, check)
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(readme(metadata, file_format), encoding="utf-8")
    return metadata


def _check_not_replaced(version: Version) -> None:
    """Raise ExportError when the weights that were loaded may not be those of the record: a run that still trains
    replaces its version."""
    if read_record(version.folder).get("sha256") != version.record.get("sha256"):
        raise ExportError(f"{version.reference} has just been replaced by its training", remedy="export it again")


@contextlib.contextmanager
def _explained_format(version: Version, file_format: Format):
    """Whatever a converter or a runtime raises, as one sentence."""
    try:
        yield
    except (LayerwiseError, MemoryError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise ExportError(
            f"{version.reference} cannot be written as {file_format.title}",
            received=f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__,
            remedy="choose another format",
        ) from error


class _ExportedRunner(Runner):
    """An exported network behind the interface with which models are measured."""

    def __init__(self, file_format: Format, path: Path, only_input: str) -> None:
        self._run, self._only_input = file_format.read(path), only_input

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Any:
        raise NotImplementedError("only its outputs are wanted")

    def outputs(self, batch: Batch) -> Any:
        # Keras takes examples that are kept in 16 bits as its inputs say; other runtimes are strict.
        batch = map_arrays(lambda array: array.astype("float32") if array.dtype == "float16" else array, batch)
        outputs = self._run(batch if isinstance(batch, Mapping) else {self._only_input: batch})
        return outputs["output"] if outputs.keys() == {"output"} else outputs


def _examples(snapshot: Snapshot, version: Version) -> tuple[str, Batch]:
    """Encoded examples of the same shape, and where they are from: those that the model shows, else some of its test
    split, else a blank one."""
    import numpy as np

    shown = _shown_examples(snapshot, version)
    shapes = [map_arrays(np.shape, batch) for batch in shown]
    alike = [batch for batch, shape in zip(shown, shapes, strict=True) if shape == shapes[0]][:EXAMPLES]
    if alike and isinstance(alike[0], Mapping):
        return "the model's examples", {name: np.concatenate([batch[name] for batch in alike]) for name in alike[0]}
    if alike:
        return "the model's examples", np.concatenate(alike)
    with contextlib.suppress(LayerwiseError):
        split = _test_split(snapshot, version)
        some = version.task.to_train_on(split.select(np.arange(min(len(split), EXAMPLES))))
        return "the test split", take(some, np.arange(len(some)))[0]
    return "a blank input", version.task.warm_input()


def _shown_examples(snapshot: Snapshot, version: Version) -> list[Batch]:
    examples = snapshot.model(version.name).examples
    # They need not fit a version that was trained on other columns, and a plugin may err.
    with contextlib.suppress(LayerwiseError), explained(version.reference, "read its examples"):
        return [version.task.encode(example.inputs) for example in (resolve(examples)() if examples else ())]
    return []


def _test_split(snapshot: Snapshot, version: Version) -> Split:
    """The test split that belongs to the version.

    Raises:
        DataError: It is not on this machine.
    """
    record = version.record.get("data") or {}
    name = record.get("dataset") or snapshot.model(version.name).data
    if record.get("folder") is None and name is not None:
        load(snapshot.dataset(name), snapshot, offline=True)
    return find_split(snapshot, version, "test", None)[-1]


def _largest_difference(exported: Runner, core: Runner, batch: Batch, *, exact: bool) -> float:
    """The largest difference of an output from the core's, for one example alone and for all together.

    Raises:
        ExportError: It is above `TOLERANCE` where it shall be exact, or an output is not a finite number.
    """
    import numpy as np

    largest = 0.0
    for part in (map_arrays(lambda array: array[:1], batch), batch):
        wanted, got = named_outputs(core.outputs(part)), named_outputs(exported.outputs(part))
        for name, value in wanted.items():
            if name not in got or got[name].shape != value.shape:
                raise ExportError(
                    "The exported network gives other outputs than Layerwise, so it was discarded",
                    expected=f"{name} {list(value.shape)}",
                    received=", ".join(f"{name} {list(array.shape)}" for name, array in got.items()),
                )
            difference = float(np.abs(got[name].astype("float64") - value).max())
            is_close = np.allclose(got[name], value, rtol=TOLERANCE, atol=TOLERANCE)
            if not (is_close if exact else np.isfinite(got[name]).all()):
                raise ExportError(
                    "The exported network answers differently from Layerwise, so it was discarded",
                    expected=f"differences of at most {TOLERANCE:g}, absolute or relative"
                    if exact
                    else "finite numbers",
                    received=f"a difference of {difference:g}",
                    remedy="choose another format",
                )
            largest = max(largest, difference)
    return largest


def _measured(snapshot: Snapshot, version: Version, exported: Runner, core: Runner) -> dict[str, Any] | None:
    """The metrics of both on the test split; None when that is not on this machine."""
    import numpy as np

    try:
        split = version.task.to_train_on(_test_split(snapshot, version))
    except DataError:
        return None
    targets = np.asarray(split.targets)
    metrics = {
        name: version.task.evaluate(compute_outputs(runner, split), targets)
        for name, runner in (("exported", exported), ("layerwise", core))
    }
    return {"split": "test", "count": len(split), **metrics}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
