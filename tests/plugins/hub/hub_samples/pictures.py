"""Classifiers of pictures, and networks that find things in them."""

from __future__ import annotations

from pathlib import Path

from hub_samples.files import save, seed
from hub_samples.settings import LABELS, PATCHES, SMALL


def vit(folder: Path, labels=LABELS):
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    seed()
    config = ViTConfig(
        **SMALL,
        **PATCHES,
        id2label=labels,
        label2id={name: place for place, name in labels.items()},
    )
    return save(ViTForImageClassification(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def resnet(folder: Path):
    from transformers import ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification

    seed()
    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=LABELS, num_labels=3
    )
    processor = ConvNextImageProcessor(size={"shortest_edge": 48}, crop_pct=0.875)
    return save(ResNetForImageClassification(config), folder, processor)


def convnext(folder: Path):
    from transformers import ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor

    seed()
    config = ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], id2label=LABELS, num_labels=3)
    processor = ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875)
    return save(ConvNextForImageClassification(config), folder, processor)


def swin(folder: Path):
    from transformers import SwinConfig, SwinForImageClassification, ViTImageProcessor

    seed()
    config = SwinConfig(
        image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4, id2label=LABELS
    )
    return save(SwinForImageClassification(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def yolos(folder: Path):
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    seed()
    config = YolosConfig(
        **SMALL,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=7,
        id2label=LABELS,
    )
    processor = YolosImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    return save(YolosForObjectDetection(config), folder, processor)


def segformer(folder: Path):
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    seed()
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
    return save(
        SegformerForSemanticSegmentation(config), folder, SegformerImageProcessor(size={"height": 64, "width": 64})
    )
