"""Questions from the learner's own training runs.

Each answer is computed from what the run recorded, and a question is asked only where that record decides it clearly:
by more than one can misread in a curve.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, starmap
from typing import TYPE_CHECKING, Any

from layerwise import Question
from layerwise.plots import Line, LinePlot, Table

if TYPE_CHECKING:
    from layerwise.runs import Run

MAX_RUNS = 12
"""How many runs are looked at, the newest."""
MAX_OF_A_KIND = 3
"""How many runs, or pairs of runs, are asked about in the same way."""
MARGIN = 0.05
"""By which share two losses have to differ for one to be clearly lower."""
POINTS = 0.02
"""By how much two accuracies have to differ to be told apart in a plot."""
MIN_EPOCHS = 5
LONGEST_TABLE = 24


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a run tells.

    Args:
        id: Of the run.
        title: The model, the variant and when it was asked for.
        trained: The model and the data: what two runs must share to be compared.
        config: As plain values.
        epochs: The metrics of each epoch.
        steps_per_epoch, examples: 0 where that is not known.
    """

    id: str
    title: str
    trained: tuple[str, str | None]
    config: dict[str, Any]
    epochs: list[dict[str, Any]]
    steps_per_epoch: int
    examples: int

    @classmethod
    def by(cls, run: Run) -> Told:
        """What `run` tells."""
        started = run.event_log.newest("started") or {}
        return cls(
            id=run.id,
            title=f"**{run.name}:{run.variant}** ({run.created[:16].replace('T', ' ')})",
            trained=(run.name, run.data),
            config=run.config,
            epochs=run.history(),
            steps_per_epoch=started.get("steps_per_epoch") or 0,
            examples=started.get("examples") or 0,
        )

    def series(self, name: str) -> list[float]:
        """A metric of each epoch; empty where it was not measured in each, or the run is too short to ask about."""
        values = [epoch.get(name) for epoch in self.epochs]
        if len(values) < MIN_EPOCHS or not all(isinstance(x, float | int) and math.isfinite(x) for x in values):
            return []
        return [float(x) for x in values if x is not None]


def questions(runs: Sequence[Run]) -> Iterator[Question]:
    """The questions that these runs give, of each kind those of the newest runs."""
    told = [Told.by(run) for run in runs[:MAX_RUNS]]
    pairs = [_mixed(one, other) for one, other in combinations(told, 2) if one.trained == other.trained]
    for ask in ALONE:
        yield from _different(map(ask, told))
    for ask_both in IN_PAIRS:
        yield from _different(starmap(ask_both, pairs))


def _different(found: Iterable[Question | None]) -> Iterator[Question]:
    """The first few, without those whose choices and answer are those of an earlier one."""
    seen: set[tuple[tuple[str, ...], int]] = set()
    for question in filter(None, found):
        kind = (question.choices, question.answer)
        if kind not in seen and len(seen) < MAX_OF_A_KIND:
            seen.add(kind)
            yield question


def where_overfitting_begins(told: Told) -> Question | None:
    """From which epoch on the validation loss rises while the training loss goes on falling."""
    training, validation = told.series("loss"), told.series("val_loss")
    if not training or not validation:
        return None
    best = validation.index(min(validation))
    # Neighbours may be nearly as low; they are no choices.
    others = [epoch for epoch in range(len(validation)) if abs(epoch - best) > 1]
    is_clear = (
        validation[best] > 0
        and best + 2 < len(validation)
        and min(validation[epoch] for epoch in others) > validation[best] * (1 + MARGIN / 5)
        and validation[-1] > validation[best] * (1 + MARGIN)
        and training[-1] < training[best] * (1 - MARGIN)
    )
    if not is_clear:
        return None
    epochs = sorted({best, others[0], others[-1]})
    return Question(
        name=f"overfitting-of-{told.id}",
        text=f"Your run of {told.title}: after which epoch does it begin to **overfit**?",
        choices=(*(f"After epoch {epoch + 1}" for epoch in epochs), "It does not overfit"),
        answer=epochs.index(best),
        explanation=f"The validation loss is lowest in epoch {best + 1}, at {validation[best]:.3g}. From there it "
        f"rises to {validation[-1]:.3g}, while the training loss goes on falling from {training[best]:.3g} to "
        f"{training[-1]:.3g}: what is still learned holds for the training examples only.",
        lesson="epochs-and-overfitting",
        plots=(_plot("loss", training=training, validation=validation),),
    )


