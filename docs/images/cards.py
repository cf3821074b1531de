"""Let the shipped models do what they do, and keep what that looks like as the pictures of their cards:

python docs/images/cards.py [NAME ...]
"""

from __future__ import annotations

import io
import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from layerwise.specs import ModelSpec
from layerwise.tasks import BoardGame, Control, MoleculeProperty, SequenceLabelling
from layerwise.tasks.episodes.drawing import moving_picture
from layerwise.workspace import Workspace, open_workspace

SIZE = (744, 248)
"""Twice the size of a card's picture on a desktop. Its sides are cut on narrow cards."""
SECONDS, FRAMES_PER_SECOND = 4.8, 15
"""A picture that moves for five seconds needs no button that stops it (WCAG 2.2, 2.2.2)."""
TRAININGS = (0, 25, 100)
"""How much of its training an agent has had, in percent, from left to right."""
BEGINS = {"rl/breakout": 16.0, "rl/pong": 6.0}
"""Seconds of an episode before anything is to be seen."""
MOVES = 36
"""Of a game on a board."""
HELIX, SHEET, COIL = (35, 152, 140), (224, 140, 40), (120, 133, 145)
"""Colours that can be seen in light and in dark."""
WOOD, LINES, STONES = (236, 222, 190), (120, 104, 72), ((28, 30, 33), (250, 249, 246))


def main(names: Sequence[str]) -> int:
    """Write the pictures. Returns the exit status."""
    with tempfile.TemporaryDirectory() as home, open_workspace(home) as workspace:
        for spec in workspace.registry.snapshot().models.values():
            if spec.card.picture is not None and (not names or spec.name in names):
                content = recipe_of(spec)(workspace, spec)
                spec.card.picture.write_bytes(content)
                print(f"{spec.name}: {len(content) / 1000:.0f} kB")
    return 0


def recipe_of(spec: ModelSpec) -> Callable[[Workspace, ModelSpec], bytes]:
    """What makes the picture of a model."""
    recipes = {BoardGame: board, Control: agents, MoleculeProperty: molecule, SequenceLabelling: protein}
    return next(recipe for kind, recipe in recipes.items() if isinstance(spec.task, kind))


