"""The task of the tutor: which topic a message is about, if any."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.tasks import Conversation
from layerwise.tasks.base import Task
from layerwise_language.tutor.topics import NOTHING

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.splits import Split

SHARPNESS, DISTANCE = 20.0, 0.5
"""What cosines, from -1 to 1, are multiplied by before they become probabilities; and the cosine with every text that
nothing, as another topic, has in training."""


@dataclass(frozen=True, kw_only=True)
class Tutoring(Conversation):
    """Finding what a message is about.

    The network turns a text, tokens int32 [examples, length], into a vector, and gives its cosine with a vector that
    was learned for each topic, float32 [examples, topics] (Movshovitz-Attias et al. 2017, arXiv:1703.07464: proxies).
    Training draws texts towards their topic and away from the others; what is about nothing has to be further than
    DISTANCE from all of them. So the vector of a text that stands for a new topic is of use too, without training.

    Args:
        topics: Their names, in the order of the network's outputs.
        threshold: The least cosine with a topic with which it is answered, chosen on the validation split.
    """

    type_name: ClassVar[str] = "tutoring"
    metric: ClassVar[str] = "found"
    network_takes: ClassVar[str] = "Tokens of texts [text, place], as tokenizer.json numbers them; 0 after the end."
    network_gives: ClassVar[str] = "The cosine of each text's vector with that of each topic, [text, topic]."
    length: int = 48
    topics: tuple[str, ...] = ()
    threshold: float = 0.55

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the outputs of the network are called."""
        return self.topics

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The tokens of the message, int32 [1, length].

        Raises:
            InputError: There is no message.
        """
        return self.encode_batch([self.messages_of(inputs)[-1]["content"]])

    def fitted(self, train: Split, start: Task | None) -> Self:
        """With the topics of the texts, and a tokenizer: that of the version to begin with, otherwise one that is
        trained on them."""
        from layerwise.text.tokenization import train_words

        known = dataclasses.replace(self, topics=tuple(sorted({name for name in train.targets if name != NOTHING})))
        texts = (str(text) for text in train.inputs)
        return known.with_tokenizer(start, lambda: train_words(texts, self.vocabulary))

    def to_train_on(self, split: Split) -> Split:
        """Tokens, and the number of the topic, of several that are right the first; that of nothing comes last."""
        import numpy as np

        from layerwise.splits import Split

        numbers = {name: number for number, name in enumerate((*self.topics, NOTHING))}
        first = (name if isinstance(name, str) else name[0] for name in split.targets)
        targets = np.array([numbers[name] for name in first], "int32")
        return Split(self.encode_batch([str(text) for text in split.inputs]), targets)

    def to_measure_on(self, split: Split) -> Split:
        """The texts, each with all of its topics that are right."""
        import numpy as np

        from layerwise.splits import Split

        right = np.empty(len(split), object)
        right[:] = [(name,) if isinstance(name, str) else tuple(name) for name in split.targets]
        return Split(split.inputs, right)

    def loss(self, config: TrainingConfig) -> Callable:
        """Cross-entropy in nats of the right topic, or nothing, its targets smoothed by `config.label_smoothing`."""
        smoothing = config.label_smoothing

        def cross_entropy(targets: Any, cosines: Any) -> Any:
            from keras import ops

            logits = SHARPNESS * _with_nothing(cosines)
            right: Any = ops.one_hot(ops.cast(targets, "int32"), len(self.topics) + 1, dtype="float32")
            right = right * (1 - smoothing) + smoothing / (len(self.topics) + 1)
            return ops.mean(ops.categorical_crossentropy(right, logits, from_logits=True))

        return cross_entropy

    def training_metrics(self) -> dict[str, Callable]:
        """The share of texts whose topic, or nothing, is nearest."""

        def accuracy(targets: Any, cosines: Any) -> Any:
            from keras import ops

            nearest = ops.cast(ops.argmax(_with_nothing(cosines), axis=-1), "int32")
            return ops.mean(ops.cast(ops.equal(nearest, ops.cast(targets, "int32")), "float32"))

        return {"accuracy": accuracy}

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

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.ones((1, self.length), "int32")


def _with_nothing(cosines: Any) -> Any:
    """The cosines with topics [examples, topics], and that with nothing as the last one."""
    from keras import ops

    cosines = ops.cast(cosines, "float32")
    return ops.concatenate([cosines, ops.full_like(cosines[:, :1], DISTANCE)], axis=1)
