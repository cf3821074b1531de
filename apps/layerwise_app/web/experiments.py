"""The experiments of lessons on a page: their settings as plain controls, those that take long a step at a time."""

from __future__ import annotations

import abc
import html
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.config import Setting, Settings, config_from, settings_of
from layerwise.errors import InputError, SpecError
from layerwise_app.web.guard import answering, explain
from layerwise_app.web.markup import markup
from layerwise_app.web.plots import plots_html
from layerwise_app.web.plots.texts import inline_html, plain_text, rich_text
from layerwise_app.web.plots.ticks import nice_step

if TYPE_CHECKING:
    import gradio as gr

    from layerwise.plots import Plot
    from layerwise.teaching.lessons import Experiment

SCRIPT = Path(__file__).with_name("experiments.js")
"""What the scripts of pages with experiments begin with."""
SLIDER_STEPS = 200
"""Places of a slider for a fraction, at most; a slider for whole numbers has one for each."""
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])_(?=[a-z])")
"""What is a space in a choice; names with numbers, such as those of layers, stay as they are."""
KEPT_TRIALS, KEPT_SECONDS = 32, 600.0
"""How many experiments that take long are remembered between two of their steps, and for how long."""


def controls_html(settings_type: type[Settings], values: Mapping[str, Any]) -> str:
    """A control for each setting.

    Args:
        values: What they show, by name; the defaults for those that are missing or not valid.
    """
    shown = linked_settings(settings_type, values)
    return "".join(_control(setting, getattr(shown, setting.name)) for setting in settings_of(settings_type))


def linked_settings(settings_type: type[Settings], values: Mapping[str, Any]) -> Settings:
    """The settings that an address describes. A link may be old: what is not valid is left out."""
    refused = refusals(settings_type, values)
    known = {setting.name for setting in settings_of(settings_type)} - set(refused)
    return config_from(settings_type, {name: value for name, value in values.items() if name in known})


def refusals(settings_type: type[Settings], values: Mapping[str, Any]) -> dict[str, str]:
    """What was expected of each setting whose value is not valid, by its name."""
    found = {}
    for setting in settings_of(settings_type):
        try:
            setting.parse(values.get(setting.name, setting.default))
        except SpecError as error:
            found[setting.name] = f"Expected: {error.expected}."
    return found


def _control(setting: Setting, value: Any) -> str:
    name, default = html.escape(setting.name), html.escape(setting.format(setting.default))
    shared = f'data-setting="{name}" data-default="{default}"'
    label = inline_html(setting.meaning)
    if setting.kind is bool:
        checked = " checked" if value else ""
        return f'<label class="lw-check"><input type="checkbox" {shared}{checked}> {label}</label>'
    if setting.choices:
        options = "".join(
            f'<option value="{html.escape(choice)}"{" selected" if choice == value else ""}>'
            f"{html.escape(_BETWEEN_WORDS.sub(' ', choice))}</option>"
            for choice in setting.choices
        )
        return f"<label><span>{label}</span><select {shared}>{options}</select></label>"
    written = html.escape(setting.format(value))
    if setting.kind in (int, float) and setting.minimum is not None and setting.maximum is not None:
        return _slider(setting, value, label, shared)
    kind = "number" if setting.kind in (int, float) else "text"
    step = ' step="any"' if setting.kind is float else ""
    # What is wrong with what was typed is said below it, and not part of the name.
    return (
        f'<div class="lw-field"><label><span>{label}</span><input type="{kind}"{step} {shared} value="{written}">'
        '</label><p class="lw-refused" role="alert" hidden></p></div>'
    )


def _slider(setting: Setting, value: float, label: str, shared: str) -> str:
    low, high = setting.minimum, setting.maximum
    assert low is not None
    assert high is not None
    unit = f" {html.escape(setting.unit)}" if setting.unit else ""
    scale = ""
    if setting.log and low > 0:
        # The slider moves in powers; the script turns them into numbers and back.
        scale, places = ' data-log=""', (math.log10(low), math.log10(high), math.log10(value))
        step = (places[1] - places[0]) / SLIDER_STEPS
    else:
        places = (low, high, value)
        step = 1 if setting.kind is int else nice_step((high - low) / SLIDER_STEPS)
    whole = ' data-whole=""' if setting.kind is int else ""
    written = html.escape(setting.format(value))
    return (
        f'<label><span>{label}</span><span class="lw-slider"><input type="range" {shared}{scale}{whole} '
        f'min="{places[0]:.6g}" max="{places[1]:.6g}" step="{step:.6g}" value="{places[2]:.6g}" '
        f'data-value="{written}"><output>{written}</output>{unit}</span></label>'
    )


