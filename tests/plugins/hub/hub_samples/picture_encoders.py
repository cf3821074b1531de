"""Networks that make vectors of pictures."""

from __future__ import annotations

from pathlib import Path

from hub_samples.files import save, seed
from hub_samples.settings import PATCHES, SMALL


def vit_encoder(folder: Path):
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    seed()
    network = ViTModel(ViTConfig(**SMALL, **PATCHES))
    return save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def dino(folder: Path):
    """As those that were published without the part that pools."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    seed()
    network = ViTModel(ViTConfig(**SMALL, **PATCHES), add_pooling_layer=False)
    return save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def dinov2(folder: Path):
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    seed()
    config = Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14)
    processor = BitImageProcessor(size={"shortest_edge": 60}, crop_size={"height": 56, "width": 56})
    return save(Dinov2Model(config), folder, processor)


def ijepa(folder: Path):
    from transformers import IJepaConfig, IJepaModel, ViTImageProcessor

    seed()
    network = IJepaModel(IJepaConfig(**SMALL, **PATCHES))
    return save(network, folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def swin_encoder(folder: Path):
    from transformers import SwinConfig, SwinModel, ViTImageProcessor

    seed()
    config = SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4)
    return save(SwinModel(config), folder, ViTImageProcessor(size={"height": 32, "width": 32}))


def convnext_encoder(folder: Path):
    from transformers import ConvNextConfig, ConvNextImageProcessor, ConvNextModel

    seed()
    config = ConvNextConfig(hidden_sizes=[8, 12, 14, 16], depths=[1, 1, 1, 1])
    processor = ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=0.875)
    return save(ConvNextModel(config), folder, processor)


def resnet_encoder(folder: Path):
    from transformers import ConvNextImageProcessor, ResNetConfig, ResNetModel

    seed()
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    processor = ConvNextImageProcessor(size={"shortest_edge": 48}, crop_pct=0.875)
    return save(ResNetModel(config), folder, processor)


def clip_vision(folder: Path):
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    seed()
    network = CLIPVisionModel(CLIPVisionConfig(**SMALL, **PATCHES))
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return save(network, folder, processor)


def siglip_vision(folder: Path):
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    seed()
    network = SiglipVisionModel(SiglipVisionConfig(**SMALL, **PATCHES))
    return save(network, folder, SiglipImageProcessor(size={"height": 32, "width": 32}))
