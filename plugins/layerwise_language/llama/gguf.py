"""Published weights of the Llama family in one `.gguf` file, the format of llama.cpp, computed back to 32 bits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import WeightsError, missing_extra
from layerwise.published import read_tokenizer
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import FILE
from layerwise_language.llama.published import Published
from layerwise_language.llama.shape import LlamaShape

if TYPE_CHECKING:
    import numpy as np

_BLOCK = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_WHOLE = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_CONTROL = 3
"""The type of tokens that no text is made of."""
_SPLITTING: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "default": (),
    "gpt-2": (),
    "smollm": ({"type": "Digits", "individual_digits": True},),
}
"""How texts are divided before byte-pair encoding, by the names of llama.cpp: what comes before GPT-2's way."""


def read_gguf(path: Path) -> Published:
    """What a `.gguf` file says of itself. The arrays are not read yet.

    Raises:
        WeightsError: It cannot be read, or is of another architecture.
        MissingDependencyError: The package gguf is missing.
    """
    try:
        import gguf
    except ModuleNotFoundError as error:
        raise missing_extra("gguf", "gguf", f"{path.name}") from error
    try:
        reader = gguf.GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items()}
    except Exception as error:  # a damaged header makes the library raise whatever it stumbles over
        raise WeightsError(f"{path} is no GGUF file that can be read", received=str(error)) from error
    try:
        shape = _shape(fields, {tensor.name for tensor in reader.tensors}, path)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"The header of {path} cannot be used", received=repr(error)) from error
    beside = path.parent / FILE
    ends = (fields.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot"))
    tokens = fields.get("tokenizer.ggml.tokens", ())
    named = {name: fields.get(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos")}
    return Published(
        shape=shape,
        arrays=lambda: _arrays(reader, shape, path),
        tokenizer=read_tokenizer(beside) if beside.is_file() else _tokenizer(fields, path),
        chat_template=str(fields.get("tokenizer.chat_template") or ""),
        stop_tokens=tuple(sorted({int(end) for end in ends if end is not None})),
        **{f"{name}_token": "" if number is None else str(tokens[number]) for name, number in named.items()},
    )


def _shape(fields: Mapping[str, Any], names: set[str], path: Path) -> LlamaShape:
    if fields.get("general.architecture") != "llama" or fields.get("llama.expert_count"):
        raise WeightsError(
            f"The weights in {path} are of another architecture",
            expected="llama",
            received=str(fields.get("general.architecture"))
            + (" of experts" if "llama.expert_count" in fields else ""),
        )
    heads, hidden = int(fields["llama.attention.head_count"]), int(fields["llama.embedding_length"])
    scaled = fields.get("llama.rope.scaling.type", "none") != "none" or "rope_freqs.weight" in names
    if scaled or fields.get("llama.rope.dimension_count", hidden // heads) != hidden // heads:
        raise WeightsError(
            f"The weights in {path} tell places in a way that is not built here",
            expected="angles that are not scaled, of all numbers of a head",
            remedy="choose another network of the family",
        )
    return LlamaShape(
        vocab_size=int(fields.get("llama.vocab_size") or len(fields["tokenizer.ggml.tokens"])),
        hidden_size=hidden,
        num_hidden_layers=int(fields["llama.block_count"]),
        num_attention_heads=heads,
        num_key_value_heads=int(fields.get("llama.attention.head_count_kv", heads)),
        intermediate_size=int(fields["llama.feed_forward_length"]),
        rope_theta=float(fields.get("llama.rope.freq_base", 10_000.0)),
        rms_norm_eps=float(fields["llama.attention.layer_norm_rms_epsilon"]),
        tie_word_embeddings="output.weight" not in names,
        max_position_embeddings=int(fields["llama.context_length"]),
    )


def _arrays(reader: Any, shape: LlamaShape, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    from gguf.quants import dequantize

    heads = {"attn_q": shape.num_attention_heads, "attn_k": shape.num_key_value_heads}
    for tensor in reader.tensors:
        try:
            array = dequantize(tensor.data, tensor.tensor_type)
        except (NotImplementedError, ValueError) as error:
            raise WeightsError(f"The array {tensor.name!r} of {path} cannot be read", received=str(error)) from error
        name = str(tensor.name)
        block = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
        if not block or block[2] not in _BLOCK:
            yield _WHOLE.get(name, name), array
            continue
        if block[2] in heads:
            # llama.cpp turns neighbours, the published weights a number and the one half a head further.
            apart = array.reshape(heads[block[2]], -1, 2, array.shape[-1])
            array = apart.swapaxes(1, 2).reshape(array.shape)
        yield f"model.layers.{block[1]}.{_BLOCK[block[2]]}.weight", array


def _tokenizer(fields: Mapping[str, Any], path: Path) -> TextFile:
    kind, splitting = fields.get("tokenizer.ggml.model"), str(fields.get("tokenizer.ggml.pre", "default"))
    if kind != "gpt2" or splitting not in _SPLITTING:
        raise WeightsError(
            f"The tokenizer in {path} is of a kind that is not built here",
            expected=f"gpt2, divided as {' or '.join(_SPLITTING)}",
            received=f"{kind}, divided as {splitting}",
            remedy=f"put the {FILE} of the published network beside it",
        )
    tokens = fields["tokenizer.ggml.tokens"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_of_texts = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    described = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": tokens[number], **flags}
            for number, kind in enumerate(fields.get("tokenizer.ggml.token_type", ()))
            if kind == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*_SPLITTING[splitting], bytes_of_texts]},
        "post_processor": None,
        "decoder": bytes_of_texts,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ", 1) for merge in fields["tokenizer.ggml.merges"]],
        },
    }
    return TextFile(FILE, json.dumps(described, ensure_ascii=False))