def when_patience_ends(told: Told) -> Question | None:
    """After which epoch early stopping would have ended a run."""
    losses = told.series("val_loss")
    shown = [f"{loss:.4g}" for loss in losses]
    for patience in (3, 2):
        end = _end_by_patience(losses, patience)
        # What the table shows must lead to the same answer as all digits do, and the run must have gone on.
        if end is None or end + 1 >= len(losses) or end != _end_by_patience(list(map(float, shown)), patience):
            continue
        rows = [[str(epoch + 1), shown[epoch]] for epoch in range(min(end + 3, len(losses)))]
        if len(rows) > LONGEST_TABLE:
            continue
        epochs = sorted({end, end - 1, end + 1, end - patience})
        return Question(
            name=f"patience-of-{told.id}",
            text=f"Your run of {told.title}: after which epoch would early stopping with **patience {patience}** have "
            "ended it?",
            choices=tuple(f"After epoch {epoch + 1}" for epoch in epochs),
            answer=epochs.index(end),
            explanation=f"Epoch {end - patience + 1} is the best so far, at {shown[end - patience]}. The "
            f"{patience} epochs after it are not better, and with epoch {end + 1} the patience is used up. Whether the "
            "loss falls between two of them does not count, only whether it gets below the best.",
            lesson="epochs-and-overfitting",
            plots=(Table(columns=["epoch", "validation loss"], rows=rows),),
        )
    return None


