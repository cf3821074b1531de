"""Folders of a user's own data: files by class, and which of them are held out for the test.

Nothing here knows what the files hold; each task reads its own kind.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import shortened

ExampleT = TypeVar("ExampleT")
TEST_SHARE = 0.2
"""The share of the examples that is held out where the user names no test set."""
SPLIT_NAMES = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}


@dataclass(frozen=True, kw_only=True)
class ClassFile:
    """A file and the class whose folder it lies in."""

    path: Path
    label: str


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The files of a folder that has one folder for each class.

    Args:
        root: The folder without links in its path.
        splits: The files of each split, "train" and "test" at least, sorted by class and path.
        others: How many files of the classes do not count, by their ending.
    """

    root: Path
    splits: dict[str, list[ClassFile]]
    others: Mapping[str, int]

    def name(self, file: ClassFile) -> str:
        """What a report calls a file: its path below the folder."""
        return file.path.relative_to(self.root).as_posix()

    @property
    def num_files(self) -> int:
        """How many files count."""
        return sum(map(len, self.splits.values()))

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, sorted by name."""
        return tuple(sorted({file.label for file in self.splits["train"]}))

    @property
    def warnings(self) -> list[str]:
        """A sentence on the files that do not count, if there are any."""
        if not self.others:
            return []
        shown = shortened([f"{count:,} {suffix or 'without ending'}" for suffix, count in self.others.items()])
        return [f"Files of other kinds do not count: {shown}."]


def scan_classes(folder: Path, suffixes: Collection[str]) -> Scan:
    """Find the files of a folder that has one folder for each class, without opening any.

    Args:
        folder: `folder/CLASS/...`, or `folder/train/CLASS/...` with `test` and, if wanted, `validation` beside
            it. Hidden files are left out, and so are files that end otherwise than `suffixes`. Where there is
            no test folder, files are held out by `held_out`, on their class and name.
        suffixes: The endings of files that count, in lower case with their dot.

    Raises:
        DataError: There are not two classes with two files each; a link leads out of the folder; a split has a
            class that "train" does not have.
    """
    resolved = check_folder(folder)
    root = unwrapped(resolved)
    names = {entry.name.lower(): entry for entry in folders_in(root)}
    beside = sorted(set(names) - set(SPLIT_NAMES))
    if "train" in names and "test" in names and beside:
        raise DataError(
            "Beside the folders train and test are others",
            expected=f"no more than {', '.join(sorted(SPLIT_NAMES))}",
            received=", ".join(beside),
            remedy="move or rename them",
        )
    others: Counter[str] = Counter()
    # A lone "train" beside other names is a class: trains, buses, cars.
    if "train" in names and not beside:
        splits: dict[str, list[ClassFile]] = {}
        for name, entry in names.items():
            splits.setdefault(SPLIT_NAMES[name], []).extend(_class_files(entry, root, suffixes, others))
    else:
        splits = {"train": _class_files(root, root, suffixes, others)}
    _check_classes(splits, root, suffixes)
    if "test" not in splits:
        files = splits["train"]
        keys = [f"{file.label}/{file.path.name}" for file in files]
        splits["train"], splits["test"] = apart(files, keys, [file.label for file in files])
    return Scan(root=resolved, splits=splits, others=others)


class Files:
    """What files hold, as an array [files] that reads a file when it is asked for it.

    Args:
        paths: The files.
        read: What a file holds. What it raises is raised by the indexing.
    """

    dtype = np.dtype(object)

    def __init__(self, paths: Sequence[Path], read: Callable[[Path], Any]) -> None:
        self.paths, self.read = np.array(paths, object), read

    @property
    def shape(self) -> tuple[int]:
        """[files]."""
        return (len(self.paths),)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Any:
        chosen = self.paths[index]
        if isinstance(chosen, Path):
            return self.read(chosen)
        found = np.empty(len(chosen), object)
        for place, path in enumerate(chosen):
            found[place] = self.read(path)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Files are read into a new array; they cannot be had without a copy")
        return np.asarray(self[:], dtype=dtype)


def held_out(keys: Sequence[str], groups: Sequence[str]) -> list[bool]:
    """Which examples are held out for the test: about a fifth, chosen by a hash of each key alone, so that the
    same example is on the same side on every machine and whatever is added later.

    Of each group of two or more, at least one example is on either side.

    Args:
        keys: What identifies each example.
        groups: The class of each example; one and the same for all where there are no classes.
    """
    ranks = [int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64 for key in keys]
    chosen = [rank < TEST_SHARE for rank in ranks]
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    for positions in members.values():
        count = sum(chosen[position] for position in positions)
        if len(positions) > 1 and count in (0, len(positions)):
            moved = (min if count == 0 else max)(positions, key=ranks.__getitem__)
            chosen[moved] = count == 0
    return chosen


def files_by_split(files: Sequence[Path], root: Path) -> Mapping[str, list[Path]]:
    """The files of each split: those named after one, or in folders of such names; otherwise all are "train"."""
    found: dict[str, list[Path]] = {}
    for file in files:
        name = file.relative_to(root).parts[0]
        found.setdefault(SPLIT_NAMES.get(Path(name).stem.lower(), ""), []).append(file)
    return found if "" not in found and {"train", "test"} <= found.keys() else {"train": [*files]}


def apart(
    examples: Sequence[ExampleT], keys: Sequence[str], groups: Sequence[str] | None = None
) -> tuple[list[ExampleT], list[ExampleT]]:
    """The examples to learn from, and those that are held out for the test (`held_out`).

    Args:
        groups: The class of each example; None where there are no classes.
    """
    chosen = held_out(keys, groups if groups is not None else [""] * len(keys))
    sides: tuple[list[ExampleT], list[ExampleT]] = ([], [])
    for example, is_test in zip(examples, chosen, strict=True):
        sides[is_test].append(example)
    return sides


def check_counts(labels: Iterable[str], what: str) -> None:
    """Check that there are two classes or more, with two examples each.

    Args:
        labels: The class of each example.
        what: What the examples are, in the plural: "pictures".

    Raises:
        DataError: They are not; the text has the counts.
    """
    counts = Counter(labels)
    rare = {label: count for label, count in sorted(counts.items()) if count < 2}
    if len(counts) >= 2 and not rare:
        return
    shown = rare if len(counts) >= 2 else counts
    raise DataError(
        "There are too few examples to learn from",
        expected=f"at least two classes with at least two {what} each",
        received=", ".join(f"{label}: {count}" for label, count in list(shown.items())[:10]) or "none",
    )


def check_folder(folder: Path) -> Path:
    """The folder without links in its path.

    Raises:
        DataError: It is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("There is no such folder", received=repr(str(folder)))
    return folder.resolve()


