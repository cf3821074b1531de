"""What all runners of published models have in common: they load data only, and compute one thing at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from layerwise.errors import LayerwiseError, MissingDependencyError, WeightsError
from layerwise.runner import Runner
from layerwise_hub import device
from layerwise_hub.manifest import Entry

AT_ONCE = 16
"""The most examples of one forward pass."""
T = TypeVar("T")


class TorchRunner(Runner):
    """Answers by a network of transformers. `network` is it, `missing` what is named by arrays that its weights lack.

    Args:
        entry: The model.
        folder: Where its files are.
        task: Its task.

    Raises:
        WeightsError: transformers cannot load it.
    """

    auto: ClassVar[str]
    """The class of transformers that finds the network's own."""
    spare: ClassVar[tuple[str, ...]] = ()
    """Parts of the network, as the names of their arrays name them, without which it answers: those may be missing."""
    network: Any
    task: Any

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        device.settle()
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self.entry, self.folder, self.task = entry, folder, task
        self.device = device.choose(entry.size)
        self._turn = threading.Lock()
        settings = {"use_safetensors": True, "dtype": device.dtype_for(self.device), "output_loading_info": True}
        self.network, told = self.load(self.auto, **settings)
        self.missing = frozenset(part for name in told["missing_keys"] for part in name.split("."))
        lacking = sorted(name for name in told["missing_keys"] if not set(name.split(".")) & set(self.spare))
        if lacking:
            # Which transformers would fill with random numbers.
            raise WeightsError(
                f"{len(lacking)} arrays are missing in the weights of {entry.name}",
                expected=", ".join(lacking[:3]),
                remedy="choose a model that was trained for this, or say what it is for: --task",
            )
        self.network.to(self.device).eval()

    def load(self, name: str, **settings: Any) -> Any:
        """What a class of transformers makes of the folder, as of `load`."""
        return load(self.entry, self.folder, name, **settings)

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """One computation at a time, without gradients: two at once would only take turns on the same cores, and twice
        the memory."""
        import torch

        with self._turn, torch.inference_mode():
            yield
        device.calm(self.device)

    def given(self, batch: Any) -> Any:
        """What a processor or a tokenizer made, where the network is: pixels and sounds in its precision."""
        import torch

        kind = self.network.dtype
        return {
            name: value.to(self.device, kind) if torch.is_floating_point(value) else value.to(self.device)
            for name, value in batch.items()
        }

    def close(self) -> None:
        """Let go of the network."""
        self.network = None


def load(entry: Entry, folder: Path, name: str, **settings: Any) -> Any:
    """What a class of transformers makes of the folder of a model.

    Args:
        name: The class: "AutoTokenizer".

    Raises:
        MissingDependencyError: It needs a package that is not installed.
        WeightsError: It cannot.
    """
    import transformers

    try:
        return getattr(transformers, name).from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, **settings
        )
    except LayerwiseError:
        raise
    except ImportError as error:
        package = str(getattr(error, "name", "") or _package_in(str(error)))
        raise MissingDependencyError(
            f"{entry.name} needs a package that is not installed",
            received=str(error).strip().splitlines()[0],
            remedy=f"pip install {package}" if package else 'pip install "layerwise[hub]"',
        ) from error
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # strangers' files, read by much code
        lines = str(error).strip().splitlines() or [""]
        raise WeightsError(
            f"transformers cannot load {entry.name}",
            received=f"{type(error).__name__}: {lines[0][:300]}",
            remedy="choose another model, or update it: pip install --upgrade transformers",
        ) from error


def in_parts(items: Sequence[T], most: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """The items, a few at a time."""
    for start in range(0, len(items), most):
        yield items[start : start + most]


def _package_in(message: str) -> str:
    for name in ("sentencepiece", "torchvision", "timm", "scipy", "protobuf", "tiktoken"):
        if name in message.lower():
            return name
    return ""
