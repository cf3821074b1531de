"""Connectionist temporal classification (Graves et al. 2006, "Connectionist Temporal Classification: Labelling
Unsegmented Sequence Data with Recurrent Neural Networks", ICML): a network says for each frame of a sound which symbol
it hears, or none ("blank"). Symbols that stand side by side are one; blanks go.

Symbols are numbered from 1; 0 is the blank, and fills targets up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwise.from_scratch.losses import log_softmax

BLANK = 0
SURE = float(np.log(0.999))
"""From this log-probability of the blank on a frame is taken for a blank without a look at the rest of it."""
LEAST = -12.0
"""Symbols of a lower log-probability do not go on with a beam."""


@dataclass(frozen=True)
class Spike:
    """A symbol in a sound.

    Args:
        symbol: Its number, from 1.
        first, last: The frames in which it was heard; from one to the other it was the likeliest or went on.
        confidence: Its highest probability in these frames.
    """

    symbol: int
    first: int
    last: int
    confidence: float


def ctc_loss(targets: Any, outputs: Any) -> Any:
    """The negative log-likelihood in nats of the symbols, the mean over the batch, in `keras.ops`.

    Args:
        targets: Symbols [batch, most], 0 after the last.
        outputs: Logits [batch, frames, symbols + 1].
    """
    import keras

    ops: Any = keras.ops
    targets, outputs = ops.cast(targets, "int32"), ops.cast(outputs, "float32")
    count = ops.sum(ops.cast(targets != BLANK, "int32"), axis=1)
    frames = ops.full_like(count, outputs.shape[1])
    return ops.mean(ops.ctc_loss(targets, outputs, count, frames, mask_index=BLANK))


def greedy(logits: np.ndarray) -> list[Spike]:
    """The likeliest symbol of each frame, those side by side as one.

    Args:
        logits: [frames, symbols + 1].

    Example:
        >>> path = np.array([0, 2, 2, 0, 2, 1])
        >>> [(spike.symbol, spike.first, spike.last) for spike in greedy(20.0 * np.eye(3)[path])]
        [(2, 1, 2), (2, 4, 4), (1, 5, 5)]
    """
    if not len(logits):
        return []
    probabilities = np.exp(log_softmax(logits))
    return _spikes(probabilities.argmax(axis=1), probabilities)


def _spikes(path: np.ndarray, probabilities: np.ndarray) -> list[Spike]:
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    found = []
    for first, stop in zip(starts, [*starts[1:], len(path)], strict=True):
        symbol = int(path[first])
        if symbol != BLANK:
            sure = float(probabilities[first:stop, symbol].max())
            found.append(Spike(symbol, int(first), int(stop) - 1, sure))
    return found


def beam_search(logits: np.ndarray, beams: int = 8) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest sequences of symbols, each with its log-probability, which is the sum over all ways in which its
    symbols can stand in the frames (Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition
    using Bi-Directional Recurrent DNNs", arXiv:1408.2873, algorithm 1, without a language model).

    Args:
        logits: [frames, symbols + 1].
        beams: How many sequences are kept from frame to frame.
    """
    # Of each sequence: the log-probability of all ways that end in a blank, and of those that end in its last symbol.
    found: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for frame in log_softmax(np.asarray(logits, "float64")):
        found = _best(_after_frame(found, frame), beams)
    ranked = [(sequence, float(np.logaddexp(*ways))) for sequence, ways in found.items()]
    return sorted(ranked, key=lambda item: -item[1])


def _after_frame(
    found: dict[tuple[int, ...], tuple[float, float]], frame: np.ndarray
) -> dict[tuple[int, ...], tuple[float, float]]:
    blank = float(frame[BLANK])
    symbols = () if blank > SURE else [int(symbol) for symbol in np.flatnonzero(frame > LEAST) if symbol != BLANK]
    following: dict[tuple[int, ...], tuple[float, float]] = {}

    def add(sequence: tuple[int, ...], blank: float, symbol: float) -> None:
        before = following.get(sequence, (-np.inf, -np.inf))
        following[sequence] = float(np.logaddexp(before[0], blank)), float(np.logaddexp(before[1], symbol))

    for sequence, (in_blank, in_symbol) in found.items():
        either = float(np.logaddexp(in_blank, in_symbol))
        add(sequence, either + blank, in_symbol + float(frame[sequence[-1]]) if sequence else -np.inf)
        for symbol in symbols:
            # The same symbol once more is another one only where a blank stands between.
            before = in_blank if sequence and symbol == sequence[-1] else either
            if before > -np.inf:
                add((*sequence, symbol), -np.inf, before + float(frame[symbol]))
    return following


def _best(found: dict[tuple[int, ...], tuple[float, float]], beams: int) -> dict[tuple[int, ...], tuple[float, float]]:
    if len(found) <= beams:
        return found
    return dict(sorted(found.items(), key=lambda item: -np.logaddexp(*item[1]))[:beams])


def aligned(logits: np.ndarray, symbols: Sequence[int]) -> list[Spike]:
    """Where symbols most likely stand in the frames (the Viterbi path of those that spell them).

    Args:
        logits: [frames, symbols + 1], at least as many frames as symbols, and one more for each that stands beside
            its like.
        symbols: Numbers from 1.

    Raises:
        ValueError: There are fewer frames.
    """
    if not symbols:
        return []
    probabilities = np.asarray(log_softmax(np.asarray(logits, "float64")))
    # Blanks stand between all symbols, before and after them.
    states = np.zeros(2 * len(symbols) + 1, int)
    states[1::2] = symbols
    can_skip = np.zeros(len(states), bool)
    can_skip[3::2] = states[3::2] != states[1:-2:2]
    scores = np.full(len(states), -np.inf)
    scores[:2] = probabilities[0, states[:2]]
    steps = np.zeros([len(probabilities), len(states)], int)
    for frame in range(1, len(probabilities)):
        stay = scores
        step = np.concatenate([[-np.inf], scores[:-1]])
        skip = np.where(can_skip, np.concatenate([[-np.inf, -np.inf], scores[:-2]]), -np.inf)
        options = np.stack([stay, step, skip])
        steps[frame] = options.argmax(axis=0)
        scores = options.max(axis=0) + probabilities[frame, states]
    if scores[-2:].max() == -np.inf:
        raise ValueError(f"{len(symbols)} symbols do not fit into {len(probabilities)} frames")
    path = np.zeros(len(probabilities), int)
    path[-1] = len(states) - 1 - int(scores[-1] < scores[-2])
    for frame in range(len(path) - 1, 0, -1):
        path[frame - 1] = path[frame] - steps[frame, path[frame]]
    spikes = []
    for place, symbol in enumerate(symbols):
        frames = np.flatnonzero(path == 2 * place + 1)
        sure = float(np.exp(probabilities[frames, symbol].max()))
        spikes.append(Spike(int(symbol), int(frames[0]), int(frames[-1]), sure))
    return spikes
