"""Looks that were computed before and lie beside the weights of a version: what takes long and depends on no input,
such as the hierarchy of features, is there at once, also where the data set that it needs is not.

A file of the safetensors format, so that it can hold nothing but numbers and texts. It counts for the very weights that
it was made from.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise import plots, weights
from layerwise.paths import write_atomically
from layerwise.plots import Plot

if TYPE_CHECKING:
    from layerwise.inspection.inspector import Inspector

LOOKS_FILE = "looks.safetensors"
_KINDS: dict[str, type] = {
    name: kind for name, kind in vars(plots).items() if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}

Stored = Mapping[tuple[int, str], Sequence[Plot]]
"""By the number of the network (Keras may name it otherwise the next time) and the name of the look, as it is with its
default settings."""


def store(inspector: Inspector, folder: Path) -> list[str]:
    """Compute the looks of a version that take long and need no input, and write them into its folder.

    Returns:
        The names of the looks.
    """
    found: dict[tuple[int, str], Sequence[Plot]] = {}
    for number, network in enumerate(inspector.networks):
        for look in inspector.looks(network):
            if look.is_long and not look.needs_input:
                *_, found[number, look.name] = inspector.look(look.name, network=network)
    if found:
        write(found, folder)
    return [look for _, look in found]


def write(looks: Stored, folder: Path) -> None:
    """Write looks into the folder of a version."""
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    told = [{"network": key[0], "look": key[1], "plots": _told(shown, arrays)} for key, shown in looks.items()]
    metadata = {"looks": told, "sha256": weights.read_record(folder)["sha256"]}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(folder / LOOKS_FILE, save(contiguous, metadata={"layerwise": json.dumps(metadata)}))


def read(folder: Path) -> Stored:
    """The looks in the folder of a version; none where there are none that fit its weights."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / LOOKS_FILE, framework="numpy") as file:
            told = json.loads((file.metadata() or {})["layerwise"])
            if told["sha256"] != weights.read_record(folder).get("sha256"):
                return {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        return {(entry["network"], entry["look"]): _untold(entry["plots"], arrays) for entry in told["looks"]}
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return {}  # they are computed then


def _told(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON can hold it, its arrays put into `arrays`."""
    if isinstance(value, plots.Picture) and value.pixels.dtype.kind == "f":
        # A byte for each value is all that is drawn.
        value = dataclasses.replace(value, pixels=np.rint(255 * np.clip(value.pixels, 0, 1)).astype("uint8"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _told(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = value
        return {"array": name}
    if isinstance(value, tuple | list):
        return [_told(item, arrays) for item in value]
    return value


def _untold(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_untold(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    fields = {name: _untold(item, arrays) for name, item in value.items() if name != "kind"}
    return _KINDS[value["kind"]](**fields)