def _end_by_patience(losses: Sequence[float], patience: int) -> int | None:
    """The epoch, from 0, after which early stopping ends; None when it does not."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            return epoch
    return None


def best_accuracy(told: Told) -> Question | None:
    """How high the validation accuracy got."""
    training, validation = told.series("accuracy"), told.series("val_accuracy")
    if not training or not validation:
        return None
    best = max(validation)
    values = [best]
    for value in (max(training), validation[-1], best + 2 * POINTS, validation[0], (validation[0] + best) / 2):
        if value <= 1 and all(abs(value - other) >= POINTS for other in values):
            values.append(value)
    if len(values) < 3:
        return None
    values = sorted(values[:4])
    epoch = validation.index(best) + 1
    return Question(
        name=f"accuracy-of-{told.id}",
        text=f"Your run of {told.title}: how high was its **validation accuracy** at its best?",
        choices=tuple(f"{value:.1%}" for value in values),
        answer=values.index(best),
        explanation=f"It was {best:.1%} after epoch {epoch}. The training accuracy reached {max(training):.1%}, but "
        "that says how well the run did on what it had learned from.",
        lesson="epochs-and-overfitting",
        plots=(_plot("accuracy", training=training, validation=validation),),
    )


def which_batch_size(told: Told) -> Question | None:
    """How many examples a step took."""
    size, steps, examples = told.config.get("batch_size") or 0, told.steps_per_epoch, told.examples
    if not size or steps < 2 or examples // size != steps:
        return None
    wrong = [other for other in (2 * size, size // 2, 4 * size, steps) if other and examples // other != steps]
    sizes = sorted({size, *wrong[:3]})
    return Question(
        name=f"batch-size-of-{told.id}",
        text=f"Your run of {told.title} took **{steps:,} steps** for an epoch of **{examples:,} examples**. How large "
        "were its batches?",
        choices=tuple(f"{number:,} examples" for number in sizes),
        answer=sizes.index(size),
        explanation=rf"Each step takes one batch: ${examples} / {size}$ is {steps}"
        + (", and a rest that is too small for a batch." if examples % size else ".")
        + " Larger batches make fewer steps, each with a less noisy gradient.",
        lesson="epochs-and-overfitting",
    )


def which_learning_rate(one: Told, other: Told) -> Question | None:
    """Which of two learning rates made which curve."""
    if _differing(one, other) != {"learning_rate"}:
        return None
    small, large = sorted((one, other), key=lambda told: told.config["learning_rate"])
    reason = _sign_of_rates(small.series("loss"), large.series("loss"))
    if not reason:
        return None
    rates = [f"{told.config['learning_rate']:g}" for told in (small, large)]
    return Question(
        name=f"learning-rates-of-{one.id}-and-{other.id}",
        text=f"Two of your runs of **{one.trained[0]}** differ only in the learning rate: one had {rates[0]}, the "
        f"other {rates[1]}. Which had which?",
        choices=(f"A had {rates[0]}, B had {rates[1]}", f"A had {rates[1]}, B had {rates[0]}"),
        answer=0 if one is small else 1,
        explanation=f"{'B' if one is small else 'A'} had the larger one. {reason}",
        lesson="learning-rate",
        plots=(_plot("training loss", A=one.series("loss"), B=other.series("loss")),),
    )


def _sign_of_rates(small: Sequence[float], large: Sequence[float]) -> str:
    """By what one sees which curve had the larger learning rate; empty when one does not."""
    if not small or not large or min(*small, *large) <= 0:
        return ""
    if _largest_rise(large) > 2 * MARGIN and _largest_rise(small) < MARGIN / 5:
        return "Its loss jumps up again and again, since its steps are too large; that of the other falls evenly."
    if all(slow > fast * (1 + 2 * MARGIN) for slow, fast in zip(small[:3], large[:3], strict=True)):
        return "Its loss is lower from the first epochs on; the other goes the same way in smaller steps."
    return ""


def _largest_rise(losses: Sequence[float]) -> float:
    """The largest share by which a loss grows from one epoch to the next."""
    return max(after / before - 1 for before, after in pairwise(losses))


def which_had_the_larger_batch(one: Told, other: Told) -> Question | None:
    """Which of two runs had the larger batches, by their steps."""
    few, many = sorted((one, other), key=lambda told: told.steps_per_epoch)
    if _differing(one, other) != {"batch_size"} or one.examples != other.examples:
        return None
    if not few.steps_per_epoch or many.steps_per_epoch < 1.5 * few.steps_per_epoch:
        return None
    letters = {one.id: "A", other.id: "B"}
    return Question(
        name=f"larger-batch-of-{one.id}-and-{other.id}",
        text=f"Two of your runs of **{one.trained[0]}** differ only in the batch size. A took "
        f"**{one.steps_per_epoch:,} steps** for an epoch, B **{other.steps_per_epoch:,}**. Which had the larger "
        "batches?",
        choices=("A", "B", "Both had equally large ones", "It cannot be told from the steps"),
        answer=0 if few is one else 1,
        explanation=f"Both saw the same {one.examples:,} examples. {letters[few.id]} needed fewer steps for them, so "
        f"more were in each batch: {few.config['batch_size']:,} instead of {many.config['batch_size']:,}.",
        lesson="gradient-descent",
    )


def which_generalises(one: Told, other: Told) -> Question | None:
    """Which of two runs to use, when the one that fits its training examples better does worse on others."""
    if _differing(one, other) & {"label_smoothing", "validation_fraction", "seed"}:
        return None  # their losses would not be of the same kind, or on the same examples
    series = [[told.series(name) for name in ("loss", "val_loss")] for told in (one, other)]
    if not all(losses and min(losses) > 0 for pair in series for losses in pair):
        return None
    ends = [[losses[-1] for losses in pair] for pair in series]
    by_training, by_validation = (_clearly_lower(ends[0][column], ends[1][column]) for column in (0, 1))
    if by_training is None or by_validation is None or by_training == by_validation:
        return None
    better, worse = "AB"[by_validation], "AB"[by_training]
    return Question(
        name=f"generalisation-of-{one.id}-and-{other.id}",
        text=f"Two of your runs of **{one.trained[0]}** end with these losses. Which one would you use on new "
        "examples?",
        choices=(
            "A, as its validation loss is lower" if better == "A" else "A, as its training loss is lower",
            "B, as its validation loss is lower" if better == "B" else "B, as its training loss is lower",
            "Either, as both losses count alike",
        ),
        answer=by_validation,
        explanation=f"New examples are like those of the validation set: not trained on. There {better} is better. "
        f"{worse} fits its training examples more closely, and a part of that is peculiar to them.",
        lesson="epochs-and-overfitting",
        plots=(
            Table(
                columns=["run", "training loss", "validation loss"],
                rows=[[letter, *(f"{end:.3g}" for end in pair)] for letter, pair in zip("AB", ends, strict=True)],
            ),
        ),
    )


def _clearly_lower(one: float, other: float) -> int | None:
    """0 or 1, whichever is lower; None when they are too close."""
    if max(one, other) < min(one, other) * (1 + MARGIN):
        return None
    return 0 if one < other else 1


def _mixed(one: Told, other: Told) -> tuple[Told, Told]:
    """The two in an order that says nothing, and is always the same."""
    return (one, other) if random.Random(one.id + other.id).random() < 0.5 else (other, one)


def _differing(one: Told, other: Told) -> set[str]:
    """The fields of the configs in which they differ."""
    return {name for name in one.config.keys() | other.config.keys() if one.config.get(name) != other.config.get(name)}


def _plot(metric: str, **curves: Sequence[float]) -> LinePlot:
    return LinePlot(
        lines=[Line(label=label, x=range(1, len(curve) + 1), y=curve) for label, curve in curves.items()],
        x_label="epoch",
        y_label=metric,
    )


ALONE: tuple[Callable[[Told], Question | None], ...] = (
    where_overfitting_begins,
    when_patience_ends,
    best_accuracy,
    which_batch_size,
)
IN_PAIRS: tuple[Callable[[Told, Told], Question | None], ...] = (
    which_learning_rate,
    which_had_the_larger_batch,
    which_generalises,
)
