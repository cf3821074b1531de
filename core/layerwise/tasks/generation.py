"""What all tasks have in common whose answer is written token by token: how it is chosen, and how networks learn it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.tasks.base import Answer
from layerwise.tasks.fields import Field
from layerwise.tasks.texts import Texts
from layerwise.text.tokenization import END, PAD

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.text.generation import Generated, Sampling
    from layerwise.versions import Version

MOST_TOKENS, USUAL_TOKENS = 2048, 256
SAMPLING = (
    Field(
        name="temperature",
        kind="number",
        label="Temperature: 0 writes the most probable, more is more daring",
        minimum=0,
        maximum=2,
        default=0.7,
        advanced=True,
    ),
    Field(
        name="top_k",
        kind="number",
        label="Top k: only so many of the most probable tokens, 0 for all",
        minimum=0,
        maximum=200,
        default=50,
        advanced=True,
    ),
    Field(
        name="top_p",
        kind="number",
        label="Top p: only the most probable tokens that have this probability together",
        minimum=0.01,
        maximum=1,
        default=0.95,
        advanced=True,
    ),
    Field(
        name="repetition_penalty",
        kind="number",
        label="Repetition penalty: more than 1 avoids tokens that were there",
        minimum=1,
        maximum=2,
        default=1.1,
        advanced=True,
    ),
    Field(
        name="max_tokens",
        kind="number",
        label="Most tokens",
        minimum=1,
        maximum=MOST_TOKENS,
        default=USUAL_TOKENS,
        advanced=True,
    ),
    Field(
        name="seed",
        kind="number",
        label="Seed: the same one gives the same text",
        minimum=0,
        optional=True,
        advanced=True,
    ),
)
"""How the next token is chosen, as `layerwise.text.generation.Sampling` says, and how many at most."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a text goes on from.

    Args:
        tokens: Its tokens.
        text: What of it belongs to the answer.
        note: What the reader should know: that not all of it could be used.
    """

    tokens: Sequence[int]
    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A part of a text that a network learns from at a time.

    Args:
        example: Whose it is.
        tokens: One more than the network takes, at most.
        counts: Of each token whether it is to be learned; the first is not, as nothing goes before it.
    """

    example: int
    tokens: Sequence[int]
    counts: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class Generation(Texts):
    """A text that is written token by token, by a network that says which token follows each: tokens int32
    [examples, places] in, logits [examples, places, tokens] out. What fills a text up at its end, 0, must change
    nothing before it.

    Subclasses give `prompt_of`, `answer_of`, `rows_of` and `characters_of`.

    Args:
        length: How many tokens a row of training has.
        stop_tokens: Those that end what is written.

    Raises:
        SpecError: A value is not usable.
    """

    metric: ClassVar[str] = "perplexity"
    metric_between: ClassVar[str] = "bits_per_character"
    network_takes: ClassVar[str] = "Tokens of texts [text, place], as tokenizer.json numbers them; 0 after the end."
    network_gives: ClassVar[str] = "Logits [text, place, token] of the token that follows each."
    length: int = 256
    stop_tokens: tuple[int, ...] = (END,)

    def prompt_of(self, inputs: Mapping[str, Any], room: int) -> Prompt:
        """What is to be gone on from.

        Args:
            room: The most tokens that it may have.

        Raises:
            InputError: There is nothing.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what a text goes on from")

    def answer_of(self, prompt: Prompt, generated: Generated) -> Answer:
        """What is answered when so much was written."""
        raise NotImplementedError(f"{type(self).__name__} must say what is answered")

    def rows_of(self, examples: Sequence[Any]) -> list[Row]:
        """What is learned from the examples of a data set."""
        raise NotImplementedError(f"{type(self).__name__} must say what is learned")

    def characters_of(self, example: Any) -> int:
        """How many characters of an example are learned."""
        raise NotImplementedError(f"{type(self).__name__} must say how long its examples are")

    def sampling_of(self, inputs: Mapping[str, Any]) -> Sampling:
        """How the next token is chosen."""
        from layerwise.text.generation import Sampling

        given = {field.name: field.value(inputs.get(field.name)) for field in SAMPLING}
        return Sampling(
            temperature=given["temperature"],
            top_k=int(given["top_k"]),
            top_p=given["top_p"],
            repetition_penalty=given["repetition_penalty"],
            seed=None if given["seed"] is None else int(given["seed"]),
        )

    def most_of(self, inputs: Mapping[str, Any]) -> int:
        """The most tokens that are written."""
        field = next(field for field in SAMPLING if field.name == "max_tokens")
        return int(field.value(inputs.get(field.name)))

    def text_of_tokens(self, tokens: Sequence[int]) -> str:
        """The text of tokens that were written."""
        from layerwise.text.tokenization import tokenizer_of

        return tokenizer_of(self.known_tokenizer).decode(list(tokens))

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """What is gone on from, int32 [1, tokens], with the oldest part left out if there is no room for it.

        Raises:
            InputError: There is nothing.
        """
        import numpy as np

        return np.array([self.prompt_of(inputs, self.length).tokens], "int32")

    @property
    def output_names(self) -> list[str]:
        """The tokens, as those see them who look into the network."""
        from layerwise.text.tokenization import token_names

        return token_names(self.known_tokenizer, self.vocabulary) if self.tokenizer is not None else []

    def explained(self, outputs: Any) -> Any:
        """The scores of the token that follows the last one, [examples, tokens]."""
        return outputs[:, -1]

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        """What writes: the network reads all of the text again for each token."""
        from layerwise.specs import resolve
        from layerwise.text.writing import WritingRunner

        return WritingRunner(version, resolve(spec.build)(version.config, version.task), context=self.length)

    def to_train_on(self, split: Split) -> Split:
        """Rows of tokens, several short texts in one, and which token follows each."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.text.tokenization import packed

        rows = self.rows_of([split.inputs[place] for place in range(len(split))])
        tokens, targets = self.arrays_of(rows)
        counts = np.array([len(row.tokens) - 1 for row in rows])
        return Split(*packed([tokens, targets], [counts, counts]))

    def arrays_of(self, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
        """Tokens, and of each the one that follows, 0 where that is not learned: int32 [rows, length]."""
        import numpy as np

        tokens, targets = (np.full((len(rows), self.length), PAD, "int32") for _ in range(2))
        for number, row in enumerate(rows):
            count = len(row.tokens) - 1
            tokens[number, :count] = row.tokens[:-1]
            targets[number, :count] = np.where(row.counts[1:], row.tokens[1:], PAD)
        return tokens, targets

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats of the tokens that follow, their mean, its targets smoothed by
        `config.label_smoothing`."""
        from layerwise.tasks.next_token import token_cross_entropy

        return token_cross_entropy(config.label_smoothing)

    def training_metrics(self) -> dict[str, Callable]:
        """The share of tokens that were thought of first."""
        from layerwise.tasks.next_token import token_accuracy

        return {"token_accuracy": token_accuracy}

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """How well the network foretells texts that it has not seen, each from its beginning: the perplexity, e to the
        mean cross-entropy of a token, which depends on what is a token; the bits that it needs for a character, which
        does not; the share of tokens that it thought of first.

        Args:
            outputs: Of each example its "nats", the cross-entropy of all its tokens, and how many "tokens", "hits" and
                "characters" there were.
            targets: Not needed: the right tokens are those of the texts.
        """
        import numpy as np

        nats, tokens, hits, characters = (
            float(np.sum(outputs[name])) for name in ("nats", "tokens", "hits", "characters")
        )
        return {
            "perplexity": float(np.exp(nats / max(tokens, 1))),
            "bits_per_character": nats / np.log(2) / max(characters, 1),
            "token_accuracy": hits / max(tokens, 1),
        }

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.ones((1, self.length), "int32")
