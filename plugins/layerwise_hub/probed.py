"""Texts and pictures as a probe is given them: as the numbers inside a published network that has read or seen them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import SpecError, WeightsError
from layerwise.tasks import ImageClassification, TextClassification
from layerwise.tasks.classification import Classification

if TYPE_CHECKING:
    import numpy as np

    from layerwise.splits import Split
    from layerwise.tasks.base import Task
    from layerwise_hub.manifest import Entry
    from layerwise_hub.runners.texts import Reader

ENDING = "-probe"
"""How the name of a probe ends, after that of the network that it stands on."""


@dataclass(frozen=True, kw_only=True)
class Probed(Classification):
    """One of several labels, by way of the numbers inside a published network. Subclasses say of what.

    Args:
        encoder: The published network, as it was added.
        digest: Of its files. A probe has learned from the numbers of these, and means nothing with others.
        dimensions: How many numbers there are for an example; 0 before a training, which finds it out.
        is_adapted: Whether the published network learns too, by small matrices beside its own (LoRA). Then it is a part
            of the network that is trained, which is given what the published one takes.

    Raises:
        SpecError: A value is not usable.
    """

    done: ClassVar[str]
    """What has to be done once before a training, as somebody who waits is told it: "texts read"."""
    at_once: ClassVar[int]
    """Examples between two words about how far it is."""
    encoder: str
    digest: str
    dimensions: int = 0
    is_adapted: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.dimensions) is not int or self.dimensions < 0:
            raise SpecError(
                f"{type(self).__name__}: dimensions is not usable",
                expected="a whole number from 0 on",
                received=repr(self.dimensions),
            )

    def raw(self, inputs: Mapping[str, Any]) -> Any:
        """The example that was given, as a data set has it.

        Raises:
            InputError: There is none, or it cannot be used.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what goes in")

    def are_raw(self, batch: np.ndarray) -> bool:
        """Whether examples are as a data set has them, and not as the network takes them."""
        raise NotImplementedError(f"{type(self).__name__} must tell the examples of a data set")

    def taken(self, examples: Sequence[Any]) -> np.ndarray:
        """Examples as the published network takes them, for one that learns too."""
        raise NotImplementedError(f"{type(self).__name__} must say what the published network takes")

    def as_bytes(self, example: Any) -> bytes:
        """What tells an example from others."""
        raise NotImplementedError(f"{type(self).__name__} must tell examples apart")

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The numbers for what was given, float32 [1, dimensions]; of a network that learns too what that takes.

        Raises:
            InputError: There is nothing, or it cannot be used.
        """
        return self.encode_batch([self.raw(inputs)])

    def encode_batch(self, examples: Sequence[Any]) -> np.ndarray:
        """As `encode`, of several examples as a data set has them.

        Raises:
            NotFoundError: The published network was removed.
            WeightsError: It is another one now.
        """
        if self.is_adapted:
            return self.taken(examples)
        return encoder_of(self.encoder, self.digest).insides(examples)

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With the number of dimensions."""
        if self.is_adapted:
            return self
        first = next(self._parts(train, 1))
        return dataclasses.replace(self, dimensions=self.encode_batch(first).shape[1])

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, self.dimensions), "float32")

    def prepared(self, split: Split, purpose: str, progress: Callable[[int, int], None]) -> Split:
        """Examples as the network takes them. Numbers are kept in the cache, so that whoever trains on these data again
        with other settings, or goes on, need not wait for them again.

        Args:
            purpose: Of which data they are, so that former ones of the same are thrown away.
            progress: Told how many are done, and of how many.
        """
        from layerwise.datasets import prepared
        from layerwise.splits import Split
        from layerwise_hub.library import folder_of
        from layerwise_hub.manifest import Manifest

        if self.is_adapted:
            return self._all_taken(split)

        def compute(folder: Path) -> dict[str, Any]:
            import numpy as np

            found = np.zeros((len(split), self.dimensions), "float16")
            done = 0
            for part in self._parts(split, self.at_once):
                progress(done, len(split))
                found[done : done + len(part)] = self.encode_batch(part)
                done += len(part)
            progress(done, len(split))
            found.tofile(folder / "numbers")
            return {"shape": found.shape}

        told = hashlib.sha256()
        for part in self._parts(split, self.at_once):
            for example in part:
                told.update(self.as_bytes(example))
        source = folder_of(Manifest().entry(self.encoder))
        state = [self.digest, told.hexdigest(), self.dimensions]
        folder, known = prepared.prepared(source, f"numbers inside for {purpose}", state, compute)
        return Split(prepared.memory_mapped(folder / "numbers", "float16", tuple(known["shape"])), split.targets)

    def _all_taken(self, split: Split) -> Split:
        from layerwise.splits import Split

        return Split(self.taken(next(self._parts(split, len(split)))), split.targets)

    def _parts(self, split: Split, most: int) -> Iterator[Sequence[Any]]:
        import numpy as np

        from layerwise.datasets.feed import take

        for start in range(0, len(split), most):
            yield take(split, np.arange(start, min(start + most, len(split))))[0]


