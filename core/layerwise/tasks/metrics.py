"""How good outputs are, over a whole split: in NumPy and float64, on the outputs that a network gave.

The evaluation calls these once for a split; what is watched during training is in `keras.ops`, beside each task.
"""

from __future__ import annotations

import numpy as np

from layerwise.errors import DataError
from layerwise.from_scratch.losses import log_softmax

NUM_CALIBRATION_BINS = 15


def classification_metrics(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The metrics of a classification into exclusive classes.

    Args:
        logits: [examples, classes].
        targets: Class numbers [examples].

    Returns:
        accuracy; with more than five classes top_5_accuracy (the right class is among the five most probable
        ones); macro_f1 (the mean F1 of the classes that were right or guessed at least once); log_loss (in
        nats); expected_calibration_error (Guo et al. 2017, arXiv:1706.04599, equation 3, with 15 bins).

    Raises:
        DataError: Logits and targets do not fit together.
    """
    logits, targets = np.asarray(logits, "float64"), np.asarray(targets)
    _check_classes(logits, targets)
    targets = targets.astype("int64")
    log_probabilities = log_softmax(logits)
    rows = np.arange(len(targets))
    guesses = logits.argmax(axis=1)
    result = {"accuracy": float(np.mean(guesses == targets))}
    if logits.shape[1] > 5:
        # A tie counts against the model: a network that gives the same to all classes knows nothing.
        at_least_as_probable = np.sum(logits >= logits[rows, targets][:, None], axis=1)
        result["top_5_accuracy"] = float(np.mean(at_least_as_probable <= 5))
    return result | {
        "macro_f1": macro_f1(guesses, targets, logits.shape[1]),
        "log_loss": float(-np.mean(log_probabilities[rows, targets])),
        "expected_calibration_error": expected_calibration_error(np.exp(log_probabilities), targets),
    }


def _check_classes(logits: np.ndarray, targets: np.ndarray) -> None:
    fits = logits.ndim == 2 and targets.shape == logits.shape[:1] and len(targets) > 0
    if not fits:
        raise DataError(
            "Outputs and targets do not fit together",
            expected="logits [examples, classes] and class numbers [examples], at least one example",
            received=f"shapes {list(logits.shape)} and {list(targets.shape)}",
        )
    if targets.dtype.kind not in "iub" or targets.min() < 0 or targets.max() >= logits.shape[1]:
        raise DataError(
            "The targets are no class numbers",
            expected=f"whole numbers from 0 to {logits.shape[1] - 1}",
            received=f"{targets.dtype} from {targets.min()} to {targets.max()}",
        )


def macro_f1(guesses: np.ndarray, targets: np.ndarray, num_classes: int) -> float:
    """The mean over classes of F1 = 2 hits / (guessed + right). Classes that occur in neither are left out."""
    hits = np.bincount(targets[guesses == targets], minlength=num_classes)
    either = np.bincount(guesses, minlength=num_classes) + np.bincount(targets, minlength=num_classes)
    return float(np.mean(2 * hits[either > 0] / either[either > 0]))


def expected_calibration_error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """How far the probability of the best guess is from how often it is right: the mean over examples of
    |accuracy - confidence| of the bin that their confidence falls in.

    Args:
        probabilities: [examples, classes].
        targets: Class numbers [examples].
    """
    confidence, hits, bins = _binned(probabilities, targets)
    differences = np.bincount(bins, weights=hits - confidence, minlength=NUM_CALIBRATION_BINS)
    return float(np.abs(differences).sum() / len(targets))


def calibration_bins(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean probability of the best guess, and the share of guesses that are right, in each bin of the expected
    calibration error that has examples."""
    confidence, hits, bins = _binned(probabilities, targets)
    counts = np.bincount(bins, minlength=NUM_CALIBRATION_BINS)
    sums = [np.bincount(bins, weights=values, minlength=NUM_CALIBRATION_BINS) for values in (confidence, hits)]
    used = counts > 0
    return sums[0][used] / counts[used], sums[1][used] / counts[used]


def _binned(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each example the probability of its best guess, whether that is right, and its bin."""
    confidence = probabilities.max(axis=1)
    hits = probabilities.argmax(axis=1) == targets
    # Bins are open below and closed above, as in the paper: (0, 1/15], ..., (14/15, 1].
    bins = np.clip(np.ceil(confidence * NUM_CALIBRATION_BINS).astype(int) - 1, 0, NUM_CALIBRATION_BINS - 1)
    return confidence, hits, bins


def regression_metrics(values: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The metrics of a regression, in the unit of the target.

    Args:
        values: What the model gave, [examples].
        targets: What was right, [examples].

    Returns:
        rmse (root of the mean squared error), mae (mean absolute error), r2 (coefficient of determination:
        1 is perfect, 0 as good as always giving the mean; 0 when all targets are equal and are not met).

    Raises:
        DataError: Values and targets do not fit together.
    """
    values, targets = np.asarray(values, "float64"), np.asarray(targets, "float64")
    if values.ndim != 1 or values.shape != targets.shape or not len(values):
        raise DataError(
            "Outputs and targets do not fit together",
            expected="as many values as targets, at least one",
            received=f"shapes {list(values.shape)} and {list(targets.shape)}",
        )
    errors = values - targets
    residual, total = float(np.sum(errors**2)), float(np.sum((targets - targets.mean()) ** 2))
    r2 = 1 - residual / total if total else float(residual == 0)
    return {"rmse": float(np.sqrt(np.mean(errors**2))), "mae": float(np.mean(np.abs(errors))), "r2": r2}
