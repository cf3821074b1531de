"""What was measured of a version, as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from layerwise.tasks.metric_names import words
from layerwise.tasks.metric_values import in_digits, interval_text

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

_SHARES = ("accuracy", "dice", "precision", "map", "recall", "f1", "auc", "iou", "error rate", "found")


def figures_of(version: Version) -> dict[str, float]:
    """Everything measured, by a name that says on which data: "test accuracy", "validation loss". What was measured
    on held-out data after the training comes first."""
    measured = version.record.get("measured") or {}
    found = {f"{measured['split']} {words(name)}": value for name, value in measured.get("metrics", {}).items()}
    during = {_during_training(name): value for name, value in version.metrics.items()}
    return found | dict(sorted(during.items(), key=lambda item: not item[0].startswith("validation")))


def _during_training(name: str) -> str:
    if name.startswith("val_"):
        return f"validation {words(name.removeprefix('val_'))}"
    return words(name) if name.startswith("test_") else f"training {words(name)}"


def main_figure(spec: ModelSpec, version: Version) -> str:
    """The first metric of the model's task on the best data there are: "test accuracy 93.5%"; "" for none."""
    figures, metric = figures_of(version), words(spec.task.metric)
    # In the order of figures_of, so what was held out wins.
    name = next((name for name in figures if metric and name.endswith(f" {metric}")), None)
    return in_words(name, figures[name]) if name else ""


def in_words(name: str, value: float) -> str:
    """A figure with its name: "test accuracy 93.5%"."""
    return f"{name} {format_metric(name, value)}"


def format_metric(name: str, value: float) -> str:
    """A metric as people read it: a share in percent, anything else with four digits."""
    is_share = any(word in words(name).lower() for word in _SHARES) and 0 <= value <= 1
    return f"{value:.1%}" if is_share else f"{value:.4g}"


def figure_html(value: float, low: float | None, high: float | None, sign: str = "") -> str:
    """A figure as a cell: its value and, small and in brackets, its interval if it has one."""
    interval = interval_text(low, high, sign, value)
    return f"<b>{in_digits(value, sign)}</b>" + (f" <small>({interval})</small>" if interval else "")


def format_count(count: int | None) -> str:
    """A number of parameters: "1,234,567"."""
    return f"{count:,}" if count is not None else ""


def figures_markdown(versions: Mapping[str, Version | None]) -> str:
    """A table with a row for each variant: the version in use, its size and what was measured."""
    figures = {variant: figures_of(version) if version else {} for variant, version in versions.items()}
    names = list(dict.fromkeys(name for found in figures.values() for name in found))[:3]
    lines = [_row("network", "version in use", "parameters", *names), _row(*["---"] * (3 + len(names)))]
    for variant, version in versions.items():
        found = [format_metric(name, figures[variant][name]) if name in figures[variant] else "" for name in names]
        if version is None:
            lines.append(_row(variant, "none yet", "", *found))
        else:
            lines.append(_row(variant, version.id, format_count(version.num_parameters), *found))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
