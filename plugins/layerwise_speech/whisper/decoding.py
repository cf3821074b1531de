"""How Whisper writes down a window of sound: which token may come next, when a text is to be tried again, and what of
it was said when (Radford et al. 2022, arXiv:2212.04356, section 4.5)."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.losses import log_softmax
from layerwise.text.generation import Decode, Sampler, Sampling
from layerwise_speech.whisper.cache import KeyValueCache
from layerwise_speech.whisper.tokens import SpecialTokens

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""A text that is doubtful is written again at the next one."""
MOST_COMPRESSED = 2.4
"""A text that gets shorter than by this factor when it is compressed says the same again and again."""
LEAST_LOG_PROBABILITY = -1.0
"""Below this mean of its tokens a text is doubtful."""
MOST_NO_SPEECH = 0.6
"""A text that is doubtful is none where nobody speaks with a greater probability than this."""
SURELY_NO_SPEECH, HARDLY_LOG_PROBABILITY = 0.8, -0.5
"""The same for a text that is less doubtful, where it is more probable that nobody speaks: beyond the paper, for quiet
rooms, of which tiny.en else writes "you". It gave 46 real recordings of words up to 0.63 (and 0.94 to one that it did
not understand), 14 of noise from 0.83 on."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written of a window.

    Args:
        tokens: Timestamps and text.
        log_probabilities: Of each token among those that were allowed, and at last of the end, if it came to it.
        no_speech: The probability that nobody speaks.
        text: The tokens' text.
        temperature: At which it was written.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    no_speech: float
    text: str
    temperature: float

    @property
    def log_probability(self) -> float:
        """The mean over tokens, the end included."""
        return float(np.mean(self.log_probabilities))

    @property
    def is_improbable(self) -> bool:
        """Whether the network hardly thinks so itself."""
        return self.log_probability < LEAST_LOG_PROBABILITY

    @property
    def is_silent(self) -> bool:
        """Whether nobody speaks, whatever the text says."""
        if self.no_speech > SURELY_NO_SPEECH:
            return self.log_probability < HARDLY_LOG_PROBABILITY
        return self.is_improbable and self.no_speech > MOST_NO_SPEECH

    @property
    def is_doubtful(self) -> bool:
        """Whether it is better tried again."""
        return not self.is_silent and (self.is_improbable or compression_ratio(self.text) > MOST_COMPRESSED)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of what was said in a window, between two timestamps.

    Args:
        tokens: Of its text.
        start, end: In steps of a timestamp from the beginning of the window.
        log_probability: The mean over its tokens.
    """

    tokens: tuple[int, ...]
    start: int
    end: int
    log_probability: float


def allowed(logits: np.ndarray, written: Sequence[int], special: SpecialTokens) -> np.ndarray:
    """The logits of what may come next; minus infinity for all else.

    A text is made of segments, each of a timestamp, text, and a timestamp that is later. The first begins within the
    first second. Where timestamps are together more probable than any word, one of them follows.

    Args:
        logits: Float32 [vocabulary].
        written: What was written after the prompt.
    """
    first, logits = special.first_timestamp, logits.copy()
    logits[[*special.suppressed, special.no_timestamps]] = -np.inf
    if not written:
        logits[:first] = -np.inf
        if special.latest_start is not None:
            logits[first + special.latest_start + 1 :] = -np.inf
        return logits
    is_timestamp = written[-1] >= first
    is_begun = is_timestamp and (len(written) < 2 or written[-2] >= first)
    if is_begun:
        logits[first:] = -np.inf
    elif is_timestamp:  # the next segment, or the end
        logits[: special.end] = -np.inf
    latest = max((token for token in written if token >= first), default=first)
    # A segment may begin when the one before ends, but takes some time itself.
    logits[first : latest + (0 if is_timestamp and not is_begun else 1)] = -np.inf
    chances = np.exp(logits - logits.max())
    if chances[first:].sum() > chances[:first].max():
        logits[:first] = -np.inf
    return logits


