"""Shipping: the result of a run becomes the weights that come with a plugin.

    python -m layerwise.shipping RUN FOLDER
    python -m layerwise.shipping MODEL

The first writes them in half precision and measures what was written, so that the figures in the record are those of
the shipped file and not of the one it was made from. What takes long to see of the network is computed beside it; the
second command does that again for weights that are shipped already.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import stored_plots, weights
from layerwise.errors import LayerwiseError, RunError
from layerwise.evaluation import evaluate_version, report_of
from layerwise.inspection import Inspector
from layerwise.loading import Loaded
from layerwise.runner import make_runner
from layerwise.stored_plots import REPORT
from layerwise.versions import MILESTONES, SHIPPED, parse_reference, read_version
from layerwise.workspace import Workspace, open_workspace

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
        The record, with "measured" as `evaluate` gives it.

    Raises:
        RunError: The run has no weights.
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
    measured = evaluate_version(snapshot, read_version(spec, found.variant, SHIPPED, folder), split=split)
    weights.save_arrays(arrays, folder, {**record, "measured": measured})
    store_plots(spec, found.variant, folder, snapshot, split=split)
    return weights.read_record(folder)


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
    if len(arguments) not in (1, 2):
        print(
            "usage: python -m layerwise.shipping RUN FOLDER\n       python -m layerwise.shipping MODEL", file=sys.stderr
        )
        return 2
    try:
        with open_workspace() as workspace:
            print(_ship_run(workspace, *arguments) if len(arguments) == 2 else _show_again(workspace, *arguments))
    except LayerwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _ship_run(workspace: Workspace, run: str, folder: str) -> str:
    record = ship(workspace, run, Path(folder))
    measured = record["measured"]
    figures = ", ".join(f"{name} {value:.4f}" for name, value in measured["metrics"].items())
    return f"{folder}: {record['bytes']} bytes; {measured['split']} split of {measured['count']}: {figures}"


def _show_again(workspace: Workspace, reference: str) -> str:
    parsed, snapshot = parse_reference(reference), workspace.registry.snapshot()
    spec = snapshot.model(parsed.name)
    variant = spec.variant(parsed.variant)
    folder = workspace.versions.get(spec, variant.name, SHIPPED).folder
    return f"{folder}: {', '.join(store_plots(spec, variant.name, folder, snapshot)) or 'nothing to show'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
