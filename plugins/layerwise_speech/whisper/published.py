"""Published weights of the Whisper family from a folder: `config.json`, `generation_config.json`, the tokenizer and
`*.safetensors`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import SpecError, WeightsError
from layerwise.published import arrays_in, check_architecture, read_json, read_tokenizer, set_variables, weights_files
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import FILE, tokenizer_of
from layerwise_speech.whisper.shape import WhisperShape
from layerwise_speech.whisper.tokens import SpecialTokens

if TYPE_CHECKING:
    import numpy as np

    from layerwise_speech.whisper.layers import Block
    from layerwise_speech.whisper.network import Whisper

ARCHITECTURE = "WhisperForConditionalGeneration"
_ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj"}
_NORMS = {"attention": "self_attn_layer_norm", "sound": "encoder_attn_layer_norm", "dense": "final_layer_norm"}
_LANGUAGE = re.compile(r"<\|[a-z]{2,3}\|>")
_MULTILINGUAL = 51_865
"""The least tokens of a network that knows several languages, where nothing else tells."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A network that somebody published.

    Args:
        shape: What it is made of.
        arrays: Gives its arrays one after the other, by their names in published safetensors files, as they lie there:
            the kernel of a dense layer [outputs, inputs], that of a convolution [outputs, inputs, places].
        tokenizer: Its `tokenizer.json`.
        special: Its tokens that no text is made of.
    """

    shape: WhisperShape
    arrays: Callable[[], Iterator[tuple[str, np.ndarray]]]
    tokenizer: TextFile
    special: SpecialTokens


def read_published(folder: Path) -> Published:
    """What lies in a folder of published weights. The arrays are not read yet.

    Raises:
        WeightsError: There is none, it cannot be read, or it is of another architecture.
    """
    if not folder.is_dir():
        raise WeightsError(f"There is no folder {folder}", expected="a folder with config.json and *.safetensors")
    config = read_json(folder / "config.json")
    shape, files = shape_of(config, folder), weights_files(folder)
    tokenizer = tokenizer_in(folder)
    more = folder / "generation_config.json"
    told = {**config, **(read_json(more) if more.is_file() else {})}
    special = special_tokens(tokenizer, told, shape)
    largest = max(tokenizer_of(tokenizer).get_vocab().values(), default=0)
    if max(largest, special.first_timestamp + shape.max_source_positions) >= shape.vocab_size:
        raise WeightsError(
            f"The tokenizer in {folder} is that of another network",
            expected=f"tokens below {shape.vocab_size}, timestamps included",
            received=f"a token {max(largest, special.first_timestamp + shape.max_source_positions)}",
            remedy="get it from where the weights are from",
        )
    return Published(shape=shape, arrays=lambda: arrays_in(files), tokenizer=tokenizer, special=special)


def load_published(whisper: Whisper, published: Published) -> None:
    """Set the weights of a network to published ones.

    Raises:
        WeightsError: Some are missing, there are others, or they are of other shapes. Weights that fit may have been
            set by then.
    """
    # The table of the tokens may be there again, as what the logits are made with.
    set_variables(variables_of(whisper), published.arrays(), lambda name: name == "proj_out.weight")


def variables_of(whisper: Whisper) -> dict[str, tuple[Any, bool]]:
    """The variables of a network by their published names, and whether the axes of published arrays are the other way
    round."""
    found: dict[str, tuple[Any, bool]] = {
        "model.encoder.embed_positions.weight": (whisper.moments.table, False),
        "model.decoder.embed_positions.weight": (whisper.places.table, False),
        "model.decoder.embed_tokens.weight": (whisper.tokens._embeddings, False),
    }
    for number, convolution in enumerate(whisper.convolutions, start=1):
        found |= _of_kernel(f"model.encoder.conv{number}", convolution)
    for side, blocks in (("encoder", whisper.encoder), ("decoder", whisper.decoder)):
        found |= _of_norm(f"model.{side}.layer_norm", whisper.norms[side])
        for number, block in enumerate(blocks):
            found |= _of_block(f"model.{side}.layers.{number}", block)
    return found


def _of_block(prefix: str, block: Block) -> dict[str, tuple[Any, bool]]:
    layers = {"fc1": block.up, "fc2": block.down}
    for name, attention in (("self_attn", block.attention), ("encoder_attn", block.sound)):
        if attention is not None:
            layers |= {f"{name}.{_ATTENTION[part]}": layer for part, layer in attention.parts.items()}
    found: dict[str, tuple[Any, bool]] = {}
    for name, layer in layers.items():
        found |= _of_kernel(f"{prefix}.{name}", layer)
    for name, norm in block.norms.items():
        found |= _of_norm(f"{prefix}.{_NORMS[name]}", norm)
    return found


def _of_kernel(name: str, layer: Any) -> dict[str, tuple[Any, bool]]:
    bias = {} if layer.bias is None else {f"{name}.bias": (layer.bias, False)}
    return {f"{name}.weight": (layer._kernel, True), **bias}


def _of_norm(name: str, layer: Any) -> dict[str, tuple[Any, bool]]:
    return {f"{name}.weight": (layer.gamma, False), f"{name}.bias": (layer.beta, False)}


def shape_of(config: Mapping[str, Any], origin: Path) -> WhisperShape:
    """The shape that a `config.json` describes.

    Raises:
        WeightsError: It is of another architecture, or has parts that are not built here.
    """
    remedy = "choose a network of the Whisper family"
    check_architecture(config, ARCHITECTURE, origin, remedy=remedy)
    for name, usual in (
        ("activation_function", "gelu"),
        ("scale_embedding", False),
        ("tie_word_embeddings", True),
        ("quantization_config", None),
    ):
        if config.get(name, usual) != usual:
            raise WeightsError(
                f"The weights in {origin} need something that is not built here",
                expected=f"{name} {usual!r}",
                received=repr(config[name])[:100],
                remedy="choose another network of the family",
            )
    try:
        return WhisperShape(**{item.name: int(config[item.name]) for item in fields(WhisperShape)})
    except (KeyError, TypeError, ValueError, ArithmeticError, SpecError) as error:
        said = str(error) if isinstance(error, SpecError) else repr(error)
        raise WeightsError(f"The config.json of {origin} cannot be used", received=said) from error


def special_tokens(tokenizer: TextFile, told: Mapping[str, Any], shape: WhisperShape) -> SpecialTokens:
    """The tokens that no text is made of, as the tokenizer numbers them.

    Args:
        told: What `generation_config.json` says of writing.

    Raises:
        WeightsError: The tokenizer lacks one of them, or what is told of them is unusable.
    """
    known = {token.content: number for number, token in tokenizer_of(tokenizer).get_added_tokens_decoder().items()}
    names = {
        "start": "<|startoftranscript|>",
        "end": "<|endoftext|>",
        "transcribe": "<|transcribe|>",
        "translate": "<|translate|>",
        "no_timestamps": "<|notimestamps|>",
    }
    missing = [name for name in names.values() if name not in known]
    if missing:
        raise WeightsError(
            "The tokenizer is none of Whisper's", expected=f"a token {missing[0]}", remedy="get it with the weights"
        )
    try:
        is_multilingual = bool(told.get("is_multilingual", shape.vocab_size >= _MULTILINGUAL))
        languages = _languages(known, known[names["start"]]) if is_multilingual else ()
        latest = told.get("max_initial_timestamp_index", 50)
        return SpecialTokens(
            **{part: known[name] for part, name in names.items()},
            languages=languages,
            suppressed=_numbers(told.get("suppress_tokens"), shape),
            suppressed_first=_numbers(told.get("begin_suppress_tokens"), shape),
            latest_start=None if latest is None else int(latest),
        )
    except (TypeError, ValueError) as error:
        raise WeightsError(
            "The generation_config.json cannot be used", received=str(error), remedy="get it with the weights"
        ) from error


def _languages(known: Mapping[str, int], start: int) -> tuple[str, ...]:
    """The codes of the languages, whose tokens follow the first one of a text."""
    numbers = sorted((number, name) for name, number in known.items() if _LANGUAGE.fullmatch(name))
    if not numbers or [number for number, _ in numbers] != list(range(start + 1, start + 1 + len(numbers))):
        raise ValueError("the tokens of the languages do not follow <|startoftranscript|>")
    return tuple(name[2:-2] for _, name in numbers)


def _numbers(given: Any, shape: WhisperShape) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in given or () if int(number) >= 0)
    if any(number >= shape.vocab_size for number in numbers):
        raise ValueError(f"the token {max(numbers)}, which the network has not")
    return numbers


def tokenizer_in(folder: Path) -> TextFile:
    """A tokenizer: `tokenizer.json`, or `vocab.json`, `merges.txt` and `added_tokens.json`.

    Raises:
        WeightsError: It is missing or describes no tokenizer.
    """
    if (folder / FILE).is_file() or not (folder / "vocab.json").is_file():
        return read_tokenizer(folder / FILE)
    try:
        return _joined_tokenizer(folder)
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The tokenizer in {folder} cannot be used",
            received=str(error),
            remedy="get it from where the weights are from",
        ) from error


def _joined_tokenizer(folder: Path) -> TextFile:
    """One of parts, as they were published before there was a `tokenizer.json`: byte-pair encoding of bytes."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    added = read_json(folder / "added_tokens.json")
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    vocabulary = {**read_json(folder / "vocab.json"), **added}
    try:
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))  # type: ignore[arg-type]
    except Exception as error:  # the library raises nothing more particular
        raise ValueError(f"vocab.json and merges.txt do not fit together: {error}") from error
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = [
        name for name, _ in sorted(vocabulary.items(), key=lambda pair: pair[1]) if re.fullmatch(r"<\|.*\|>", name)
    ]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names])
    return TextFile(FILE, tokenizer.to_str())
