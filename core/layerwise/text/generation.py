"""Writing a text token by token: which token comes next, when the text ends, and what of it can be shown already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from layerwise.errors import InputError, SpecError

Decode = Callable[[Sequence[int]], str]
"""The text of tokens."""


class Reader(Protocol):
    """A network that reads a text, and remembers of it what it likes. For one text and one thread at a time."""

    def read(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """Read a whole text.

        Args:
            tokens: One at least, and no more than the network takes.
            cancelled: Set when nobody waits for it any more.

        Returns:
            The logits of the token that follows, float32 [vocabulary]; None when it was cancelled.
        """
        ...

    def extend(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """Read more of the text. See `read`."""
        ...


UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""What a decoder writes for bytes that are no whole character."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is chosen.

    Args:
        temperature: What logits are divided by: below 1 the probable tokens gain. 0 takes the most probable one.
        top_k: Only so many of the most probable tokens are taken into account (Fan et al. 2018, arXiv:1805.04833);
            0 for all.
        top_p: Only the most probable tokens that have this probability together, with the one that reaches it (Holtzman
            et al. 2019, arXiv:1904.09751); 1 for all.
        repetition_penalty: By how much tokens that were there lose: their logits are divided by it, negative ones
            multiplied (Keskar et al. 2019, arXiv:1909.05858, section 4.1). 1 for nothing.
        seed: The same seed, prompt and settings give the same text. None for a new one each time.

    Raises:
        SpecError: A number is not usable.
    """

    temperature: float = 0.7
    top_k: int = 50
    top_p: float = 0.95
    repetition_penalty: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, is_usable, expected in (
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top_k", self.top_k >= 0, "0 or more"),
            ("top_p", 0 < self.top_p <= 1, "more than 0, at most 1"),
            ("repetition_penalty", self.repetition_penalty > 0, "more than 0"),
        ):
            if not is_usable:
                raise SpecError(f"{name} is not usable", expected=expected, received=repr(getattr(self, name)))


