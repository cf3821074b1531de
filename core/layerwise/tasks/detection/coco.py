"""Pictures of a user's own with boxes, as COCO writes them down: decoded once into the cache, and read from there.

https://cocodataset.org/#format-data, of which "images" (id, file_name, width, height), "annotations" (image_id,
category_id, bbox: left, top, width, height) and "categories" (id, name) are needed.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from layerwise.datasets.prepared import memory_mapped, prepared
from layerwise.errors import DataError, InputError
from layerwise.own_data import (
    SHOWN_UNREADABLE,
    UNREADABLE_SHARE,
    DataReport,
    Repeats,
    Sample,
    Unreadable,
    check_unreadable,
    class_warnings,
    counts_by_class,
    shortened,
    size_range,
)
from layerwise.quota import Quota
from layerwise.splits import Split
from layerwise.tasks.folders import SPLIT_NAMES, check_folder, held_out, unwrapped
from layerwise.tasks.framing import place_in_frame
from layerwise.tasks.image_folder import LARGEST_BYTES, LARGEST_FILE
from layerwise.tasks.images import load_image
from layerwise.tasks.sample_pictures import SHAPES, draw_scene

MOST_BOXES = 500
"""How many boxes a picture may have."""
LARGEST_JSON = 512 * 2**20
NUM_SHOWN = 6
SAMPLE_PICTURES = 40
"""How many pictures an example of such a folder has."""
_FORMAT = 1
"""Counted up when pictures are decoded in another way, so that none of the former way is taken from the cache."""

Frame = Callable[[Image.Image], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture and its boxes.

    Args:
        path: Its file.
        name: What a report calls it.
        size: Width and height as the JSON has them, None where it does not.
        boxes: [left, top, right, bottom] in pixels of the picture, and the category.
    """

    path: Path
    name: str
    size: tuple[int, int] | None
    boxes: tuple[tuple[float, float, float, float, str], ...]


def read_coco(
    folder: Path, frame: Frame, shape: tuple[int, int, int], purpose: str
) -> tuple[tuple[str, ...], dict[str, Split], DataReport]:
    """The labels of a folder, sorted by name, its splits and the report of it.

    The splits hold what `frame` gives, and boxes float32 [pictures, most, 5] in pixels of that: left, top, right,
    bottom, position in the labels; -1 where a picture has fewer than others.

    Args:
        folder: As `ObjectDetection.folder_format` says.
        frame: A picture as the network takes it, of `shape`: whole, as large as it can be and in the middle.
        purpose: What identifies `frame` and its parameters.

    Raises:
        DataError: The folder is not laid out like that, or a tenth of its pictures or boxes is unusable.
    """
    found = Annotations.of(folder)
    entry, known = prepared(
        found.root,
        f"boxes {_FORMAT} {purpose} {shape}",
        found.state(),
        lambda target: _Decoding(found, frame, shape, target).run(),
    )
    splits = {
        name: Split(
            memory_mapped(entry / f"{name}-pictures", "uint8", (count, *shape)),
            np.fromfile(entry / f"{name}-boxes", "float32").reshape(count, -1, 5),
        )
        for name, count in known["counts"].items()
    }
    return tuple(known["labels"]), splits, DataReport.from_json(known["report"])


