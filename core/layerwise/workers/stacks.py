"""Where the threads of a worker are, as `faulthandler` writes it: kept for the author of the plugin."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import IO

WAIT_SECONDS, LONGEST = 0.5, 20_000
_OURS = str(Path(__file__).parent)


def wait_for(file: IO[bytes]) -> None:
    """Until the stacks that were asked for are written, half a second at most."""
    end, size = time.monotonic() + WAIT_SECONDS, -1
    while time.monotonic() < end:
        former, size = size, os.fstat(file.fileno()).st_size
        if size and size == former:
            return
        time.sleep(0.05)


def read(file: IO[bytes]) -> str:
    """What was written, without the threads in which nothing but Layerwise itself runs."""
    text = os.pread(file.fileno(), LONGEST, 0).decode("utf-8", "replace")
    blocks = re.split(r"\n(?=(?:Current thread|Thread) 0x)|\n\n", text.strip())
    return "\n\n".join(block.strip() for block in blocks if not _is_ours(block)).strip()


def _is_ours(block: str) -> bool:
    files = re.findall(r'File "([^"]+)"', block)
    return bool(files) and all(
        file.startswith((_OURS, "<frozen")) or Path(file).name == "threading.py" for file in files
    )
