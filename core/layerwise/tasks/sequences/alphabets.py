"""The letters of DNA and of proteins, and sequences of them as numbers.

A letter that stands for several ("N" for any base; Cornish-Bowden 1985, "Nomenclature for incompletely specified bases
in nucleic acid sequences", Nucleic Acids Research 13) becomes equal shares of each.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from layerwise.errors import InputError, SpecError

SHOWN = 12
"""Letters of a sequence that an error shows on either side of the one that is wrong."""


@dataclass(frozen=True)
class Alphabet:
    """Letters of a sequence.

    Args:
        name: "dna" or "protein".
        letters: Those that the network knows, in the order of its numbers.
        several: Letters that stand for several of these.
        instead: Letters that are read as another one: uracil as thymine.
        refused: Letters that are none, and why.
    """

    name: str
    letters: str
    several: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def clean(self, text: str) -> str:
        """A sequence in capital letters that this alphabet has, without blanks, digits of a listing and line ends.

        Raises:
            InputError: It has another letter; the text says which one, and where.

        Example:
            >>> DNA.clean("acg u\\n61 N")
            'ACGTN'
        """
        letters = text.upper().translate(_BLANKS)
        known = {*self.letters, *self.several, *self.instead}
        # Sequences are long, and mostly without fault: only then is each letter looked at.
        if not known.issuperset(letters):
            letters = "".join(letter for letter in letters if not (letter.isspace() or letter.isdecimal()))
            self._check(letters, known)
        return letters.translate(str.maketrans(dict(self.instead)))

    def _check(self, letters: str, known: set[str]) -> None:
        for place, letter in enumerate(letters):
            if letter not in known:
                around = letters[max(0, place - SHOWN) : place + SHOWN + 1]
                why = self.refused.get(letter, f"{letter!r} is no letter of it")
                raise InputError(
                    f"This is no {self.name_in_words}: {why}",
                    expected=f"the letters {self.letters}"
                    + (f", or {', '.join(sorted({*self.several, *self.instead}))}" if self.several else ""),
                    received=f"{letter!r} at place {place + 1:,}, in {around!r}",
                )

    @property
    def name_in_words(self) -> str:
        """What a sequence of it is called."""
        return {"dna": "DNA or RNA sequence", "protein": "protein sequence"}[self.name]

    def encode(self, sequence: str) -> np.ndarray:
        """A sequence that `clean` gave as shares of the letters, float32 [length, letters].

        Example:
            >>> DNA.encode("GN").tolist()
            [[0.0, 0.0, 1.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
        """
        return self._table[np.frombuffer(sequence.encode("ascii"), "uint8")]

    def decode(self, shares: np.ndarray) -> str:
        """The letters whose shares [length, letters] `encode` gave.

        Example:
            >>> DNA.decode(DNA.encode("GATTNRY"))
            'GATTNRY'
        """
        rows = [row.astype("float32").tobytes() for row in np.asarray(shares)]
        return "".join(self._by_shares.get(row, "?") for row in rows)

    def complement(self, sequence: str) -> str:
        """The other strand of a DNA sequence, from its own beginning.

        Raises:
            SpecError: It is no DNA.

        Example:
            >>> DNA.complement("AACGTR")
            'YACGTT'
        """
        if self.name != "dna":
            raise SpecError("Only DNA has another strand", expected="dna", received=self.name)
        return sequence.translate(_COMPLEMENT)[::-1]

    @functools.cached_property
    def _table(self) -> np.ndarray:
        """The row of each byte; of those that are no letters, zeros."""
        table = np.zeros((256, len(self.letters)), "float32")
        for letter, stands_for in {**{letter: letter for letter in self.letters}, **self.several}.items():
            for each in stands_for:
                table[ord(letter), self.letters.index(each)] = 1 / len(stands_for)
        return table

    @functools.cached_property
    def _by_shares(self) -> dict[bytes, str]:
        """The letter of each row of shares."""
        letters = [*self.several, *self.letters]
        return {self._table[ord(letter)].tobytes(): letter for letter in letters}


_BLANKS = str.maketrans("", "", string.whitespace + string.digits)
_COMPLEMENT = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
_GAP = "a gap belongs to an alignment, not to a sequence"

DNA = Alphabet(
    name="dna",
    letters="ACGT",
    several={
        "R": "AG",
        "Y": "CT",
        "S": "CG",
        "W": "AT",
        "K": "GT",
        "M": "AC",
        "B": "CGT",
        "D": "AGT",
        "H": "ACT",
        "V": "ACG",
        "N": "ACGT",
    },
    instead={"U": "T"},
    refused={"-": _GAP, ".": _GAP},
)
PROTEIN = Alphabet(
    name="protein",
    letters="ACDEFGHIKLMNPQRSTVWY",
    # Selenocysteine and pyrrolysine are too rare for a network to know: read as what they are made like.
    several={"B": "DN", "Z": "EQ", "J": "IL", "X": "ACDEFGHIKLMNPQRSTVWY"},
    instead={"U": "C", "O": "K"},
    refused={"*": "the star is a stop codon, where the protein ends", "-": _GAP, ".": _GAP},
)
ALPHABETS = {alphabet.name: alphabet for alphabet in (DNA, PROTEIN)}


def alphabet_named(name: str) -> Alphabet:
    """The alphabet of that name.

    Raises:
        SpecError: There is none.
    """
    if name not in ALPHABETS:
        raise SpecError("The alphabet is not known", expected=" or ".join(ALPHABETS), received=repr(name))
    return ALPHABETS[name]
