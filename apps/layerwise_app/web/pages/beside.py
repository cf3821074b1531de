"""Side by side: several models asked the same, and measured on the same examples."""

from __future__ import annotations

import html
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise import jobs
from layerwise.beside import MOST_MODELS, Family, Reply, ask, families
from layerwise.comparing import leaderboards
from layerwise.errors import InputError, NotFoundError
from layerwise.versions import Reference, parse_reference
from layerwise_app.web.address import remembering
from layerwise_app.web.gallery import draw_gallery
from layerwise_app.web.guard import QUIET, explain, guard
from layerwise_app.web.inputs import Input, draw_inputs, read_inputs
from layerwise_app.web.leaderboards import board_html, downloads_html, status_html, title_of
from layerwise_app.web.markup import empty, link, markup, note
from layerwise_app.web.pages import header
from layerwise_app.web.pages.own_data import choices_of, data_choice
from layerwise_app.web.pages.run_list import when
from layerwise_app.web.replies import replies_html
from layerwise_app.web.routes import BESIDE
from layerwise_app.web.site import Site
from layerwise_app.web.streaming import SECONDS_BETWEEN
from layerwise_app.web.visuals import load_examples

if TYPE_CHECKING:
    from layerwise.comparing.leaderboards import Leaderboard
    from layerwise.specs import Example

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SHOWN_BOARDS = 50
MOST_EXAMPLES = 12
"""How many examples of a family of models are shown."""
USUAL_LIMIT = 1000
"""Of how many examples a leaderboard is unless told otherwise: enough to tell most models apart, in a minute or two."""
ASKING: Any = {**QUIET, "trigger_mode": "always_last"}


