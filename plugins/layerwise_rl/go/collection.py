"""Games of a user's own, as SGF files in a folder: what a network learns from before it plays against itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwise.errors import DataError, InputError
from layerwise.own_data import DataReport, Repeats, Sample, Unreadable, check_unreadable, size_range
from layerwise.splits import Split
from layerwise.tasks.folders import apart, check_folder, files_below, files_by_split, unwrapped
from layerwise.tasks.text_folder import read_text
from layerwise_rl.go.planes import PLANES, SYMMETRIES, points_turned, seen, turned
from layerwise_rl.go.position import COLORS, PASS, Position, new_state, owners
from layerwise_rl.go.sgf import Game, read, write

FEWEST_GAMES = 10
NEARLY = 1.0
"""Points by which what a file says of the end and what the last board says may differ: territory and area do."""
UNKNOWN, DRAW = -1.0, 0.5
SAMPLE_GAMES, SAMPLE_MOVES = 30, 30
"""How many games an example of such data has, and how many moves they have at most."""


@dataclass(frozen=True)
class Positions:
    """Positions of games, one after another.

    Args:
        boards: As `layerwise_rl.go.planes.seen` gives them, float16 [positions, size, size, planes].
        targets: Float32 [positions, 2 + points]: the number of the move that was played; whether whoever played it has
            won; and whose each point was in the end: 1 his, 0 the other's, 0.5 nobody's. -1 where it is not known.
    """

    boards: np.ndarray
    targets: np.ndarray


def read_collection(path: Path, size: int) -> tuple[dict[str, Split], DataReport]:
    """The splits and the report of games on a board of some size. Inputs and targets of a split are those of
    `Positions`.

    Args:
        path: As `Go.folder_format` says.

    Raises:
        DataError: It is not like that.
    """
    root = unwrapped(check_folder(Path(path)))
    files = [file for file in files_below(root, root) if file.suffix.lower() == ".sgf"]
    unreadable: list[Unreadable] = []
    found: dict[str, list[tuple[str, Game, Positions]]] = {}
    for split, chosen in files_by_split(files, root).items():
        for file in chosen:
            name = file.relative_to(root).as_posix()
            try:
                game = read(read_text(file))
                found.setdefault(split, []).append((name, game, positions_of(game, size)))
            except (DataError, InputError) as error:
                unreadable.append(Unreadable(name=name, reason=error.what))
            except OSError as error:
                unreadable.append(Unreadable(name=name, reason=error.strerror or str(error)))
    count = sum(map(len, found.values()))
    warnings = check_unreadable(unreadable, len(files))
    if count < FEWEST_GAMES:
        raise DataError(
            f"There are too few games in {path}",
            expected=f"at least {FEWEST_GAMES} SGF files of games on {size} by {size} points",
            received=str(count),
        )
    if "test" not in found:
        found["train"], found["test"] = apart(found["train"], _keys(found["train"]))
    if "validation" not in found:
        # By games: positions of one game are too much alike.
        found["train"], held = apart(found["train"], _keys(found["train"], "validation "))
        found["validation"] = held
    repeats = Repeats()
    for split, games in found.items():
        for name, game, _ in games:
            repeats.add(split, " ".join(game.moves).encode(), name)
    lengths = [len(game.moves) for games in found.values() for _, game, _ in games]
    unknown = sum(bool((part.targets[:, 1] < 0).all()) for games in found.values() for _, _, part in games)
    report = DataReport(
        path=str(path),
        what="positions",
        splits={split: sum(len(part.boards) for *_, part in games) for split, games in found.items()},
        sizes={"moves of a game": size_range(lengths)},
        num_unreadable=len(unreadable),
        unreadable=tuple(unreadable[:10]),
        warnings=(
            *warnings,
            *repeats.warnings("games"),
            *([f"Who has won is not said in {unknown:,} of {count:,} games."] if unknown else []),
        ),
        examples=tuple(
            Sample(label="", kind="text", value=" ".join(game.moves)[:400]) for _, game, _ in found["train"][:5]
        ),
    )
    return {split: _split([part for *_, part in games], size) for split, games in found.items()}, report


def positions_of(game: Game, size: int) -> Positions:
    """The positions of a game, each before its move.

    Raises:
        InputError: It is of another board, or has a move that is not allowed.
    """
    if game.size != size:
        raise InputError(f"it is of {game.size} by {game.size} points, not of {size} by {size}")
    if not game.moves:
        raise InputError("it has no moves")
    state, names = new_state(size, game.komi), Position(size, game.komi)
    boards, moves = [], []
    for number, name in enumerate(game.moves, start=1):
        action = names.action_of(name)
        if state.is_terminal() or action not in state.legal_actions():
            raise InputError(f"its move {number}, {name}, is not allowed")
        boards.append(seen(state, size, game.komi).astype("float16"))
        moves.append(action)
        state.apply_action(action)
    black, lead = _owned(state, size), _lead(game)
    is_known = lead is not None and abs(black.sum() - game.komi - lead) <= NEARLY
    signs = 1.0 - 2.0 * (np.arange(len(moves)) % 2)
    targets = np.full((len(moves), 2 + size * size), UNKNOWN, "float32")
    targets[:, 0] = moves
    won = _won(game)
    if won is not None:
        targets[:, 1] = (1 + signs * (2 * won - 1)) / 2
    if is_known:
        targets[:, 2:] = (1 + signs[:, None] * black) / 2
    return Positions(np.array(boards), targets)


def _owned(state: Any, size: int) -> np.ndarray:
    """Whose each point is: 1 Black's, -1 White's, 0 nobody's [points]."""
    stones = np.array(state.observation_tensor(0), "int8").reshape(-1, size, size)
    owned = owners(stones[0] + 2 * stones[1]).reshape(-1)
    return (owned == 1).astype("float32") - (owned == 2)


