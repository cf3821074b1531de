"""Tiny published networks with random weights, one of each family, written as transformers writes them."""

from __future__ import annotations

import json
from pathlib import Path

TEXTS = (
    "the cat sat on the mat",
    "a dog barked at the moon all night",
    "music is louder in the evening",
    "we translate short sentences",
)
LABELS = {0: "cat", 1: "dog", 2: "fish"}
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_texts(folder: Path):
    """A table of texts of two labels, easily told apart."""
    import csv

    with (folder / "texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        for label, text in (("cat", TEXTS[0]), ("music", TEXTS[2])):
            rows.writerows((f"{text} {number}", label) for number in range(30))


def write_pictures(folder: Path):
    """A folder for each of two labels, with pictures that are easily told apart."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for label, colour in (("blue", (40, 40, 200)), ("red", (200, 40, 40))):
        (folder / label).mkdir()
        for number in range(20):
            pixels = random.normal(colour, 60, (40, 50, 3)).clip(0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


def _save(model, folder, *others):
    model.eval().save_pretrained(folder)
    for other in others:
        other.save_pretrained(folder)
    return folder


def _change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _seed():
    import torch

    torch.manual_seed(7)


def tokenizer(folder: Path, kind="bert", *, chat=False):
    """A tokenizer of the words of TEXTS, by characters where it knows none."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>", "<|user|>", "<|assistant|>"]
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    ends = {"bert": "<s> $A </s>", "t5": "$A </s>", "gpt": "$A"}[kind]
    if kind != "gpt":
        made.post_processor = processors.TemplateProcessing(
            single=ends, special_tokens=[(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
        )
    found = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=64,
    )
    if chat:
        found.chat_template = CHAT_TEMPLATE
    found.save_pretrained(folder)
    return found


def vit(folder: Path, labels=LABELS):
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    _seed()
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=32,
        patch_size=8,
        id2label=labels,
        label2id={name: place for place, name in labels.items()},
    )
    return _save(ViTForImageClassification(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def resnet(folder: Path):
    from transformers import ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification

    _seed()
    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=LABELS, num_labels=3
    )
    processor = ConvNextImageProcessor(size={"shortest_edge": 48}, crop_pct=0.875)
    return _save(ResNetForImageClassification(config), folder, processor)


def convnext(folder: Path):
    from transformers import ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor

    _seed()
    config = ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], id2label=LABELS, num_labels=3)
    processor = ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875)
    return _save(ConvNextForImageClassification(config), folder, processor)


def swin(folder: Path):
    from transformers import SwinConfig, SwinForImageClassification, ViTImageProcessor

    _seed()
    config = SwinConfig(
        image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4, id2label=LABELS
    )
    return _save(SwinForImageClassification(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def yolos(folder: Path):
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    _seed()
    config = YolosConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=7,
        id2label=LABELS,
    )
    processor = YolosImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    return _save(YolosForObjectDetection(config), folder, processor)


def segformer(folder: Path):
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    _seed()
    config = SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[2, 1],
        hidden_sizes=[8, 16],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 2],
        mlp_ratios=[2, 2],
        decoder_hidden_size=16,
        id2label={0: "background", 1: "cat", 2: "dog"},
    )
    return _save(
        SegformerForSemanticSegmentation(config), folder, SegformerImageProcessor(size={"height": 64, "width": 64})
    )


def _bert_sizes(vocabulary):
    return {
        "vocab_size": vocabulary,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 66,
        "pad_token_id": 0,
    }


def bert_classifier(folder: Path, **settings):
    from transformers import BertConfig, BertForSequenceClassification

    _seed()
    size = len(tokenizer(folder))
    config = BertConfig(**_bert_sizes(size), id2label=LABELS, **settings)
    return _save(BertForSequenceClassification(config), folder)


def distilbert_classifier(folder: Path):
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    _seed()
    size = len(tokenizer(folder))
    config = DistilBertConfig(
        vocab_size=size, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=64, id2label=LABELS
    )
    return _save(DistilBertForSequenceClassification(config), folder)


def roberta_classifier(folder: Path):
    from transformers import RobertaConfig, RobertaForSequenceClassification

    _seed()
    size = len(tokenizer(folder))
    return _save(RobertaForSequenceClassification(RobertaConfig(**_bert_sizes(size), id2label=LABELS)), folder)


def gpt2(folder: Path):
    from transformers import GPT2Config, GPT2LMHeadModel

    _seed()
    size = len(tokenizer(folder, "gpt"))
    config = GPT2Config(vocab_size=size, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2)
    return _save(GPT2LMHeadModel(config), folder)


def llama(folder: Path, *, chat=True):
    from transformers import LlamaConfig, LlamaForCausalLM

    _seed()
    size = len(tokenizer(folder, "gpt", chat=chat))
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
    )
    return _save(LlamaForCausalLM(config), folder)


