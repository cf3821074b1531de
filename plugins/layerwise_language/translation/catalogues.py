"""Pairs of sentences from the catalogues of translations of free programs: the .po files of GNU gettext.

An entry of a catalogue is a text of any length with its translation, made for a program: with markup, placeholders and
line breaks. What is kept of it are sentences of plain text that stand in the same order on both sides.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import DataError

if TYPE_CHECKING:
    from polib import POEntry

FEWEST_WORDS, MOST_WORDS = 3, 40
"""Of the first language, in a sentence that is kept."""
LEAST_RATIO, MOST_RATIO = 0.6, 1.8
"""Of the characters of a translation to those of its original, ten added to both so that short ones may vary more."""
MOST_SHARED = 0.6
"""The share of a translation's words that its original may have too. More were not translated, but for names."""

_STYLES = (
    "ahelp|b|big|bold|emph|emphasis|font|i|italic|item|keycode|link|literal|menuitem|p|quote|small|span|variable|widget"
)
_STYLE = re.compile(rf"</?(?:{_STYLES})(?:\s[^<>]*)?>", re.IGNORECASE)
"""Markup around words that are part of their sentence. A sentence with any other markup is not kept."""
_OFFICE = re.compile(r"\$\[officename\]|%PRODUCTNAME\b")
"""What LibreOffice replaces by its name."""
_SIGNS = str.maketrans(
    {"’": "'", "‘": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "…": "...", "‑": "-"}
    | {"\u00a0": " ", "\u202f": " ", "\u00ad": "", "\u200b": ""}
)
_PLAIN = re.compile(r"""(?:[A-Za-zÀ-ÖØ-öø-ɏ0-9 .,;:!?'"()+–—-]|(?<=\d)%|(?<=\d )%)+""")
"""Letters, digits and punctuation: no placeholder, accelerator, address or path is made of them alone."""
_PARAGRAPH = re.compile(r"\n\s*\n")
_BOUNDARY = re.compile(r"""(?<=[.!?])["')]*(\s+)(?=["'(]*[A-ZÄÖÜ])""")
_NO_BOUNDARY = re.compile(
    r"(?:\.\.|\d|\b(?:\w|Mrs?|Ms|Dr|St|vs|etc|approx|resp|No|Nr|bzw|usw|ca|evtl|ggf|inkl|vgl|Hr|Fr|sog|max|min))\.$"
)
"""What ends in a period that does not end a sentence: "...", a number ("2. Klasse"), an abbreviation ("z. B.")."""
_END = re.compile(r"""([.!?])["')]*$""")


def read_catalogues(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """The pairs of sentences of some catalogues, in their order, each once: an original and its translation.

    Raises:
        DataError: A file is no catalogue.
    """
    return list(dict.fromkeys(pair for path in paths for pair in _read(path)))


def _read(path: Path) -> Iterator[tuple[str, str]]:
    import polib

    try:
        catalogue = polib.pofile(str(path), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a catalogue of gettext in UTF-8", received=str(error)) from error
    for entry in catalogue:
        if entry.translated():  # nor is it fuzzy or obsolete then
            for original, translation in _forms(entry):
                yield from pairs_of(original, translation)


def _forms(entry: POEntry) -> list[tuple[str, str]]:
    """An entry's text and translation; of one that tells singular from plural, both."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    # Of German, which has the same two forms as English; they are numbered.
    forms = [text for _, text in sorted(entry.msgstr_plural.items())]
    return [(entry.msgid, forms[0]), (entry.msgid_plural, forms[-1])]


def pairs_of(original: str, translation: str) -> list[tuple[str, str]]:
    """The pairs of sentences of a text and its translation; none when they have not the same number of sentences.

    Example:
        >>> pairs_of("Who are <i>you</i>?\\nI am the king of these hills.", "Wer seid Ihr? Ich bin der König hier.")
        [('Who are you?', 'Wer seid Ihr?'), ('I am the king of these hills.', 'Ich bin der König hier.')]
    """
    sides = sentences_of(plain_text(original)), sentences_of(plain_text(translation))
    if len(sides[0]) != len(sides[1]):
        return []
    return [pair for pair in zip(*sides, strict=True) if is_plausible(*pair)]


def plain_text(text: str) -> str:
    """A text without the markup of words, and with the quotation marks, ellipses and spaces of a keyboard."""
    text = html.unescape(_STYLE.sub("", _OFFICE.sub("LibreOffice", text)))
    return unicodedata.normalize("NFC", text).translate(_SIGNS)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, each in one line. A new paragraph begins a new sentence.

    Example:
        >>> sentences_of("See e.g. Mr. Brown. He\\nknows it.")
        ['See e.g. Mr. Brown.', 'He knows it.']
    """
    found = []
    for paragraph in _PARAGRAPH.split(text):
        line, begin = " ".join(paragraph.split()), 0
        for boundary in _BOUNDARY.finditer(line):
            if not _NO_BOUNDARY.search(line[begin : boundary.start()]):
                found.append(line[begin : boundary.start(1)])
                begin = boundary.end()
        found.append(line[begin:])
    return [sentence for sentence in found if sentence]


def is_plausible(original: str, translation: str) -> bool:
    """Whether two texts look like a sentence and its translation: both of plain text and whole, of lengths that go
    together, with the same numbers, both a question or neither, and not the same words."""
    words = [text.lower().split() for text in (original, translation)]
    ratio = (len(translation) + 10) / (len(original) + 10)
    ends = [_END.search(text) for text in (original, translation)]
    return (
        FEWEST_WORDS <= len(words[0]) <= MOST_WORDS
        and LEAST_RATIO <= ratio <= MOST_RATIO
        and all(map(_is_whole, (original, translation)))
        and None not in ends
        and len({end is not None and end[1] == "?" for end in ends}) == 1
        and sorted(re.findall(r"\d+", original)) == sorted(re.findall(r"\d+", translation))
        and len(set(words[0]) & set(words[1])) <= MOST_SHARED * len(set(words[1]))
    )


def _is_whole(text: str) -> bool:
    """Whether a text is plain, begins like a sentence, and ends its quotations and parentheses."""
    first = text.lstrip("\"'(")[:1]
    return (
        _PLAIN.fullmatch(text) is not None
        and (first.isupper() or first.isdigit())
        and text.count('"') % 2 == 0
        and text.count("(") == text.count(")")
    )
