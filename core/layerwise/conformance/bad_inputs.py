"""What nobody should give to a model and somebody will, by the kind of an input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerwise.tasks.fields import Field

_PNG = b"\x89PNG\r\n\x1a\n"
_RIFF = b"RIFF\x24\x00\x00\x00WAVEfmt "
LONG = 100_000


def bad_values(field: Field) -> Iterator[tuple[str, Any]]:
    """Values with what they are in words, for each kind in which a field can be given. Not all must be refused: an
    empty text may be one that has an answer."""
    for kind in (field.kind, *field.alternatives):
        yield from _VALUES.get(kind, _anything)(field)


def _image(_: Field) -> Iterator[tuple[str, Any]]:
    import numpy as np

    yield "no bytes", b""
    yield "bytes that are no picture", b"no picture"
    yield "a picture that breaks off", _PNG + b"\x00\x00\x00\rIHDR"
    yield "a file that is not there", "/there/is/no/such/picture.png"
    yield "a picture without pixels", np.zeros((0, 4, 3), "uint8")
    yield "a picture of one pixel", np.zeros((1, 1, 3), "uint8")


def _sketch(field: Field) -> Iterator[tuple[str, Any]]:
    yield from _image(field)
    yield "an editor in which nothing was drawn", {"background": None, "layers": [], "composite": None}


def _audio(_: Field) -> Iterator[tuple[str, Any]]:
    import numpy as np

    yield "no bytes", b""
    yield "bytes that are no sound", b"no sound"
    yield "a sound that breaks off", _RIFF
    yield "a file that is not there", "/there/is/no/such/sound.wav"
    yield "no samples", (16_000, np.zeros(0, "float32"))
    yield "one sample", (16_000, np.zeros(1, "float32"))
    yield "samples that are no numbers", (16_000, np.full(16_000, np.nan, "float32"))


def _text(_: Field) -> Iterator[tuple[str, Any]]:
    yield "no letters", ""
    yield "spaces", " \t\n "
    yield "control characters", "\x00\x07\x1b[31m"
    yield f"{LONG:,} letters", "long " * (LONG // 5)
    yield "other scripts and symbols", "Ж中🙂\u202e\u0301" * 5


def _number(_: Field) -> Iterator[tuple[str, Any]]:
    yield "a word", "seven"
    yield "no number", math.nan
    yield "infinity", math.inf
    yield "a very large number", -1e99


def _choice(_: Field) -> Iterator[tuple[str, Any]]:
    yield "what cannot be chosen", "there is no such choice"


def _table(field: Field) -> Iterator[tuple[str, Any]]:
    yield "no columns", {}
    yield "a column that is not there", {"there is no such column": 1}
    yield "words everywhere", {column.name: "word" for column in field.columns}
    yield "no number anywhere", {column.name: math.nan for column in field.columns}


def _file(_: Field) -> Iterator[tuple[str, Any]]:
    yield "an empty file", {"name": "empty.csv", "content": b""}
    yield "random bytes", {"name": "../../data.csv", "content": bytes(range(256)) * 4}
    yield "a file that is not there", "/there/is/no/such/file.csv"


def _files(_: Field) -> Iterator[tuple[str, Any]]:
    yield "no files", []
    yield "an empty file and random bytes", [b"", {"name": "../../a.png", "content": bytes(range(256)) * 4}]
    yield "a file that is not there", ["/there/is/no/such/file.png"]
    yield "a thousand files", [b""] * 1000
    yield "what is no list", 7


def _conversation(_: Field) -> Iterator[tuple[str, Any]]:
    yield "nothing said", []
    yield "an unknown role", [{"role": "nobody", "content": "hello"}]
    yield "no content", [{"role": "user"}]


def _anything(_: Field) -> Iterator[tuple[str, Any]]:
    yield "an empty list", []
    yield "an unknown key", {"there is no such key": 10**9}
    yield "letters", "]["


_VALUES = {
    "image": _image,
    "sketch": _sketch,
    "audio": _audio,
    "live-audio": _audio,
    "video": _file,
    "text": _text,
    "number": _number,
    "choice": _choice,
    "table": _table,
    "file": _file,
    "files": _files,
    "conversation": _conversation,
}
