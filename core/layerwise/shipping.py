"""Shipping: the result of a run becomes the weights that come with a plugin.

    python -m layerwise.shipping RUN FOLDER

writes them in half precision and measures what was written, so that the figures in the record are those of the
shipped file and not of the one it was made from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from layerwise import weights
from layerwise.errors import LayerwiseError, RunError
from layerwise.evaluation import evaluate_version
from layerwise.versions import SHIPPED, read_version
from layerwise.workspace import Workspace, open_workspace


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
    arrays = weights.stored_as(weights.read_arrays(found.version_folder), dtype)
    record = weights.read_record(found.version_folder)
    # What the machine was called or where the data lay is nobody's business.
    record["data"] = {**record["data"], "folder": None}
    weights.save_arrays(arrays, folder, record)
    measured = evaluate_version(snapshot, read_version(spec, found.variant, SHIPPED, folder), split=split)
    weights.save_arrays(arrays, folder, {**record, "measured": measured})
    return weights.read_record(folder)


def main(arguments: list[str]) -> int:
    """The command. Returns the exit status."""
    if len(arguments) != 2:
        print("usage: python -m layerwise.shipping RUN FOLDER", file=sys.stderr)
        return 2
    try:
        with open_workspace() as workspace:
            record = ship(workspace, arguments[0], Path(arguments[1]))
    except LayerwiseError as error:
        print(error, file=sys.stderr)
        return 1
    measured = record["measured"]
    figures = ", ".join(f"{name} {value:.4f}" for name, value in measured["metrics"].items())
    print(f"{arguments[1]}: {record['bytes']} bytes; {measured['split']} split of {measured['count']}: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