def candidates(logits: np.ndarray, sampling: Sampling, before: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
    """The tokens that may come next, the most probable first, and their probabilities.

    Args:
        logits: Float [vocabulary].
        before: The tokens that were there.
    """
    logits = np.asarray(logits, "float64").copy()
    if before and sampling.repetition_penalty != 1:
        seen = np.fromiter(set(before), int)
        logits[seen] = np.where(
            logits[seen] > 0, logits[seen] / sampling.repetition_penalty, logits[seen] * sampling.repetition_penalty
        )
    if sampling.temperature == 0:
        return np.array([logits.argmax()]), np.ones(1)
    tokens = np.arange(len(logits))
    if 0 < sampling.top_k < len(logits):
        tokens = np.argpartition(-logits, sampling.top_k - 1)[: sampling.top_k]
    tokens = tokens[np.argsort(-logits[tokens], kind="stable")]
    chances = np.exp((logits[tokens] - logits[tokens[0]]) / sampling.temperature)
    chances /= chances.sum()
    if sampling.top_p < 1:
        count = int(np.searchsorted(np.cumsum(chances), sampling.top_p)) + 1
        tokens, chances = tokens[:count], chances[:count]
    return tokens, chances / chances.sum()


class Sampler:
    """Draws one token after the other.

    Args:
        sampling: How.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def __call__(self, logits: np.ndarray, before: Collection[int] = ()) -> int:
        """The next token. See `candidates`."""
        tokens, chances = candidates(logits, self.sampling, before)
        drawn = int(np.searchsorted(np.cumsum(chances), self._random.random(), side="right"))
        # The sum of all may be a little less than 1.
        return int(tokens[min(drawn, len(tokens) - 1)])


class TextStream:
    """The text of tokens that come one by one. What may still change is held back: bytes that are no whole character
    yet, and what may be the beginning of a text that ends it.

    Args:
        decode: The text of tokens.
        stop_texts: Texts that end it and are no part of it.
    """

    def __init__(self, decode: Decode, stop_texts: Collection[str] = ()) -> None:
        self.is_stopped = False
        self._decode, self._stop_texts = decode, [text for text in stop_texts if text]
        self._tokens: list[int] = []
        self._known = self._shown = 0
        self._held = ""

    def add(self, token: int) -> str:
        """What can be shown since the token before."""
        self._tokens.append(token)
        # Together with the tokens before: some decoders treat the first token of a text in another way.
        former, text = self._decode(self._tokens[self._known : self._shown]), self._decode(self._tokens[self._known :])
        if text.endswith(UNKNOWN):
            return ""
        self._known, self._shown = self._shown, len(self._tokens)
        return self._checked(text[len(former) :])

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        if self.is_stopped:
            return ""
        former, text = self._decode(self._tokens[self._known : self._shown]), self._decode(self._tokens[self._known :])
        self._known = self._shown = len(self._tokens)
        return self._checked(text[len(former) :]) + ("" if self.is_stopped else self._held)

    def _checked(self, new: str) -> str:
        text = self._held + new
        found = [place for place in map(text.find, self._stop_texts) if place >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            return text[: min(found)]
        begun = max((_overlap(text, stop) for stop in self._stop_texts), default=0)
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the beginning of another."""
    most = min(len(text), len(stop) - 1)
    return next((count for count in range(most, 0, -1) if stop.startswith(text[-count:])), 0)


def room_for(most: int, context: int) -> int:
    """How many tokens a prompt may have, so that there is room for `most` more, or for half of the context if that is
    less."""
    return context - min(most, context // 2)


def shortened(tokens: Sequence[int], most: int, keep: int = 0) -> tuple[list[int], int]:
    """A prompt without its oldest part.

    Args:
        most: How many tokens may be left.
        keep: How many at its beginning stay in any case: what the network was told before the conversation.

    Returns:
        What is left; how many tokens are gone.

    Example:
        >>> shortened([1, 2, 3, 4, 5, 6], 4, keep=1)
        ([1, 4, 5, 6], 2)
    """
    dropped = max(0, len(tokens) - most)
    keep = min(keep, most) if dropped else keep
    return [*tokens[:keep], *tokens[keep + dropped :]], dropped


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A text that is being written.

    Args:
        text: All that can be shown so far.
        tokens: All that were written.
        pieces: The text in the parts that came at a time, mostly a token each, and how probable the network found the
            last token of each, whatever the settings made of that.
        dropped: How many tokens of the prompt did not fit and were left out.
        ended: Why it ended: "stop token", "stop text", "length" (as long as was asked for), "context" (the network
            takes no more) or "cancelled"; empty while it goes on.
    """

    text: str = ""
    tokens: tuple[int, ...] = ()
    pieces: tuple[tuple[str, float], ...] = ()
    dropped: int = 0
    ended: str = ""


def generate(
    reader: Reader,
    prompt: Sequence[int],
    decode: Decode,
    *,
    sampling: Sampling,
    most: int,
    context: int,
    stop_tokens: Collection[int] = (),
    stop_texts: Collection[str] = (),
    keep: int = 0,
    cancelled: threading.Event | None = None,
) -> Iterator[Generated]:
    """Write what follows a prompt, and show it as it grows.

    Args:
        reader: The network.
        prompt: Its tokens. The oldest of them are left out where it and `most` tokens, or half the context if that is
            less, are more than the context; `Generated.dropped` tells how many.
        decode: The text of tokens.
        most: The most tokens that are written.
        context: The most tokens of prompt and answer together.
        stop_tokens: Tokens that end it.
        stop_texts: Texts that end it and are no part of it.
        keep: How many tokens at the beginning of the prompt are never left out.
        cancelled: Set when nobody waits for it any more; looked at before each token.

    Yields:
        The text so far, whenever there is more to show; the last one says why it ended.

    Raises:
        InputError: The prompt is empty.
    """
    if not len(prompt):
        raise InputError("There is nothing to go on from", remedy="write something")
    text, dropped = shortened(prompt, room_for(most, context), keep)
    stream, sampler = TextStream(decode, stop_texts), Sampler(sampling)
    state = Generated(dropped=dropped)
    seen, logits = set(text), reader.read(text, cancelled)
    while not state.ended:
        ended, new, chance = "", "", 1.0
        if logits is None or (cancelled is not None and cancelled.is_set()):
            ended = "cancelled"
        elif (token := sampler(logits, seen)) in stop_tokens:
            ended = "stop token"
        else:
            seen.add(token)
            new, chance = stream.add(token), _chance(logits, token)
            state = replace(state, tokens=(*state.tokens, token))
            ended = "stop text" if stream.is_stopped else _full(len(state.tokens), most, context - len(text))
        if ended:
            new += stream.rest()
        pieces = (*state.pieces, (new, chance)) if new else state.pieces
        state = replace(state, text=state.text + new, pieces=pieces, ended=ended)
        if new or ended:
            yield state
        if not ended:
            logits = reader.extend(state.tokens[-1:], cancelled)


def _chance(logits: np.ndarray, token: int) -> float:
    """The probability of a token."""
    largest = logits.max()
    return float(np.exp(logits[token] - largest) / np.exp(logits - largest).sum())


def _full(count: int, most: int, room: int) -> str:
    """Why so many tokens are enough, empty if they are not."""
    if count >= most:
        return "length"
    return "context" if count >= room else ""
