"""Published weights of the Llama family from a folder: `config.json` with `*.safetensors`, or one `.gguf`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import WeightsError
from layerwise.published import arrays_in, check_architecture, read_json, read_tokenizer, set_variables, weights_files
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import FILE, tokenizer_of
from layerwise_language.llama.shape import LlamaShape

if TYPE_CHECKING:
    import numpy as np

    from layerwise_language.llama.network import Llama

ARCHITECTURE = "LlamaForCausalLM"
_NAMES = {
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "out": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """A network that somebody published.

    Args:
        shape: What it is made of.
        arrays: Gives its arrays one after the other, by their names in published safetensors files, as they lie there:
            the kernel of a dense layer [outputs, inputs].
        tokenizer: Its `tokenizer.json`.
        chat_template: How a conversation is written as one text, in Jinja; empty where it tells none.
        stop_tokens: Those that end an answer.
        bos_token, eos_token: What the template calls so; empty where it has none.
    """

    shape: LlamaShape
    arrays: Callable[[], Iterator[tuple[str, np.ndarray]]]
    tokenizer: TextFile
    chat_template: str
    stop_tokens: tuple[int, ...]
    bos_token: str = ""
    eos_token: str = ""


def read_published(path: Path) -> Published:
    """What lies in a folder of published weights, or in a `.gguf` file. The arrays are not read yet.

    Raises:
        WeightsError: There is none, it cannot be read, or it is of another architecture.
        MissingDependencyError: A `.gguf` needs the package gguf.
    """
    if not path.exists():
        raise WeightsError(
            f"There is no {path}", expected="a folder with config.json and *.safetensors, or a .gguf file"
        )
    if path.is_file() and path.suffix != ".gguf":
        raise WeightsError(f"{path.name} is not read", expected="a .gguf file, or the folder that it lies in")
    files = [path] if path.is_file() else sorted(path.glob("*.gguf"))
    if path.is_dir() and (not files or (path / "config.json").is_file()):
        published = _read_folder(path)
    elif len(files) > 1:
        raise WeightsError(f"There are {len(files)} .gguf files in {path}", remedy="name one of them")
    else:
        from layerwise_language.llama.gguf import read_gguf

        published = read_gguf(files[0])
    largest = max(tokenizer_of(published.tokenizer).get_vocab().values(), default=0)
    if largest >= published.shape.vocab_size:
        raise WeightsError(
            f"The tokenizer in {path} is that of another network",
            expected=f"tokens below {published.shape.vocab_size}",
            received=f"a token {largest}",
            remedy="get it from where the weights are from",
        )
    return published


def load_published(llama: Llama, published: Published) -> None:
    """Set the weights of a network to published ones.

    Raises:
        WeightsError: Some are missing, there are others, or they are of other shapes. Weights that fit may have been
            set by then.
    """
    set_variables(variables_of(llama), published.arrays(), lambda name: _is_ignored(name, llama.shape))


def variables_of(llama: Llama) -> dict[str, tuple[Any, bool]]:
    """The variables of a network by their published names, and whether published arrays are turned over."""
    found: dict[str, tuple[Any, bool]] = {"model.embed_tokens.weight": (llama.tokens._embeddings, False)}
    for number, block in enumerate(llama.blocks):
        prefix = f"model.layers.{number}"
        found |= {f"{prefix}.{_NAMES[part]}.weight": (layer._kernel, True) for part, layer in block.dense.items()}
        for norm, name in zip(block.norms, ("input_layernorm", "post_attention_layernorm"), strict=True):
            found[f"{prefix}.{name}.weight"] = norm.scale, False
    found["model.norm.weight"] = llama.norm.scale, False
    if not llama.shape.tie_word_embeddings:
        found["lm_head.weight"] = llama.tokens.reverse_embeddings, True
    return found


def _is_ignored(name: str, shape: LlamaShape) -> bool:
    """Whether an array tells nothing new: angles that are computed here, or the same table again."""
    return name.endswith("rotary_emb.inv_freq") or (name == "lm_head.weight" and shape.tie_word_embeddings)


def _read_folder(folder: Path) -> Published:
    config = read_json(folder / "config.json")
    shape = shape_of(config, folder)
    files = weights_files(folder)
    more, told = (_if_there(folder / name) for name in ("generation_config.json", "tokenizer_config.json"))
    ends = more.get("eos_token_id", config.get("eos_token_id"))
    return Published(
        shape=shape,
        arrays=lambda: arrays_in(files),
        tokenizer=read_tokenizer(folder / FILE),
        chat_template=_chat_template(folder, told),
        stop_tokens=tuple(ends) if isinstance(ends, list) else () if ends is None else (int(ends),),
        bos_token=_special(told, "bos_token"),
        eos_token=_special(told, "eos_token"),
    )


def shape_of(config: Mapping[str, Any], origin: Path) -> LlamaShape:
    """The shape that a `config.json` describes.

    Raises:
        WeightsError: It is of another architecture, or has parts that are not built here.
    """
    remedy = "choose a network of the Llama family: SmolLM2, TinyLlama, Llama 2"
    check_architecture(config, ARCHITECTURE, origin, remedy=remedy)
    try:
        return _shape_of(config, origin)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"The config.json of {origin} cannot be used", received=repr(error)) from error


def _shape_of(config: Mapping[str, Any], origin: Path) -> LlamaShape:
    rope = {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    for name, value, usual in (
        ("rope_type", rope.get("rope_type", rope.get("type", "default")), "default"),
        ("hidden_act", config.get("hidden_act", "silu"), "silu"),
        ("attention_bias", config.get("attention_bias", False), False),
        ("mlp_bias", config.get("mlp_bias", False), False),
        ("head_dim", config.get("head_dim") or hidden // heads, hidden // heads),
        ("quantization_config", config.get("quantization_config"), None),
    ):
        if value != usual:
            raise WeightsError(
                f"The weights in {origin} need something that is not built here",
                expected=f"{name} {usual!r}",
                received=repr(value)[:100],
                remedy="choose another network of the family",
            )
    return LlamaShape(
        vocab_size=int(config["vocab_size"]),
        hidden_size=hidden,
        num_hidden_layers=int(config["num_hidden_layers"]),
        num_attention_heads=heads,
        num_key_value_heads=int(config.get("num_key_value_heads") or heads),
        intermediate_size=int(config["intermediate_size"]),
        rope_theta=float(rope.get("rope_theta", config.get("rope_theta", 10_000.0))),
        rms_norm_eps=float(config.get("rms_norm_eps", 1e-6)),
        tie_word_embeddings=bool(config.get("tie_word_embeddings", False)),
        max_position_embeddings=int(config.get("max_position_embeddings", 2048)),
    )


def _if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _special(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name) or ""
    return str(found.get("content", "") if isinstance(found, Mapping) else found)


def _chat_template(folder: Path, told: Mapping[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    found = told.get("chat_template") or ""
    if isinstance(found, list):  # several, by name
        found = {part["name"]: part["template"] for part in found}.get("default", "")
    return str(found)
