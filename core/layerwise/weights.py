"""Weights as data only: a safetensors file beside a `version.json` that holds its SHA-256.

The file of the weights is named after that checksum, so a new version never overwrites the file of the old one:
the record, replaced in one step, says which of the two counts, and a process that is killed at any moment leaves
one or the other whole.

The architecture always comes from code, so nothing that is loaded here can execute anything: safetensors is
a JSON header followed by raw numbers. A file that is corrupted, or made for another architecture, is refused
before a single value of the model is changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import WeightsError
from layerwise.layers import leaves
from layerwise.paths import write_atomically

if TYPE_CHECKING:
    import keras
    import numpy as np

RECORD_FILE = "version.json"
FORMAT = 1
"""The format of `version.json`; a newer one is refused with the advice to update."""


_SCALE = ":scale"
"""Behind the name of an array of int8: what each of its columns is multiplied by."""


def weights_file(sha256: str) -> str:
    """The name of the file that holds the weights with this checksum."""
    return f"weights-{sha256[:12]}.safetensors"


def named_variables(model: keras.Model) -> dict[str, Any]:
    """The variables of a model that make up its weights, under names that do not depend on what else was
    built in this process.

    The states of random generators are no weights and are left out, and so are the matrices of LoRA
    (`layerwise.fine_tuning.add_lora`): the names are those of the network without them.
    """
    added = {id(matrix) for layer in _lora_layers(model) for matrix in (layer.lora_kernel_a, layer.lora_kernel_b)}
    return by_name(v for v in model.variables if "seed_generator" not in v.path and id(v) not in added)


def by_name(variables: Iterable[Any]) -> dict[str, Any]:
    """Keras variables by lasting names. Keras numbers automatic names over the whole process ("dense_7"), so a name
    here is the variable's position and its path without those numbers: "004/dense/kernel"."""
    return {f"{i:03d}/{re.sub(r'_[0-9]+(?=/|$)', '', v.path)}": v for i, v in enumerate(variables)}


