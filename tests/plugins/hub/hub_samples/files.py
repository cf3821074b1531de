"""Networks as the files that transformers writes, and what tests change about those."""

from __future__ import annotations

import json
from pathlib import Path


def save(model, folder, *others):
    model.eval().save_pretrained(folder)
    for other in others:
        other.save_pretrained(folder)
    return folder


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def seed():
    import torch

    torch.manual_seed(7)


def without(folder: Path, part: str):
    """Take the arrays of a part out of the weights of a network."""
    from safetensors.numpy import load_file, save_file

    arrays = load_file(folder / "model.safetensors")
    kept = {name: array for name, array in arrays.items() if part not in name}
    assert kept.keys() != arrays.keys()
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    return folder