@dataclass(frozen=True, kw_only=True)
class ProbedTexts(Probed, TextClassification):
    """Texts in, one of several labels out, by way of the numbers inside a published network that has read them."""

    type_name: ClassVar[str] = "probed-texts"
    network_takes: ClassVar[str] = (
        "Numbers inside the published network for texts [text, number], of all their tokens. Where that "
        "network learns too, tokens [text, place] as it numbers them, each and 1; 0 after the end of a text."
    )
    done: ClassVar[str] = "texts read"
    at_once: ClassVar[int] = 256

    def raw(self, inputs: Mapping[str, Any]) -> str:
        return self.text_of(inputs)

    def are_raw(self, batch: np.ndarray) -> bool:
        return batch.dtype.kind in "OUT"

    def taken(self, examples: Sequence[Any]) -> np.ndarray:
        """Tokens, int32 [texts, length], as many as the longest of them has."""
        return reader_of(self.encoder, self.digest).tokens(_texts(examples))

    def as_bytes(self, example: Any) -> bytes:
        return f"{example}\0".encode("utf-8", "surrogatepass")

    def encode_batch(self, texts: Sequence[Any]) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().encode_batch(_texts(texts))

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.ones((1, 1), "int32") if self.is_adapted else super().warm_input()


@dataclass(frozen=True, kw_only=True)
class ProbedPictures(Probed, ImageClassification):
    """Pictures in, one of several labels out, by way of the numbers inside a published network that has seen them."""

    type_name: ClassVar[str] = "probed-pictures"
    network_takes: ClassVar[str] = (
        "Numbers inside the published network for pictures [picture, number]: what it tells classes by, and means over "
        "places. Where that network learns too, pixels 0 to 255 [picture, height, width, channel]."
    )
    done: ClassVar[str] = "pictures seen"
    at_once: ClassVar[int] = 32

    def raw(self, inputs: Mapping[str, Any]) -> np.ndarray:
        return ImageClassification.encode(self, inputs)[0]

    def are_raw(self, batch: np.ndarray) -> bool:
        return batch.ndim != 2 and not self.is_adapted

    def taken(self, examples: Sequence[Any]) -> np.ndarray:
        """Pixels, uint8 [pictures, height, width, channels]."""
        import numpy as np

        return np.stack([np.asarray(example, "uint8") for example in examples])

    def as_bytes(self, example: Any) -> bytes:
        return example.tobytes()

    def warm_input(self) -> np.ndarray:
        return ImageClassification.warm_input(self) if self.is_adapted else super().warm_input()

    def _all_taken(self, split: Split) -> Split:
        # They stay where they are, since they may be larger than the memory.
        return split


def _texts(examples: Sequence[Any]) -> list[str]:
    return [str(text) for text in examples]


PROBED: dict[str, type[Probed]] = {
    "embedding": ProbedTexts,
    "image-classification": ProbedPictures,
    "image-embedding": ProbedPictures,
}
"""By the kind of the published network."""


@functools.lru_cache(maxsize=1)
def encoder_of(name: str, digest: str) -> Any:
    """What answers for a published network, in this process; its `insides` are the numbers inside.

    Raises:
        NotFoundError: It was removed.
        MissingDependencyError: torch or transformers is not installed.
        WeightsError: Its files are other ones than those of the digest, or cannot be loaded.
    """
    return load_encoder(name, digest)


def load_encoder(name: str, digest: str) -> Any:
    """As `encoder_of`, one that nobody else has."""
    from layerwise.specs import resolve
    from layerwise_hub.kinds import kind_of
    from layerwise_hub.models import spec_of

    entry, folder = _unchanged(name, digest)
    return resolve(kind_of(entry.kind).runner)(entry, folder, spec_of(entry).task)


@functools.lru_cache(maxsize=1)
def reader_of(name: str, digest: str) -> Reader:
    """How a published network takes texts, without the network itself.

    Raises:
        LayerwiseError: As of `encoder_of`.
    """
    from layerwise_hub.runners.base import load
    from layerwise_hub.runners.texts import Reader

    entry, folder = _unchanged(name, digest)
    return Reader(load(entry, folder, "AutoTokenizer"), load(entry, folder, "AutoConfig"), folder)


def _unchanged(name: str, digest: str) -> tuple[Entry, Path]:
    from layerwise_hub.library import folder_of, require_framework
    from layerwise_hub.manifest import Manifest

    entry = Manifest().entry(name)
    if digest_of(entry) != digest:
        raise WeightsError(
            f"{name} is not what it was when its probe was trained",
            remedy=f"train the probe again: layerwise train {name}{ENDING}",
        )
    require_framework()
    return entry, folder_of(entry)


def digest_of(entry: Entry) -> str:
    """One number for all files of a published network, in hex."""
    told = "\n".join(f"{name} {kept.sha256}" for name, kept in sorted(entry.files.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
