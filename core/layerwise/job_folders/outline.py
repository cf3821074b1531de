"""A run in a few values, for lists of runs: cheap to read, however long the run is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from layerwise.job_folders.events import metrics_of
from layerwise.runs import Run


def outline(run: Run) -> dict[str, Any]:
    """What was asked for, and what has become of it, as plain values.

    Returns:
        id, model, variant, by (the account that has started it, or None), study (the search that it is a trial of, or
        None), created, data, device (that was asked for), state, reason, epochs (that are finished), num_epochs,
        metrics (of the last finished epoch), checkpoint (when the newest was written, ISO 8601, or None), has_version,
        is_resumable, folder.
    """
    state, reason = run.state, run.reason
    last = run.event_log.newest("epoch") or {}
    saved = run.checkpoints.saved_at
    return {
        "id": run.id,
        "model": run.name,
        "variant": run.variant,
        "by": run.by,
        "study": run.request.get("study"),
        "created": run.created,
        "data": run.data,
        "device": run.device,
        "state": state,
        "reason": reason,
        "epochs": last.get("epoch", 0),
        "num_epochs": run.config.get("num_epochs"),
        "metrics": metrics_of(last),
        "checkpoint": saved and datetime.fromtimestamp(saved, UTC).isoformat(timespec="seconds"),
        "has_version": run.version_folder is not None,
        "is_resumable": state in ("stopped", "failed"),
        "folder": str(run.folder),
    }
