"""Published networks in a folder, as Hugging Face's libraries write them: JSON, a tokenizer and `*.safetensors`.

All are data: JSON or a header, and raw numbers. Files that could execute code when they are loaded (`.bin`, `.pt`,
`.pth`) are not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import SpecError, WeightsError
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import FILE, tokenizer_of

if TYPE_CHECKING:
    import numpy as np

CODE_FILES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_INDEX = "model.safetensors.index.json"


def read_tokenizer(path: Path) -> TextFile:
    """A `tokenizer.json`.

    Raises:
        WeightsError: It is missing or describes no tokenizer.
    """
    try:
        file = TextFile(FILE, path.read_text(encoding="utf-8"))
        tokenizer_of(file)
    except (OSError, ValueError, SpecError) as error:
        raise WeightsError(
            f"The tokenizer {path} cannot be used", received=str(error), remedy="get it from where the weights are from"
        ) from error
    return file


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        WeightsError: It is missing or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read", expected="JSON", received=str(error)) from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} cannot be used", expected="a JSON object", received=type(found).__name__)
    return found


def check_architecture(config: Mapping[str, Any], expected: str, origin: Path, *, remedy: str) -> None:
    """See that a `config.json` is of an architecture.

    Raises:
        WeightsError: It is of another one.
    """
    architectures = config.get("architectures") or []
    if expected not in architectures:
        raise WeightsError(
            f"The weights in {origin} are of another architecture",
            expected=expected,
            received=", ".join(map(str, architectures)) or "none",
            remedy=remedy,
        )


def weights_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder, those that its index names where it has one.

    Raises:
        WeightsError: There are none, or some are missing.
    """
    index = folder / _INDEX
    if index.is_file():
        names = sorted(set(read_json(index).get("weight_map", {}).values()))
        outside = [name for name in names if not isinstance(name, str) or Path(name).name != name]
        if outside or not names:
            raise WeightsError(
                f"{index} cannot be used", expected="names of files beside it", received=repr(outside[:1])
            )
        files = [folder / name for name in names]
    else:
        files = sorted(folder.glob("*.safetensors"))
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise WeightsError(f"{len(missing)} files of weights are missing in {folder}", expected=", ".join(missing[:3]))
    if not files:
        refused = [file.name for file in sorted(folder.iterdir()) if file.suffix in CODE_FILES]
        raise WeightsError(
            f"There are no weights in {folder}",
            expected="*.safetensors",
            received=f"{refused[0]}, a pickle, which can execute code when it is loaded" if refused else None,
            remedy="get the network as safetensors",
        )
    return files


def arrays_in(files: Sequence[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of safetensors files one after the other, by their names, as they lie there.

    Raises:
        WeightsError: A file cannot be read.
    """
    import ml_dtypes  # noqa: F401 (registers bfloat16 with NumPy)
    from safetensors import SafetensorError, safe_open

    for path in files:
        try:
            with safe_open(path, framework="numpy") as opened:
                for name in opened.keys():  # noqa: SIM118 (it is no dict)
                    yield name, opened.get_tensor(name)
        except (SafetensorError, OSError, TypeError) as error:
            raise WeightsError(f"{path} is no safetensors file that can be read", received=str(error)) from error


def set_variables(
    wanted: Mapping[str, tuple[Any, bool]],
    arrays: Iterable[tuple[str, np.ndarray]],
    is_ignored: Callable[[str], bool],
) -> None:
    """Set the variables of a network to published arrays.

    Args:
        wanted: The variables by their published names, and whether the axes of published arrays are the other way
            round.
        arrays: What was published, by name.
        is_ignored: Whether an array of that name tells nothing new.

    Raises:
        WeightsError: Some are missing, there are others, or they are of other shapes. Variables that fit may have been
            set by then.
    """
    missing = set(wanted)
    for name, array in arrays:
        if name not in wanted:
            if not is_ignored(name):
                raise WeightsError(f"The weights have an array {name!r} that this network has not")
            continue
        variable, is_turned = wanted[name]
        array = array.T if is_turned else array
        if tuple(array.shape) != tuple(variable.shape):
            raise WeightsError(
                f"The array {name!r} is of another shape",
                expected=str(tuple(variable.shape[::-1] if is_turned else variable.shape)),
                received=str(tuple(array.shape[::-1] if is_turned else array.shape)),
            )
        variable.assign(array.astype(variable.dtype))
        missing.discard(name)
    if missing:
        raise WeightsError(
            f"{len(missing)} arrays are missing in the weights",
            expected=", ".join(sorted(missing)[:3]) + (" ..." if len(missing) > 3 else ""),
            remedy="get all files of the published network again",
        )