def arrays_of(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values of Keras variables."""
    import numpy as np
    from keras import ops

    # Copies: a variable that is assigned to may change the array that it gave.
    return {name: np.array(ops.convert_to_numpy(variable.value)) for name, variable in variables.items()}


def merged_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """The values of `named_variables`; what the matrices of LoRA add to a kernel is in it, so that the network without
    them answers the same."""
    import numpy as np

    variables = named_variables(model)
    arrays, names = arrays_of(variables), {id(variable): name for name, variable in variables.items()}
    for layer in _lora_layers(model):
        matrices = arrays_of({"a": layer.lora_kernel_a, "b": layer.lora_kernel_b})
        name = names[id(layer._kernel)]
        # Not `layer.kernel`, which in mixed precision has the sum in 16 bits.
        total = arrays[name] + layer.lora_alpha / layer.lora_rank * np.matmul(matrices["a"], matrices["b"])
        arrays[name] = total.astype(arrays[name].dtype)
    return arrays


def _lora_layers(model: keras.Model) -> list[Any]:
    from keras.layers import Dense, EinsumDense

    return [layer for layer in leaves(model) if isinstance(layer, Dense | EinsumDense) and layer.lora_enabled]


def stored_as(arrays: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """The arrays with floating-point values in another type: "float16" takes half the space; "int8" a quarter, with a
    scale for each column of a matrix or filter of a convolution, which `read_arrays` multiplies again. What is no
    matrix stays "float16" then.

    Example:
        >>> import numpy as np
        >>> stored = stored_as({"kernel": np.array([[0.5, 40.0], [-1.0, 80.0]])}, "int8")
        >>> stored["kernel"].tolist()
        [[64, 64], [-127, 127]]
    """
    if dtype != "int8":
        return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in arrays.items()}
    import numpy as np

    found: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.dtype.kind != "f" or array.ndim < 2:
            found |= stored_as({name: array}, "float16")
            continue
        scale = np.abs(array).max(axis=tuple(range(array.ndim - 1))).astype("float32") / 127
        found[name] = np.rint(array / np.where(scale > 0, scale, 1)).astype("int8")
        found[name + _SCALE] = scale
    return found


def save(model: keras.Model, folder: Path, record: dict[str, Any], *, dtype: str | None = None) -> None:
    """Write the weights of `model` and their record into `folder`.

    Args:
        folder: Created if need be; an existing version in it is replaced.
        record: What `version.json` shall hold beside the checksum: name, variant, task, config, data, metrics.
        dtype: "float16" stores floating-point weights in half the space; None keeps their own type.
    """
    arrays = merged_arrays(model)
    save_arrays(stored_as(arrays, dtype) if dtype else arrays, folder, record)


def save_arrays(
    arrays: dict[str, np.ndarray], folder: Path, record: dict[str, Any], files: Mapping[str, str] | None = None
) -> None:
    """Write named arrays as the weights of a version, in the place of the one that `folder` holds. It changes when
    the record does, and what it needed before is removed after that.

    Args:
        files: What else belongs to the version, by the names of files; the record tells their checksums.
    """
    import numpy as np
    from safetensors.numpy import save as to_bytes

    # Arrays that lie otherwise in memory would be written wrong.
    data = to_bytes({name: np.asarray(array, order="C") for name, array in arrays.items()})
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(data).hexdigest()
    write_atomically(folder / weights_file(sha256), data)
    for name, content in (files or {}).items():
        write_atomically(folder / name, content)
    write_record(folder, {"format": FORMAT, **record, "sha256": sha256, "bytes": len(data)})
    for former in folder.glob(weights_file("*")):
        if former.name != weights_file(sha256):
            former.unlink(missing_ok=True)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write all that `version.json` holds, the checksum too."""
    write_atomically(folder / RECORD_FILE, json.dumps(record, indent=2) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the version in `folder`.

    Raises:
        WeightsError: There is none, or it cannot be read.
    """
    path = folder / RECORD_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"There is no version in {folder}", expected=f"a file {RECORD_FILE}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"The record {path} cannot be read", received=str(error)) from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise WeightsError(
            f"The record {path} is of another format",
            expected=f"format {FORMAT}",
            received=repr(record.get("format") if isinstance(record, dict) else type(record).__name__),
            remedy="update Layerwise, or train the model again",
        )
    return record


def read_arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of the version in `folder`, its checksum verified.

    Raises:
        WeightsError: The file is missing, differs from the checksum in the record, or is no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path, sha256, data = _read_file(folder)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsError(
            f"The weights {path} are corrupted: their checksum is not the one in {RECORD_FILE}",
            remedy="roll back to the former version, or train or fetch the model again",
        )
    try:
        arrays = load(data)
        scales = {name: arrays.pop(name) for name in list(arrays) if name.endswith(_SCALE)}
        return arrays | {
            (kernel := name.removesuffix(_SCALE)): arrays[kernel] * scale for name, scale in scales.items()
        }
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is no safetensors file", received=str(error)) from error


def _read_file(folder: Path) -> tuple[Path, str, bytes]:
    """The file of the weights, the checksum that the record names, and what the file holds."""
    sha256 = ""
    while True:
        former, sha256 = sha256, str(read_record(folder).get("sha256", ""))
        path = folder / weights_file(sha256)
        if not path.exists() and (shared := folder.parent.parent / path.name).exists():
            path = shared  # a milestone at which the training ended has the weights of its version
        try:
            return path, sha256, path.read_bytes()
        except OSError as error:
            # A training may have replaced both the record and the file since the record was read.
            if sha256 == former or not isinstance(error, FileNotFoundError):
                raise WeightsError(f"The weights {path} cannot be read", received=str(error)) from error


def load_into(model: keras.Model, folder: Path) -> None:
    """Set the weights of `model` to those in `folder`.

    Raises:
        WeightsError: They are corrupted or belong to another architecture; the model is unchanged then.
    """
    assign(named_variables(model), read_arrays(folder), folder)


def assign(variables: Mapping[str, Any], arrays: Mapping[str, np.ndarray], origin: Path) -> None:
    """Set Keras variables to the arrays of the same names.

    Raises:
        WeightsError: Those of `origin` belong to another architecture; nothing is changed then.
    """
    check_same_architecture(arrays, variables, origin)
    for name, variable in variables.items():
        variable.assign(arrays[name].astype(variable.dtype))


def check_same_architecture(arrays: Mapping[str, np.ndarray], variables: Mapping[str, Any], origin: Path) -> None:
    """Raise WeightsError unless there is one array of the right shape for each variable."""
    if arrays.keys() != variables.keys():
        odd = sorted(arrays.keys() ^ variables.keys())
        raise WeightsError(
            f"The weights in {origin} belong to another architecture",
            expected=f"{len(variables)} arrays",
            received=f"{len(arrays)} arrays; the first that does not match is {odd[0]!r}",
            remedy="use the config that they were trained with",
        )
    for name, variable in variables.items():
        if tuple(arrays[name].shape) != tuple(variable.shape):
            raise WeightsError(
                f"The weights in {origin} belong to another architecture",
                expected=f"{name} of shape {tuple(variable.shape)}",
                received=f"shape {tuple(arrays[name].shape)}",
                remedy="use the config that they were trained with",
            )
