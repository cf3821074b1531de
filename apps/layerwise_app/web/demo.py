"""The demo of a model, drawn from what its task says goes in and comes out: input left, answer right, below how it
works and how to call it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import InputError
from layerwise.specs import resolve
from layerwise.versions import Reference
from layerwise_app.web.components import Control, control, display, label_of, picture
from layerwise_app.web.guard import guard
from layerwise_app.web.pages import cards
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.specs import Example, ModelSpec
    from layerwise.tasks.base import Field

_TAB_TITLES = {
    "image": "Picture",
    "sketch": "Draw",
    "audio": "Sound",
    "text": "Text",
    "table": "Values",
    "file": "File",
}
IN_USE = "in use"


@dataclass(frozen=True)
class Input:
    """An input field: a control for each of its kinds, and which of them is looked at."""

    field: Field
    controls: dict[str, Control]
    tabs: gr.Tabs | None
    active: gr.State

    @property
    def components(self) -> list[Any]:
        """What an event is given: the kind that is looked at, then every control's components."""
        return [self.active, *(part for control in self.controls.values() for part in control.components)]

    def read(self, values: Sequence[Any]) -> Any:
        """The value for the task."""
        active, position = values[0], 1
        for kind, part in self.controls.items():
            if kind == active:
                return part.read(values[position : position + len(part.components)])
            position += len(part.components)
        return None

    def show(self, value: Any) -> list[Any]:
        """What its components become when `value` is put in."""
        first = next(iter(self.controls))
        return [first, *self.controls[first].show(value), *[gr.skip() for _ in self.components[self._shown() :]]]

    def _shown(self) -> int:
        return 1 + len(next(iter(self.controls.values())).components)


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

    @property
    def asked(self) -> list[Any]:
        """The components whose values a request is made of."""
        return [self.variant, self.version, *(part for given in self.inputs for part in given.components)]

    @property
    def answered(self) -> list[Any]:
        """The components that an answer fills."""
        return [self.status, *(component for _, component, _ in self.outputs)]

    def reference(self, variant: str, version: str) -> Reference:
        """The model that is asked."""
        return Reference(self.spec.name, variant, None if version in (None, IN_USE) else version)

    def read(self, values: Sequence[Any]) -> dict[str, Any]:
        """The inputs by name, from the values of the components of `inputs`.

        Raises:
            InputError: One that is needed is missing.
        """
        found, position = {}, 0
        for given in self.inputs:
            count = len(given.components)
            value = given.read(values[position : position + count])
            position += count
            if value is None and not given.field.optional:
                raise InputError(f"{label_of(given.field)} is missing", remedy="give one, or choose an example")
            if value is not None:
                found[given.field.name] = value
        return found

    def answer(self, variant: str, version: str, *values: Any, request: gr.Request) -> Iterator[list[Any]]:
        """Answer what stands in the inputs."""
        yield from self.ask(self.reference(variant, version), self.read(values), request.session_hash)

    def ask(self, reference: Reference, inputs: dict[str, Any], session: str | None) -> Iterator[list[Any]]:
        """The values of `answered`, again and again while the answer becomes better."""
        predictor = self.site.predictor
        if predictor.state(reference) != "ready":
            loading = '<div class="lw-status" role="status">Loading the network, which is done once ...</div>'
            yield [loading, *[gr.skip() for _ in self.outputs]]
        for partial in predictor.stream(reference, inputs, session=session):
            warnings = " ".join(predictor.warnings(reference))
            shown = f'<div class="lw-note" role="status">{html.escape(warnings)}</div>' if warnings else ""
            yield [shown, *(show(partial.get(name)) for name, _, show in self.outputs)]


def draw_demo(site: Site, spec: ModelSpec) -> Demo:
    """Draw the demo of a model."""
    gr.HTML(f'<p class="lw-summary">{html.escape(spec.card.summary)}</p>', padding=False)
    with gr.Row(equal_height=False, elem_classes="lw-demo"):
        with gr.Column(min_width=300):
            inputs = tuple(_draw_input(field) for field in spec.task.inputs)
            button = gr.Button("Ask the network", variant="primary")
            examples = _load_examples(spec)
            gallery = _draw_examples(spec, examples) if examples else None
        with gr.Column(min_width=300):
            status = gr.HTML(padding=False, elem_classes="lw-live")
            outputs = tuple((field.name, *display(field)) for field in _shown_outputs(spec))
            variant, version = _draw_choice(site, spec)
    _draw_details(site, spec)
    demo = Demo(site, spec, variant, version, inputs, outputs, status)
    _wire(demo, button, gallery, examples)
    return demo


