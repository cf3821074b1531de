"""The page of the playground: what can be chosen is made into controls here; the scripts beside it do the rest."""

from __future__ import annotations

import html
import json
from pathlib import Path

from layerwise.activations import ACTIVATIONS
from layerwise.config import Setting, settings_of
from layerwise.predictor import Predictor
from layerwise_learn.pages.scripted import draw_scripted
from layerwise_learn.playground import service
from layerwise_learn.playground.config import MAX_LAYERS, MAX_UNITS, PlaygroundConfig
from layerwise_learn.playground.data import DATASETS, FEATURES, MAX_POINTS
from layerwise_learn.playground.presets import PRESETS

HERE = Path(__file__)
SCRIPTS = ("playground_colours.js", "playground_network.js", "playground_plane.js", "playground.js")
LABELS = {
    "data": "Data",
    "num_classes": "Classes",
    "num_points": "Points",
    "noise": "Noise",
    "test_share": "For the test",
    "optimizer": "Optimizer",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "dropout": "Dropout",
    "l1": "L1 penalty",
    "l2": "L2 penalty",
    "seed": "Seed",
}
_IN_DATA = ("data", "num_classes", "num_points", "noise", "test_share")
_IN_TRAINING = ("optimizer", "learning_rate", "batch_size", "dropout", "l1", "l2", "seed")
_OPTIMIZER_TITLES = {
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "Nesterov momentum",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
}


def draw(predictor: Predictor) -> None:
    """Draw the page. It needs no model."""
    functions = (
        service.begin,
        service.resume,
        service.advance,
        service.read_points,
        service.export,
        service.microscope,
    )
    draw_scripted(HERE, _template(), functions, scripts=SCRIPTS)


def _template() -> str:
    settings = {item.name: item for item in settings_of(PlaygroundConfig)}
    facts = {
        "defaults": {name: item.default for name, item in settings.items()},
        "datasets": {
            name: {"isRegression": item.is_regression, "maxClasses": item.max_classes, "isOwn": item.make is None}
            for name, item in DATASETS.items()
        },
        "features": {name: title for name, (title, _) in FEATURES.items()},
        "activations": {name: item.title for name, item in ACTIVATIONS.items()},
        "maxLayers": MAX_LAYERS,
        "maxUnits": MAX_UNITS,
        "maxPoints": MAX_POINTS,
    }
    parts = {
        "facts": html.escape(json.dumps(facts)),
        "data": "".join(_control(settings[name]) for name in _IN_DATA),
        "training": "".join(_control(settings[name]) for name in _IN_TRAINING),
        "features": "".join(
            f'<label class="pg-check"><input type="checkbox" data-feature="{name}">{title}</label>'
            for name, (title, _) in FEATURES.items()
        ),
        "presets": "".join(
            f'<li><a href="#{html.escape(preset.address)}">{html.escape(preset.title)}</a> '
            f"<span>{html.escape(preset.look)}</span></li>"
            for preset in PRESETS
        ),
    }
    page = HERE.with_suffix(".html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace(f"<!-- {name} -->", part)
    return page


def _control(item: Setting) -> str:
    """A labelled control. What spans a narrow range is a slider, and shows its number."""
    name, label = item.name, LABELS[item.name]
    if name == "data":
        field = f'<select data-setting="data">{_datasets()}</select>'
    elif item.choices:
        options = "".join(f'<option value="{choice}">{_OPTIMIZER_TITLES[choice]}</option>' for choice in item.choices)
        field = f'<select data-setting="{name}">{options}</select>'
    elif item.kind is float and not item.log:
        field = (
            f'<input type="range" data-setting="{name}" min="{item.minimum}" max="{item.maximum}" step="0.05">'
            f"<output></output>"
        )
    else:
        step = "any" if item.kind is float else "1"
        field = (
            f'<input type="number" data-setting="{name}" min="{item.minimum}" max="{item.maximum}" step="{step}" '
            f'inputmode="decimal">'
        )
    return f'<label class="pg-field" title="{html.escape(item.meaning)}"><span>{label}</span>{field}</label>'


def _datasets() -> str:
    groups = []
    for title, is_regression in (("Classes", False), ("Values", True)):
        options = "".join(
            f'<option value="{name}">{item.title}</option>'
            for name, item in DATASETS.items()
            if item.is_regression == is_regression
        )
        groups.append(f'<optgroup label="{title}">{options}</optgroup>')
    return "".join(groups)