def experiment_html(experiment: Experiment, values: Mapping[str, Any]) -> str:
    """An experiment: what to try, its controls, and what follows from them at once, or a button that starts it."""
    name, title = html.escape(experiment.name), html.escape(plain_text(experiment.title))
    controls = controls_html(experiment.settings, values)
    text = f'<div class="lw-rich">{rich_text(experiment.text)}</div>' if experiment.text else ""
    form = f'<form class="lw-controls" aria-label="Settings: {title}">{controls}</form>'
    buttons, shown, said = "", "", ""
    if experiment.button:
        buttons = (
            f'<p class="lw-small-tools"><button type="button" class="lw-primary" data-action="run">'
            f"{html.escape(experiment.button)}</button>"
            '<button type="button" data-action="stop" hidden>Stop</button></p>'
        )
    else:
        try:
            shown = last_html(experiment, linked_settings(experiment.settings, values))
        except Exception as error:  # said where it would be seen; the rest of the page is of use without it
            said = html.escape(explain(error))
    note = f'<div class="lw-note" role="alert" data-part="note"{"" if said else " hidden"}>{said}</div>'
    return (
        # No ids: a page may show an experiment twice.
        f'<section class="lw-panel lw-experiment" data-experiment="{name}" aria-label="{title}">'
        f"<h3>{inline_html(experiment.title)}</h3>{text}"
        f"{form if controls else ''}{buttons}{note}"
        f'<div class="lw-shown" data-part="shown" aria-live="polite">{shown}</div></section>'
    )


def last_html(experiment: Experiment, settings: Settings) -> str:
    """All that there is to see of an experiment, at once."""
    shown: Sequence[Plot] = ()
    for shown in experiment.run(settings):  # noqa: B007
        pass
    return plots_html(shown)


@dataclass
class _Trial:
    """An experiment that is going on: what comes next is computed when it is asked for."""

    shown: Iterator[Sequence[Plot]]
    looked_at: float
    lock: threading.Lock = field(default_factory=threading.Lock)


class Trials:
    """The experiments that take long and are going on. A page asks for one step after the other, so that one that is
    left computes nothing more, and is soon forgotten."""

    def __init__(self) -> None:
        self._trials: OrderedDict[str, _Trial] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, token: str, experiment: Experiment, settings: Settings) -> None:
        """Begin one under a token that the page has chosen."""
        trial = _Trial(experiment.run(settings), time.monotonic())
        with self._lock:
            self._trials[token] = trial
            oldest = time.monotonic() - KEPT_SECONDS
            while len(self._trials) > KEPT_TRIALS or next(iter(self._trials.values())).looked_at < oldest:
                self._trials.popitem(last=False)

    def next(self, token: str) -> str | None:
        """The next thing to see, as HTML; None at the end.

        Raises:
            InputError: It has been forgotten.
        """
        with self._lock:
            trial = self._trials.get(token)
            if trial is None:
                raise InputError("This experiment is not going on any more", remedy="start it again")
            trial.looked_at = time.monotonic()
            self._trials.move_to_end(token)
        with trial.lock:
            shown = next(trial.shown, None)
        if shown is None:
            self.stop(token)
            return None
        return plots_html(shown)

    def stop(self, token: str) -> None:
        """Forget one. One that is unknown is forgotten already."""
        with self._lock:
            self._trials.pop(token, None)


class ExperimentCalls(abc.ABC):
    """What the scripts of pages with experiments ask for (experiments.js). Each call is given a JSON value and answers
    with one."""

    def __init__(self) -> None:
        self.trials = Trials()

    def markup(self, template: str, script: Path, *functions: Callable[[Any], Any], **options: Any) -> gr.HTML:
        """Draw the HTML of the page.

        Args:
            script: What follows `experiments.js`.
            functions: What it asks for beside `show`, `begin` and `more`.
            options: As of `markup`.
        """
        return markup(
            "",
            html_template=template,
            js_on_load=SCRIPT.read_text(encoding="utf-8") + script.read_text(encoding="utf-8"),
            server_functions=[answering(call) for call in (self.show, self.begin, self.more, *functions)],
            **options,
        )

    @abc.abstractmethod
    def experiment(self, asked: Mapping[str, Any]) -> Experiment:
        """The experiment that is meant: what the script's `about` says, besides what the calls below take.

        Raises:
            LayerwiseError: There is none.
        """

    def show(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What follows from the settings of an experiment; or "refused", what was expected of those that are not valid.

        Args:
            asked: `settings`.

        Raises:
            LayerwiseError: The experiment cannot be done so.
        """
        experiment, values = self.experiment(asked), asked.get("settings") or {}
        if refused := refusals(experiment.settings, values):
            return {"refused": refused}
        return {"html": last_html(experiment, config_from(experiment.settings, values))}

    def begin(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Begin an experiment that takes long; or "refused", as of `show`.

        Args:
            asked: `settings`, and `token`, by which `more` knows it.
        """
        token, experiment, values = _token_of(asked), self.experiment(asked), asked.get("settings") or {}
        if refused := refusals(experiment.settings, values):
            return {"refused": refused}
        self.trials.begin(token, experiment, config_from(experiment.settings, values))
        return {}

    def more(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The next thing to see of an experiment that takes long; "html" is None at the end.

        Args:
            asked: `token`, and `stop`, whether it shall end now.

        Raises:
            InputError: It has been forgotten.
        """
        if asked.get("stop"):
            self.trials.stop(_token_of(asked))
            return {"html": None}
        return {"html": self.trials.next(_token_of(asked))}


def _token_of(asked: Mapping[str, Any]) -> str:
    """The token by which a page knows its experiment.

    Raises:
        InputError: There is none that nobody else could have.
    """
    token = asked.get("token")
    if not (isinstance(token, str) and 8 <= len(token) <= 64):
        raise InputError("The experiment has no usable token", received=repr(token))
    return token
