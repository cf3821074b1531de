"""Molecules as pictures, on a transparent ground and in colours that can be seen in light and in dark."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

LINES = (0.47, 0.52, 0.57)
"""Bonds and carbon: a grey of about the same contrast on white and on black."""
COLORS = {
    7: (0.31, 0.52, 0.93),
    8: (0.90, 0.33, 0.30),
    9: (0.24, 0.62, 0.42),
    15: (0.83, 0.49, 0.13),
    16: (0.69, 0.54, 0.06),
    17: (0.24, 0.62, 0.42),
    35: (0.70, 0.40, 0.32),
    53: (0.62, 0.38, 0.80),
}
"""By atomic number; all others are drawn like carbon."""
RAISES, LOWERS = (0.10, 0.65, 0.59), (0.93, 0.55, 0.14)
"""The discs behind atoms that raise and that lower what is predicted."""
STRONGEST = 0.45
"""The opacity of the disc behind the atom that counts most: its letters can still be read."""


def draw(mol: Any, size: tuple[int, int] = (640, 440), weights: np.ndarray | None = None) -> Image.Image:
    """A molecule in two dimensions, RGBA.

    Args:
        mol: An RDKit Mol.
        size: Width and height in pixels.
        weights: What each atom adds to the prediction, [atoms]; None draws the molecule alone.
    """
    from PIL import Image
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DCairo(*size)
    _style(drawer.drawOptions())
    shown = rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=True)
    colors = _colors(weights) if weights is not None else {}
    drawer.DrawMolecule(
        shown,
        highlightAtoms=list(colors),
        highlightAtomColors=colors,
        highlightBonds=[],
        highlightAtomRadii=dict.fromkeys(colors, 0.42),
    )
    drawer.FinishDrawing()
    return Image.open(io.BytesIO(drawer.GetDrawingText())).convert("RGBA")


def explained_weights(weights: np.ndarray, names: Sequence[str]) -> str:
    """What the colours of a picture say, in words: the atom that raises and the one that lowers most.

    Args:
        weights: What each atom adds, [atoms].
        names: What each atom is called.

    Example:
        >>> explained_weights(np.array([0.5, -0.25]), ["O1", "C2"])
        'O1 raises it most, C2 lowers it most'
    """
    parts = []
    if weights.max(initial=0) > 0:
        parts.append(f"{names[int(weights.argmax())]} raises it most")
    if weights.min(initial=0) < 0:
        parts.append(f"{names[int(weights.argmin())]} lowers it most")
    return ", ".join(parts) or "no atom counts more than another"


def atom_names(mol: Any) -> list[str]:
    """The element of each atom and its number, from 1, in the order of the canonical SMILES."""
    return [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in mol.GetAtoms()]


def _style(options: Any) -> None:
    options.clearBackground = False
    options.padding = 0.04
    options.bondLineWidth = 2
    options.fixedBondLength = 42
    options.fillHighlights = True
    options.highlightBondWidthMultiplier = 1
    options.setBackgroundColour((1, 1, 1, 0))
    options.setAtomPalette({-1: LINES, 0: LINES, 1: LINES, 6: LINES} | COLORS)
    options.setSymbolColour(LINES)


def _colors(weights: np.ndarray) -> dict[int, tuple[float, float, float, float]]:
    largest = float(np.abs(weights).max(initial=0.0))
    if not largest:
        return {}
    return {
        place: (*(RAISES if weight > 0 else LOWERS), STRONGEST * abs(float(weight)) / largest)
        for place, weight in enumerate(weights)
        if abs(weight) > 0.03 * largest
    }