def draw(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page."""
    summary = "The same input for several models: what each says, how long it takes, how large it is, and who is best."
    header.draw(site, BESIDE, "Side by side", summary)
    page = _Page(site)
    page.draw()
    page.wire(blocks)


@dataclass(frozen=True)
class _Panel:
    """The inputs of one family of models, seen while one of them is chosen."""

    family: Family
    column: gr.Column
    gallery: gr.HTML | None
    examples: Sequence[Example]
    inputs: tuple[Input, ...]
    button: gr.Button

    @property
    def components(self) -> list[Any]:
        """What the inputs are made of."""
        return [part for given in self.inputs for part in given.components]


class _Page:
    """The components of the page, and what they do."""

    def __init__(self, site: Site) -> None:
        self.site, self.workspace, self.boards = site, site.workspace, site.workspace.leaderboards
        trainable = {spec.name for spec in site.snapshot.models.values() if spec.is_trainable}
        # One model alone becomes two when it is trained.
        self.families = [
            family
            for family in families(site.snapshot)
            if len(family.references) > 1 or any(item.name in trainable for item in family.references)
        ]

    def draw(self) -> None:
        """Draw the choice of the models, and below it what they are asked, and how they are measured."""
        if not self.families:
            markup(empty("There is nothing to set side by side.", link("./plugins", "Plugins")))
        titles = [(family.title, place) for place, family in enumerate(self.families)]
        with gr.Row(equal_height=False, elem_classes="lw-choice"):
            self.family = gr.Dropdown(titles, value=0 if titles else None, label="What they do", scale=2, min_width=220)
            self.models = gr.Dropdown(
                [], value=[], multiselect=True, max_choices=MOST_MODELS, label="Models", info="Two or more", scale=5
            )
        with gr.Tabs(elem_classes="lw-models"):
            with gr.Tab("Ask them the same", id="ask"):
                self._draw_panels()
                self.said = markup(elem_id="replies")
            with gr.Tab("Measure them on a test", id="measure"):
                self._draw_measuring()
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    def _draw_panels(self) -> None:
        self.panels = []
        for place, family in enumerate(self.families):
            examples = self._examples(family)
            with gr.Column(visible=place == 0, elem_classes="lw-model") as column:
                gallery = draw_gallery(examples, family.fields) if examples else None
                inputs = draw_inputs(family.fields)
                button = gr.Button("Ask them all", variant="primary")
            self.panels.append(_Panel(family, column, gallery, examples, inputs, button))

    def _examples(self, family: Family) -> list[Example]:
        """A few examples of each model of a family, in turn, of those that have no other inputs than all of them."""
        names = {field.name for field in family.fields}
        # Those of the models that are chosen at first are the first.
        twins = [parse_reference(name) for name in _twins(family)]
        specs = dict.fromkeys(reference.name for reference in (*twins, *family.references))
        found: list[list[Example]] = []
        for name in specs:
            try:
                examples = load_examples(self.site.snapshot.model(name))
            except Exception:  # the examples are a plugin's code
                logger.warning("The examples of %s cannot be shown", name, exc_info=True)
            else:
                found.append([item for item in examples if item.inputs.keys() <= names])
        share = max(1, MOST_EXAMPLES // max(1, len(found)))
        return [example for examples in found for example in _spread(examples, share)]

    def _draw_measuring(self) -> None:
        with gr.Column(elem_classes="lw-settings lw-measuring"):
            self.data = data_choice(self.workspace.uploads, has_usual=True)
            self.split = gr.Textbox("test", label="Split", info="Of the data", max_lines=1, min_width=120)
            self.limit = gr.Number(USUAL_LIMIT, label="Examples", info="At most; 0: all", precision=0, min_width=120)
            self.metric = gr.Textbox("", label="Metric", info="Empty: the main one", max_lines=1, min_width=120)
        self.begin = gr.Button("Measure them", variant="primary")
        self.board = gr.Dropdown([], label="Leaderboard", info="The newest is at the top", visible=False)
        self.status = markup(elem_id="leaderboard-status")
        self.shown_board = markup(elem_id="leaderboard")
        with gr.Row(visible=False, elem_classes="lw-actions") as self.actions:
            self.stop = gr.Button("Stop", min_width=90, scale=0)
            self.resume = gr.Button("Resume", min_width=90, scale=0)
            self.delete = gr.Button("Delete", min_width=90, scale=0)
            self.downloads = markup()

    @property
    def chosen(self) -> list[Any]:
        """What the choice of a family changes."""
        return [self.models, *(panel.column for panel in self.panels), self.said]

    @property
    def looked_at(self) -> list[Any]:
        """What `look` fills."""
        buttons = [self.stop, self.resume, self.delete]
        return [self.status, self.shown_board, self.actions, *buttons, self.downloads, self.timer]

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components."""
        everything = [self.family, *self.chosen, self.data, self.board, *self.looked_at]
        blocks.load(guard(self.open), None, everything, **QUIET)
        self.family.input(guard(self.turn), self.family, self.chosen, **QUIET).then(
            None, self.models, None, js=remembering("models"), **QUIET
        )
        self.models.input(None, self.models, None, js=remembering("models"), **QUIET)
        for panel in self.panels:
            self._wire_panel(panel)
        asked = [self.models, self.data, self.split, self.limit, self.metric]
        self.begin.click(guard(self.start), asked, [self.board, *self.looked_at], **QUIET)
        for changed in (self.board.input, self.timer.tick):
            changed(guard(self.look), self.board, self.looked_at, **QUIET)
        for button, do in ((self.stop, self.stop_board), (self.resume, self.go_on)):
            button.click(guard(do), self.board, self.looked_at, **QUIET)
        self.delete.click(guard(self.remove), self.board, [self.board, *self.looked_at], **QUIET)

    def _wire_panel(self, panel: _Panel) -> None:
        def answer(models: list[str], *values: Any) -> Iterator[str]:
            try:
                inputs = read_inputs(panel.inputs, values)
            except InputError as error:
                yield note("That did not work.", str(error))
                return
            yield from self.replies(models, inputs)

        panel.button.click(guard(answer), [self.models, *panel.components], self.said, **ASKING)
        if panel.gallery is None:
            return
        tabs = [given.tabs for given in panel.inputs if given.tabs is not None]

        def use(index: str, models: list[str]) -> Iterator[list[Any]]:
            example = panel.examples[int(index)]
            put_in = [value for given in panel.inputs for value in given.show(example.inputs.get(given.field.name))]
            turned = [gr.update(selected=given.field.kind) for given in panel.inputs if given.tabs is not None]
            before = [*turned, *put_in]
            for said in self.replies(models, dict(example.inputs)):
                yield [*before, said]
                before = [gr.skip() for _ in before]

        shown = [*tabs, *panel.components, self.said]
        panel.gallery.select(guard(use), [panel.gallery, self.models], shown, **ASKING)

    def replies(self, models: Sequence[str], inputs: Any) -> Iterator[str]:
        """The answers as they come."""
        try:
            for replies in _thinned(ask(self.workspace, models, inputs)):
                yield replies_html(replies)
        except Exception as error:  # a model is a plugin's code
            yield note("That did not work.", explain(error))

    def open(self, request: gr.Request) -> list[Any]:
        """A page that is opened shows the models and the leaderboard of its link."""
        asked = [name for name in request.query_params.get("models", "").split(",") if name]
        family = self._family_of(asked)
        turned = self.turn(family, asked)
        boards = self.boards.list()
        identifier = request.query_params.get("leaderboard") or (boards[0].id if boards else None)
        data = gr.update(choices=self._data())
        return [family, *turned, data, *self.choose(identifier)]

    def _data(self) -> list[tuple[str, str]]:
        """What models can be measured on: the words, and the values."""
        sets = [(f"{spec.title} ({name})", name) for name, spec in self.site.snapshot.datasets.items()]
        return [*choices_of(self.workspace.uploads, has_usual=True), *sets]

    def _family_of(self, asked: Sequence[str]) -> int | None:
        """The family of the first model that is known; the first one that has two models when none is."""
        for name in asked:
            bare = name.partition("@")[0]
            for place, family in enumerate(self.families):
                if any(bare in (str(reference), reference.name) for reference in family.references):
                    return place
        many = [place for place, family in enumerate(self.families) if _twins(family)]
        preferred = [place for place in many if self.families[place].fields[0].kind == "image"]
        return next(iter([*preferred, *many]), 0 if self.families else None)

    def turn(self, family: int | None, asked: Sequence[str] = ()) -> list[Any]:
        """Look at another family: the values of `chosen`."""
        columns = [gr.update(visible=place == family) for place in range(len(self.panels))]
        if family is None:
            return [gr.update(choices=[], value=[]), *columns, ""]
        known = self._models_of(self.families[family])
        chosen = [name for name in asked if name in known] or _twins(self.families[family])
        return [gr.update(choices=known, value=chosen[:MOST_MODELS]), *columns, ""]

    def _models_of(self, family: Family) -> list[str]:
        """The models of a family: those in use, and below each its other versions."""
        found = []
        for reference in family.references:
            found.append(str(reference))
            spec = self.site.snapshot.model(reference.name)
            versions = self.workspace.versions.list(spec, reference.variant)
            if len(versions) > 1:
                found += [str(Reference(reference.name, reference.variant, version.id)) for version in versions]
        return found

    def start(self, models: list[str], data: str | None, split: str, limit: Any, metric: str) -> list[Any]:
        """Measure the models in the background, and look at that."""
        found = leaderboards.start(
            self.workspace,
            models,
            data=data.strip() if data and data.strip() else None,
            split=split.strip() or "test",
            limit=int(limit) if limit else None,
            metric=metric.strip() or None,
        )
        return self.choose(found.id)

    def choose(self, identifier: str | None) -> list[Any]:
        """Look at another leaderboard: the values of the choice and of `looked_at`."""
        known = self.boards.list()[:SHOWN_BOARDS]
        choices = [(f"{when(found)}, {title_of(found.board)}", found.id) for found in known]
        value = identifier if any(identifier == found.id for found in known) else None
        return [gr.update(choices=choices, value=value, visible=bool(choices)), *self.look(value)]

    def look(self, identifier: str | None) -> list[Any]:
        """What there is to see of a leaderboard now: the values of `looked_at`."""
        found = self._find(identifier)
        if found is None:
            said = empty("No leaderboard yet.", "Choose models, and measure them on the same examples.")
            hidden = gr.update(visible=False)
            return ["", said, hidden, gr.skip(), gr.skip(), gr.skip(), "", gr.Timer(active=False)]
        state = found.state
        is_active = state in ("queued", "running")
        return [
            status_html(found, state),
            board_html(found.board),
            gr.update(visible=True),
            gr.update(visible=is_active, interactive=not found.stop_requested),
            gr.update(visible=state in ("stopped", "failed")),
            gr.update(visible=not is_active),
            downloads_html(found),
            gr.update(active=is_active),
        ]

    def _find(self, identifier: str | None) -> Leaderboard | None:
        try:
            return self.boards.get(identifier) if identifier else None
        except NotFoundError:
            return None  # deleted since

    def stop_board(self, identifier: str) -> list[Any]:
        """Ask a leaderboard to stop; the timer shows when it did."""
        jobs.stop(self.boards.get(identifier))
        gr.Info("It stops soon, and keeps what it has measured.")
        return self.look(identifier)

    def go_on(self, identifier: str) -> list[Any]:
        """Measure what is missing."""
        jobs.resume(self.boards.get(identifier))
        return self.look(identifier)

    def remove(self, identifier: str) -> list[Any]:
        """Delete a leaderboard, and look at the newest one that is left."""
        self.boards.delete(identifier)
        gr.Info(html.escape(f"The leaderboard {identifier} is deleted."))
        return self.choose(next((found.id for found in self.boards.list()), None))


def _twins(family: Family) -> list[str]:
    """What is chosen of a family at first: all variants of its first model that has several, else nothing."""
    for first in family.references:
        found = [str(reference) for reference in family.references if reference.name == first.name]
        if len(found) > 1:
            return found[:MOST_MODELS]
    return []


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    """At most `count` of them, from the first to the last."""
    stride = max(1, len(examples) // count)
    return list(examples[::stride][:count])


def _thinned(asked: Iterable[list[Reply]]) -> Iterator[list[Reply]]:
    """The replies whenever the state of one changes, and of those in which an answer only grows as many as somebody
    could see."""
    states: list[str] = []
    given = 0.0
    waiting: list[list[Reply]] = []
    for replies in asked:
        waiting = [replies]
        now = [reply.state for reply in replies]
        if now != states or time.monotonic() - given >= SECONDS_BETWEEN:
            yield replies
            states, given, waiting = now, time.monotonic(), []
    yield from waiting
