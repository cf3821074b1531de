"""A user's own examples of two labels, which are easily told apart."""

from __future__ import annotations

from pathlib import Path

from hub_samples.words import TEXTS


def write_texts(folder: Path):
    """A table of texts of two labels."""
    import csv

    with (folder / "texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        for label, text in (("cat", TEXTS[0]), ("music", TEXTS[2])):
            rows.writerows((f"{text} {number}", label) for number in range(30))


def write_pictures(folder: Path):
    """A folder for each of two labels, with its pictures."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for label, colour in (("blue", (40, 40, 200)), ("red", (200, 40, 40))):
        (folder / label).mkdir()
        for number in range(20):
            pixels = random.normal(colour, 60, (40, 50, 3)).clip(0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