def agents(workspace: Workspace, spec: ModelSpec) -> bytes:
    """An agent before, on the way of and after its training, side by side, playing the same episode."""
    from layerwise.tasks.episodes.runner import EpisodeRunner

    runner = EpisodeRunner(workspace.predictor.version(spec.name), spec)
    films = [film(runner, training, BEGINS.get(spec.name, 0.0)) for training in TRAININGS]
    # Each as wide as high is, or narrower: what is at the sides of a wide one is cut.
    height = SIZE[1]
    width = min(round(films[0][0].width * height / films[0][0].height), SIZE[0] // len(films) - 6)
    frames = []
    for shown in zip(*films, strict=True):
        frame = Image.new("RGB", SIZE, shown[0].getpixel((0, 0)))
        for place, image in enumerate(shown):
            scaled = image.resize((round(image.width * height / image.height), height))
            left = (scaled.width - width) // 2
            middle = round(SIZE[0] / 2 + (place - (len(films) - 1) / 2) * (width + 9))
            frame.paste(scaled.crop((left, 0, left + width, height)), (middle - width // 2, 0))
        frames.append(frame)
    return moving(frames)


def film(runner: Any, training: float, begins: float) -> list[Image.Image]:
    """Some seconds of an episode; where it ends, the last moment stays."""
    playing = runner.playing({"training": training, "episode": 3})
    every = max(1, round(playing.frames_per_second / FRAMES_PER_SECOND))
    wanted = round(SECONDS * FRAMES_PER_SECOND)
    frames = [playing.picture()]
    for step in range(round(begins * playing.frames_per_second) + every * wanted):
        if not playing.ended:
            playing.step()
        if step % every == 0:
            frames.append(playing.picture())
    playing.close()
    return [Image.fromarray(frame) for frame in frames[-wanted:]]


def board(workspace: Workspace, spec: ModelSpec) -> bytes:
    """A game of an agent with itself."""
    moves: list[str] = []
    frames = []
    while len(moves) < MOVES:
        answer = workspace.predictor.predict(spec.name, {"moves": moves, "simulations": 64})
        moves.append(answer["move"])
        frames += [drawn(np.array(answer["board"]["stones"]))] * max(1, round(SECONDS * FRAMES_PER_SECOND / MOVES))
    return moving(frames)


def drawn(stones: np.ndarray) -> Image.Image:
    """A board [rows, columns] of 0 for an empty point, 1 and 2 for stones."""
    scale = 2
    width, height = SIZE[0] * scale, SIZE[1] * scale
    image = Image.new("RGB", (width, height), WOOD)
    draw = ImageDraw.Draw(image)
    count = len(stones)
    step = height / (count + 0.4)
    left, top = (width - step * (count - 1)) / 2, (height - step * (count - 1)) / 2
    for line in range(count):
        at, last = step * line, step * (count - 1)
        draw.line((left, top + at, left + last, top + at), fill=LINES, width=scale)
        draw.line((left + at, top, left + at, top + last), fill=LINES, width=scale)
    for row, column in zip(*np.nonzero(stones), strict=True):
        x, y, radius = left + step * column, top + step * row, step * 0.46
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=STONES[stones[row, column] - 1])
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def molecule(workspace: Workspace, spec: ModelSpec) -> bytes:
    """The first example, coloured by what each of its atoms adds."""
    from layerwise.specs import resolve

    assert spec.examples is not None
    answer = workspace.predictor.predict(spec.name, resolve(spec.examples)()[0].inputs)
    found: Image.Image = answer["picture"]
    found = found.crop(found.getbbox())
    found.thumbnail((SIZE[0] - 240, SIZE[1] - 24), Image.Resampling.LANCZOS)
    picture = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    picture.paste(found, ((SIZE[0] - found.width) // 2, (SIZE[1] - found.height) // 2))
    return standing(picture)


def protein(workspace: Workspace, spec: ModelSpec) -> bytes:
    """The first example as biologists draw it: helices as spirals, sheets as arrows, what lies between as lines."""
    from layerwise.specs import resolve

    assert spec.examples is not None
    labels = workspace.predictor.predict(spec.name, resolve(spec.examples)()[0].inputs)["labels"]
    scale, rows = 2, 3
    picture = Image.new("RGBA", (SIZE[0] * scale, SIZE[1] * scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    count = -(-len(labels) // rows)
    step = (SIZE[0] - 140) * scale / count
    for row in range(rows):
        y = SIZE[1] * scale * (row + 0.5) / rows
        x = 70.0 * scale
        for letter, residues in itertools.groupby(labels[row * count : (row + 1) * count]):
            length = step * len(list(residues))
            ribbon(draw, letter, x, x + length, y, scale)
            x += length
    return standing(picture.resize(SIZE, Image.Resampling.LANCZOS))


def ribbon(draw: ImageDraw.ImageDraw, letter: str, begin: float, end: float, y: float, scale: int) -> None:
    """A part of a protein, from `begin` to `end`."""
    high = 15 * scale
    if letter == "H":
        turns = max(1, round((end - begin) / (24 * scale)))
        at = np.linspace(0, 1, 24 * turns + 1)
        places = zip(begin + at * (end - begin), y - high * np.sin(2 * np.pi * turns * at), strict=True)
        draw.line([(float(x), float(up)) for x, up in places], fill=HELIX, width=8 * scale, joint="curve")
    elif letter == "E":
        neck = max(begin, end - 18 * scale)
        edges = ((begin, -0.5), (neck, -0.5), (neck, -1), (end, 0), (neck, 1), (neck, 0.5), (begin, 0.5))
        draw.polygon([(x, y + part * high) for x, part in edges], fill=SHEET)
    else:
        draw.line((begin, y, end, y), fill=COIL, width=4 * scale)


def standing(picture: Image.Image) -> bytes:
    """A drawing in few colours on a transparent ground as a PNG file."""
    buffer = io.BytesIO()
    picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def moving(frames: Sequence[Image.Image]) -> bytes:
    """Frames as a WebP file that plays once."""
    shown = [np.asarray(frame) for frame in frames]
    return moving_picture(shown, FRAMES_PER_SECOND, times=1, quality=45, effort=6)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