@dataclass
class Annotations:
    """What the JSON files of a folder say, checked.

    Args:
        root: The folder.
        splits: The pictures of each split.
        bad: Boxes that cannot be used, a few words each.
        num_boxes: How many boxes there are, bad ones included.
    """

    root: Path
    splits: dict[str, list[Picture]]
    bad: list[str] = field(default_factory=list)
    num_boxes: int = 0

    @classmethod
    def of(cls, folder: Path) -> Annotations:
        """Read the JSON files of a folder, without opening a picture."""
        root = unwrapped(check_folder(folder))
        found = cls(root=root, splits={})
        for name, path in _files_by_split(root).items():
            found.splits[name] = found._read(path)
        if "test" not in found.splits:
            pictures = found.splits["train"]
            chosen = held_out([picture.path.name for picture in pictures], [""] * len(pictures))
            pairs = list(zip(pictures, chosen, strict=True))
            found.splits["train"] = [picture for picture, is_test in pairs if not is_test]
            found.splits["test"] = [picture for picture, is_test in pairs if is_test]
        found._check()
        return found

    @property
    def pictures(self) -> list[Picture]:
        """All pictures of all splits."""
        return [picture for part in self.splits.values() for picture in part]

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories that a training picture has, sorted by name."""
        return tuple(sorted({box[4] for picture in self.splits["train"] for box in picture.boxes}))

    def state(self) -> Iterator[str]:
        """Everything from which a change of the folder is seen."""
        for split, pictures in self.splits.items():
            for picture in pictures:
                try:
                    stat = picture.path.stat()
                    yield f"{split} {picture.name} {stat.st_size} {stat.st_mtime_ns} {picture.boxes}"
                except OSError:  # it is among the unreadable files
                    yield f"{split} {picture.name}"

    def _read(self, path: Path) -> list[Picture]:
        content = _parsed(path)
        categories = {item["id"]: str(item["name"]) for item in content["categories"]}
        images = {item["id"]: item for item in content["images"]}
        boxes: dict[Any, list[tuple[float, float, float, float, str]]] = {key: [] for key in images}
        for item in content["annotations"]:
            self.num_boxes += 1
            image = images.get(item.get("image_id"))
            found = _box(item, image, categories)
            if isinstance(found, str):
                name = image["file_name"] if image else f"annotation {item.get('id', self.num_boxes)}"
                self.bad.append(f"{name}: {found}")
            elif len(boxes[item["image_id"]]) < MOST_BOXES:
                boxes[item["image_id"]].append(found)
        return [self._picture(path.parent, item, boxes[key]) for key, item in images.items()]

    def _picture(self, beside: Path, item: Mapping[str, Any], boxes: Sequence[Any]) -> Picture:
        name = str(item["file_name"])
        places = (beside / name, beside / "images" / name, self.root / name, self.root / "images" / name)
        path = next((place for place in places if place.is_file()), beside / name)
        if not path.resolve().is_relative_to(self.root):
            raise DataError("A picture lies outside of the folder", received=name, remedy="put it into the folder")
        sides = item.get("width"), item.get("height")
        size = sides if all(type(side) is int and side > 0 for side in sides) else None
        return Picture(path=path, name=name, size=size, boxes=tuple(boxes))  # pyright: ignore[reportArgumentType]

    def _check(self) -> None:
        if self.bad and len(self.bad) >= UNREADABLE_SHARE * self.num_boxes:
            raise DataError(
                f"{len(self.bad):,} of {self.num_boxes:,} boxes cannot be used: {shortened(self.bad, 5, '; ')}",
                expected="less than a tenth",
                remedy="a bbox is [left, top, width, height] in pixels, within its picture",
            )
        for name, pictures in self.splits.items():
            if not any(picture.boxes for picture in pictures):
                raise DataError(
                    f"No picture of the {name} split has a box", remedy="at least two pictures with boxes are needed"
                )
        labels = set(self.labels)
        unknown = {box[4] for picture in self.pictures for box in picture.boxes} - labels
        if unknown:
            raise DataError("No training picture has a box of these categories", received=", ".join(sorted(unknown)))

    def warnings(self) -> list[str]:
        """A sentence on the boxes that are left out, if there are any."""
        if not self.bad:
            return []
        shown = shortened(self.bad, 5, "; ")
        return [f"{len(self.bad):,} of {self.num_boxes:,} boxes cannot be used: {shown}. They are left out."]


def _files_by_split(root: Path) -> dict[str, Path]:
    """The JSON file of each split: one for all, one in a folder of each, or one for each named like it."""
    files = sorted(path for path in root.rglob("*.json") if not any(part.startswith(".") for part in path.parts))
    if not files:
        raise DataError("There is no JSON file of annotations in the folder", received=str(root))
    if len(files) == 1:
        return {"train": files[0]}
    found: dict[str, Path] = {}
    for path in files:
        words = path.relative_to(root).as_posix().lower()
        name = next((split for word, split in SPLIT_NAMES.items() if word in words), None)
        if name is None or name in found:
            raise DataError(
                "It is not clear which file of annotations is for which split",
                expected="one JSON file, or one for each of train, validation and test, named like it",
                received=", ".join(str(item.relative_to(root)) for item in files[:6]),
            )
        found[name] = path
    if "train" not in found:
        raise DataError("There is no file of annotations to train on", expected="one with train in its name")
    return found


def _parsed(path: Path) -> dict[str, list[dict[str, Any]]]:
    """A JSON file with the three lists of COCO."""
    if path.stat().st_size > LARGEST_JSON:
        raise DataError(f"{path.name} is too large", expected=f"at most {LARGEST_JSON // 2**20} MiB")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON", received=str(error)) from None
    needed = {"images": ("id", "file_name"), "annotations": (), "categories": ("id", "name")}
    for name, keys in needed.items():
        rows = content.get(name) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and all(isinstance(row.get(key), str | int) for key in keys) for row in rows
        ):
            raise DataError(
                f"{path.name} is not as COCO writes annotations",
                expected=f"a list {name!r} of objects" + (f" with {' and '.join(keys)}" if keys else ""),
                remedy='export "COCO JSON" from the tool that the boxes were drawn with',
            )
    return content


def _box(item: Mapping[str, Any], image: Any, categories: Mapping[Any, str]) -> Any:
    """Left, top, right, bottom and category of an annotation; or why it cannot be used."""
    if image is None:
        return "there is no such picture"
    category = categories.get(item.get("category_id"))
    if category is None:
        return f"there is no category {item.get('category_id')!r}"
    numbers = item.get("bbox")
    if not (isinstance(numbers, list) and len(numbers) == 4 and all(_is_number(number) for number in numbers)):
        return f"its bbox is {numbers!r}"
    left, top, width, height = map(float, numbers)
    right, bottom = left + width, top + height
    if isinstance(image.get("width"), int) and isinstance(image.get("height"), int):
        left, right = max(left, 0.0), min(right, image["width"])
        top, bottom = max(top, 0.0), min(bottom, image["height"])
    if right - left < 1 or bottom - top < 1:
        return f"its bbox {numbers} has no area within the picture"
    return left, top, right, bottom, category


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass
class _Decoding:
    """All pictures to one file for each split, and their boxes to another."""

    found: Annotations
    frame: Frame
    shape: tuple[int, int, int]
    target: Path
    unreadable: list[Unreadable] = field(default_factory=list)
    readable: dict[str, list[Picture]] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    repeats: Repeats = field(default_factory=Repeats)

    def run(self) -> dict[str, Any]:
        """Write them; the labels, how many there are in each split, and the report."""
        pictures = self.found.pictures
        quota = Quota(self.target, LARGEST_BYTES, "What the pictures are once they are decoded")
        quota.expect(len(pictures) * int(np.prod(self.shape)))
        labels = self.found.labels
        most = max(len(picture.boxes) for picture in pictures)
        for split, part in self.found.splits.items():
            self.readable[split], rows = [], []
            with (self.target / f"{split}-pictures").open("wb") as file:
                for picture in part:
                    image = self._opened(split, picture)
                    if image is None:
                        continue
                    pixels = self.frame(image)
                    quota.take(pixels.nbytes)
                    file.write(pixels.tobytes())
                    self.readable[split].append(picture)
                    rows.append(self._rows(picture, image.size, labels, most))
            np.array(rows, "float32").tofile(self.target / f"{split}-boxes")
        report = self._report()
        self._check_readable()
        counts = {split: len(part) for split, part in self.readable.items()}
        return {"labels": labels, "counts": counts, "report": report.as_json()}

    def _opened(self, split: str, picture: Picture) -> Image.Image | None:
        """The picture; None when it cannot be read, which the report will say."""
        try:
            content = self._content(picture)
            image = load_image(content)
            if picture.size is not None and picture.size != image.size:
                wanted = "{} x {}".format(*picture.size)
                raise InputError(f"it is {image.width} x {image.height} pixels, in the annotations {wanted}")
        except InputError as error:
            self.unreadable.append(Unreadable(name=picture.name, reason=error.what))
            return None
        self.sizes.append(image.size)
        self.repeats.add(split, content, picture.name)
        return image

    def _content(self, picture: Picture) -> bytes:
        try:
            if not picture.path.is_file():
                raise InputError("There is no such file")
            if picture.path.stat().st_size > LARGEST_FILE:
                raise InputError(f"The file is larger than {LARGEST_FILE // 2**20} MiB")
            return picture.path.read_bytes()
        except OSError as error:
            raise InputError(error.strerror or str(error)) from None

    def _rows(self, picture: Picture, size: tuple[int, int], labels: Sequence[str], most: int) -> np.ndarray:
        """The boxes [most, 5] in pixels of the frame."""
        left, top, width, height = place_in_frame(size, (self.shape[1], self.shape[0]))
        scale, offset = np.array([width / size[0], height / size[1]] * 2), np.array([left, top] * 2)
        rows = np.full((most, 5), -1, "float32")
        for place, box in enumerate(picture.boxes):
            rows[place] = [*(np.array(box[:4]) * scale + offset), labels.index(box[4])]
        return rows

    def _report(self) -> DataReport:
        classes = counts_by_class(
            {split: [box[4] for picture in part for box in picture.boxes] for split, part in self.readable.items()}
        )
        shown = self.readable["train"][:NUM_SHOWN]
        boxes = [box for part in self.readable.values() for picture in part for box in picture.boxes]
        counts = Counter(len(picture.boxes) for part in self.readable.values() for picture in part)
        return DataReport(
            path=str(self.found.root),
            what="pictures",
            splits={split: len(part) for split, part in self.readable.items()},
            classes=classes,
            sizes={
                "width in pixels": size_range([size[0] for size in self.sizes] or [0]),
                "height in pixels": size_range([size[1] for size in self.sizes] or [0]),
                "boxes in a picture": size_range(list(counts.elements()) or [0]),
                "longer side of a box in pixels": size_range(
                    [max(box[2] - box[0], box[3] - box[1]) for box in boxes] or [0]
                ),
            },
            num_unreadable=len(self.unreadable),
            unreadable=tuple(self.unreadable[:SHOWN_UNREADABLE]),
            warnings=(
                *check_unreadable(self.unreadable, len(self.found.pictures)),
                *self.found.warnings(),
                *class_warnings(classes, "boxes"),
                *self.repeats.warnings("pictures"),
            ),
            examples=tuple(
                Sample(
                    label=", ".join(sorted({box[4] for box in picture.boxes})),
                    kind="image",
                    value=picture.path.relative_to(self.found.root).as_posix(),
                )
                for picture in shown
            ),
        )

    def _check_readable(self) -> None:
        for split, part in self.readable.items():
            if not any(picture.boxes for picture in part):
                raise DataError(f"No picture of the {split} split that has a box can be read")


def write_sample(folder: Path, size: tuple[int, int]) -> None:
    """Write pictures of shapes, and one JSON file of their boxes.

    Args:
        folder: An empty folder.
        size: Height and width of the network's frame in pixels.
    """
    random = np.random.default_rng(0)
    categories = {name: number for number, name in enumerate(SHAPES, start=1)}
    images, annotations = [], []
    (folder / "images").mkdir()
    for number in range(1, SAMPLE_PICTURES + 1):
        names = random.choice([*SHAPES], random.integers(1, 5)).tolist()
        scene = draw_scene(random, size, names, (0.12, 0.2))
        path = folder / "images" / f"{number}.png"
        scene.image.save(path)
        width, height = scene.image.size
        images.append({"id": number, "file_name": path.name, "width": width, "height": height})
        for name, mask in scene.things:
            numbers = {"id": len(annotations) + 1, "image_id": number, "category_id": categories[name]}
            annotations.append({**numbers, "bbox": _bbox(mask), "area": int(mask.sum()), "iscrowd": 0})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    (folder / "annotations.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _bbox(mask: np.ndarray) -> list[int]:
    """Left, top, width and height of where a mask is true."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)).tolist() for axis in (1, 0))
    return [columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1]
