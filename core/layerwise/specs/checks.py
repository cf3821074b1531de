"""Names and texts of registration objects, checked."""

from __future__ import annotations

import re
from typing import Any

from layerwise.errors import SpecError

_PART = r"[a-z0-9]+(?:-[a-z0-9]+)*"


def check_name(owner: str, name: Any, parts: int = 1) -> None:
    pattern = "/".join([_PART] * parts)
    if not (isinstance(name, str) and re.fullmatch(pattern, name)):
        shape = "domain/application" if parts == 2 else "one word"
        raise SpecError(
            f"{owner} has an unusable name",
            expected=f"{shape} in lower case, with digits and single hyphens inside",
            received=repr(name),
        )


def check_text(owner: str, **texts: Any) -> None:
    for name, value in texts.items():
        if not (isinstance(value, str) and value.strip()):
            raise SpecError(f"{owner}: {name} is missing", expected="a text", received=repr(value))
