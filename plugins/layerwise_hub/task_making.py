"""The tasks of published models, from their settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from layerwise.errors import SpecError, WeightsError
from layerwise.tasks import (
    DepthEstimation,
    Dialogue,
    Embedding,
    ImageClassification,
    ImageSegmentation,
    ObjectDetection,
    SpeechRecognition,
    TextClassification,
    TextGeneration,
    Translation,
    ZeroShotImageClassification,
)
from layerwise_hub.repository import Repository, read_settings

DETECTION_THRESHOLD = 0.5
"""The score from which transformers' own pipeline tells a box."""
GROUND = ("background", "ground", "unlabeled", "unlabelled", "__background__", "void")
"""What a class is called that is none."""
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_USUAL_SIDE = 224
_USUAL_CONTEXT = 1024


def image_classification(config: Mapping[str, Any], repository: Repository) -> ImageClassification:
    """The labels of its classes, and the size of pictures."""
    return ImageClassification(labels=_several_labels(config, repository), size=_picture_size(config, repository))


def object_detection(config: Mapping[str, Any], repository: Repository) -> ObjectDetection:
    """The labels of things, and the size of pictures."""
    size = _picture_size(config, repository)
    return ObjectDetection(labels=labels_of(config), size=size, threshold=DETECTION_THRESHOLD)


