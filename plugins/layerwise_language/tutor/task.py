"""The task of the tutor: which topic a message is about, if any."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.tasks import Conversation
from layerwise.tasks.base import Task
from layerwise_language.tutor.topics import NOTHING

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.splits import Split

SHARPNESS = 20.0
"""What similarities, from -1 to 1, are multiplied by before they become probabilities."""
DRAWS = 8
"""How many times each question is paired with other texts of its topic."""
MOST_TEXTS, TRAINED_LENGTH = 8, 96
"""Of how many texts of a topic a document is made in training, at most, and how many tokens of them are read: whole
documents would take long and teach nothing more."""


@dataclass(frozen=True, kw_only=True)
class Tutoring(Conversation):
    """Finding what a message is about.

    The network turns texts into vectors: "question" int32 [examples, length] and "document" int32 [examples,
    document_length] into [examples, 2, dimensions], both of length 1. Training draws a question towards the texts of
    its topic and away from those of the others in the batch (Karpukhin et al. 2020, arXiv:2004.04906, section 3.2);
    what is about nothing has to be further than `threshold` from all of them.

    Args:
        document_length: The most tokens of all texts of a topic together.
        threshold: The least cosine with a topic with which it is answered.
    """

    type_name: ClassVar[str] = "tutoring"
    metric: ClassVar[str] = "found"
    network_takes: ClassVar[str] = "Tokens of questions and of documents [text, place], as tokenizer.json numbers them."
    network_gives: ClassVar[str] = "The vectors of each question and of its document, [text, 2, number]."
    length: int = 32
    document_length: int = 512
    threshold: float = 0.5

    def encode(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The message, and no document.

        Raises:
            InputError: There is no message.
        """
        import numpy as np

        question = self.encode_questions([self.messages_of(inputs)[-1]["content"]])
        return {"question": question, "document": np.zeros((1, self.document_length), "int32")}

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        """The tokens of messages, int32 [texts, length]."""
        from layerwise.tokenization import encode_texts

        return encode_texts(self.known_tokenizer, texts, self.length)

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        """The tokens of what stands for each topic, its texts one after the other, int32 [topics, document_length]."""
        from layerwise.tokenization import encode_texts

        joined = [" . ".join(texts) for texts in documents]
        return encode_texts(self.known_tokenizer, joined, self.document_length)

    def part_names(self, encoded: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
        """What each token stands for."""
        from layerwise.tokenization import names_of

        return {name: names_of(self.known_tokenizer, tokens[0]) for name, tokens in encoded.items()}

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With a tokenizer: that of the version to begin with, otherwise one that is trained on the texts."""
        from layerwise.tokenization import train_words

        if isinstance(start, Tutoring) and start.tokenizer is not None:
            return dataclasses.replace(self, tokenizer=start.tokenizer, vocabulary=start.vocabulary)
        if self.tokenizer is not None:
            return self
        return dataclasses.replace(self, tokenizer=train_words([str(text) for text in train.inputs], self.vocabulary))

    def to_train_on(self, split: Split) -> Split:
        """Each text several times, each time with some other texts of its topic, in an order that is the same again and
        again. What is about nothing is given the texts of any topic; its target, the number of that topic, is negative.
        """
        import numpy as np

        from layerwise.splits import Split

        random = np.random.default_rng(0)
        texts = [str(text) for text in split.inputs]
        names = sorted({name for name in split.targets if name != NOTHING})
        members = {name: [place for place, its in enumerate(split.targets) if its == name] for name in names}
        questions, documents, targets = [], [], []
        for place in random.permutation(np.repeat(np.arange(len(texts)), DRAWS)):
            own = split.targets[place]
            number = names.index(own) if own != NOTHING else int(random.integers(len(names)))
            others = [other for other in members[names[number]] if other != place]
            if others:
                count = random.integers(1, MOST_TEXTS + 1)
                questions.append(texts[place])
                documents.append([texts[other] for other in random.permutation(others)[:count]])
                targets.append(number if own != NOTHING else -1 - number)
        read = self.encode_documents(documents)[:, :TRAINED_LENGTH]
        return Split({"question": self.encode_questions(questions), "document": read}, np.array(targets, "int32"))

    def to_measure_on(self, split: Split) -> Split:
        """The texts, each with all of its topics that are right."""
        import numpy as np

        from layerwise.splits import Split

        right = np.empty(len(split), object)
        right[:] = [(name,) if isinstance(name, str) else tuple(name) for name in split.targets]
        return Split(split.inputs, right)

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats of the right topic among those of the batch and nothing."""

        def cross_entropy(targets: Any, vectors: Any) -> Any:
            from keras import ops

            targets = ops.cast(ops.reshape(targets, (-1,)), "int32")
            vectors = ops.cast(vectors, "float32")
            cosines: Any = ops.matmul(vectors[:, 0], ops.transpose(vectors[:, 1]))
            scores = SHARPNESS * cosines
            nothing: Any = ops.full_like(scores[:, :1], SHARPNESS * self.threshold)
            topics: Any = ops.where(targets < 0, -1 - targets, targets)
            is_same = ops.equal(ops.expand_dims(targets, 1), ops.expand_dims(topics, 0))
            among: Any = ops.logsumexp(ops.concatenate([scores, nothing], axis=1), axis=1)
            of_topic: Any = ops.logsumexp(ops.where(is_same, scores, -1e9), axis=1)
            return ops.mean(among - ops.where(targets < 0, nothing[:, 0], of_topic))

        return cross_entropy

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """Of the questions that a topic answers: the share that is answered by a right one, and of those whose right
        one is among the first three; of the others: the share that is refused.

        Args:
            outputs: "topics", object [texts, 3], the most similar ones, and "similarity" [texts, 3] of each.
            targets: The right topics, tuples [texts].
        """
        import numpy as np

        right = [set(names) for names in targets]
        has_answer = np.array([NOTHING not in names for names in right])
        is_answered = outputs["similarity"][:, 0] >= self.threshold
        hits = np.array([[name in names for name in row] for row, names in zip(outputs["topics"], right, strict=True)])

        def share(values: Any, among: Any) -> float:
            return float(values[among].mean()) if among.any() else float("nan")

        return {
            "found": share(hits[:, 0] & is_answered, has_answer),
            "found_among_three": share(hits.any(axis=1), has_answer),
            "refused": share(~is_answered, ~has_answer),
        }

    def warm_input(self) -> dict[str, np.ndarray]:
        import numpy as np

        shapes = {"question": self.length, "document": self.document_length}
        return {name: np.ones((1, length), "int32") for name, length in shapes.items()}
