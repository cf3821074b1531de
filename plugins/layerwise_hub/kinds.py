"""What published models do: for each kind its architectures, the task of Layerwise that it is, and what answers."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise.snapshot import named


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Something that published models do.

    Args:
        name: As `--task` takes it.
        title: In words.
        domain: The page on which its models appear.
        endings: How the names of the architectures end.
        architectures: Their names, where an ending would be that of others too.
        tags: What the hub calls it.
        task: The `type_name` of the task.
        make_task: "module:function", `(config, repository) -> Task`.
        runner: "module:name", `(entry, folder, task) -> Runner`.
        needs: Files without which it cannot answer; of a tuple one will do.
    """

    name: str
    title: str
    domain: str
    endings: tuple[str, ...]
    tags: tuple[str, ...]
    task: str
    make_task: str
    runner: str
    needs: tuple[tuple[str, ...], ...] = ()
    architectures: tuple[str, ...] = ()


_TOKENIZER = (("tokenizer.json",),)
_PROCESSOR = (("preprocessor_config.json", "processor_config.json"),)
_TASKS, _RUNNERS = "layerwise_hub.task_making", "layerwise_hub.runners"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="image-classification",
            title="Image classification",
            domain="vision",
            endings=("ForImageClassification", "ForImageClassificationWithTeacher"),
            tags=("image-classification",),
            task="image-classification",
            make_task=f"{_TASKS}:image_classification",
            runner=f"{_RUNNERS}.vision:ImageClassifier",
            needs=_PROCESSOR,
        ),
        Kind(
            name="text-classification",
            title="Text classification",
            domain="language",
            endings=("ForSequenceClassification",),
            tags=("text-classification",),
            task="text-classification",
            make_task=f"{_TASKS}:text_classification",
            runner=f"{_RUNNERS}.texts:TextClassifier",
            needs=_TOKENIZER,
        ),
        Kind(
            name="text-generation",
            title="Text generation",
            domain="language",
            endings=("ForCausalLM", "LMHeadModel"),
            tags=("text-generation",),
            task="text-generation",
            make_task=f"{_TASKS}:text_generation",
            runner=f"{_RUNNERS}.writing:Writer",
            needs=_TOKENIZER,
        ),
        Kind(
            name="dialogue",
            title="Conversation",
            domain="language",
            endings=(),
            tags=("conversational",),
            task="dialogue",
            make_task=f"{_TASKS}:dialogue",
            runner=f"{_RUNNERS}.writing:Talker",
            needs=_TOKENIZER,
        ),
        Kind(
            name="speech-recognition",
            title="Speech recognition",
            domain="speech",
            endings=("ForCTC", "WhisperForConditionalGeneration"),
            tags=("automatic-speech-recognition",),
            task="speech-recognition",
            make_task=f"{_TASKS}:speech_recognition",
            runner=f"{_RUNNERS}.speech:listener",
            needs=(*_PROCESSOR, ("tokenizer.json", "vocab.json")),
        ),
        Kind(
            name="embedding",
            title="Embeddings of texts",
            domain="language",
            endings=(),
            tags=("sentence-similarity", "feature-extraction"),
            task="embedding",
            make_task=f"{_TASKS}:embedding",
            runner=f"{_RUNNERS}.embeddings:Embedder",
            needs=_TOKENIZER,
        ),
        Kind(
            name="image-embedding",
            title="Embeddings of pictures",
            domain="vision",
            endings=(),
            architectures=(
                "BeitModel",
                "CLIPVisionModel",
                "ConvNextModel",
                "ConvNextV2Model",
                "DINOv3ConvNextModel",
                "DINOv3ViTModel",
                "Data2VecVisionModel",
                "DeiTModel",
                "Dinov2Model",
                "Dinov2WithRegistersModel",
                "IJepaModel",
                "RegNetModel",
                "ResNetModel",
                "SiglipVisionModel",
                "SwinModel",
                "Swinv2Model",
                "ViTMSNModel",
                "ViTModel",
            ),
            tags=("image-feature-extraction",),
            task="embedding",
            make_task=f"{_TASKS}:image_embedding",
            runner=f"{_RUNNERS}.encoders:PictureEmbedder",
            needs=_PROCESSOR,
        ),
        Kind(
            name="audio-embedding",
            title="Embeddings of sounds",
            domain="speech",
            endings=(),
            architectures=(
                "ASTModel",
                "Data2VecAudioModel",
                "HubertModel",
                "Wav2Vec2ForPreTraining",
                "Wav2Vec2Model",
                "WavLMModel",
            ),
            tags=(),
            task="embedding",
            make_task=f"{_TASKS}:audio_embedding",
            runner=f"{_RUNNERS}.encoders:SoundEmbedder",
            needs=_PROCESSOR,
        ),
        Kind(
            name="object-detection",
            title="Object detection",
            domain="vision",
            endings=("ForObjectDetection",),
            tags=("object-detection",),
            task="object-detection",
            make_task=f"{_TASKS}:object_detection",
            runner=f"{_RUNNERS}.vision:ObjectDetector",
            needs=_PROCESSOR,
        ),
        Kind(
            name="image-segmentation",
            title="Segmentation",
            domain="vision",
            endings=("ForSemanticSegmentation",),
            tags=("image-segmentation",),
            task="image-segmentation",
            make_task=f"{_TASKS}:image_segmentation",
            runner=f"{_RUNNERS}.vision:Segmenter",
            needs=_PROCESSOR,
        ),
        Kind(
            name="zero-shot-image-classification",
            title="Zero-shot image classification",
            domain="vision",
            endings=(),
            architectures=(
                "AlignModel",
                "AltCLIPModel",
                "CLIPModel",
                "ChineseCLIPModel",
                "MetaClip2Model",
                "Siglip2Model",
                "SiglipModel",
            ),
            tags=("zero-shot-image-classification",),
            task="zero-shot-image-classification",
            make_task=f"{_TASKS}:zero_shot_image_classification",
            runner=f"{_RUNNERS}.vision:ZeroShotClassifier",
            needs=(*_PROCESSOR, ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model")),
        ),
        Kind(
            name="depth-estimation",
            title="Depth",
            domain="vision",
            endings=("ForDepthEstimation",),
            tags=("depth-estimation",),
            task="depth-estimation",
            make_task=f"{_TASKS}:depth_estimation",
            runner=f"{_RUNNERS}.vision:DepthEstimator",
            needs=_PROCESSOR,
        ),
        Kind(
            name="translation",
            title="Translation",
            domain="language",
            endings=("MarianMTModel", "T5ForConditionalGeneration"),
            tags=("translation",),
            task="translation",
            make_task=f"{_TASKS}:translation",
            runner=f"{_RUNNERS}.translation:Translator",
            needs=(("tokenizer.json", "source.spm"),),
        ),
    )
}


def kind_of(name: str) -> Kind:
    """The kind of that name.

    Raises:
        NotFoundError: There is none.
    """
    return named(KINDS, name, "task of published models", f"choose one of {', '.join(KINDS)}")


def kind_of_architecture(architecture: str) -> Kind | None:
    """The kind of models of an architecture, None where no task here shows them."""
    return next(
        (kind for kind in KINDS.values() if architecture in kind.architectures or architecture.endswith(kind.endings)),
        None,
    )