def write(
    cache: KeyValueCache,
    begun: np.ndarray,
    special: SpecialTokens,
    *,
    temperature: float,
    most: int,
    cancelled: threading.Event | None = None,
) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """Write what follows a prompt.

    Args:
        cache: That has read the prompt.
        begun: The logits of what follows it, float32 [vocabulary].
        temperature: 0 takes the most probable token each time; see `layerwise.text.generation.Sampling`.
        most: The most tokens.
        cancelled: Set when nobody waits for it any more.

    Returns:
        The tokens without the end; the log-probabilities of these and of the end. None when it was cancelled.
    """
    # The same sound always gives the same text.
    sampler = Sampler(Sampling(temperature=temperature, top_k=0, top_p=1.0, seed=0))
    tokens: list[int] = []
    chances: list[float] = []
    logits = begun
    while True:
        if cancelled is not None and cancelled.is_set():
            return None
        logits = allowed(logits, tokens, special)
        token = sampler(logits)
        chances.append(float(log_softmax(logits)[token]))
        if token == special.end:
            break
        tokens.append(token)
        if len(tokens) == most:
            break
        logits = cache.extend([token])[-1]
    return tuple(tokens), tuple(chances)


def write_down(
    cache: KeyValueCache,
    prompt: Sequence[int],
    special: SpecialTokens,
    decode: Decode,
    *,
    most: int,
    cancelled: threading.Event | None = None,
) -> Written | None:
    """Write what is said in a window, again at a higher temperature as long as it is doubtful.

    Args:
        cache: That knows the sound, and has read nothing or some of the prompt.
        prompt: What the text begins with.
        decode: The text of tokens, without those that no text is made of.
        most: The most tokens after the prompt.
        cancelled: Set when nobody waits for it any more.

    Returns:
        What was written last; None when it was cancelled.
    """
    cache.rewind(0)
    begun = cache.extend(prompt)
    no_speech = float(np.exp(log_softmax(begun[0])[special.no_speech]))
    written = None
    for temperature in TEMPERATURES:
        cache.rewind(len(prompt))
        found = write(cache, begun[-1], special, temperature=temperature, most=most, cancelled=cancelled)
        if found is None:
            return None
        tokens, chances = found
        written = Written(
            tokens=tokens,
            log_probabilities=chances,
            no_speech=no_speech,
            text=decode([token for token in tokens if token < special.end]).strip(),
            temperature=temperature,
        )
        if not written.is_doubtful:
            break
    return written


def compression_ratio(text: str) -> float:
    """How many times as short a text gets when it is compressed.

    Example:
        >>> compression_ratio("again and " * 40) > 2.4 > compression_ratio("What he says once is not much shorter.")
        True
    """
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def segments_of(written: Written, special: SpecialTokens, num_steps: int) -> tuple[list[Segment], int]:
    """What was said in a window, and how much of the window is done with.

    Args:
        num_steps: How long the window is, in steps of a timestamp.

    Returns:
        The segments, those without text included. Up to where they are to be believed, in steps: all of it, but where
        the text goes on after the last whole segment, it was cut off by the end of the window and is heard again.
    """
    tokens, first = written.tokens, special.first_timestamp
    is_timestamp = [token >= first for token in tokens]
    cuts = [place for place in range(1, len(tokens)) if is_timestamp[place - 1] and is_timestamp[place]]
    is_whole = is_timestamp[-2:] == [False, True]
    if not cuts or is_whole:
        cuts.append(len(tokens))
    segments = []
    for begin, stop in zip([0, *cuts[:-1]], cuts, strict=True):
        times = [token - first for token in tokens[begin:stop] if token >= first]
        text = [place for place in range(begin, stop) if tokens[place] < special.end]
        segments.append(
            Segment(
                tokens=tuple(tokens[place] for place in text),
                start=times[0] if times else 0,
                end=min(times[-1], num_steps) if len(times) > 1 else num_steps,
                log_probability=float(np.mean([written.log_probabilities[place] for place in text])) if text else 0.0,
            )
        )
    return segments, num_steps if is_whole or cuts == [len(tokens)] else segments[-1].end
