"""Boxes of pictures as COCO writes them down, without a look at a picture.

https://cocodataset.org/#format-data, of which "images" (id, file_name, width, height), "annotations" (image_id,
category_id, bbox: left, top, width, height) and "categories" (id, name) are needed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerwise.errors import DataError
from layerwise.own_data import UNREADABLE_SHARE, shortened
from layerwise.tasks.decoding import PictureFile
from layerwise.tasks.folders import SPLIT_NAMES, check_folder, held_out, unwrapped

MOST_BOXES = 500
"""How many boxes a picture may have."""
LARGEST_JSON = 512 * 2**20


@dataclass(frozen=True, kw_only=True)
class Picture(PictureFile):
    """A picture and its boxes.

    Args:
        boxes: [left, top, right, bottom] in pixels of the picture, and the category.
    """

    boxes: tuple[tuple[float, float, float, float, str], ...]


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
                yield f"{split} {picture.state} {picture.boxes}"

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
