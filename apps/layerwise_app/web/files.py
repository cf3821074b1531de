"""Files that come as text."""

from __future__ import annotations

import base64

from layerwise.errors import InputError


def decode_base64(text: str, name: str) -> bytes:
    """The bytes of a data URL or of bare base64, as the HTTP API takes files.

    Raises:
        InputError: It is neither.
    """
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise InputError(
            f"{name} cannot be read",
            expected="a file in base64, alone or as a data URL",
            received=repr(text[:40]),
        ) from None