def qwen2(folder: Path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    _seed()
    size = len(tokenizer(folder, "gpt", chat=True))
    config = Qwen2Config(
        vocab_size=size,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
    )
    return _save(Qwen2ForCausalLM(config), folder)


def whisper(folder: Path):
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    _seed()
    words = tokenizer(folder, "gpt")
    names = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>", "<|notimestamps|>"]
    names += [f"<|{second / 50:.2f}|>" for second in range(1501)]
    words.add_tokens(names, special_tokens=True)
    words.save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=len(words),
        num_mel_bins=80,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=16,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_target_positions=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=2,
        decoder_start_token_id=words.convert_tokens_to_ids("<|startoftranscript|>"),
    )
    model = WhisperForConditionalGeneration(config)
    settings = model.generation_config
    settings.no_timestamps_token_id = words.convert_tokens_to_ids("<|notimestamps|>")
    settings.lang_to_id = {"<|en|>": words.convert_tokens_to_ids("<|en|>")}
    settings.task_to_id = {"transcribe": words.convert_tokens_to_ids("<|transcribe|>")}
    settings.is_multilingual = True
    settings.max_length = 40
    settings.begin_suppress_tokens = None
    settings._from_model_config = False
    _save(model, folder, WhisperFeatureExtractor(feature_size=80))
    _change(folder / "tokenizer_config.json", tokenizer_class="WhisperTokenizer")
    return folder


