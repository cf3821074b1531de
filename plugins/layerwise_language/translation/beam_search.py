"""Beam search: of all texts that a network could write, those that it thinks most probable, as far as looking at a few
beginnings at a time finds them (Graves 2012, arXiv:1211.3711)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.losses import log_softmax
from layerwise.text.tokenization import END, PAD

Arrays = Mapping[str, np.ndarray]
LENGTH_PENALTY = 0.8
"""The power of the length by which the score of a text is divided: otherwise short ones win (Wu et al. 2016,
arXiv:1609.08144, section 7)."""


@dataclass(frozen=True)
class Written:
    """A text that was written.

    Args:
        tokens: Without the first token and the end.
        score: The mean of the logarithms of the probabilities, the length counted by LENGTH_PENALTY.
        looked: Where it looked in the source while it wrote each token and the end, [tokens + 1, places].
    """

    tokens: tuple[int, ...]
    score: float
    looked: np.ndarray


def beam_search(
    write: Callable[[Arrays], Arrays],
    memory: Arrays,
    source: np.ndarray,
    first: np.ndarray,
    *,
    beams: int,
    most: int,
    cancelled: threading.Event | None = None,
) -> list[list[Written]]:
    """The most probable texts for each source, the best first, at most `beams` of them.

    Args:
        write: The network that writes one token more, as `layerwise_language.translation.network.Transformer.writer`.
        memory: What is remembered of the sources, "key_N" and "value_N" [sources, heads, length, size].
        source: Tokens [sources, length].
        first: The token that each text begins with [sources].
        beams: How many beginnings are looked at.
        most: The most tokens of a text.
        cancelled: Set when nobody waits for it any more; what there is by then is given.
    """
    count, length = source.shape
    given = {name: np.repeat(array, beams, axis=0) for name, array in memory.items()}
    past = {f"past_{name}": np.zeros_like(array) for name, array in given.items()}
    sources = np.repeat(source, beams, axis=0)
    token = np.repeat(first.astype("int32"), beams)
    written = np.zeros((count, beams, most), "int32")
    looked = np.zeros((count, beams, most, length), "float32")
    scores = np.full((count, beams), -np.inf)
    scores[:, 0] = 0.0  # at first all beginnings are the same
    found: list[list[Written]] = [[] for _ in range(count)]
    num_tokens = 0
    for place in range(most):
        if cancelled is not None and cancelled.is_set():
            break
        places = np.full((len(token), 1), place, "int32")
        outputs = write({"token": token[:, None], "place": places, "source": sources, **given, **past})
        for name in given:
            past[f"past_{name}"][:, :, place] = outputs[name][:, :, 0]
        looked[:, :, place] = outputs["looked"].reshape(count, beams, length)
        chances = log_softmax(outputs["logits"]).reshape(count, beams, -1)
        chances[:, :, PAD] = -np.inf
        _end(found, written, looked, scores + chances[:, :, END], place, beams)
        chances[:, :, END] = -np.inf
        parents, token, scores = _best(scores[:, :, None] + chances, beams)
        rows = (np.arange(count)[:, None] * beams + parents).reshape(-1)
        past = {name: array[rows] for name, array in past.items()}
        written = np.take_along_axis(written, parents[:, :, None], axis=1)
        looked = np.take_along_axis(looked, parents[:, :, None, None], axis=1)
        written[:, :, place] = token.reshape(count, beams)
        num_tokens = place + 1
        if _is_settled(found, scores, place + 1, beams):
            break
    for number, texts in enumerate(found):
        if not texts:  # it found no end
            tokens = tuple(written[number, 0, :num_tokens].tolist())
            score = float(scores[number, 0]) / _weight(max(num_tokens, 1))
            texts.append(Written(tokens, score, looked[number, 0, : len(tokens) + 1].copy()))
        texts.sort(key=lambda text: -text.score)
        del texts[beams:]
    return found


def _end(
    found: list[list[Written]], written: np.ndarray, looked: np.ndarray, scores: np.ndarray, place: int, beams: int
) -> None:
    """Keep the texts that could end at `place`: those that are among the best that were found."""
    for number, texts in enumerate(found):
        for beam in np.argsort(-scores[number], kind="stable")[:beams]:
            score = float(scores[number, beam]) / _weight(place + 1)
            worst = min((text.score for text in texts), default=-np.inf)
            if np.isfinite(score) and (len(texts) < beams or score > worst):
                tokens = tuple(written[number, beam, :place].tolist())
                texts.append(Written(tokens, score, looked[number, beam, : place + 1].copy()))
                texts.sort(key=lambda text: -text.score)
                del texts[beams:]


def _best(scores: np.ndarray, beams: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best continuations of [sources, beams, tokens]: which beginning each goes on from [sources, beams], its token
    [sources * beams] and its score [sources, beams]."""
    count, _, vocabulary = scores.shape
    flat = scores.reshape(count, -1)
    chosen = np.argpartition(-flat, beams - 1, axis=1)[:, :beams]
    chosen = np.take_along_axis(chosen, np.argsort(-np.take_along_axis(flat, chosen, 1), axis=1, kind="stable"), 1)
    return chosen // vocabulary, (chosen % vocabulary).reshape(-1).astype("int32"), np.take_along_axis(flat, chosen, 1)


def _is_settled(found: list[list[Written]], scores: np.ndarray, length: int, beams: int) -> bool:
    """Whether enough texts were found for each source, and no beginning is better than the best of them by now."""
    return all(
        len(texts) == beams and scores[number, 0] / _weight(length) <= texts[0].score
        for number, texts in enumerate(found)
    )


def _weight(length: int) -> float:
    return float(length) ** LENGTH_PENALTY
