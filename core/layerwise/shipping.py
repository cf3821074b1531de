"""Shipping: the result of a run becomes the weights that come with a plugin.

    python -m layerwise.shipping RUN FOLDER
    python -m layerwise.shipping MODEL
    python -m layerwise.shipping --measure [MODEL ...]

The first writes them in half precision and measures what was written, so that the figures in the record are those of
the shipped file and not of the one it was made from. What takes long to see of the network is computed beside it; the
second command does that again for weights that are shipped already. The third measures those once more and writes into
their records what the figures are of, for `layerwise verify`; figures that are right stay, others are replaced.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import stored_plots, weights
from layerwise.devices import quiet_import
from layerwise.errors import LayerwiseError, MissingDataError, RunError
from layerwise.evaluation import evaluate_version, report_of
from layerwise.inspection import Inspector
from layerwise.runner import make_runner
from layerwise.serving.loading import Loaded
from layerwise.stored_plots import REPORT
from layerwise.tasks.metric_values import in_digits
from layerwise.verification import confirmed, shipped_models
from layerwise.versions import MILESTONES, SHIPPED, Version, parse_reference, read_version
from layerwise.workspace import Workspace, open_workspace

USAGE = """usage: python -m layerwise.shipping RUN FOLDER
       python -m layerwise.shipping MODEL
       python -m layerwise.shipping --measure [MODEL ...]"""

if TYPE_CHECKING:
    from layerwise.registry import Snapshot
    from layerwise.specs import ModelSpec


def ship(
    workspace: Workspace, run: str, folder: Path, *, dtype: str = "float16", split: str = "test"
) -> dict[str, Any]:
    """Write the version of a run for a plugin to ship.

    Args:
        run: The id of the run, or its end.
        folder: Where the record and the weights go; the Variant's `weights` names it.
        dtype: How floating-point weights are stored.
        split: What the shipped weights are measured on, for the record's "measured".

    Returns:
        The record, with "measured" as `evaluate` gives it, and what that is of.

    Raises:
        RunError: The run has no weights.
        LayerwiseError: What was written gives other figures when it is measured once more.
    """
    found = workspace.runs.get(run)
    if found.version_folder is None:
        raise RunError(f"The run {found.id} has no weights to ship", received=f"a run that is {found.state}")
    snapshot = workspace.registry.snapshot()
    spec = snapshot.model(found.name)
    version = workspace.versions.get(spec, found.variant, found.id)
    arrays, record = weights.stored_as(weights.read_arrays(version.folder), dtype), weights.read_record(version.folder)
    # What the machine was called or where the data lay is nobody's business.
    record["data"] = {**record["data"], "folder": None}
    weights.save_arrays(arrays, folder, record, version.task.files())
    shutil.rmtree(folder / MILESTONES, ignore_errors=True)
    for milestone in version.milestones:
        kept, shipped = weights.read_record(milestone.folder), folder / MILESTONES / milestone.folder.name
        is_result = kept["sha256"] == version.record["sha256"]
        # There are many of them, to look at rather than to measure.
        small = arrays if is_result else weights.stored_as(weights.read_arrays(milestone.folder), "int8")
        weights.save_arrays(small, shipped, {"epoch": kept["epoch"], "metrics": kept["metrics"]})
        if is_result:
            for path in shipped.glob(weights.weights_file("*")):
                path.unlink()  # `weights.read_arrays` finds it beside the version
    measured_again(snapshot, read_version(spec, found.variant, SHIPPED, folder), split=split)
    store_plots(spec, found.variant, folder, snapshot, split=split)
    return weights.read_record(folder)


def measured_again(snapshot: Snapshot, version: Version, *, split: str = "test") -> str:
    """Measure a version that is shipped, and write into its record what the figures are of. Those that the record has
    stay where they are right: intervals by resampling are a little otherwise each time.

    Args:
        split: What is measured where the record holds no figures.

    Returns:
        Why the figures are others now; empty when they are not.

    Raises:
        MissingDataError: The data are not here.
        LayerwiseError: What it gives is something else when it is measured once more.
    """
    why = "nothing was measured yet"
    if measured := version.record.get("measured"):
        split = measured["split"]
        try:
            weights.write_record(version.folder, {**version.record, "measured": confirmed(snapshot, version)})
        except MissingDataError:
            raise
        except LayerwiseError as error:
            why = str(error)
        else:
            return ""
    record = {**version.record, "measured": evaluate_version(snapshot, version, split=split)}
    record["measured"] = confirmed(snapshot, replace(version, record=record))
    weights.write_record(version.folder, record)
    return why


def store_plots(spec: ModelSpec, variant: str, folder: Path, snapshot: Snapshot, *, split: str = "test") -> list[str]:
    """Compute what takes long to see of a version, and write it beside its weights: how it does on a split, and what
    its layers answer to.

    Returns:
        The names of what is there to see.
    """
    version = read_version(spec, variant, SHIPPED, folder)
    found = {REPORT: report_of(snapshot, version, split=split)}
    with (
        contextlib.closing(make_runner(spec, version, lambda: snapshot)) as runner,
        contextlib.suppress(LayerwiseError),
    ):
        found |= Inspector(Loaded(spec, version, runner), snapshot).stored()
    shown = {name: plots for name, plots in found.items() if plots}
    if shown:
        stored_plots.write(shown, folder)
    return list(shown)


def main(arguments: list[str]) -> int:
    """The command. Returns the exit status."""
    measures = arguments[:1] == ["--measure"]
    if not measures and len(arguments) not in (1, 2):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        with open_workspace() as workspace:
            if measures:
                return _measure_again(workspace, arguments[1:])
            print(_ship_run(workspace, *arguments) if len(arguments) == 2 else _show_again(workspace, *arguments))
    except LayerwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _ship_run(workspace: Workspace, run: str, folder: str) -> str:
    record = ship(workspace, run, Path(folder))
    measured = record["measured"]
    figures = ", ".join(f"{name} {in_digits(value)}" for name, value in measured["metrics"].items())
    return f"{folder}: {record['bytes']} bytes; {measured['split']} split of {measured['count']}: {figures}"


def _measure_again(workspace: Workspace, references: list[str]) -> int:
    quiet_import()  # which is no part of what measuring takes
    snapshot, status = workspace.registry.snapshot(), 0
    for spec, variant in shipped_models(snapshot, references):
        try:
            version = workspace.versions.get(spec, variant.name, SHIPPED)
            if "measured" not in version.record:
                said = "its card says how it was measured"
            elif why := measured_again(snapshot, version):
                said = f"other figures: {why}"
            else:
                said = "right"
        except LayerwiseError as error:
            said, status = str(error), 1
        print(f"{spec.name}:{variant.name}: {said}", flush=True)
    return status


def _show_again(workspace: Workspace, reference: str) -> str:
    parsed, snapshot = parse_reference(reference), workspace.registry.snapshot()
    spec = snapshot.model(parsed.name)
    variant = spec.variant(parsed.variant)
    folder = workspace.versions.get(spec, variant.name, SHIPPED).folder
    return f"{folder}: {', '.join(store_plots(spec, variant.name, folder, snapshot)) or 'nothing to show'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
