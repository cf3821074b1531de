"""Games as SGF, the format of Go programs (Smart Game Format, FF[4])."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from layerwise.errors import InputError
from layerwise_rl.go.position import LETTERS, PASS

_PROPERTY = re.compile(r"([A-Z]{1,2})\s*((?:\[(?:\\.|[^\]\\])*\]\s*)+)")
_VALUE = re.compile(r"\[((?:\\.|[^\]\\])*)\]")
_POINTS = "abcdefghijklmnopqrs"
LONGEST = 200_000
"""Characters of a file."""


@dataclass(frozen=True)
class Game:
    """A game.

    Args:
        size: Points along a side.
        komi: What White is given.
        moves: The names of the moves, Black's first.
        result: As SGF writes it: "B+3.5", "W+R", "".
        black, white: Who plays.
    """

    size: int
    komi: float
    moves: tuple[str, ...]
    result: str = ""
    black: str = ""
    white: str = ""


def write(game: Game) -> str:
    """A game as SGF.

    Example:
        >>> write(Game(9, 7.0, ("E5", "pass")))
        '(;GM[1]FF[4]CA[UTF-8]AP[Layerwise]SZ[9]KM[7];B[ee];W[])'
    """
    head = f"(;GM[1]FF[4]CA[UTF-8]AP[Layerwise]SZ[{game.size}]KM[{game.komi:g}]"
    for name, text in (("PB", game.black), ("PW", game.white), ("RE", game.result)):
        head += f"{name}[{_escaped(text)}]" if text else ""
    moves = "".join(f";{'BW'[number % 2]}[{_coded(move, game.size)}]" for number, move in enumerate(game.moves))
    return f"{head}{moves})"


def coded_result(said: str) -> str:
    """A result as SGF writes it.

    Example:
        >>> coded_result("White wins by 3.5 points."), coded_result("Black wins."), coded_result("A draw.")
        ('W+3.5', 'B+R', '0')
    """
    found = re.match(r"(Black|White) wins(?: by ([0-9.]+) points)?\.", said)
    if found:
        return f"{found[1][0]}+{found[2] or 'R'}"
    return "0" if said.startswith("A draw") else ""


def read(text: str) -> Game:
    """The game that SGF holds; of its variations the first.

    Raises:
        InputError: It is no game of Go, or one that cannot be played here: with handicap, or two moves of one side in
            a row.
    """
    if len(text) > LONGEST:
        raise InputError("The file is too long", expected=f"{LONGEST:,} characters", received=f"{len(text):,}")
    found = [(name, _VALUE.findall(values)) for name, values in _PROPERTY.findall(_main_line(text))]
    if not found:
        raise InputError("This is no SGF", expected="a text such as (;GM[1]SZ[9];B[ee])", received=repr(text[:40]))
    first = {name: values[0] for name, values in reversed(found)}
    if first.get("GM", "1").strip() != "1":
        raise InputError("This is a game of another sort", expected="GM[1], which is Go", received=first["GM"])
    if {"AB", "AW", "HA"} & first.keys() and first.get("HA", "1").strip() not in ("", "0"):
        raise InputError("Games with stones put on the board beforehand cannot be played here")
    try:
        size, komi = int(first.get("SZ", "19")), float(first.get("KM") or 0)
        if not (1 <= size <= len(_POINTS) and math.isfinite(komi)):
            raise ValueError
    except ValueError:
        raise InputError("The size or the komi of the game cannot be used", received=str(first)[:100]) from None
    moves = []
    for name, values in found:
        if name in ("B", "W"):
            if name != "BW"[len(moves) % 2]:
                raise InputError("One side moves twice in a row", received=f"move {len(moves) + 1} is {name}'s")
            moves.append(_named(values[0].strip(), size))
    result, black, white = (_plain(first.get(name, "")) for name in ("RE", "PB", "PW"))
    return Game(size, komi, tuple(moves), result, black, white)


def _escaped(text: str) -> str:
    return re.sub(r"([\]\\])", r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _main_line(text: str) -> str:
    """Without other variations: up to the first end of one. What is in brackets is no structure."""
    depth_text, is_inside, is_escaped = [], False, False
    for letter in text:
        if is_escaped:
            is_escaped = False
        elif letter == "\\":
            is_escaped = True
        elif letter in "[]":
            is_inside = letter == "["
        elif letter == ")" and not is_inside:
            break
        depth_text.append(letter)
    if is_inside:
        # The search for properties would look for the end of each bracket in all that follows.
        raise InputError("A bracket of the file is not closed", expected="a text such as (;GM[1]SZ[9];B[ee])")
    return "".join(depth_text)


def _coded(move: str, size: int) -> str:
    if move == PASS:
        return ""
    return _POINTS[LETTERS.index(move[0])] + _POINTS[size - int(move[1:])]


def _named(code: str, size: int) -> str:
    if code == "" or (code == "tt" and size <= 19):
        return PASS
    column, row = (_POINTS.find(letter) for letter in (code[:1], code[1:]))
    if len(code) != 2 or not (0 <= column < size and 0 <= row < size):
        raise InputError(
            "A move cannot be read", expected=f"two letters up to {_POINTS[size - 1]}", received=repr(code)
        )
    return f"{LETTERS[column]}{size - row}"
