"""Other bytes out of known ones: what a fuzzer tries."""

from __future__ import annotations

import functools
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Mapping

from hostile.corpus import corpus

LARGEST = 200_000
"""Bytes of a case. What is large is in the corpus; here it is the number that counts."""
NUMBERS = (0, 1, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
WORDS = (
    *(
        b"\0",
        b"\xff\xff\xff\xff",
        b"NaN",
        b"-1",
        b"1e309",
        b"9" * 400,
        b"null",
        b"[[[[[[",
        b'{"a":',
        b"\\u0000",
        b"\r\n",
    ),
    *(b"../", b"<script>", b"=1+1", b"[", b"]", b"(", b")", b"%99", b"@@", b"\xed\xa0\x80", b"\xe2\x80\xae", b"PK\3\4"),
    *(
        b"IHDR",
        b"RIFF",
        b"data",
        b"__metadata__",
        b"data_offsets",
        b"shape",
        b'"dtype":"BF16"',
        b"{{",
        b"{%",
        b"\x1f\x8b",
    ),
)


def _picture(format_: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.frombytes("RGB", (16, 16), bytes(range(256)) * 3)
    image.save(buffer, format_)
    return buffer.getvalue()


def _sound(format_: str) -> bytes:
    import numpy as np
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.sin(np.arange(1600) / 9).astype("float32"), 16_000, format=format_)
    return buffer.getvalue()


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
            archive.writestr(name, _picture("PNG"))
    return buffer.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2, 3], "b": ["x", "y", None]}), buffer)
    return buffer.getvalue()


def _tensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


def _tokenizer() -> bytes:
    from layerwise.text.tokenization import train_pieces

    return train_pieces(["the cat sat on the mat"], 270).content.encode()


def _of_a_worker() -> bytes:
    import numpy as np

    from layerwise.workers.messages import packed

    return packed({"label": "cat", "probabilities": np.ones(3, "float32")}, "It")


_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 7}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "iscrowd": 0}],
    "categories": [{"id": 1, "name": "cat"}],
}
_TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
GOOD: Mapping[str, Callable[[], list[bytes]]] = {
    "picture": lambda: [_picture(name) for name in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO")],
    "sound": lambda: [_sound(name) for name in ("WAV", "FLAC", "OGG", "AIFF", "AU", "MP3")],
    "csv": lambda: [b"a,b,label\n1,2,x\n3,4,y\n", b'a;b\n1,5;"two\nlines"\n', "größe\tb\n1\t2\n".encode("utf-16")],
    "points": lambda: [b"x,y,label\n1,2,a\n-1,0.5,b\n0,0,a\n"],
    "parquet": lambda: [_parquet()],
    "archive": lambda: [_archive()],
    "upload": lambda: [_archive()],
    "coco": lambda: [json.dumps(_COCO).encode()],
    "dialogues": lambda: [(json.dumps({"messages": _TURNS}).encode() + b"\n") * 12],
    "fasta": lambda: [b">one first\nACGTNRY\nACG\n>two\nGG\n", b"acgu 61 acg"],
    "smiles": lambda: [b"CC(=O)Oc1ccccc1C(=O)O", b"C[C@H](N)C(=O)O name", b"[13C@@H]%10N.[Na+]%10", b"[#6]-[Fe+3]"],
    "sgf": lambda: [b"(;GM[1]FF[4]SZ[9]KM[7]PB[a\\]b]RE[B+3.5];B[ee];W[])", b"(;SZ[19];B[aa](;W[bb])(;W[cc]))"],
    "tokenizer": lambda: [_tokenizer()],
    "template": lambda: [
        b"{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}{{ eos_token * 2 }}"
    ],
    "weights": lambda: [_tensors()],
    "published": lambda: [_tensors()],
    "record": lambda: [b'{"format": 1, "sha256": "00", "task": {"labels": ["a"]}, "metrics": {"loss": 0.5}}'],
    "body": lambda: [b'{"inputs": {"text": "a", "image": "data:;base64,aGk=", "json": "[1]", "number": 1}}'],
    "answer_of_a_worker": lambda: [_of_a_worker()],
}
"""What each door takes."""


@functools.cache
def seeds(door: str) -> tuple[bytes, ...]:
    """What cases for a door are made of: good files, twice as often, and those of the corpus that are meant for it."""
    good = GOOD[door]()
    return (*good, *good, *(sample.data[:LARGEST] for sample in corpus() if door in sample.doors))


def case(door: str, number: int, seed: int = 0) -> bytes:
    """The case of that number; the same in every run."""
    chance = random.Random(f"{seed}/{door}/{number}")
    known = seeds(door)
    data = bytearray(chance.choice(known))
    for _ in range(chance.choice((1, 1, 2, 4, 8, 16))):
        chance.choice(_CHANGES)(data, chance, known)
    return bytes(data[:LARGEST])


def _place(data: bytearray, chance: random.Random) -> int:
    # The beginning more often: headers decide.
    return chance.randrange(min(len(data), 64) if chance.random() < 0.4 else len(data)) if data else 0


def _flip(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    if data:
        data[_place(data, chance)] = chance.randrange(256)


def _number(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    place, width = _place(data, chance), chance.choice((1, 2, 4, 8))
    number = chance.choice(NUMBERS) & (256**width - 1)
    data[place : place + width] = number.to_bytes(width, chance.choice(("little", "big")))


def _insert(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    place = _place(data, chance)
    data[place:place] = chance.choice(WORDS) if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 9))


def _remove(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 2, 4, 16, 256))]


def _cut(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    del data[_place(data, chance) :]


def _repeat(data: bytearray, chance: random.Random, _known: tuple[bytes, ...]) -> None:
    place = _place(data, chance)
    data[place:place] = data[place : place + chance.randrange(1, 33)] * chance.choice((1, 2, 50))


def _splice(data: bytearray, chance: random.Random, known: tuple[bytes, ...]) -> None:
    other = chance.choice(known)
    start = chance.randrange(len(other) + 1)
    place = _place(data, chance)
    data[place : place + 64] = other[start : start + chance.randrange(1, 512)]


_CHANGES = (_flip, _flip, _set, _number, _insert, _remove, _cut, _repeat, _splice)
