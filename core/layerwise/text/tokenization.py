"""Tokenizers: texts to numbers, and back. They are those of Hugging Face's `tokenizers`, trained here on the texts that
a network learns from, and kept in its format, a `tokenizer.json` beside the weights.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.text.text_file import TextFile

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

FILE = "tokenizer.json"
PAD, BEGIN, END = 0, 1, 2
"""The first tokens of each vocabulary here: what fills a short text up, and the beginning and the end of a text."""
OPEN_ROWS = 32
"""How many rows `packed` tries to fill at a time."""
_SPECIAL = ("<pad>", "<s>", "</s>")
_WORDS = r"\w+?(?=n't\b)|n't\b|'\w+|\w+|[^\w\s]"
"""Words, clitics of English ("do", "n't"; "film", "'s") and punctuation, so that it does not matter whether a text was
divided at them before."""


def train_words(texts: Iterable[str], size: int) -> TextFile:
    """A tokenizer for texts that are only read: words without case, and not what is between them.

    Args:
        size: The most tokens of the vocabulary, 260 at least.

    Example:
        >>> words = tokenizer_of(train_words(["I don't like it.", "I like it!"], 300))
        >>> words.decode(words.encode("I DO  n't like it.").ids)
        " i do n't like it ."
    """
    from tokenizers import Regex, normalizers, pre_tokenizers

    found = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    marked = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    return _trained(
        texts,
        size,
        normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace("’", "'")]),
        pre_tokenizer=pre_tokenizers.Sequence([found, marked]),
    )


def train_pieces(texts: Iterable[str], size: int, special: Sequence[str] = ()) -> TextFile:
    """A tokenizer for texts that are read and written, which come back as they were, but for a space before them.

    Args:
        size: The most tokens of the vocabulary, 260 at least.
        special: Tokens that no text is made of, for what is to be told beside the text.

    Example:
        >>> pieces = tokenizer_of(train_pieces(["Guten Morgen.", "Good morning."], 300))
        >>> pieces.decode(pieces.encode("Guten  Morgen, 映画 😀").ids)
        ' Guten  Morgen, 映画 😀'
    """
    from tokenizers import normalizers, pre_tokenizers

    pieces = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return _trained(texts, size, normalizer=normalizers.NFC(), pre_tokenizer=pieces, special=special)


def _trained(
    texts: Iterable[str], size: int, *, normalizer: Any, pre_tokenizer: Any, special: Sequence[str] = ()
) -> TextFile:
    """Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) of bytes (Radford et al. 2019, section 2.2): there is
    no text of any script that it cannot say. The same texts give the same tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[*_SPECIAL, *special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return TextFile(FILE, tokenizer.to_str())


@functools.lru_cache(maxsize=16)
def tokenizer_of(file: TextFile) -> Tokenizer:
    """The tokenizer that a `tokenizer.json` describes. Thread-safe as long as nobody changes it.

    Raises:
        SpecError: It describes none.
    """
    from tokenizers import Tokenizer

    from layerwise.errors import SpecError

    try:
        return Tokenizer.from_str(file.content)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # nothing more particular, and where it panics not even an Exception
        raise SpecError(f"{file.name} describes no tokenizer", received=str(error)[:300]) from error


def encode_texts(file: TextFile, texts: Sequence[str], length: int) -> np.ndarray:
    """The tokens of texts, int32 [texts, length]: cut off at the end, or filled up with `PAD`."""
    import numpy as np

    found = np.full((len(texts), length), PAD, "int32")
    for row, encoding in zip(
        found, tokenizer_of(file).encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        tokens = encoding.ids[:length]
        row[: len(tokens)] = tokens
    return found


def without_special(file: TextFile, text: str) -> str:
    """A text that holds no special token: whoever writes "</s>" ends nothing. What looks like one is divided by a
    space."""
    pattern = _special_pattern(file)
    return pattern.sub(lambda match: f"{match.group()} ", text) if pattern is not None else text


@functools.lru_cache(maxsize=16)
def _special_pattern(file: TextFile) -> re.Pattern[str] | None:
    """The first character of each special token."""
    names = [token.content for token in tokenizer_of(file).get_added_tokens_decoder().values() if token.special]
    parts = [f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in names if len(name) > 1]
    return re.compile("|".join(parts)) if parts else None


def packed(parts: Sequence[np.ndarray], counts: Sequence[np.ndarray] | None = None, seed: int = 0) -> list[np.ndarray]:
    """Examples one after the other in rows of the same length, in a random order, so that little of a row is padding
    (Krell et al. 2021, arXiv:2107.02027).

    Args:
        parts: Arrays of tokens, int32 [examples, length], each example from the beginning of its row on: what belongs
            together, such as sources and targets, and stays in the same rows.
        counts: How many places of each example count, int [examples] for each part; None for those up to its padding.
        seed: Decides the order.

    Returns:
        The same, int32 [fewer rows, length] each.
    """
    import numpy as np

    counts = counts or [(part != PAD).sum(axis=1) for part in parts]
    length, needed = parts[0].shape[1], np.max(counts, axis=0)
    rows: list[list[int]] = []
    # Of those that have room left only the newest, so that the time grows with the examples and not with their square.
    rooms: deque[tuple[list[int], int]] = deque(maxlen=OPEN_ROWS)
    for example in np.random.default_rng(seed).permutation(len(needed)).tolist():
        need = int(needed[example])
        place = next((place for place, (_, room) in enumerate(rooms) if room >= need), None)
        if place is None:
            rows.append([example])
            rooms.append((rows[-1], length - need))
        else:
            row, room = rooms[place]
            row.append(example)
            rooms[place] = row, room - need
    found = [np.full((len(rows), length), PAD, "int32") for _ in parts]
    for part, count, whole in zip(parts, counts, found, strict=True):
        for place, row in enumerate(rows):
            tokens = np.concatenate([part[example, : count[example]] for example in row])
            whole[place, : len(tokens)] = tokens
    return found


def token_names(file: TextFile, count: int) -> list[str]:
    """A name for each token, no two of them the same. Spaces and ends of lines are shown.

    Args:
        count: How many tokens the network has; there may be more than the tokenizer uses.
    """
    tokenizer = tokenizer_of(file)
    names = (tokenizer.id_to_token(number) for number in range(count))
    # The letters that stand for these bytes in a vocabulary of bytes.
    shown = str.maketrans({"Ġ": "␣", "Ċ": "⏎", "ĉ": "⇥"})
    return [f"token {number}" if name is None else name.translate(shown) for number, name in enumerate(names)]


def names_of(file: TextFile, tokens: Sequence[int]) -> list[str]:
    """What tokens stand for, for those who look into a network; empty for padding."""
    tokenizer = tokenizer_of(file)
    return [
        "" if token == PAD else tokenizer.decode([int(token)], skip_special_tokens=False).strip() for token in tokens
    ]
