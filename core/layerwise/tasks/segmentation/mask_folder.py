"""Pictures of a user's own with masks: found, checked, and read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from layerwise.errors import DataError, InputError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    shortened,
    size_range,
)
from layerwise.splits import Split
from layerwise.tasks.folders import SPLIT_NAMES, Files, check_folder, files_below, folders_in, held_out, unwrapped
from layerwise.tasks.image_folder import SUFFIXES
from layerwise.tasks.images import load_image
from layerwise.tasks.sample_pictures import draw_scene

LABELS_FILE = "labels.txt"
MOST_CLASSES = 255
NUM_SHOWN = 6
SAMPLE_PICTURES, SAMPLE_SIZE = 30, (64, 64)
SAMPLE_THINGS, SAMPLE_CLASSES = ("disc",), ("cross", "disc")
"""What the pictures of an example of such a folder show: things, and areas of classes."""
LOSSY = ("JPEG", "WEBP")
"""Formats that change numbers a little."""


@dataclass(frozen=True)
class Pair:
    """A picture and its masks: one file, or one for each thing."""

    picture: Path
    masks: tuple[Path, ...]


def read_masks(folder: Path, *, channels: int, instances: bool) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The names of the classes (none for things), the splits and the report of a folder.

    The splits hold whole pictures, uint8 [height, width, channels], and maps of labels, int32 [height, width], as
    arrays of objects that are read when they are asked for.

    Args:
        folder: As `ImageSegmentation.folder_format` says.
        channels: 1 for grey pictures, 3 for colours.
        instances: Whether masks hold things, or numbers of classes.

    Raises:
        DataError: The folder is not laid out like that, or a tenth of its pictures is unreadable.
    """
    root = unwrapped(check_folder(folder))
    names = () if instances else _class_names(root)
    return names, *_Reading(root, channels, instances, len(names)).run()


def _class_names(root: Path) -> tuple[str, ...]:
    try:
        lines = (root / LABELS_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"The names of the classes cannot be read from {LABELS_FILE}",
            received=str(error),
            remedy="write the name of class 1 on its first line, that of class 2 on its second, and so on",
        ) from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not 1 <= len(names) <= MOST_CLASSES or len(set(names)) != len(names):
        raise DataError(
            f"{LABELS_FILE} cannot be used",
            expected=f"1 to {MOST_CLASSES} different names",
            received=shortened(names) or "none",
        )
    return names


@dataclass
class _Reading:
    root: Path
    channels: int
    instances: bool
    num_classes: int
    unreadable: list[Unreadable] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sizes: dict[str, list[float]] = field(default_factory=lambda: {"width in pixels": [], "height in pixels": []})
    repeats: Repeats = field(default_factory=Repeats)

    def run(self) -> tuple[dict[str, Split], DataReport]:
        """The splits and the report."""
        pairs = self._pairs()
        total = sum(map(len, pairs.values()))
        readable = {split: [pair for pair in found if self._is_readable(split, pair)] for split, found in pairs.items()}
        self.warnings += check_unreadable(self.unreadable, total)
        empty = [split for split, found in readable.items() if not found]
        if empty:
            raise DataError(
                f"No picture of the split {empty[0]} can be read", remedy="repair the pictures, or add others"
            )
        report = DataReport(
            path=str(self.root),
            what="pictures",
            splits={split: len(found) for split, found in readable.items()},
            sizes={name: size_range(values) for name, values in self.sizes.items() if values},
            num_unreadable=len(self.unreadable),
            unreadable=tuple(self.unreadable[:SHOWN_UNREADABLE]),
            warnings=(*self.warnings, *self.repeats.warnings("pictures")),
            examples=tuple(
                Sample(label="", kind="image", value=self._name(pair.picture)) for pair in readable["train"][:NUM_SHOWN]
            ),
        )
        return {split: self._split(found) for split, found in readable.items()}, report

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _pairs(self) -> dict[str, list[Pair]]:
        names = {entry.name.lower(): entry for entry in folders_in(self.root)}
        sources = [self.root] if "images" in names else [entry for entry in names.values() if _is_whole(entry)]
        if sources:
            found = [pair for source in sources for pair in self._pairs_in(source)]
            if len(found) < 2:
                raise DataError(
                    "There are too few pictures to learn from", expected="at least two", received=str(len(found))
                )
            chosen = held_out([pair.picture.stem for pair in found], [""] * len(found))
            sides = list(zip(found, chosen, strict=True))
            return {
                "train": [pair for pair, is_test in sides if not is_test],
                "test": [pair for pair, is_test in sides if is_test],
            }
        splits = {SPLIT_NAMES[name]: entry for name, entry in names.items() if name in SPLIT_NAMES}
        if {"train", "test"} <= splits.keys():
            return {split: list(self._pairs_in(entry)) for split, entry in splits.items()}
        raise DataError(
            "The folder has no pictures with masks",
            expected="the folders images and masks, or train and test with these in them",
            received=shortened(sorted(names)) or "no folder",
        )

    def _pairs_in(self, folder: Path) -> Iterator[Pair]:
        pictures, masks = folder / "images", folder / "masks"
        if not (pictures.is_dir() and masks.is_dir()):
            raise DataError(
                f"{self._name(folder) or 'The folder'} is incomplete", expected="the folders images and masks"
            )
        found, drawn = (
            [path for path in files_below(place, self.root) if path.suffix.lower() in SUFFIXES]
            for place in (pictures, masks)
        )
        by_stem: dict[str, list[Path]] = {}
        for path in drawn:
            # A file for each picture, or a folder.
            by_stem.setdefault(path.stem if path.parent == masks else path.parent.name, []).append(path)
        if len(found) == 1 and found[0].stem not in by_stem and drawn:
            by_stem = {found[0].stem: drawn}  # a folder for each picture holds it and its masks
        without = []
        for picture in found:
            if picture.stem in by_stem:
                yield Pair(picture, tuple(by_stem[picture.stem]))
            else:
                without.append(self._name(picture))
        if without:
            self.warnings.append(f"{len(without):,} pictures have no mask and are left out: {shortened(without, 5)}.")

    def _is_readable(self, split: str, pair: Pair) -> bool:
        try:
            picture, labels = self._picture(pair), self._labels(pair)
        except InputError as error:
            self.unreadable.append(Unreadable(name=self._name(pair.picture), reason=str(error)))
            return False
        if picture.shape[:2] != labels.shape:
            reason = f"The mask has {_size(labels)} pixels, the picture {_size(picture)}"
            self.unreadable.append(Unreadable(name=self._name(pair.picture), reason=reason))
            return False
        self.sizes["width in pixels"].append(picture.shape[1])
        self.sizes["height in pixels"].append(picture.shape[0])
        if self.instances:
            self.sizes.setdefault("things in a picture", []).append(len(np.unique(labels[labels > 0])))
        self.repeats.add(split, picture.tobytes(), self._name(pair.picture))
        return True

    def _split(self, pairs: Sequence[Pair]) -> Split:
        by_picture: Mapping[Path, Pair] = {pair.picture: pair for pair in pairs}
        paths = [pair.picture for pair in pairs]
        return Split(
            Files(paths, lambda path: self._picture(by_picture[path])),
            Files(paths, lambda path: self._labels(by_picture[path])),
        )

    def _picture(self, pair: Pair) -> np.ndarray:
        image = load_image(pair.picture).convert("RGB" if self.channels == 3 else "L")
        return np.asarray(image).reshape(image.height, image.width, self.channels)

    def _labels(self, pair: Pair) -> np.ndarray:
        masks = [_open_mask(path) for path in pair.masks]
        if len({mask.shape for mask in masks}) > 1:
            raise InputError("The masks of this picture differ in size")
        if len(masks) == 1:
            return _numbered(masks[0]) if self.instances else self._classes(masks[0])
        if not self.instances:
            raise InputError("There are several masks for this picture", expected="one, with numbers of classes")
        labels = np.zeros(masks[0].shape, "int32")
        for number, mask in enumerate(masks, start=1):
            labels[mask > 0] = number  # where they overlap the later one counts
        return labels

    def _classes(self, mask: np.ndarray) -> np.ndarray:
        if self.num_classes == 1:
            return (mask > 0).astype("int32")  # black and white will do
        if mask.max(initial=0) > self.num_classes:
            raise InputError(
                "The mask has a class without a name",
                expected=f"numbers up to {self.num_classes}, as many as {LABELS_FILE} has names",
                received=str(mask.max()),
            )
        return mask


