"""`python -m layerwise.reference FOLDER`: write the documents into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from layerwise.reference import documents
from layerwise.registry import Registry


def main(folder: Path) -> None:
    """Write all documents."""
    for name, text in documents(Registry().snapshot()).items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
