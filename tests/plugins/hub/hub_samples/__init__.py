"""Tiny published networks with random weights, one of each family, written as transformers writes them."""

from pathlib import Path

from hub_samples import depths, picture_encoders, pictures, pictures_and_texts, sounds, texts

MODULES = (depths, picture_encoders, pictures, pictures_and_texts, sounds, texts)


def write(family: str, folder: Path, **settings):
    """A network of the family, which is the name of a function of one of the modules."""
    [make] = [vars(module)[family] for module in MODULES if family in vars(module)]
    return make(folder, **settings)
