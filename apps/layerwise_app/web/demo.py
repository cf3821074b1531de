"""The demo of a model, drawn from what its task says goes in and comes out: examples on top, input left, answer
right, below a look inside the network, how it works and how to call it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import InputError
from layerwise.tasks import Control
from layerwise.versions import Reference
from layerwise_app.web.arena import draw_arena
from layerwise_app.web.components import display
from layerwise_app.web.fetching import FetchPart, untrained
from layerwise_app.web.gallery import draw_gallery
from layerwise_app.web.guard import QUIET, explain, guard
from layerwise_app.web.inputs import Input, draw_inputs, read_inputs
from layerwise_app.web.inside import Inside
from layerwise_app.web.live import LONGEST, STREAM_EVERY, longer, with_recording
from layerwise_app.web.markup import link, markup, note, status
from layerwise_app.web.pages import cards
from layerwise_app.web.routes import NETWORK
from layerwise_app.web.site import Site
from layerwise_app.web.streaming import thinned
from layerwise_app.web.visuals import load_examples

if TYPE_CHECKING:
    from layerwise.specs import Example, ModelSpec
    from layerwise.tasks.fields import Field

IN_USE = "in use"
LOADING = "Loading the network. This is done once, and takes a few seconds …"
# Who asks again before the answer has come gets the answer to what was asked last.
ASKING: Any = {**QUIET, "trigger_mode": "always_last"}


@dataclass(frozen=True)
class Demo:
    """What a demo is made of."""

    site: Site
    spec: ModelSpec
    variant: gr.Radio
    version: gr.Dropdown
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, Any, Callable[[Any], Any]], ...]
    status: gr.HTML
    weights: FetchPart
    inside: Inside
    panel: gr.HTML

    @property
    def asked(self) -> list[Any]:
        """The components whose values a request is made of."""
        return [self.variant, self.version, *(part for given in self.inputs for part in given.components)]

    @property
    def answered(self) -> list[Any]:
        """The components that an answer fills."""
        return [self.status, self.panel, *(component for _, component, _ in self.outputs)]

    @property
    def heads(self) -> list[Any]:
        """The components that a page fills when it is opened."""
        return [*self.weights.components, self.version, self.status, self.panel]

    @property
    def everything(self) -> list[Any]:
        """The components that the choice of a network changes."""
        return [*self.heads, *(component for _, component, _ in self.outputs)]

    def reference(self, variant: str, version: str) -> Reference:
        """The model that is asked."""
        return chosen(self.spec, variant, version)

    def answer(self, request: gr.Request, variant: str, version: str, *values: Any) -> Iterator[list[Any]]:
        """Answer what stands in the inputs."""
        yield from self.shown(self.reference(variant, version), lambda: read_inputs(self.inputs, values), request)

    def shown(
        self, reference: Reference, read: Callable[[], dict[str, Any]], request: gr.Request
    ) -> Iterator[list[Any]]:
        """The values of `answered`, again and again while the answer becomes better; what goes wrong is said where
        the answer would be."""
        try:
            inputs = read()
            if missing := untrained(self.site, reference):
                yield self.nothing(missing)
                return
            if meanwhile := said_meanwhile(self.site, reference):
                yield [status(meanwhile), *[gr.skip() for _ in self.answered[1:]]]
            # With the first part of the answer, since an input that cannot be used is nothing to look at.
            asked: Any = self.inside.remember(reference, inputs)
            for partial in thinned(self.site.predictor.stream(reference, inputs, session=request.session_hash)):
                warnings = " ".join(self.site.predictor.warnings(reference))
                shown = note("Mind this.", warnings) if warnings else ""
                yield [shown, asked, *(show(partial.get(name)) for name, _, show in self.outputs)]
                asked = gr.skip()
        except Exception as error:  # a model is a plugin's code
            yield self.nothing(note("That did not work.", explain(error)))

    def nothing(self, said: str) -> list[Any]:
        """The values of `answered` without an answer."""
        return [said, gr.skip(), *(show(None) for _, _, show in self.outputs)]

    def opened(self, variant: str) -> list[Any]:
        """The values of `everything` for a network that has not been asked yet."""
        choice = version_choice(self.site, self.spec, variant)
        reference = self.reference(variant, IN_USE)
        said, _, *others = self.nothing(untrained(self.site, reference))
        return [*self.weights.look(variant), choice, said, self.inside.remember(reference), *others]

    def entered(self, request: gr.Request) -> list[Any]:
        """The values of the choice of a network and of `heads` when the page is opened, with the network that the link
        names: what somebody has asked meanwhile stays."""
        names = [variant.name for variant in self.spec.variants]
        asked = request.query_params.get(NETWORK)
        is_meant = self.spec.name.endswith(f"/{request.query_params.get('model')}") and asked in names
        variant = asked if is_meant and asked else names[0]
        *values, said, token = self.opened(variant)[: len(self.heads)]
        return [variant if is_meant else gr.skip(), *values, said or gr.skip(), token]

    def changed(self, request: gr.Request, variant: str, _version: str, *values: Any) -> Iterator[list[Any]]:
        """Ask another network what stands in the inputs. The values of `everything`."""
        self.weights.turn_to(request, variant)
        yield self.opened(variant)
        try:
            inputs = read_inputs(self.inputs, values)
        except InputError:
            return  # nothing has been asked yet
        for answer in self.shown(self.reference(variant, IN_USE), lambda: inputs, request):
            yield [gr.skip(), gr.skip(), gr.skip(), *answer]

    def fetched(self, request: gr.Request, variant: str, version: str, *values: Any) -> Iterator[list[Any]]:
        """Get the weights of a network, and ask it. The values of `everything`."""
        others = len(self.everything) - len(self.weights.components)
        if (yield from self.weights.fetch(request, variant, others)):
            yield from self.changed(request, variant, version, *values)


def draw_demo(site: Site, spec: ModelSpec) -> None:
    """Draw the demo of a model."""
    examples = load_examples(spec)
    with gr.Column(elem_classes="lw-model"):
        markup(f'<p class="lw-summary">{html.escape(spec.card.summary)}</p>')
        if isinstance(spec.task, Control):
            draw_arena(spec)
        gallery = draw_gallery(examples, spec.task.inputs, spec.name) if examples else None
        with gr.Row(equal_height=False, elem_classes="lw-demo"):
            with gr.Column(min_width=300, elem_classes="lw-inputs"):
                inputs = draw_inputs(spec.task.inputs)
                button = gr.Button("Ask the network", variant="primary")
            with gr.Column(min_width=300, elem_classes="lw-outputs"):
                said = markup(elem_classes="lw-said")
                weights = FetchPart(site, spec)
                weights.draw()
                outputs = tuple((field.name, *display(field)) for field in _shown_outputs(spec))
                variant, version = draw_choice(spec)
        inside = Inside(site)
        panel = inside.draw()
        draw_details(site, spec)
    demo = Demo(site, spec, variant, version, inputs, outputs, said, weights, inside, panel)
    _wire(demo, button)
    if gallery is not None:
        _wire_gallery(demo, gallery, examples)


def said_meanwhile(site: Site, reference: Reference) -> str:
    """What is said until an answer comes that has to be waited for; empty where it comes at once."""
    if site.predictor.state(reference) != "ready":
        return LOADING
    position = site.predictor.position(reference)
    return f"Many ask at the moment. You are number {position} of those who wait …" if position else ""


def _shown_outputs(spec: ModelSpec) -> list[Field]:
    fields = list(spec.task.outputs)
    if any(field.kind == "label-probabilities" for field in fields):
        # The probabilities are headed by the most probable label already.
        return [field for field in fields if not (field.kind == "text" and field.name == "label")]
    return fields


def chosen(spec: ModelSpec, variant: str, version: str | None) -> Reference:
    """The model that is asked.

    Args:
        version: What was chosen of its versions; IN_USE or None for the one in use.
    """
    return Reference(spec.name, variant, None if version in (None, IN_USE) else version)


def draw_choice(spec: ModelSpec) -> tuple[gr.Radio, gr.Dropdown]:
    """Draw which of its networks answers, and in which version."""
    choices = [
        (f"{variant.name} — {variant.summary}" if variant.summary else variant.name, variant.name)
        for variant in spec.variants
    ]
    variant = gr.Radio(
        choices, value=spec.variants[0].name, label="Network", visible=len(choices) > 1, elem_classes="lw-variants"
    )
    return variant, gr.Dropdown([IN_USE], value=IN_USE, label="Version", visible=False)


def version_choice(site: Site, spec: ModelSpec, variant: str) -> Any:
    """What the choice of a version becomes for a variant: seen when there is more than one."""
    identifiers = [item.id for item in site.workspace.versions.list(spec, variant)]
    return gr.update(choices=[IN_USE, *identifiers], value=IN_USE, visible=len(identifiers) > 1)


def draw_details(site: Site, spec: ModelSpec) -> None:
    """Draw the model card and how to call the model, folded."""
    with gr.Accordion("How it works, and how well", open=False) as accordion:
        card, reports = gr.Markdown(elem_classes="lw-prose"), markup()
        # Read when somebody looks, so that a promoted version's figures are shown and no page waits for pictures.
        accordion.expand(
            guard(lambda: (cards.card_markdown(site, spec), cards.reports_html(site, spec))),
            None,
            [card, reports],
            **QUIET,
        )
        if spec.is_trainable:
            markup(f"<p>{link(f'./train?model={spec.name}', 'Train it yourself')}</p>")
    with gr.Accordion("Use it from your own code", open=False):
        gr.Code(cards.curl_snippet(site, spec), language="shell", label="From a shell", interactive=False)
        gr.Code(cards.client_snippet(site, spec), language="python", label="From Python", interactive=False)
        gr.Code(cards.python_snippet(spec), language="python", label="From Python, without a server", interactive=False)


def _wire(demo: Demo, button: gr.Button) -> None:
    ask: Any = {"fn": guard(demo.answer), "inputs": demo.asked, "outputs": demo.answered, **ASKING}
    button.click(**ask)
    for component, event in _asking(demo):
        getattr(component, event)(**ask)

    def adjusted(request: gr.Request, variant: str, version: str, *values: Any) -> Iterator[list[Any]]:
        try:
            inputs = read_inputs(demo.inputs, values)
        except InputError:
            return  # nothing has been asked yet
        yield from demo.shown(demo.reference(variant, version), lambda: inputs, request)

    for slider in _sliders(demo):
        slider.release(**{**ask, "fn": guard(adjusted)})
    for given in demo.inputs:
        if "live-audio" in given.controls:
            _wire_live(demo, *given.controls["live-audio"].components)

    # Without triggers and inputs: when somebody opens the page.
    gr.on(fn=guard(demo.entered), outputs=[demo.variant, *demo.heads], **QUIET)
    demo.weights.button.click(guard(demo.fetched), demo.asked, demo.everything, **QUIET)
    if isinstance(demo.spec.task, Control):
        choice = [demo.variant, demo.version]
        gr.on([demo.variant.change, demo.version.input], None, choice, None, js=_tell_arena(demo.spec), **QUIET)
    # Another network is asked the same at once.
    demo.variant.input(guard(demo.changed), demo.asked, demo.everything, **ASKING)


def _tell_arena(spec: ModelSpec) -> str:
    """A function of the browser: the arena of a model plays what was chosen on the page."""
    return f"""(variant, version) => {{
      const detail = version === "{IN_USE}" ? {{ variant }} : {{ variant, version }};
      const arena = document.querySelector('.lw-arena[data-model="{spec.name}"]');
      arena.dispatchEvent(new CustomEvent("lw-network", {{ detail }}));
    }}"""


def _wire_live(demo: Demo, microphone: gr.Audio, state: gr.State) -> None:
    def listen(request: gr.Request, chunk: str | None, recorded: Any, *values: Any) -> list[Any]:
        recorded = longer(recorded, chunk)
        shown: list[Any] = [gr.skip() for _ in demo.answered]
        for answer in demo.answer(request, *with_recording(demo.asked, values, state, recorded)):
            shown = [old if new == gr.skip() else new for old, new in zip(shown, answer, strict=True)]
        return [recorded, *shown]

    microphone.stream(
        guard(listen),
        [microphone, state, *demo.asked],
        [state, *demo.answered],
        stream_every=STREAM_EVERY,
        time_limit=LONGEST,
        **QUIET,
    )


def _asking(demo: Demo) -> list[tuple[Any, str]]:
    """The components of which an event asks at once: pictures, drawings and sounds of a task that needs one input, and
    every line of text that is ended with Enter."""
    required = [given for given in demo.inputs if not given.field.optional]
    # Files that are given too come after it: an answer without them could arrive after the one with them.
    is_whole = len(required) == 1 and not any("files" in given.controls for given in demo.inputs)
    events = {"image": "upload", "sketch": "submit", "audio": "upload"} if is_whole else {}
    events["text"] = "submit"
    return [
        (part.components[0], events[kind])
        for given in demo.inputs
        for kind, part in given.controls.items()
        if kind in events
    ]


def _sliders(demo: Demo) -> list[gr.Slider]:
    return [part for given in demo.inputs for part in given.components if isinstance(part, gr.Slider)]


def _wire_gallery(demo: Demo, gallery: gr.HTML, examples: Sequence[Example]) -> None:
    tabs = [given.tabs for given in demo.inputs if given.tabs is not None]
    shown = [part for given in demo.inputs for part in given.components]

    def use(request: gr.Request, index: str, variant: str, version: str) -> Iterator[list[Any]]:
        example = examples[int(index)]
        put_in = [value for given in demo.inputs for value in given.show(example.inputs.get(given.field.name))]
        turned = [gr.update(selected=given.field.kind) for given in demo.inputs if given.tabs is not None]
        before = [*turned, *put_in]
        for values in demo.shown(demo.reference(variant, version), lambda: dict(example.inputs), request):
            yield [*before, *values]
            before = [gr.skip() for _ in before]

    gallery.select(guard(use), [gallery, demo.variant, demo.version], [*tabs, *shown, *demo.answered], **ASKING)
