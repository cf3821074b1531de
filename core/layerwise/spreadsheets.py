"""What is written into tables for others to open: texts that no spreadsheet takes for a formula.

A cell that begins with "=", and with some more characters, is computed by spreadsheets when the file is opened, and a
formula can send what is in the others away (CWE-1236). A name that a stranger chose must not become one.
"""

from __future__ import annotations

import re
from typing import Any

_COMPUTED = re.compile(r"[\t\r\n ]*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?")


def plain_cell(value: Any) -> Any:
    """A value as it may stand in a table: a text that would be computed has an apostrophe before it, which spreadsheets
    take as the sign of a text. Numbers stay numbers.

    Example:
        >>> [plain_cell(value) for value in ("=1+1", "-1.5e-3", -2, "@SUM(A1)", "C=O", "-", None)]
        ["'=1+1", '-1.5e-3', -2, "'@SUM(A1)", 'C=O', '-', None]
    """
    if not isinstance(value, str) or len(value) < 2 or not _COMPUTED.match(value) or _NUMBER.fullmatch(value.strip()):
        return value
    return f"'{value}"
