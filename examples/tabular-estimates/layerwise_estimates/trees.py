"""Gradient boosting of scikit-learn, kept as arrays: nothing that is loaded can run code, as a pickle could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS_AT_ONCE = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """The sum of regression trees, and an estimator of scikit-learn in as far as boosting can begin with it.

    Args:
        base: What is added to the trees.
        roots: The node with which each tree begins [trees].
        feature: Of each node the feature that is looked at, -1 in a leaf [nodes].
        threshold: Up to which one goes left [nodes].
        left, right: The nodes that follow [nodes].
        value: Of a leaf [nodes].
    """

    base: float
    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray

    @classmethod
    def none(cls, base: float) -> Trees:
        """The same for every row."""
        whole, real = np.zeros(0, "int32"), np.zeros(0, "float64")
        return cls(base=base, roots=whole, feature=whole, threshold=real, left=whole, right=whole, value=real)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], place: int) -> Trees:
        """Those that `arrays` gave."""
        parts = {name: arrays[f"{place}/{name}"] for name in cls.__dataclass_fields__}
        return cls(**{**parts, "base": float(parts["base"])})

    def arrays(self, place: int) -> dict[str, np.ndarray]:
        """All of it by name.

        Args:
            place: Tells it from other trees.
        """
        return {f"{place}/{name}": np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    def plus(self, trees: Sequence[Any], rate: float) -> Trees:
        """These and more.

        Args:
            trees: Those of scikit-learn.
            rate: By which their values are multiplied.
        """
        parts: dict[str, list[np.ndarray]] = {name: [getattr(self, name)] for name in _NODES}
        roots, first = [*self.roots.tolist()], len(self.feature)
        for tree in (estimator.tree_ for estimator in trees):
            roots.append(first)
            is_leaf = tree.children_left < 0
            parts["feature"].append(np.where(is_leaf, -1, tree.feature).astype("int32"))
            parts["threshold"].append(tree.threshold.astype("float64"))
            parts["left"].append(np.where(is_leaf, 0, tree.children_left + first).astype("int32"))
            parts["right"].append(np.where(is_leaf, 0, tree.children_right + first).astype("int32"))
            parts["value"].append(rate * tree.value[:, 0, 0])
            first += tree.node_count
        joined = {name: np.concatenate(part) for name, part in parts.items()}
        return Trees(base=self.base, roots=np.array(roots, "int32"), **joined)

    def fit(self, inputs: np.ndarray, targets: np.ndarray, sample_weight: Any = None) -> Trees:
        """Boosting asks what it begins with to learn; this has."""
        return self

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """The sums for rows float32 [rows, features], float64 [rows]."""
        parts = [inputs[start : start + ROWS_AT_ONCE] for start in range(0, len(inputs), ROWS_AT_ONCE)]
        return np.concatenate([self._predict(part) for part in parts])

    def _predict(self, inputs: np.ndarray) -> np.ndarray:
        if not len(self.roots):
            return np.full(len(inputs), self.base)
        at = np.repeat(self.roots[None], len(inputs), axis=0)
        while (goes_on := self.feature[at] >= 0).any():
            seen = np.take_along_axis(inputs, np.maximum(self.feature[at], 0), axis=1)
            at = np.where(goes_on, np.where(seen <= self.threshold[at], self.left[at], self.right[at]), at)
        return self.base + self.value[at].sum(axis=1)


_NODES = ("feature", "threshold", "left", "right", "value")


def boost(trees: Trees, inputs: np.ndarray, targets: np.ndarray, level: float, config: Any, seed: int) -> Trees:
    """Trees with as many more as an epoch adds, so that their sum comes nearer to a quantile of the targets.

    Args:
        level: Of the quantile.
        seed: Draws the rows that each tree is grown on.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    # Each epoch begins with the trees so far, so a run that was stopped needs nothing but them to go on.
    boosting = GradientBoostingRegressor(
        loss="quantile",
        alpha=level,
        init=trees,
        n_estimators=config.trees,
        learning_rate=config.learning_rate,
        max_depth=config.depth,
        min_samples_leaf=config.smallest_leaf,
        subsample=config.subsample,
        random_state=seed,
    )
    boosting.fit(inputs, targets)
    return trees.plus(boosting.estimators_[:, 0], config.learning_rate)


def train(context: Any) -> None:
    """Grow trees for each quantile, some an epoch: `ModelSpec.train`."""
    import time

    from layerwise_estimates.task import LEVELS

    split, validation = context.read_data()
    config, task = context.config, context.task
    inputs, targets = np.asarray(split.inputs, "float32"), (np.asarray(split.targets) - task.mean) / task.deviation
    epoch, checkpoint = 1, context.latest_checkpoint()
    if checkpoint is None:
        found = [Trees.none(float(np.quantile(targets, level))) for level in LEVELS]
    else:
        epoch, found = checkpoint.state["epoch"], [Trees.of(checkpoint.arrays, place) for place in range(len(LEVELS))]
    nodes = config.num_epochs * config.trees * len(LEVELS) * (2 ** (config.depth + 1) - 1)  # at most
    context.started(num_parameters=nodes, examples=len(inputs), steps_per_epoch=1, epoch=epoch)
    while epoch <= config.num_epochs and not context.should_stop():
        begin = time.perf_counter()
        for place, level in enumerate(LEVELS):
            seed = int(np.random.default_rng((config.seed, epoch, place)).integers(2**31))
            found[place] = boost(found[place], inputs, targets, level, config, seed)
        figures = {"loss": _pinball(found, inputs, targets)}
        if validation is not None:
            held_out = np.asarray(validation.inputs, "float32")
            known = np.asarray(validation.targets)
            figures["val_loss"] = _pinball(found, held_out, (known - task.mean) / task.deviation)
            context.task = task.calibrated(np.stack([trees.predict(held_out) for trees in found], axis=1), known)
        context.finished_epoch(epoch=epoch, **figures, seconds=time.perf_counter() - begin)
        arrays = {name: array for place, trees in enumerate(found) for name, array in trees.arrays(place).items()}
        context.save_version(arrays, epoch=epoch, metrics=figures)
        epoch += 1
        context.save_checkpoint(arrays, {"epoch": epoch}, epoch=epoch, step=0)


def _pinball(found: Sequence[Trees], inputs: np.ndarray, targets: np.ndarray) -> float:
    """The loss that `Estimate.loss` has."""
    from layerwise_estimates.task import LEVELS

    errors = targets[:, None] - np.stack([trees.predict(inputs) for trees in found], axis=1)
    levels = np.array(LEVELS)
    return float(np.maximum(levels * errors, (levels - 1) * errors).mean())