def _open_mask(path: Path) -> np.ndarray:
    """The numbers of a mask, int32 [height, width]. Not by `load_image`, to which numbers are colours."""
    try:
        with Image.open(path) as image:
            is_lossy = image.format in LOSSY
            if is_lossy or image.mode in ("1", "LA"):
                image = image.convert("L")
            elif image.mode in ("RGBA", "CMYK", "YCbCr"):
                image = image.convert("RGB")
            numbers = np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("The mask cannot be read", received=f"{path.name}: {error}") from None
    if numbers.dtype.kind not in "iub":
        raise InputError("The mask has no whole numbers", received=f"{path.name}: {numbers.dtype}")
    if numbers.ndim == 3:
        numbers = _colour_numbers(numbers.astype("int32"))
    # Where numbers are not kept exactly, black and white is all that can be told.
    return (numbers > 127 if is_lossy else numbers).astype("int32")


def _colour_numbers(colours: np.ndarray) -> np.ndarray:
    """A number for each colour of [height, width, 3]; that of grey is its brightness."""
    if np.all(colours == colours[..., :1]):
        return colours[..., 0]
    return colours @ np.array([1, 256, 65536])


def _numbered(mask: np.ndarray) -> np.ndarray:
    """Things numbered from 1; in a mask of one number those that do not touch are told apart."""
    values, places = np.unique(np.append(0, mask), return_inverse=True)
    if len(values) > 2:
        return places[1:].reshape(mask.shape).astype("int32")
    from layerwise.tasks.segmentation.heads import connected_parts

    return connected_parts(mask > 0)


def _is_whole(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "masks").is_dir() and folder.name.lower() not in SPLIT_NAMES


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]} × {array.shape[0]}"


def write_sample(folder: Path, *, instances: bool) -> None:
    """Write pictures of shapes with a mask each: discs, each with a number of its own; or with the numbers of classes.

    Args:
        folder: An empty folder.
        instances: Whether masks shall hold things, or numbers of classes.
    """
    random = np.random.default_rng(0)
    names = SAMPLE_THINGS if instances else SAMPLE_CLASSES
    if not instances:
        (folder / LABELS_FILE).write_text("\n".join(names) + "\n", encoding="utf-8")
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for number in range(1, SAMPLE_PICTURES + 1):
        scene = draw_scene(random, SAMPLE_SIZE, random.choice(names, random.integers(3, 9)).tolist(), (0.12, 0.2))
        mask = np.zeros(scene.image.size[::-1], "uint8")
        for place, (name, pixels) in enumerate(scene.things, start=1):
            mask[pixels] = place if instances else names.index(name) + 1
        for part, image in (("images", scene.image), ("masks", Image.fromarray(mask))):
            image.save(folder / part / f"picture-{number}.png")
