"""Networks that tell from a picture how far away things are."""

from __future__ import annotations

from pathlib import Path

from hub_samples.files import save, seed


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

    seed()
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
    return save(_spread(DepthAnythingForDepthEstimation(config)), folder, processor)


def dpt(folder: Path):
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    seed()
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
    return save(_spread(DPTForDepthEstimation(config)), folder, processor)


def glpn(folder: Path):
    from transformers import GLPNConfig, GLPNForDepthEstimation, GLPNImageProcessor

    seed()
    config = GLPNConfig(
        hidden_sizes=[4, 8, 12, 16],
        num_attention_heads=[1, 1, 2, 2],
        depths=[1] * 4,
        mlp_ratios=[2] * 4,
        decoder_hidden_size=8,
    )
    return save(_spread(GLPNForDepthEstimation(config)), folder, GLPNImageProcessor())


def zoedepth(folder: Path):
    from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation, ZoeDepthImageProcessor

    seed()
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
    return save(_spread(ZoeDepthForDepthEstimation(config)), folder, processor)
