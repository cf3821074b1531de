"""Everything that takes bytes of a stranger, as functions of one form: `decode(data, folder)` returns, or raises a
LayerwiseError. `folder` is empty, and the only place where a decoder may write."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

Decode = Callable[[bytes, Path], object]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _written(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def picture(data: bytes, folder: Path) -> object:
    from layerwise.tasks.images import load_image

    return load_image(data)


def sound(data: bytes, folder: Path) -> object:
    from layerwise.tasks.sounds import load_sound

    return load_sound(data, 16_000, longest=60.0)


def csv(data: bytes, folder: Path) -> object:
    from layerwise.tasks.csv_files import read_csv

    return read_csv(_written(data, folder, "table.csv"))


def points(data: bytes, folder: Path) -> object:
    from layerwise_learn.playground.csv_file import read_csv

    return read_csv(_text(data), is_regression=False)


def parquet(data: bytes, folder: Path) -> object:
    from layerwise.tasks.parquet_files import read_parquet

    return read_parquet(_written(data, folder, "table.parquet"))


def archive(data: bytes, folder: Path) -> object:
    from layerwise.datasets.archives import unpack

    (folder / "out").mkdir()
    return unpack(_written(data, folder, "data.zip"), folder / "out")


def upload(data: bytes, folder: Path) -> object:
    """An archive, and what a task sees in it."""
    from layerwise import own_data, tasks
    from layerwise.datasets.uploads import UploadStore

    kept = UploadStore(folder / "home").add([_written(data, folder, "data.zip")])
    return own_data.check(tasks.ImageClassification(labels=("cat", "dog"), size=(8, 8)), kept.folder)


def coco(data: bytes, folder: Path) -> object:
    from layerwise.tasks.detection.coco import _parsed

    return _parsed(_written(data, folder, "boxes.json"))


def dialogues(data: bytes, folder: Path) -> object:
    from layerwise.tasks.dialogue_files import read_dialogues

    return read_dialogues(_written(data, folder, "dialogues.jsonl"))


def fasta(data: bytes, folder: Path) -> object:
    from layerwise.tasks.sequences.alphabets import DNA
    from layerwise.tasks.sequences.fasta import parse

    return parse(_text(data), DNA)


def smiles(data: bytes, folder: Path) -> object:
    from layerwise.tasks.molecules.smiles import parse

    return parse(_text(data))


def sgf(data: bytes, folder: Path) -> object:
    from layerwise_rl.go.sgf import read

    return read(_text(data))


def tokenizer(data: bytes, folder: Path) -> object:
    from layerwise.text.text_file import TextFile
    from layerwise.text.tokenization import tokenizer_of

    return tokenizer_of(TextFile("tokenizer.json", _text(data)))


def template(data: bytes, folder: Path) -> object:
    from layerwise.text.chat_templates import render

    return render(_text(data), [{"role": "user", "content": "Hi"}], begins_reply=True, tokens={"eos_token": "</s>"})


def weights(data: bytes, folder: Path) -> object:
    """The weights of a version, whose checksum is right: who made them made the record, too."""
    from layerwise.weights import RECORD_FILE, read_arrays, weights_file

    digest = hashlib.sha256(data).hexdigest()
    _written(data, folder, weights_file(digest))
    _written(json.dumps({"format": 1, "sha256": digest}).encode(), folder, RECORD_FILE)
    return read_arrays(folder)


def published(data: bytes, folder: Path) -> object:
    from layerwise.published import arrays_in, weights_files

    _written(data, folder, "model.safetensors")
    return dict(arrays_in(weights_files(folder)))


def record(data: bytes, folder: Path) -> object:
    from layerwise.weights import RECORD_FILE, read_record

    _written(data, folder, RECORD_FILE)
    return read_record(folder)


def body(data: bytes, folder: Path) -> object:
    """A request of the HTTP API to a model with an input of each kind."""
    from starlette.requests import Request

    from layerwise.tasks import Field
    from layerwise_app.web.bodies import read_body, read_inputs

    async def receive() -> Mapping[str, object]:
        return {"type": "http.request", "body": data, "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    request = Request({"type": "http", "method": "POST", "headers": headers, "path": "/"}, receive)
    fields = tuple(Field(name=kind, kind=kind) for kind in ("image", "audio", "text", "table", "number", "json"))
    return read_inputs(fields, asyncio.run(read_body(request)).get("inputs"))


def answer_of_a_worker(data: bytes, folder: Path) -> object:
    from layerwise.workers.messages import unpacked

    return unpacked(data)


DECODERS: Mapping[str, Decode] = {
    function.__name__: function
    for function in (
        *(picture, sound, csv, points, parquet, archive, upload, coco, dialogues, fasta, smiles, sgf),
        *(tokenizer, template, weights, published, record, body, answer_of_a_worker),
    )
}
