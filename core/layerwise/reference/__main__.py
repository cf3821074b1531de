"""`python -m layerwise.reference FOLDER`: write hooks.md and tasks.md into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from layerwise.reference.hooks import hooks_document
from layerwise.reference.tasks import tasks_document
from layerwise.registry import Registry


def main(folder: Path) -> None:
    """Write both documents."""
    tasks = [spec.task for spec in Registry().snapshot().models.values()]
    for name, text in (("hooks.md", hooks_document()), ("tasks.md", tasks_document(tasks))):
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
