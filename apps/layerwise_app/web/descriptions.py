"""Models, versions, runs and answers as JSON, for the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError
from layerwise.job_folders.outline import outline
from layerwise.versions import Reference

if TYPE_CHECKING:
    from layerwise.config import Setting
    from layerwise.runs import Run
    from layerwise.specs import ModelSpec
    from layerwise.tasks.fields import Field
    from layerwise.versions import Version
    from layerwise.workspace import Workspace


def describe_model(workspace: Workspace, spec: ModelSpec) -> dict[str, Any]:
    """What the list of models says of one."""
    return {
        "name": spec.name,
        "title": spec.card.title,
        "summary": spec.card.summary,
        "task": spec.task.type_name,
        "inputs": [_describe_field(field) for field in spec.task.inputs],
        "outputs": [_describe_field(field) for field in spec.task.outputs],
        "variants": {variant.name: _in_use(workspace, spec, variant.name) for variant in spec.variants},
    }


def _in_use(workspace: Workspace, spec: ModelSpec, variant: str) -> dict[str, Any] | None:
    try:
        return describe_version(workspace.predictor.version(Reference(spec.name, variant)))
    except LayerwiseError:
        return None


def _describe_field(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"name": field.name, "kind": field.kind, "label": field.label, "optional": field.optional}
    limits = {"minimum": field.minimum, "maximum": field.maximum, "default": field.default}
    found |= {name: value for name, value in limits.items() if value is not None}
    if field.choices:
        found["choices"] = list(field.choices)
    if field.columns:
        found["columns"] = [_describe_field(column) for column in field.columns]
    return found


def describe_setting(item: Setting) -> dict[str, Any]:
    """One setting of a config."""
    return {
        "name": item.name,
        "type": item.kind.__name__,
        "default": item.default,
        "meaning": item.meaning,
        "range": item.range_text,
        "advanced": item.advanced,
    }


def describe_version(version: Version) -> dict[str, Any]:
    """A version and what was measured of it."""
    return {
        "version": version.id,
        "model": version.name,
        "variant": version.variant,
        "created": version.created,
        "num_parameters": version.num_parameters,
        "metrics": version.metrics,
        "measured": version.record.get("measured"),
    }


def describe_run(workspace: Workspace, run: Run) -> dict[str, Any]:
    """A run and what became of it."""
    found = outline(run)
    # Where it lies on the server's disk is no visitor's business.
    del found["folder"]
    return {**found, "is_promoted": is_promoted(workspace, run)}


def is_promoted(workspace: Workspace, run: Run) -> bool:
    """Whether a run's version is in use."""
    try:
        return workspace.versions.is_promoted(run)
    except LayerwiseError:
        return False  # the pointer is unreadable: promoting again writes a good one
