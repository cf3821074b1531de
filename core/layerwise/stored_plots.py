"""Plots that were computed before and lie beside the weights of a version: what takes long and depends on no input,
such as the hierarchy of features or how the network does on its test set, is there at once, also where the data set is
not.

A file of the safetensors format, so that it can hold nothing but numbers and texts. It counts for the very weights that
it was made from.
"""

from __future__ import annotations

import dataclasses
import io
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from layerwise import plots, weights
from layerwise.paths import write_atomically
from layerwise.plots import Plot

logger = logging.getLogger(__name__)

FILE = "plots.safetensors"
REPORT = "report"
"""The name of what `Task.report` gives; the others are named after looks into the network."""
_KINDS: dict[str, type] = {
    name: kind for name, kind in vars(plots).items() if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}


def write(groups: Mapping[str, Sequence[Plot]], folder: Path) -> None:
    """Write plots into the folder of a version, in the place of those that are there.

    Args:
        groups: By a name that says what they show.
    """
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    told = {
        "groups": {name: _told(shown, arrays) for name, shown in groups.items()},
        "sha256": weights.read_record(folder)["sha256"],
    }
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(folder / FILE, save(contiguous, metadata={"layerwise": json.dumps(told)}))


def read(folder: Path, *groups: str) -> dict[str, Sequence[Plot]]:
    """The plots in the folder of a version; none where there are none that fit its weights.

    Args:
        groups: Those that are wanted, since pictures take time to decode; all without any.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / FILE, framework="numpy") as file:
            told = json.loads((file.metadata() or {})["layerwise"])
            if told["sha256"] != weights.read_record(folder).get("sha256"):
                return {}
            stored = told["groups"].items()
            return {name: _untold(shown, file.get_tensor) for name, shown in stored if not groups or name in groups}
    except FileNotFoundError:
        return {}
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        logger.warning("%s cannot be read", folder / FILE, exc_info=True)
        return {}


def _told(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON can hold it, its arrays put into `arrays`."""
    if isinstance(value, plots.Picture):
        # A byte for each value is all that is drawn.
        value = dataclasses.replace(value, pixels=_bytes_of(value.pixels), heat=_halved(value.heat))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _told(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
        return {"plot": type(value).__name__, "fields": fields}
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        is_picture = value.dtype == np.uint8 and value.ndim in (2, 3) and value.size > 0
        arrays[name] = np.frombuffer(_png(value), "uint8") if is_picture else value
        return {"png" if is_picture else "array": name}
    if isinstance(value, tuple | list):
        return [_told(item, arrays) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _bytes_of(pixels: np.ndarray) -> np.ndarray:
    """Pixels from 0 to 1, or from 0 to 255, as bytes; those without a colour as [height, width]."""
    if pixels.dtype.kind == "f":
        pixels = 255 * np.clip(pixels, 0, 1)
    found = np.rint(np.clip(pixels, 0, 255)).astype("uint8")
    is_grey = found.ndim == 3 and found.shape[2] in (1, 3) and bool((found == found[..., :1]).all())
    return found[..., 0] if is_grey else found


def _halved(heat: np.ndarray | None) -> np.ndarray | None:
    return None if heat is None else heat.astype("float16")


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _untold(value: Any, array: Callable[[str], np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_untold(item, array) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return array(value["array"])
    if "png" in value:
        return np.asarray(Image.open(io.BytesIO(array(value["png"]).tobytes())))
    return _KINDS[value["plot"]](**{name: _untold(item, array) for name, item in value["fields"].items()})
