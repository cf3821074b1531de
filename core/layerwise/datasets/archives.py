"""Zip archives of strangers, unpacked without trust in anything that they say of themselves.

Names that lead elsewhere, links, encrypted entries and names that two systems would take for the same file are
refused before anything is written. Sizes are counted while they are read, since headers can lie. Archives within
the archive are left out: nothing is unpacked twice.
"""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from layerwise.errors import DataError
from layerwise.quota import Quota

MOST_FILES = 1_000_000
LARGEST_UNPACKED = 64 * 2**30
"""The most bytes that an archive may hold once it is unpacked."""
LARGEST_RATIO = 200
"""How many times as large as the archive its contents may be: text shrinks to a tenth, a zip bomb to a thousandth."""
FREE_BYTES = 256 * 2**20
"""What every archive may hold whatever its ratio: a table of zeros is no attack."""
LARGEST_DIRECTORY = 256 * 2**20
"""The largest list of contents in bytes, which is read into memory whole."""
CHUNK_BYTES = 2**20
ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst")
JUNK = ("__macosx", "thumbs.db", "desktop.ini")
"""What systems put beside files, in lower case."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FOREIGN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
"""Characters that some system cannot have in a name."""
_REMEDY = "make the archive again, with plain names of files and folders"


@dataclass(frozen=True)
class _Entry:
    info: zipfile.ZipInfo
    name: str


def unpack(archive: Path, folder: Path) -> tuple[str, ...]:
    """Unpack a zip archive into an empty folder.

    Hidden files and what systems put beside files (`__MACOSX`, `Thumbs.db`) are left out.

    Args:
        archive: The zip file.
        folder: Where to; it must exist. After an error it holds a part, which the caller throws away.

    Returns:
        The names of the archives in the archive, which are left out.

    Raises:
        DataError: It is no zip archive, damaged, encrypted, too large, or has names that cannot be used.
    """
    try:
        with _Bounded(archive) as file, zipfile.ZipFile(file) as opened:
            wanted, nested = _checked(opened.infolist(), archive.name)
            limit = min(LARGEST_UNPACKED, max(FREE_BYTES, LARGEST_RATIO * archive.stat().st_size))
            quota = Quota(folder, limit, f"What {archive.name} holds")
            for entry in wanted:
                _write(opened, entry, folder, quota)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{archive.name} is no zip archive, or it is damaged", received=str(error)) from None
    except NotImplementedError as error:
        raise DataError(
            f"{archive.name} is compressed in a way that cannot be read", received=str(error), remedy=_REMEDY
        ) from None
    except OSError as error:
        raise DataError(f"{archive.name} cannot be unpacked", received=error.strerror or str(error)) from None
    return nested


class _Bounded(io.FileIO):
    """A file that is never read in one piece larger than a list of contents may be."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_DIRECTORY:
            raise zipfile.BadZipFile("its list of contents is too long")
        return super().read(size) or b""


def _checked(infos: list[zipfile.ZipInfo], archive: str) -> tuple[list[_Entry], tuple[str, ...]]:
    """The files to be written, and the names of the archives among them, which are not."""
    if len(infos) > MOST_FILES:
        raise DataError(
            f"{archive} holds too many files", expected=f"at most {MOST_FILES:,}", received=f"{len(infos):,}"
        )
    wanted, nested = [], []
    names: set[str] = set()
    seen: dict[str, str] = {}
    for info in infos:
        name = safe_name(_decoded(info), archive)
        _check_kind(info, name, archive)
        parts = PurePosixPath(name).parts
        if info.orig_filename.endswith(("/", "\\")) or any(
            part.startswith(".") or part.lower() in JUNK for part in parts
        ):
            continue
        if PurePosixPath(name).suffix.lower() in ARCHIVES:
            nested.append(name)
            continue
        if name in names:
            raise _refused(archive, "a name twice", name)
        names.add(name)
        _check_unique(name, seen, archive)
        wanted.append(_Entry(info, name))
    return wanted, tuple(nested)


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name of an entry. Many tools write UTF-8 without saying so, and zipfile takes it for code page 437."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def safe_name(name: str, owner: str) -> str:
    """A relative path with "/" between its parts, as it may be written on any system. Characters that some system
    cannot have become "_".

    Args:
        name: A path as a stranger wrote it.
        owner: Where it comes from, for the message.

    Raises:
        DataError: It is absolute, leads elsewhere, is empty or too long, or names a device of Windows.

    Example:
        >>> safe_name("pets\\\\cat/./tom.jpg", "pets.zip")
        'pets/cat/tom.jpg'
    """
    path = name.replace("\\", "/")
    raw = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in raw:
        raise _refused(owner, "names that lead out of its folder", name)
    parts = [_FOREIGN.sub("_", part).rstrip(" .") for part in raw]
    if any(_DEVICES.fullmatch(part) for part in parts):
        raise _refused(owner, "names that Windows keeps for itself", name)
    if not all(parts) or len(path) > 1024 or any(len(part.encode("utf-8", "replace")) > 255 for part in parts):
        raise _refused(owner, "names that are empty or too long", name)
    return "/".join(parts)


def _refused(owner: str, what: str, name: str) -> DataError:
    shown = ascii(name) if len(name) <= 80 else f"{name[:77]!a}..."
    return DataError(f"{owner} has {what}", received=shown, remedy=_REMEDY)


def _check_kind(info: zipfile.ZipInfo, name: str, archive: str) -> None:
    if info.flag_bits & 0x1:
        raise DataError(f"{archive} is encrypted", received=name, remedy="make it again without a password")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(
            f"{archive} holds a link or a device",
            received=name,
            remedy="put the file itself into the archive",
        )


def _check_unique(name: str, seen: dict[str, str], archive: str) -> None:
    """Check that no system takes the file or one of its folders for another one.

    Args:
        seen: What was there before, by how it is compared; folders end in "/".
    """
    path = PurePosixPath(name)
    folders = [f"{parent}/" for parent in path.parents][:-1]
    for text in (name, *folders):
        key = unicodedata.normalize("NFC", text.rstrip("/")).casefold()
        former = seen.setdefault(key, text)
        if former != text:
            raise _refused(archive, f"names that are the same on some systems ({former!a})", text)


def _write(opened: zipfile.ZipFile, entry: _Entry, folder: Path, quota: Quota) -> None:
    target = folder / entry.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry.info) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            quota.take(len(chunk))
            file.write(chunk)
