"""SMILES: molecules as a line of text (Weininger 1988, J. Chem. Inf. Comput. Sci. 28), and what is wrong in one."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections import Counter
from typing import Any

from layerwise.errors import InputError

LONGEST = 2000
"""Characters that a SMILES may have."""
EXPECTED = "a SMILES, such as CC(=O)Oc1ccccc1C(=O)O for aspirin"
_heard = threading.local()
"""What RDKit's parser says in each thread while `parse` listens."""


class _Listener(logging.Handler):
    """Keeps what RDKit logs, for the thread that asked it."""

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(_heard, "lines"):
            _heard.lines.append(re.sub(r"^\[[\d:]+\] ", "", record.getMessage()))


@functools.cache
def listening() -> None:
    """From now on RDKit's log goes to Python, where it can be read, and no longer to the terminal."""
    from rdkit import rdBase

    rdBase.LogToPythonLogger()
    logger = logging.getLogger("rdkit")
    logger.propagate = False
    logger.handlers = [_Listener()]


def parse(text: Any) -> Any:
    """The molecule that a SMILES writes, an RDKit Mol. A name may follow it, after a blank.

    Raises:
        InputError: It is none; the text says what is wrong, and where.

    Example:
        >>> parse("CCO ethanol").GetNumAtoms()
        3
        >>> parse("CC(C")
        Traceback (most recent call last):
        layerwise.errors.InputError: The SMILES has an opening parenthesis without a closing one. ...
    """
    from rdkit import Chem

    if not isinstance(text, str) or not text.strip():
        raise InputError("There is no molecule", expected=EXPECTED)
    smiles = text.split()[0]
    if len(smiles) > LONGEST:
        raise InputError(
            "The SMILES is too long", expected=f"{LONGEST:,} characters at most", received=f"{len(smiles):,}"
        )
    # RDKit cuts what it says of a text within characters, and then fails itself.
    foreign = next((letter for letter in smiles if not letter.isascii() or not letter.isprintable()), None)
    if foreign is not None:
        raise InputError("This is no SMILES", expected=EXPECTED, received=f"the character {foreign!a}")
    listening()
    _heard.lines = []
    try:
        molecule = Chem.MolFromSmiles(smiles, sanitize=False)
        if molecule is None:
            raise _syntax_error(smiles, _heard.lines)
        if not molecule.GetNumAtoms():
            raise InputError("The molecule has no atoms", expected=EXPECTED, received=repr(smiles))
        problems = Chem.DetectChemistryProblems(molecule)
        if problems:
            raise _chemistry_error(smiles, molecule, problems[0])
        Chem.SanitizeMol(molecule)
        Chem.AssignStereochemistry(molecule, cleanIt=True)
    finally:
        del _heard.lines
    return molecule


def _syntax_error(smiles: str, lines: list[str]) -> InputError:
    said = " ".join(lines)
    place = re.search(r"around position (\d+)", said)
    received = repr(smiles)
    if place is not None:
        at = int(place[1])
        received = f"{smiles[at - 1 : at]!r} at place {at:,} of {smiles!r}"
    if "extra open parentheses" in said:
        what = "The SMILES has an opening parenthesis without a closing one"
    elif "extra close parentheses" in said:
        what = "The SMILES has a closing parenthesis without an opening one"
    elif "unclosed ring" in said:
        what = f"A ring is not closed: {_unclosed(smiles)}"
        received = repr(smiles)
    else:
        what = "This is no SMILES"
    return InputError(what, expected=EXPECTED, received=received)


def _unclosed(smiles: str) -> str:
    """Which ring numbers stand in a SMILES an odd number of times."""
    bare = re.sub(r"\[[^\]]*\]", "", smiles)
    numbers = [two or one for two, one in re.findall(r"%(\d\d)|(\d)", bare)]
    odd = sorted(number for number, count in Counter(numbers).items() if count % 2)
    return f"number {', '.join(odd)} stands at one end only"


def _chemistry_error(smiles: str, molecule: Any, problem: Any) -> InputError:
    if problem.GetType() == "AtomValenceException":
        atom = molecule.GetAtomWithIdx(problem.GetAtomIdx())
        bonds = int(sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())) + atom.GetNumExplicitHs()
        return InputError(
            f"An atom has too many bonds: {atom.GetSymbol()}, atom {atom.GetIdx() + 1} of the SMILES",
            received=f"{bonds} bonds in {smiles!r}",
            remedy="check its branches, or write its charge, as in C[N+](C)(C)C",
        )
    if problem.GetType() == "AtomKekulizeException":
        atom = molecule.GetAtomWithIdx(problem.GetAtomIdx())
        return InputError(
            f"A small letter stands outside of a ring: atom {atom.GetIdx() + 1} of the SMILES",
            received=repr(smiles),
            remedy=f"write it as a capital letter, {atom.GetSymbol()}",
        )
    if problem.GetType() == "KekulizeException":
        atoms = ", ".join(str(place + 1) for place in problem.GetAtomIndices())
        return InputError(
            "A ring of small letters is not aromatic: single and double bonds cannot be set in it",
            received=f"atoms {atoms} of {smiles!r}",
            remedy="write the hydrogen of a nitrogen in the ring, as in c1cc[nH]c1, or the ring in capital letters",
        )
    return InputError("The molecule cannot be", received=f"{smiles!r}: {problem.Message()}")
