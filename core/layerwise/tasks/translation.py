"""A text in one language in, the same in another language out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.tasks.texts import Texts

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.splits import Split

SPECIAL = ("<to-1>", "<to-2>")
"""What a translation begins with: the language that it is in."""


@dataclass(frozen=True, kw_only=True)
class Translation(Texts):
    """A text in another language, both ways between two, or one way.

    A data set has pairs: its inputs are texts of the first language, its targets for each a text of the second, or a
    tuple of several, arrays of objects [pairs]. The network takes "source" and "target", tokens int32 [examples,
    length], the target without its last token and after the token of its language (Johnson et al. 2017,
    arXiv:1611.04558), and gives logits [examples, length, tokens] of the token that follows each.

    Args:
        languages: The names of both.
        length: The most tokens of a text. Longer ones are translated in parts.
        vocabulary: The most tokens that there are, of both languages together.
        is_one_way: Whether texts can be translated from the first language to the second only.
        trained_words: How many words the texts had that it was trained on, nine of ten at most; 0 before a training.
        tokenizer: As from `layerwise.text.tokenization.train_pieces` with SPECIAL; None before a training.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = Translation(languages=("English", "German"))
        >>> task.directions
        ('English to German', 'German to English')
    """

    type_name: ClassVar[str] = "translation"
    metric: ClassVar[str] = "bleu"
    network_takes: ClassVar[str] = (
        "Tokens [text, place], as tokenizer.json numbers them: of the source with </s> at its end, and of what is "
        "written of the target, beginning with <to-1> or <to-2> for its language; 0 after the end."
    )
    network_gives: ClassVar[str] = "Logits [text, place, token] of the token that follows each of the target."
    folder_format: ClassVar[str] = """A CSV, TSV or Parquet file with two columns, the languages in its first line:

    english<tab>german
    Good morning.<tab>Guten Morgen.