def _lead(game: Game) -> float | None:
    """By how many points Black has won, as the file says; None where it does not."""
    found = re.fullmatch(r"([BW])\+(\d+(?:\.\d+)?)", game.result.strip(), re.IGNORECASE)
    if found is None:
        return 0.0 if _won(game) == DRAW else None
    return float(found[2]) * (1 if found[1].upper() == "B" else -1)


def _won(game: Game) -> float | None:
    """What Black has won: 1, 0, or 0.5 for a draw; None where the file does not say."""
    said = game.result.strip().upper()
    if said in ("0", "DRAW", "JIGO"):
        return DRAW
    return {"B+": 1.0, "W+": 0.0}.get(said[:2])


def _keys(games: Sequence[tuple[str, Game, Positions]], salt: str = "") -> list[str]:
    return [salt + " ".join(game.moves) for _, game, _ in games]


def _split(parts: Sequence[Positions], size: int) -> Split:
    if not parts:
        return Split(np.zeros((0, size, size, PLANES), "float16"), np.zeros((0, 2 + size * size), "float32"))
    return Split(np.concatenate([part.boards for part in parts]), np.concatenate([part.targets for part in parts]))


def in_eight_ways(split: Split, size: int) -> Split:
    """Each position in all ways in which a board can be turned."""

    def turn_targets(targets: np.ndarray, symmetry: int) -> np.ndarray:
        points = size * size
        move = np.zeros((len(targets), points + 1), bool)
        move[np.arange(len(targets)), targets[:, 0].astype("int64")] = True
        found = targets.copy()
        found[:, 0] = points_turned(move, size, symmetry).argmax(axis=1)
        found[:, 2:] = points_turned(targets[:, 2:], size, symmetry)
        return found

    return Split(Turned(split.inputs, turned), Turned(split.targets, turn_targets))


class Turned:
    """An array whose examples come in eight ways, one after another, turned when they are asked for.

    Args:
        array: [examples, ...].
        turn: `(examples, symmetry) -> examples`.
    """

    def __init__(self, array: Any, turn: Callable[[np.ndarray, int], np.ndarray]) -> None:
        self.array, self.turn = array, turn
        self.shape, self.dtype = (SYMMETRIES * len(array), *array.shape[1:]), np.dtype("float32")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        places = np.arange(len(self))[index]
        if places.ndim == 0:
            return self[places[None]][0]
        found = np.asarray(self.array[places // SYMMETRIES], self.dtype)
        for symmetry in range(1, SYMMETRIES):
            chosen = places % SYMMETRIES == symmetry
            found[chosen] = self.turn(found[chosen], symmetry)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Boards are turned into a new array; they cannot be had without a copy")
        return np.asarray(self[:], dtype=dtype)


def write_sample(folder: Path, size: int) -> None:
    """Write games in which both sides play near the middle of the board until half of it is full. Neither gets far
    ahead by that, so it is mostly the komi that decides, which is another one each time.

    Args:
        folder: An empty folder.
        size: Points along a side.
    """
    random = np.random.default_rng(0)
    for number in range(1, SAMPLE_GAMES + 1):
        komi = float(random.integers(-3, 3)) + 0.5
        position = Position(size, komi)
        while len(position.moves) < min(SAMPLE_MOVES, size**2 // 2):
            position = position.play(_near_the_middle(position, random))
        lead = position.lead()
        result = f"{COLORS[lead < 0][0]}+{abs(lead):g}"
        moves = (*map(position.name_of, position.moves), PASS, PASS)
        (folder / f"{number}.sgf").write_text(write(Game(size, komi, moves, result)) + "\n", encoding="utf-8")


def _near_the_middle(position: Position, random: np.random.Generator) -> int:
    """One of the three points nearest to the middle that may be played on."""
    points, middle = position.size**2, (position.size - 1) / 2
    distances = [abs(place // position.size - middle) + abs(place % position.size - middle) for place in range(points)]
    nearest = (place for place in np.argsort(distances, kind="stable").tolist() if position.refusal(place) is None)
    allowed = [*itertools.islice(nearest, 3)] or [points]
    return allowed[int(random.integers(len(allowed)))]