def wav2vec2(folder: Path):
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    _seed()
    folder.mkdir(parents=True, exist_ok=True)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(letters)}))
    config = Wav2Vec2Config(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=[8, 8],
        conv_stride=[20, 16],
        conv_kernel=[30, 16],
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    words = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    return _save(Wav2Vec2ForCTC(config), folder, words, Wav2Vec2FeatureExtractor())


def sentence_encoder(folder: Path, pooling="mean", *, is_normalised=True):
    from transformers import BertConfig, BertModel

    _seed()
    size = len(tokenizer(folder))
    _save(BertModel(BertConfig(**_bert_sizes(size))), folder)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    if is_normalised:
        modules.append({"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    told = {"word_embedding_dimension": 16, **{f"pooling_mode_{name}": False for name in ("cls_token", "mean_tokens")}}
    told[{"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[pooling]] = True
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n\nRandom weights.\n")
    return folder


_SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
_PATCHES = {"image_size": 32, "patch_size": 8}


def vit_encoder(folder: Path):
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    _seed()
    network = ViTModel(ViTConfig(**_SMALL, **_PATCHES))
    return _save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def dino(folder: Path):
    """As those that were published without the part that pools."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    _seed()
    network = ViTModel(ViTConfig(**_SMALL, **_PATCHES), add_pooling_layer=False)
    return _save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def dinov2(folder: Path):
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    _seed()
    config = Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14)
    processor = BitImageProcessor(size={"shortest_edge": 60}, crop_size={"height": 56, "width": 56})
    return _save(Dinov2Model(config), folder, processor)


def ijepa(folder: Path):
    from transformers import IJepaConfig, IJepaModel, ViTImageProcessor

    _seed()
    network = IJepaModel(IJepaConfig(**_SMALL, **_PATCHES))
    return _save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def swin_encoder(folder: Path):
    from transformers import SwinConfig, SwinModel, ViTImageProcessor

    _seed()
    config = SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4)
    return _save(SwinModel(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def convnext_encoder(folder: Path):
    from transformers import ConvNextConfig, ConvNextImageProcessor, ConvNextModel

    _seed()
    config = ConvNextConfig(hidden_sizes=[8, 12, 14, 16], depths=[1, 1, 1, 1])
    processor = ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875)
    return _save(ConvNextModel(config), folder, processor)


def resnet_encoder(folder: Path):
    from transformers import ConvNextImageProcessor, ResNetConfig, ResNetModel

    _seed()
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    processor = ConvNextImageProcessor(size={"shortest_edge": 48}, crop_pct=0.875)
    return _save(ResNetModel(config), folder, processor)


def clip_vision(folder: Path):
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    _seed()
    network = CLIPVisionModel(CLIPVisionConfig(**_SMALL, **_PATCHES))
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _save(network, folder, processor)


def siglip_vision(folder: Path):
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    _seed()
    network = SiglipVisionModel(SiglipVisionConfig(**_SMALL, **_PATCHES))
    return _save(network, folder, SiglipImageProcessor(size={"height": 32, "width": 32}))


_WAVES = {
    **_SMALL,
    "conv_dim": [8, 8],
    "conv_stride": [20, 16],
    "conv_kernel": [30, 16],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}


def wav2vec2_encoder(folder: Path):
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    _seed()
    return _save(Wav2Vec2Model(Wav2Vec2Config(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def hubert(folder: Path):
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    _seed()
    return _save(HubertModel(HubertConfig(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def wavlm(folder: Path):
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

    _seed()
    return _save(WavLMModel(WavLMConfig(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def spectrogram_transformer(folder: Path):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    _seed()
    config = ASTConfig(**_SMALL, max_length=200, num_mel_bins=32, patch_size=8, time_stride=8, frequency_stride=8)
    return _save(ASTModel(config), folder, ASTFeatureExtractor(num_mel_bins=32, max_length=200))


def without(folder: Path, part: str):
    """Take the arrays of a part out of the weights of a network."""
    from safetensors.numpy import load_file, save_file

    arrays = load_file(folder / "model.safetensors")
    kept = {name: array for name, array in arrays.items() if part not in name}
    assert kept.keys() != arrays.keys()
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    return folder


def t5(folder: Path):
    from transformers import T5Config, T5ForConditionalGeneration

    _seed()
    size = len(tokenizer(folder, "t5"))
    config = T5Config(
        vocab_size=size,
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        task_specific_params={
            "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 300, "num_beams": 4},
            "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 300, "num_beams": 4},
        },
    )
    return _save(T5ForConditionalGeneration(config), folder)


def marian(folder: Path):
    from transformers import MarianConfig, MarianMTModel

    _seed()
    size = len(tokenizer(folder, "t5"))
    config = MarianConfig(
        vocab_size=size,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=64,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        forced_eos_token_id=2,
    )
    return _save(MarianMTModel(config), folder)


def _two_towers(vocabulary, text, vision):
    """The settings of the two networks of a model of pictures and texts about them."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    return {
        "text_config": {**sizes, "vocab_size": vocabulary, "max_position_embeddings": 64, **text},
        "vision_config": {**sizes, "image_size": 32, "patch_size": 8, **vision},
    }


def clip(folder: Path):
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    _seed()
    size = len(tokenizer(folder))
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = CLIPConfig(**_two_towers(size, ends, {}), projection_dim=12)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _save(CLIPModel(config), folder, processor)


def chinese_clip(folder: Path):
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel

    _seed()
    size = len(tokenizer(folder))
    config = ChineseCLIPConfig(**_two_towers(size, {"pad_token_id": 0}, {}), projection_dim=12)
    processor = ChineseCLIPImageProcessor(size={"height": 32, "width": 32}, do_center_crop=False)
    return _save(ChineseCLIPModel(config), folder, processor)


def siglip(folder: Path):
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    _seed()
    size = len(tokenizer(folder, "t5"))
    config = SiglipConfig(**_two_towers(size, {"projection_size": 16}, {}))
    return _save(SiglipModel(config), folder, SiglipImageProcessor(size={"height": 32, "width": 32}))


def siglip2(folder: Path):
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    _seed()
    size = len(tokenizer(folder, "t5"))
    config = Siglip2Config(**_two_towers(size, {"projection_size": 16}, {"num_patches": 16}))
    return _save(Siglip2Model(config), folder, Siglip2ImageProcessor(patch_size=8, max_num_patches=16))


def _spread(model):
    """A network whose random numbers are large enough for depths that differ."""
    import torch

    with torch.no_grad():
        for values in model.parameters():
            if values.ndim > 1:
                values.mul_(6)
        list(model.parameters())[-1].fill_(0.4)
    return model


def depth_anything(folder: Path, **settings):
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

    _seed()
    network = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=network,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
        **settings,
    )
    processor = DPTImageProcessor(size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14)
    return _save(_spread(DepthAnythingForDepthEstimation(config)), folder, processor)


def dpt(folder: Path):
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    _seed()
    config = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=32,
        patch_size=8,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
    )
    processor = DPTImageProcessor(size={"height": 32, "width": 32})
    return _save(_spread(DPTForDepthEstimation(config)), folder, processor)


def glpn(folder: Path):
    from transformers import GLPNConfig, GLPNForDepthEstimation, GLPNImageProcessor

    _seed()
    config = GLPNConfig(
        hidden_sizes=[4, 8, 12, 16],
        num_attention_heads=[1, 1, 2, 2],
        depths=[1] * 4,
        mlp_ratios=[2] * 4,
        decoder_hidden_size=8,
    )
    return _save(_spread(GLPNForDepthEstimation(config)), folder, GLPNImageProcessor())


def zoedepth(folder: Path):
    from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation, ZoeDepthImageProcessor

    _seed()
    backbone = BeitConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=24,
        image_size=64,
        patch_size=16,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        use_relative_position_bias=True,
        vocab_size=10,
    )
    config = ZoeDepthConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        bottleneck_features=8,
        num_relative_features=4,
        bin_embedding_dim=8,
        num_attractors=[4, 3, 2, 1],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"}],
    )
    processor = ZoeDepthImageProcessor(size={"height": 64, "width": 64})
    return _save(_spread(ZoeDepthForDepthEstimation(config)), folder, processor)