def _draw_input(field: Field) -> Input:
    kinds = (field.kind, *field.alternatives)
    active = gr.State(kinds[0])
    if len(kinds) == 1:
        return Input(field, {field.kind: control(field)}, None, active)
    controls = {}
    with gr.Tabs(elem_classes="lw-kinds") as tabs:
        for kind in kinds:
            with gr.Tab(_TAB_TITLES.get(kind, kind.capitalize()), id=kind) as tab:
                controls[kind] = control(field, kind)
            tab.select(
                lambda kind=kind: kind, None, active, show_progress="hidden", api_visibility="private", queue=False
            )
    return Input(field, controls, tabs, active)


def _shown_outputs(spec: ModelSpec) -> list[Field]:
    fields = list(spec.task.outputs)
    if any(field.kind == "label-probabilities" for field in fields):
        # The probabilities are headed by the most probable label already.
        return [field for field in fields if not (field.kind == "text" and field.name == "label")]
    return fields


def _draw_choice(site: Site, spec: ModelSpec) -> tuple[gr.Radio, gr.Dropdown]:
    choices = [
        (f"{variant.name}: {variant.summary}" if variant.summary else variant.name, variant.name)
        for variant in spec.variants
    ]
    variant = gr.Radio(
        choices, value=spec.variants[0].name, label="Variant", visible=len(choices) > 1, elem_classes="lw-variants"
    )
    version = gr.Dropdown([IN_USE], value=IN_USE, label="Version", visible=False)

    def versions(chosen: str) -> dict:
        identifiers = [item.id for item in site.workspace.versions.list(spec, chosen)]
        return gr.update(choices=[IN_USE, *identifiers], value=IN_USE, visible=len(identifiers) > 1)

    # Without triggers: when the page is opened, and when the variant changes.
    gr.on(fn=guard(versions), inputs=variant, outputs=version, show_progress="hidden", api_visibility="private")
    return variant, version


def _draw_details(site: Site, spec: ModelSpec) -> None:
    with gr.Accordion("How it works, and how well", open=False):
        # A function: read when somebody opens the page, so that a promoted version's figures are shown.
        gr.Markdown(lambda: cards.card_markdown(site, spec), elem_classes="lw-prose")
        gr.HTML(f'<p><a href="./train?model={html.escape(spec.name)}">Train it yourself</a></p>', padding=False)
    with gr.Accordion("Use it from your own code", open=False):
        gr.Code(cards.curl_snippet(site, spec), language="shell", label="From a shell", interactive=False)
        gr.Code(cards.python_snippet(spec), language="python", label="From Python", interactive=False)


def _load_examples(spec: ModelSpec) -> list[Example]:
    return list(resolve(spec.examples)()) if spec.examples is not None else []


def _draw_examples(spec: ModelSpec, examples: Sequence[Example]) -> gr.Gallery | gr.Dataset:
    field = spec.task.inputs[0]
    if field.kind == "image":
        return gr.Gallery(
            [(picture(example.inputs[field.name]), example.label or "example") for example in examples],
            label="Examples: choose one",
            columns=5,
            height="auto",
            object_fit="contain",
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_classes="lw-examples",
        )
    rows = [[example.label or _summary(example)] for example in examples]
    return gr.Dataset(
        components=["textbox"], samples=rows, headers=["example"], type="index", label="Examples: choose one"
    )


def _summary(example: Example) -> str:
    text = ", ".join(str(value) for value in example.inputs.values())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _wire(demo: Demo, button: gr.Button, gallery: Any, examples: Sequence[Example]) -> None:
    usual = {"api_visibility": "private", "show_progress": "minimal", "show_progress_on": demo.answered[1]}
    button.click(guard(demo.answer), demo.asked, demo.answered, **usual)
    for component in _asking_components(demo):
        component.upload(guard(demo.answer), demo.asked, demo.answered, **usual)
    for given in demo.inputs:
        if "text" in given.controls and given.field.kind == "text":
            given.controls["text"].components[0].submit(guard(demo.answer), demo.asked, demo.answered, **usual)
    if gallery is None:
        return
    first_tabs = [given.tabs for given in demo.inputs if given.tabs is not None]
    shown = [part for given in demo.inputs for part in given.components]

    def use(variant: str, version: str, event: gr.SelectData, request: gr.Request) -> Iterator[list[Any]]:
        example = examples[event.index]
        put_in = [value for given in demo.inputs for value in given.show(example.inputs.get(given.field.name))]
        turned = [gr.update(selected=given.field.kind) for given in demo.inputs if given.tabs is not None]
        for values in demo.ask(demo.reference(variant, version), dict(example.inputs), request.session_hash):
            yield [*turned, *put_in, *values]

    gallery.select(guard(use), [demo.variant, demo.version], [*first_tabs, *shown, *demo.answered], **usual)


def _asking_components(demo: Demo) -> list[Any]:
    """Pictures and sounds of a task with one input: giving one is asking."""
    if len(demo.inputs) != 1:
        return []
    controls = demo.inputs[0].controls
    return [controls[kind].components[0] for kind in ("image", "audio") if kind in controls]
