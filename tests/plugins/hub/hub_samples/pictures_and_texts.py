"""Networks for pictures and texts about them."""

from __future__ import annotations

from pathlib import Path

from hub_samples.files import save, seed
from hub_samples.settings import PATCHES, SMALL
from hub_samples.words import tokenizer


def _two_towers(vocabulary, text, vision):
    """The settings of the two networks of a model of pictures and texts about them."""
    return {
        "text_config": {**SMALL, "vocab_size": vocabulary, "max_position_embeddings": 64, **text},
        "vision_config": {**SMALL, **PATCHES, **vision},
    }


def clip(folder: Path):
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    seed()
    size = len(tokenizer(folder))
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = CLIPConfig(**_two_towers(size, ends, {}), projection_dim=12)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return save(CLIPModel(config), folder, processor)


def chinese_clip(folder: Path):
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel

    seed()
    size = len(tokenizer(folder))
    config = ChineseCLIPConfig(**_two_towers(size, {"pad_token_id": 0}, {}), projection_dim=12)
    processor = ChineseCLIPImageProcessor(size={"height": 32, "width": 32}, do_center_crop=False)
    return save(ChineseCLIPModel(config), folder, processor)


def siglip(folder: Path):
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    seed()
    size = len(tokenizer(folder, "t5"))
    config = SiglipConfig(**_two_towers(size, {"projection_size": 16}, {}))
    return save(SiglipModel(config), folder, SiglipImageProcessor(size={"height": 32, "width": 32}))


def siglip2(folder: Path):
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    seed()
    size = len(tokenizer(folder, "t5"))
    config = Siglip2Config(**_two_towers(size, {"projection_size": 16}, {"num_patches": 16}))
    return save(Siglip2Model(config), folder, Siglip2ImageProcessor(patch_size=8, max_num_patches=16))
