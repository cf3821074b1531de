"""The inputs of a demo: for each field of the task a control, or several to choose from (a picture may be drawn)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import InputError
from layerwise_app.web.components import Control, control

if TYPE_CHECKING:
    from layerwise.tasks.fields import Field

_TAB_TITLES = {
    "image": "Picture",
    "sketch": "Draw",
    "audio": "Sound",
    "live-audio": "Speak, and see it written",
    "text": "Text",
    "table": "Values",
    "file": "File",
    "files": "Files",
}


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
        """The value for the task, None when there is none.

        Args:
            values: Those of `components`.
        """
        active, position = values[0], 1
        for kind, part in self.controls.items():
            if kind == active:
                return part.read(values[position : position + len(part.components)])
            position += len(part.components)
        return None

    def show(self, value: Any) -> list[Any]:
        """What `components` become when `value` is put in: it is shown as the field's own kind."""
        first, *others = self.controls.values()
        untouched = [gr.skip() for part in others for _ in part.components]
        return [self.field.kind, *first.show(value), *untouched]


def draw_input(field: Field) -> Input:
    """Draw one input: its control, or a tab for each of its kinds."""
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


def draw_inputs(fields: Sequence[Field]) -> tuple[Input, ...]:
    """Draw inputs, those that few people change folded below the others."""
    drawn = {field.name: draw_input(field) for field in fields if not field.advanced}
    if len(drawn) < len(fields):
        with gr.Accordion("Settings", open=False):
            drawn |= {field.name: draw_input(field) for field in fields if field.advanced}
    return tuple(drawn[field.name] for field in fields)


def read_inputs(inputs: Sequence[Input], values: Sequence[Any]) -> dict[str, Any]:
    """The value of each field by its name.

    Args:
        values: Those of the components of all `inputs`, one after the other.

    Raises:
        InputError: One that is needed is missing.
    """
    found, position = {}, 0
    for given in inputs:
        count = len(given.components)
        value = given.read(values[position : position + count])
        position += count
        if value is None and not given.field.optional:
            raise InputError(f"{given.field.title} is missing", remedy="give one, or choose an example")
        if value is not None:
            found[given.field.name] = value
    return found