At least 10 pairs. A fifth of them is held out to test the result; or divide them yourself into `train.tsv` and
`test.tsv`.
"""
    least_length: ClassVar[int] = 4
    least_vocabulary: ClassVar[int] = 300
    languages: tuple[str, str]
    length: int = 48
    trained_words: int = 0
    is_one_way: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        languages = tuple(self.languages)
        if len(set(languages)) != 2 or not all(isinstance(name, str) and name for name in languages):
            raise SpecError(
                "Translation: languages are not usable", expected="two different names", received=repr(self.languages)
            )
        object.__setattr__(self, "languages", languages)

    @property
    def directions(self) -> tuple[str, ...]:
        """Both ways, as a reader chooses them; or the one that there is."""
        first, second = self.languages
        there, back = f"{first} to {second}", f"{second} to {first}"
        return (there,) if self.is_one_way else (there, back)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(name="text", kind="text", label="Text"),
            Field(
                name="direction",
                kind="choice",
                label="From and to",
                choices=self.directions,
                default=self.directions[0],
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="translation", kind="text", label="Translation"),
            Field(name="note", kind="text", label="Mind this", optional=True),
            Field(name="alternatives", kind="table", label="What else it thought of"),
            Field(name="alignment", kind="plot", label="Where it looked while it wrote each word"),
        )

    def direction_of(self, inputs: Mapping[str, Any]) -> int:
        """0 from the first language to the second, 1 back."""
        return self.directions.index(inputs.get("direction") or self.directions[0])

    def first_token(self, direction: int) -> int:
        """What a translation begins with."""
        from layerwise.text.tokenization import tokenizer_of

        token = tokenizer_of(self.known_tokenizer).token_to_id(SPECIAL[1 - direction])
        if token is None:
            raise SpecError(f"The tokenizer has no token {SPECIAL[1 - direction]}")
        return token

    def encode_sources(self, texts: Sequence[str]) -> np.ndarray:
        """Tokens with the end, int32 [texts, length]; of a text that is too long the beginning."""
        import numpy as np

        from layerwise.text.tokenization import END, PAD, encode_texts

        tokens = encode_texts(self.known_tokenizer, texts, self.length)
        counts = np.minimum((tokens != PAD).sum(axis=1), self.length - 1)
        tokens[:, -1] = PAD
        tokens[np.arange(len(tokens)), counts] = END
        return tokens

    def encode(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The source and an empty target, each int32 [1, length].

        Raises:
            InputError: There is no text.
        """
        import numpy as np

        source = self.encode_sources([self.text_of(inputs)])
        target = np.zeros_like(source)
        target[0, 0] = self.first_token(self.direction_of(inputs))
        return {"source": source, "target": target}

    def part_names(self, encoded: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
        """What each token stands for."""
        from layerwise.text.tokenization import names_of

        return {name: names_of(self.known_tokenizer, tokens[0]) for name, tokens in encoded.items()}

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """The tokens that the network thinks follow, as texts: what it writes is found by searching (`runner`)."""
        import numpy as np

        from layerwise.text.tokenization import tokenizer_of

        tokens = np.asarray(outputs).argmax(axis=-1)
        return [
            {"translation": text.strip()} for text in tokenizer_of(self.known_tokenizer).decode_batch(tokens.tolist())
        ]

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With a tokenizer, that of the version to begin with or one that is trained on both languages, and the usual
        number of words."""
        import numpy as np

        from layerwise.text.tokenization import train_pieces

        texts = [[str(side[place]) for place in range(len(train))] for side in (train.inputs, train.targets)]
        counts = [len(text.split()) for side in texts for text in side]
        known = dataclasses.replace(self, trained_words=int(np.quantile(counts, 0.9)))
        both = (text for side in texts for text in side)
        return known.with_tokenizer(start, lambda: train_pieces(both, self.vocabulary, SPECIAL))

    def to_train_on(self, split: Split) -> Split:
        """Each pair both ways, as the network takes it, several of them in a row where they find room. Of several
        translations the first."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.text.tokenization import packed

        first = [str(split.inputs[place]) for place in range(len(split))]
        second = [_one(split.targets[place]) for place in range(len(split))]
        one, other = (self.encode_sources(texts) for texts in (first, second))
        wanted = np.concatenate([other, one])
        target = np.zeros_like(wanted)
        target[:, 1:] = wanted[:, :-1] * (wanted[:, 1:] != 0)
        target[:, 0] = np.repeat([self.first_token(0), self.first_token(1)], len(split))
        source, target, wanted = packed([np.concatenate([one, other]), target, wanted])
        return Split({"source": source, "target": target}, wanted)

    def to_measure_on(self, split: Split) -> Split:
        """Each different text of a language, where it can be translated, once with all its translations: inputs "text"
        and "direction", targets tuples of texts."""
        import numpy as np

        from layerwise.splits import Split

        found: list[dict[str, list[str]]] = [{}, {}]
        for place in range(len(split)):
            first, others = str(split.inputs[place]), split.targets[place]
            for second in (others,) if isinstance(others, str) else others:
                found[0].setdefault(first, []).append(second)
                found[1].setdefault(second, []).append(first)
        found = found[: len(self.directions)]
        texts = np.array([text for part in found for text in part], object)
        direction = np.repeat(np.arange(len(found), dtype="int32"), [len(part) for part in found])
        targets = np.empty(len(texts), object)
        targets[:] = [tuple(right) for part in found for right in part.values()]
        return Split({"text": texts, "direction": direction}, targets)

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """BLEU and chrF (Papineni et al. 2002; Popović 2015) as sacreBLEU computes them (Post 2018, arXiv:1804.08771),
        from 0 to 100: from the first language to the second, with all translations of a text as references; the same
        with the first of them alone; and back.

        Args:
            outputs: "text", what was written, and "direction", [texts].
            targets: The right translations of each, tuples [texts].
        """
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF

        found = {}
        for direction, ending in enumerate(("", "_back")[: len(self.directions)]):
            chosen = outputs["direction"] == direction
            written, right = outputs["text"][chosen].tolist(), targets[chosen].tolist()
            most = max(map(len, right), default=0)
            # Texts have different numbers of translations; None stands for no further one.
            references: Any = [[item[place] if place < len(item) else None for item in right] for place in range(most)]
            for name, metric, streams in (
                ("bleu", BLEU(), references),
                ("chrf", CHRF(), references),
                ("bleu_single", BLEU(), references[:1]),
            ):
                found[f"{name}{ending}"] = metric.corpus_score(written, streams).score if written else float("nan")
        return found

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Pairs of texts: this task with the languages found there. See `folder_format`.

        Raises:
            DataError: The table is not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.parallel_text import read_pairs

        languages, splits, report = read_pairs(folder)
        return OwnData(task=dataclasses.replace(self, languages=languages), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """A table of short sentences in English and German, whatever the languages of this task."""
        from layerwise.tasks.parallel_text import write_sample

        write_sample(folder)

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats of the tokens that follow, their mean, its targets smoothed by
        `config.label_smoothing`."""
        from layerwise.tasks.next_token import token_cross_entropy

        return token_cross_entropy(config.label_smoothing)

    def training_metrics(self) -> dict[str, Callable]:
        """The share of tokens that were thought of first."""
        from layerwise.tasks.next_token import token_accuracy

        return {"token_accuracy": token_accuracy}

    def warm_input(self) -> dict[str, np.ndarray]:
        import numpy as np

        return {name: np.ones((1, self.length), "int32") for name in ("source", "target")}


def _one(translation: Any) -> str:
    return translation if isinstance(translation, str) else str(translation[0])