def unwrapped(root: Path) -> Path:
    """The folder itself, or the one folder that is all it holds, as unpacked archives have it."""
    entries = _visible(root)
    while len(entries) == 1 and not entries[0].is_symlink() and entries[0].is_dir() and folders_in(entries[0]):
        root = entries[0]
        entries = _visible(root)
    return root


def _visible(folder: Path) -> list[Path]:
    junk = ("__MACOSX", "Thumbs.db", "desktop.ini")
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in junk)


def folders_in(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _class_files(folder: Path, root: Path, suffixes: Collection[str], others: Counter[str]) -> list[ClassFile]:
    """The files of the classes in `folder`; those that do not count are counted in `others`."""
    found = []
    for class_folder in folders_in(folder):
        _check_inside(class_folder, root)
        for path in files_below(class_folder, root):
            suffix = path.suffix.lower()
            if suffix in suffixes:
                found.append(ClassFile(path=path, label=class_folder.name))
            else:
                others[suffix] += 1
    return found


def files_below(folder: Path, root: Path) -> list[Path]:
    """All files below, without following links to folders."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        for path in [*paths, *(Path(parent, name) for name in folders)]:
            _check_inside(path, root)
        found += paths
    return sorted(found)


def _check_inside(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise DataError(
            "A link leads out of the folder",
            received=path.relative_to(root).as_posix(),
            remedy="replace the link by the file itself",
        )


def _check_classes(splits: dict[str, list[ClassFile]], root: Path, suffixes: Collection[str]) -> None:
    if not splits["train"]:
        raise DataError(
            "No class is found in the folder",
            expected=f"a folder for each class, with files that end in {', '.join(sorted(suffixes))}",
            received=f"{len(folders_in(root))} folders and {len(_visible(root)) - len(folders_in(root))} files",
        )
    check_counts((file.label for file in splits["train"]), "files")
    known = {file.label for file in splits["train"]}
    for name, files in splits.items():
        unknown = sorted({file.label for file in files} - known)
        if unknown:
            raise DataError(
                f"The {name} folder has classes that the train folder does not have", received=", ".join(unknown)
            )
        if not files:
            raise DataError(f"The {name} folder is empty", remedy="fill or remove it")
