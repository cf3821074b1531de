"""What each dependency costs on the disk: itself, and with all that nothing else would bring.

    python benchmarks/dependencies.py [--write docs/dependencies.md]

Sizes are those of the files that the packages which are installed here have listed, compiled modules left out. With
`--write` the table in that document is replaced; why a package is there stands in `pyproject.toml`, behind its name.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LINE = re.compile(r'^  "(?P<requirement>[^"]+)",\s*# (?P<reason>.+)$', re.MULTILINE)
BEGIN, END = "<!-- sizes -->", "<!-- end of sizes -->"


def asked_for() -> dict[str, str]:
    """Why each dependency of a plain installation is there, by its name."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("dependencies = [") : text.index("[project.optional-dependencies]")]
    return {Requirement(found["requirement"]).name: found["reason"] for found in LINE.finditer(listed)}


@functools.cache
def found(name: str) -> Distribution | None:
    """An installed package, None for one that this system does not need."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@functools.cache
def needs(name: str, extras: frozenset[str] = frozenset()) -> frozenset[tuple[str, frozenset[str]]]:
    """What a package needs here itself: names and the extras of each."""
    package = found(name)
    direct = map(Requirement, (package.requires or ()) if package is not None else ())
    environments = [{"extra": extra} for extra in ("", *extras)]
    return frozenset(
        (canonicalize_name(item.name), frozenset(item.extras))
        for item in direct
        if item.marker is None or any(map(item.marker.evaluate, environments))
    )


def brought(roots: Iterator[tuple[str, frozenset[str]]]) -> set[str]:
    """The names of all that is installed for some packages, they themselves with it."""
    waiting, seen = list(roots), set[tuple[str, frozenset[str]]]()
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting.extend(needs(*item))
    return {name for name, _ in seen if found(name) is not None}


@functools.cache
def size_of(name: str) -> int:
    """Bytes of the files of a package."""
    package = found(name)
    files = (package.files or ()) if package is not None else ()
    kept = (Path(str(package.locate_file(file))) for file in files if file.suffix != ".pyc") if package else ()
    return sum(path.stat().st_size for path in kept if path.is_file())


def table() -> Iterator[str]:
    """The rows, the dearest first, and a last one with the sum."""
    reasons = asked_for()
    roots = {item for item in needs("layerwise") if item[0] in set(map(canonicalize_name, reasons))}
    everything = brought(iter(roots))
    rows = []
    for name, reason in reasons.items():
        others = brought(item for item in roots if item[0] != canonicalize_name(name))
        alone = everything - others
        rows.append((sum(map(size_of, alone)), size_of(canonicalize_name(name)), name, reason, len(alone)))
    yield "| package | what for | itself | with what only it brings |"
    yield "| --- | --- | --- | --- |"
    for total, own, name, reason, count in sorted(rows, reverse=True):
        more = f"{_mb(total)}, {count} package{'s' * (count != 1)}" if count else "others bring it too"
        yield f"| {name} | {reason} | {_mb(own)} | {more} |"
    yield f"| **all {len(everything)} packages** | | | **{_mb(sum(map(size_of, everything)))}** |"


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 9.5e5 else f"{count / 1e6:.1f} MB"


def main() -> int:
    """Print the table, and write it where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    document = parser.parse_args().write
    text = "\n".join(table())
    print(text)
    if document is not None:
        old = document.read_text(encoding="utf-8")
        before, after = old[: old.index(BEGIN)], old[old.index(END) :]
        document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
