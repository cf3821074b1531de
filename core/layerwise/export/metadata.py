"""What an export says about itself: `metadata.json` for programs, README.md for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerwise.export.formats import Format
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version


def metadata_of(
    spec: ModelSpec, version: Version, file_format: Format, precision: str, model: Any, check: Mapping[str, Any]
) -> dict[str, Any]:
    """All facts about an export, as JSON values.

    Args:
        model: The Keras model that was written (`layerwise.export.formats.inference_model`).
        check: How it was compared with the core.
    """
    from layerwise import __version__

    card, record = spec.card, version.record
    return {
        "name": version.name,
        "variant": version.variant,
        "version": version.id,
        "format": file_format.name,
        "file": file_format.file,
        "precision": precision,
        "title": card.title,
        "summary": card.summary,
        "limits": card.limits,
        "licence": record.get("licence") or card.licence,
        "sources": list(card.sources),
        "inputs": [_tensor(tensor.name, tensor) for tensor in model.inputs],
        "input_meaning": version.task.network_takes,
        "outputs": [_tensor(name, tensor) for name, tensor in model.output.items()],
        "output_meaning": version.task.network_gives,
        "task": {"type": version.task.type_name, **version.task.parameters()},
        "trained": version.created or None,
        "num_parameters": version.num_parameters,
        "weights_sha256": record.get("sha256"),
        "measured": record.get("measured") or {"metrics": version.metrics},
        "check": dict(check),
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "layerwise": __version__,
    }


def _tensor(name: str, tensor: Any) -> dict[str, Any]:
    """Name, dtype and shape; None in the shape is any length, and the first is the batch."""
    return {"name": name, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def readme(metadata: Mapping[str, Any], file_format: Format) -> str:
    """Markdown: what the network takes and gives, and how to run it."""
    check = metadata["check"]
    arrays = ", ".join(
        f'"{tensor["name"]}": np.zeros({tuple(size or 1 for size in tensor["shape"])}, "{tensor["dtype"]}")'
        for tensor in metadata["inputs"]
    )
    identity = (
        f"This is version `{metadata['version']}` of `{metadata['name']}:{metadata['variant']}` as "
        f"{file_format.title}, its weights in {metadata['precision']}."
    )
    compared = (
        f"{check['runtime']} was compared with Layerwise on {check['examples']} examples ({check['origin']}); the "
        f"largest difference of an output was {check['largest_difference']:.2g}."
    )
    parts = [
        f"# {metadata['title']}",
        metadata["summary"],
        identity,
        _tensors("Input", metadata["inputs"], metadata["input_meaning"]),
        _tensors("Output", metadata["outputs"], metadata["output_meaning"]),
        f"With Python (`pip install numpy {file_format.runtime}`):",
        f"```python\n{file_format.usage.format(inputs='{' + arrays + '}').rstrip()}\n```",
        f"{compared} Labels, metrics and origin are in metadata.json.",
        metadata["limits"],
        f"Licence of the weights: {metadata['licence']}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tensors(title: str, tensors: list[dict[str, Any]], meaning: str) -> str:
    lines = []
    for tensor in tensors:
        shape = ", ".join("any" if size is None else str(size) for size in tensor["shape"])
        lines.append(f"- {title} `{tensor['name']}`: {tensor['dtype']} [{shape}]")
    return "\n".join(lines + ([f"\n{meaning}"] if meaning else []))