def image_segmentation(config: Mapping[str, Any], repository: Repository) -> ImageSegmentation:
    """The labels of areas; a first class that is none is the ground.

    Raises:
        WeightsError: There are more than a map of labels can hold.
    """
    labels = labels_of(config)
    labels = labels[1:] if labels[0].lower() in GROUND else labels
    if not 1 <= len(labels) <= 255:
        raise WeightsError(
            f"{repository.source} cannot be shown", expected="1 to 255 classes", received=str(len(labels))
        )
    tile = max(16, min(2048, max(_picture_size(config, repository)) // 16 * 16))
    return ImageSegmentation(labels=labels, instances=False, tile=tile)


def zero_shot_image_classification(config: Mapping[str, Any], repository: Repository) -> ZeroShotImageClassification:
    """Whether labels are judged one by one, which the family tells."""
    return ZeroShotImageClassification(is_independent="siglip" in str(config.get("model_type")))


def depth_estimation(config: Mapping[str, Any], repository: Repository) -> DepthEstimation:
    """What its numbers mean, which for most families only the family tells.

    Raises:
        WeightsError: Of a family of which that is not known here.
    """
    family = config.get("model_type")
    if family in ("depth_anything", "prompt_depth_anything"):
        is_metric = config.get("depth_estimation_type") == "metric"
    elif family == "dpt":
        # Those on DINOv2, which alone project first, learn metres (Oquab et al. 2023, arXiv:2304.07193); the others the
        # inverse of the depth, up to scale and shift (Ranftl et al. 2021, arXiv:2103.13413).
        is_metric = config.get("add_projection") is True
    elif family in ("depth_pro", "glpn", "tipsv2_dpt", "zoedepth"):
        is_metric = True
    else:
        raise WeightsError(
            f"What the numbers of {repository.source} mean is not known here",
            expected="Depth Anything, DPT, GLPN, ZoeDepth or Depth Pro",
            received=str(family),
        )
    return DepthEstimation(
        is_metric=is_metric, grows_nearer=not is_metric, farthest=_farthest(config) if is_metric else None
    )


def _farthest(config: Mapping[str, Any]) -> float | None:
    """The most metres that a network can tell, of several ranges the longest."""
    ranges = config.get("bin_configurations")
    told = [part.get("max_depth") for part in ranges or () if isinstance(part, Mapping)] or [config.get("max_depth")]
    metres = [float(value) for value in told if isinstance(value, int | float) and value > 0]
    return max(metres, default=None)


def text_classification(config: Mapping[str, Any], repository: Repository) -> TextClassification:
    """The labels of its classes.

    Raises:
        WeightsError: It does not tell one class of several.
    """
    if config.get("problem_type") in ("multi_label_classification", "regression"):
        raise WeightsError(
            f"No task here shows what {repository.source} does",
            expected="one class of several for each text",
            received=str(config["problem_type"]).replace("_", " "),
        )
    return TextClassification(labels=_several_labels(config, repository), length=context_of(config))


def text_generation(config: Mapping[str, Any], repository: Repository) -> TextGeneration:
    """How long its texts may be, and how many tokens there are."""
    return TextGeneration(length=context_of(config), vocabulary=_vocabulary(config))


def dialogue(config: Mapping[str, Any], repository: Repository) -> Dialogue:
    """How long conversations may be, and how many tokens there are. The chat template is read when it answers.

    Raises:
        WeightsError: It has no chat template.
    """
    if not chat_template(repository):
        raise WeightsError(
            f"{repository.source} was not taught to talk",
            expected="a chat template",
            remedy="add it as what goes on with a text: --task text-generation",
        )
    return Dialogue(length=context_of(config), vocabulary=_vocabulary(config))


def speech_recognition(config: Mapping[str, Any], repository: Repository) -> SpeechRecognition:
    """The rate of its sounds."""
    return SpeechRecognition(rate=_rate_of(repository) or 16_000)


def _rate_of(repository: Repository) -> int | None:
    """Samples a second of the sounds that a model takes, None for one that takes none."""
    told = read_settings(repository, "preprocessor_config.json")
    told = told or read_settings(repository, "processor_config.json").get("feature_extractor", {})
    rate = told.get("sampling_rate")
    return int(rate) if rate else None


def embedding(config: Mapping[str, Any], repository: Repository) -> Embedding:
    """How many numbers a vector has.

    Raises:
        WeightsError: Its vectors are made in a way that is not known here.
    """
    pooling_of(repository)
    return Embedding(dimensions=_width(config, repository))


def image_embedding(config: Mapping[str, Any], repository: Repository) -> Embedding:
    """How many numbers the vector of a picture has.

    Raises:
        WeightsError: It is no encoder of pictures alone.
    """
    family = str(config.get("model_type"))
    # A masked autoencoder hides most of a picture from itself, each time another part (He 2021, arXiv:2111.06377).
    if isinstance(config.get("vision_config"), Mapping) or _rate_of(repository) or family == "vit_mae":
        raise WeightsError(
            f"{repository.source} cannot be added as an encoder of pictures",
            expected="one of pictures alone that sees all of them, such as DINOv2, ViT, Swin or ConvNeXt",
            received=family,
        )
    return Embedding(dimensions=_width(config, repository), of="image")


def audio_embedding(config: Mapping[str, Any], repository: Repository) -> Embedding:
    """How many numbers the vector of a sound has, and the rate of its sounds.

    Raises:
        WeightsError: It is no encoder of sounds.
    """
    rate = _rate_of(repository)
    if rate is None or config.get("is_encoder_decoder"):
        raise WeightsError(
            f"{repository.source} cannot be added as an encoder of sounds",
            expected="wav2vec 2.0, HuBERT, WavLM, data2vec or the Audio Spectrogram Transformer",
            received=str(config.get("model_type")),
        )
    return Embedding(dimensions=_width(config, repository), of="audio", rate=rate)


def _width(config: Mapping[str, Any], repository: Repository) -> int:
    """How many numbers the last layer gives, of networks whose layers differ too.

    Raises:
        WeightsError: It does not tell.
    """
    for name in ("hidden_size", "d_model", "dim"):
        if isinstance(config.get(name), int):
            return config[name]
    widths = config.get("hidden_sizes")
    if isinstance(widths, list) and widths and isinstance(widths[-1], int):
        return widths[-1]
    raise WeightsError(f"{repository.source} does not tell how long its vectors are", expected="hidden_size")


def translation(config: Mapping[str, Any], repository: Repository) -> Translation:
    """From which language to which.

    Raises:
        WeightsError: It does not tell.
    """
    codes = next(iter(translation_prefixes(config)), None) or _codes_of(repository.source)
    if codes is None:
        raise WeightsError(
            f"{repository.source} does not tell from which language to which it translates",
            expected="a name that ends like opus-mt-en-de, or task_specific_params in its config.json",
        )
    first, second = (LANGUAGES.get(code, code) for code in codes)
    return Translation(
        languages=(first, second),
        is_one_way=True,
        length=min(context_of(config), 512),
        vocabulary=_vocabulary(config),
    )


def translation_prefixes(config: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What a text begins with that is to be translated, by the codes of both languages, where a model does several
    things (Raffel et al. 2020, arXiv:1910.10683)."""
    found = {}
    for name, told in (config.get("task_specific_params") or {}).items():
        match = re.fullmatch(r"translation_([a-z]{2,3})_to_([a-z]{2,3})", name)
        if match and isinstance(told, Mapping) and isinstance(told.get("prefix"), str):
            found[match[1], match[2]] = told["prefix"]
    return found


def _codes_of(source: str) -> tuple[str, str] | None:
    match = re.search(r"-([a-z]{2,3})-([a-z]{2,3})$", source.rstrip("/"))
    return (match[1], match[2]) if match else None


def pooling_of(repository: Repository) -> tuple[str, bool]:
    """How the vector of a text is made of those of its tokens ("mean", "cls", "max", "lasttoken"), and whether it is
    made one of length 1 (Reimers and Gurevych 2019, arXiv:1908.10084, section 3).

    Raises:
        WeightsError: In a way that is not known here.
    """
    text = repository.read("modules.json")
    if text is None:
        return "mean", True
    import json

    try:
        types = [str(module["type"]).rpartition(".")[2] for module in json.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"modules.json of {repository.source} cannot be used", received=repr(error)) from error
    others = [name for name in types if name not in ("Transformer", "Pooling", "Normalize")]
    if others:
        raise WeightsError(
            f"{repository.source} makes its vectors in a way that is not known here", received=", ".join(others)
        )
    name = next((name for name in repository.files if name.endswith("_Pooling/config.json")), "")
    told = read_settings(repository, name)
    modes = [key for key, value in told.items() if key.startswith("pooling_mode") and value is True]
    known = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "cls",
        "pooling_mode_max_tokens": "max",
        "pooling_mode_lasttoken": "lasttoken",
    }
    if not modes and isinstance(told.get("pooling_mode"), str):
        known, modes = {name: name for name in known.values()}, [told["pooling_mode"]]
    if len(modes) != 1 or modes[0] not in known:
        raise WeightsError(
            f"{repository.source} makes its vectors in a way that is not known here",
            received=", ".join(modes) or "no pooling",
        )
    return known[modes[0]], "Normalize" in types


def chat_template(repository: Repository) -> str:
    """How a conversation is written as one text, in Jinja; empty where it tells none."""
    template = repository.read("chat_template.jinja")
    if template is not None:
        return template
    found = read_settings(repository, "chat_template.json").get("chat_template")
    found = found or read_settings(repository, "tokenizer_config.json").get("chat_template") or ""
    if isinstance(found, list):  # several, by name
        found = {part["name"]: part["template"] for part in found}.get("default", "")
    return str(found)


def labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of its classes in the order of their numbers. Some data sets have two classes of one name."""
    told = config.get("id2label") or {str(place): f"LABEL_{place}" for place in range(config.get("num_labels", 2))}
    names = [str(told[key]) for key in sorted(told, key=int)]
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def _several_labels(config: Mapping[str, Any], repository: Repository) -> tuple[str, ...]:
    labels = labels_of(config)
    if len(labels) < 2:
        raise WeightsError(
            f"No task here shows what {repository.source} does", expected="two classes or more", received=str(labels)
        )
    return labels


def context_of(config: Mapping[str, Any]) -> int:
    """The most tokens of a text."""
    text = config.get("text_config") if isinstance(config.get("text_config"), Mapping) else {}
    for told in (config, text or {}):
        for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length"):
            value = told.get(name)
            if isinstance(value, int) and value > 0:
                return value
    return _USUAL_CONTEXT


def _vocabulary(config: Mapping[str, Any]) -> int:
    text = config.get("text_config")
    told = config.get("vocab_size") or (text.get("vocab_size") if isinstance(text, Mapping) else None)
    try:
        return max(int(told or 0), Dialogue.least_vocabulary, Translation.least_vocabulary)
    except (TypeError, ValueError) as error:
        raise SpecError("config.json names no usable vocab_size", received=repr(told)) from error


def _picture_size(config: Mapping[str, Any], repository: Repository) -> tuple[int, int]:
    """Height and width of pictures as the network takes them, or about so where it takes any."""
    told = read_settings(repository, "preprocessor_config.json")
    told = told or read_settings(repository, "processor_config.json").get("image_processor", {})
    for size in (told.get("crop_size"), told.get("size"), config.get("image_size")):
        sides = _sides(size)
        if sides is not None and all(16 <= side <= 4096 for side in sides):
            return sides
    return _USUAL_SIDE, _USUAL_SIDE


def _sides(size: Any) -> tuple[int, int] | None:
    if isinstance(size, int):
        return size, size
    if isinstance(size, list) and len(size) == 2:
        return int(size[0]), int(size[1])
    if not isinstance(size, Mapping):
        return None
    if "height" in size and "width" in size:
        return int(size["height"]), int(size["width"])
    side = size.get("shortest_edge") or size.get("max_height")
    return (int(side), int(side)) if side else None
