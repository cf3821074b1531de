"""What metrics are called where people read them."""

from __future__ import annotations

_TERMS = {
    "auc": "AUC", "bleu": "BLEU", "elo": "Elo", "f1": "F1", "iou": "IoU", "mae": "MAE", "r2": "R²", "rmse": "RMSE",
    "roc": "ROC",
}  # fmt: skip
"""How the field writes what in the names of metrics is not a word of the language."""


def words(name: str) -> str:
    """The name of a metric or setting in words.

    Example:
        >>> words("val_roc_auc"), words("mean_average_precision_50")
        ('validation ROC AUC', 'mAP@50')
    """
    name = name.replace("mean_average_precision", "mAP").replace("mAP_50", "mAP@50")
    return " ".join(_TERMS.get(part, part) for part in name.replace("val_", "validation_").replace("_", " ").split(" "))


def heading(name: str) -> str:
    """The name of a metric as a title.

    Example:
        >>> heading("macro_f1"), heading("mean_average_precision_50")
        ('Macro F1', 'mAP@50')
    """
    text = words(name)
    return text[:1].upper() + text[1:] if text.partition(" ")[0].islower() else text
