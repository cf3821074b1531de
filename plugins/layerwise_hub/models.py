"""Published models as Layerwise registers models: a spec for each that was added."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from layerwise import Example, ModelCard, ModelSpec, Variant
from layerwise import tasks as stock
from layerwise.errors import LayerwiseError, SpecError
from layerwise.quota import in_bytes
from layerwise_hub.kinds import KINDS
from layerwise_hub.manifest import Entry, Manifest
from layerwise_hub.probed import ENDING, PROBED, digest_of
from layerwise_hub.probes import ProbeConfig

logger = logging.getLogger(__name__)

FRAMEWORK = "torch"
_TASKS = {
    kind.type_name: kind for kind in (getattr(stock, name) for name in stock.__all__) if hasattr(kind, "type_name")
}
_TEXTS = {
    "text-classification": ("What a wonderful film!", "Two hours that nobody gives back."),
    "text-generation": ("Once upon a time", "The three laws of thermodynamics are"),
    "dialogue": ("Hi! How are you?", "Explain what a neural network is in two sentences."),
    "translation": ("Good morning, how are you?", "The cat sat on the mat."),
}
_COMPARED = (
    "The feline rested on the rug.\nStocks fell sharply on Monday.\nMy dog loves long walks.\nShares lost value."
)


def registered_models() -> list[ModelSpec]:
    """A spec for each published model that was added, and one of a probe for each of a kind that can have one. One
    whose entry is not understood is left out, and logged.

    Raises:
        WeightsError: The list of them cannot be read.
    """
    found = []
    for entry in Manifest().entries().values():
        try:
            found.append(spec_of(entry))
            if entry.kind in PROBED:
                found.append(probe_of(entry))
        except (LayerwiseError, KeyError, TypeError) as error:
            logger.warning("The published model %s is left out: %s", entry.name, error)
    return found


def spec_of(entry: Entry) -> ModelSpec:
    """The spec of a published model."""
    kind = KINDS[entry.kind]
    task = _TASKS[kind.task]
    where = f"The folder `{entry.source}`" if entry.is_local else f"`{entry.source}` at the hub of Hugging Face"
    at = f", commit `{entry.revision[:12]}`" if entry.revision else ""
    size = f"{entry.num_parameters:,} parameters, {in_bytes(entry.size)}"
    # What the card says is a stranger's text, so nothing in it may be taken for markup.
    said = f"\n\nIts card says: {_escaped(entry.about)}" if entry.about else ""
    return ModelSpec(
        name=entry.name,
        task=task(**task.fields_from(dict(entry.task))),
        build="layerwise_hub.models:build",
        runner="layerwise_hub.runners:runner",
        framework=FRAMEWORK,
        variants=(Variant(name="pretrained", num_parameters=entry.num_parameters),),
        examples=f"layerwise_hub.models:examples_of_{kind.name.replace('-', '_')}" if kind.name in _EXAMPLED else None,
        card=ModelCard(
            title=title_of(entry),
            summary=f"{kind.title}, published by others: {entry.architecture}, {short_count(entry.num_parameters)}.",
            description=(
                f"{where}{at}: `{entry.architecture}`, {size}. It was trained by others and is computed with PyTorch "
                f"in a process of its own, exactly as transformers does.{said}"
            ),
            limits=(
                "Nothing here was measured by Layerwise. What it was trained on, what it is not for and how it was "
                "measured is said by its own card."
            ),
            licence=entry.licence or "not told by its card",
            sources=() if entry.is_local else (f"https://huggingface.co/{entry.source}",),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Words:
    """What is told of the probes of a kind.

    Args:
        one, several: What goes in.
        takes: What the published network does with it.
        advice: What to train on.
        data, labels: The data set that it is trained on without these, and its labels; none where the published
            network has labels.
        size: Height and width of pictures, where the published network takes any.
        examples: As of a ModelSpec.
    """

    one: str
    several: str
    takes: str
    advice: str
    data: str | None = None
    labels: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    examples: str | None = None


_PROBES = {
    "embedding": _Words(
        one="text",
        several="texts",
        takes="reads a text",
        advice="name a folder or a table of yours, or train on SST-2, sentences of film reviews, for or against",
        data="sst2",
        labels=("negative", "positive"),
        examples="layerwise_hub.models:examples_of_text_classification",
    ),
    "image-classification": _Words(
        one="picture",
        several="pictures",
        takes="sees a picture",
        advice="name a folder of yours, which has a folder of pictures for each class",
    ),
    "image-embedding": _Words(
        one="picture",
        several="pictures",
        takes="sees a picture",
        advice="name a folder of yours, which has a folder of pictures for each class, or train on CIFAR-10",
        data="cifar10",
        labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        size=(224, 224),
    ),
}


def probe_of(entry: Entry) -> ModelSpec:
    """The spec of a probe on a published model."""
    words = _PROBES[entry.kind]
    linear = ProbeConfig(num_epochs=10, batch_size=32, learning_rate=1e-2, schedule="cosine")
    dense = replace(linear, hidden_layers=(64,), learning_rate=1e-3, penalty=1e-6)
    lora = ProbeConfig(num_epochs=3, batch_size=16, learning_rate=5e-4, warmup_epochs=0.1, dropout=0.1, penalty=0)
    task = PROBED[entry.kind]
    fields = task.fields_from(dict(entry.task)) | {"encoder": entry.name, "digest": digest_of(entry), "dimensions": 0}
    fields |= {name: value for name in ("labels", "size") if (value := getattr(words, name))}
    return ModelSpec(
        name=entry.name + ENDING,
        task=task(**fields),
        build="layerwise_hub.probes:build",
        train="layerwise_hub.probes:train",
        runner="layerwise_hub.probes:runner",
        framework=FRAMEWORK,
        data=words.data,
        config=ProbeConfig,
        variants=(
            Variant(name="linear", summary="One layer: a weight for each number", config=linear, fine_tuning=linear),
            Variant(name="dense", summary="With a hidden layer of 64 neurons", config=dense, fine_tuning=dense),
            Variant(
                name="lora",
                summary="LoRA: the published network learns too",
                config=lora,
                fine_tuning=lora,
                task={"is_adapted": True},
            ),
        ),
        examples=words.examples,
        card=ModelCard(
            title=f"{title_of(entry)}, probed",
            summary=f"A small network, trained here, on what a published one makes of a {words.one}.",
            description=(
                f"`{entry.name}` {words.takes} and stays as it is; a network of one or two layers learns from the "
                f"numbers inside it which of your classes the {words.one} is of. Each {words.one} goes through the "
                f"large network once, so that it trains in minutes without a GPU, on few {words.several} too: "
                f"{words.advice}. In the variant `lora` small matrices beside those of the published network learn "
                "with it, which takes longer, on a GPU mostly, and more examples; only these are kept."
            ),
            limits=(
                f"It knows of a {words.one} what the published network makes of it, which was trained for something "
                "else."
            ),
            licence=entry.licence or "not told by the card of the published network",
            sources=("https://arxiv.org/abs/1610.01644", "https://arxiv.org/abs/2106.09685"),
        ),
    )


def build(config: Any, task: Any) -> NoReturn:
    """There is no Keras network of a published model.

    Raises:
        SpecError: Always.
    """
    raise SpecError(
        "A published model is computed with PyTorch, so there is no Keras network of it",
        remedy="ask it, or compare it; to train a network of your own choose another model",
    )


def examples_of_text_classification() -> Sequence[Example]:
    """Texts to try."""
    return _texts("text-classification", "text")


def examples_of_text_generation() -> Sequence[Example]:
    """Beginnings to try."""
    return _texts("text-generation", "text")


def examples_of_dialogue() -> Sequence[Example]:
    """Messages to try."""
    return _texts("dialogue", "message")


def examples_of_translation() -> Sequence[Example]:
    """Texts to translate."""
    return _texts("translation", "text")


def examples_of_embedding() -> Sequence[Example]:
    """A text and others to compare it with."""
    return [Example(inputs={"text": "A cat sat on the mat.", "others": _COMPARED})]


def examples_of_image_embedding() -> Sequence[Example]:
    """Drawings, each with the others to compare it with."""
    from layerwise_hub.drawings import SHAPES, as_png, shape

    files = [{"name": f"{name}.png", "content": as_png(shape(name))} for name in SHAPES]
    return [
        Example(
            inputs={"image": shape(name), "others": [file for file in files if file["name"] != f"{name}.png"]},
            label=name.split()[-1],
        )
        for name in SHAPES
    ]


def examples_of_zero_shot_image_classification() -> Sequence[Example]:
    """Drawings, and labels of which one is right."""
    from layerwise_hub.drawings import SHAPES, shape

    labels = ", ".join(SHAPES)
    return [Example(inputs={"image": shape(name), "labels": labels}, label=name.split()[-1]) for name in SHAPES]


def examples_of_depth_estimation() -> Sequence[Example]:
    """A drawing with a depth of its own."""
    from layerwise_hub.drawings import hall

    return [Example(inputs={"image": hall()}, label="a hall")]


_EXAMPLED = (
    "text-classification",
    "text-generation",
    "dialogue",
    "embedding",
    "image-embedding",
    "translation",
    "zero-shot-image-classification",
    "depth-estimation",
)


def title_of(entry: Entry) -> str:
    """What people call the model: the last part of its id, or the name of a folder."""
    return entry.name.partition("/local-")[2] if entry.is_local else Path(entry.source).name


def short_count(count: int) -> str:
    """A number of parameters for a reader.

    Example:
        >>> short_count(22_713_216), short_count(1_235_814_400)
        ('22.7 million parameters', '1.2 billion parameters')
    """
    if count >= 1e9:
        return f"{count / 1e9:.1f} billion parameters"
    return f"{count / 1e6:.1f} million parameters" if count >= 1e5 else f"{count:,} parameters"


def _texts(task: str, field: str) -> list[Example]:
    return [Example(inputs={field: text}) for text in _TEXTS[task]]


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|$~&" else letter for letter in text)
