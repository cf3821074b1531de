"""Folders of a user's own data: files by class, and which of them are held out for the test.

Nothing here knows what the files hold; each task reads its own kind.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwise.errors import DataError

TEST_SHARE = 0.2
"""The share of the examples that is held out where the user names no test set."""
UNREADABLE_SHARE = 0.1
"""From this share of unreadable files on, a folder is refused instead of read without them."""
SPLIT_NAMES = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}


@dataclass(frozen=True, kw_only=True)
class ClassFile:
    """A file and the class whose folder it lies in."""

    path: Path
    label: str


def scan_classes(folder: Path, suffixes: Collection[str]) -> dict[str, list[ClassFile]]:
    """The files of each split of a folder that has one folder for each class, sorted by class and path.

    Args:
        folder: `folder/CLASS/...`, or `folder/train/CLASS/...` with `test` and, if wanted, `validation` beside
            it. Hidden files are left out, and so are files that end otherwise than `suffixes`. Where there is
            no test folder, files are held out by `held_out`, on their class and name.
        suffixes: The endings of files that count, in lower case with their dot.

    Returns:
        At least "train" and "test".

    Raises:
        DataError: There are not two classes with two files each; a link leads out of the folder; a split has a
            class that "train" does not have.
    """
    root = _unwrapped(check_folder(folder))
    names = {entry.name.lower(): entry for entry in _folders(root)}
    others = sorted(set(names) - set(SPLIT_NAMES))
    if "train" in names and "test" in names and others:
        raise DataError(
            "Beside the folders train and test are others",
            expected=f"no more than {', '.join(sorted(SPLIT_NAMES))}",
            received=", ".join(others),
            remedy="move or rename them",
        )
    # A lone "train" beside other names is a class: trains, buses, cars.
    if "train" in names and not others:
        splits: dict[str, list[ClassFile]] = {}
        for name, entry in names.items():
            splits.setdefault(SPLIT_NAMES[name], []).extend(_class_files(entry, root, suffixes))
    else:
        splits = {"train": _class_files(root, root, suffixes)}
    _check_classes(splits, root, suffixes)
    if "test" not in splits:
        files = splits["train"]
        keys = [f"{file.label}/{file.path.name}" for file in files]
        chosen = held_out(keys, [file.label for file in files])
        splits["train"] = [file for file, is_test in zip(files, chosen, strict=True) if not is_test]
        splits["test"] = [file for file, is_test in zip(files, chosen, strict=True) if is_test]
    return splits


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


def report_unreadable(unreadable: Sequence[tuple[Path, str]], total: int, folder: Path) -> None:
    """Warn of files that could not be read, or refuse the folder when they are many.

    Args:
        unreadable: The files, each with the reason.
        total: How many files there are, readable ones included.

    Raises:
        DataError: A tenth or more is unreadable.
    """
    if not unreadable:
        return
    shown = "; ".join(f"{path.relative_to(folder).as_posix()} ({reason})" for path, reason in unreadable[:5])
    more = f"; and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
    text = f"{len(unreadable)} of {total} files cannot be read: {shown}{more}"
    if len(unreadable) >= UNREADABLE_SHARE * total:
        raise DataError(text, expected="less than a tenth of the files", remedy="repair or remove these files")
    warnings.warn(f"{text}. They are left out.", stacklevel=3)


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


def _unwrapped(root: Path) -> Path:
    """The folder itself, or the one folder that is all it holds, as unpacked archives have it."""
    entries = _visible(root)
    while len(entries) == 1 and not entries[0].is_symlink() and entries[0].is_dir() and _folders(entries[0]):
        root = entries[0]
        entries = _visible(root)
    return root


def _visible(folder: Path) -> list[Path]:
    junk = ("__MACOSX", "Thumbs.db", "desktop.ini")
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in junk)


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _class_files(folder: Path, root: Path, suffixes: Collection[str]) -> list[ClassFile]:
    found = []
    for class_folder in _folders(folder):
        _check_inside(class_folder, root)
        paths = (path for path in _files(class_folder, root) if path.suffix.lower() in suffixes)
        found += [ClassFile(path=path, label=class_folder.name) for path in paths]
    return found


def _files(folder: Path, root: Path) -> list[Path]:
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
            received=f"{len(_folders(root))} folders and {len(_visible(root)) - len(_folders(root))} files",
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
