"""Settings of a config to form controls, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.config import Setting, TrainingConfig, config_from, offered_settings, settings_of
from layerwise.fine_tuning import IN_USE
from layerwise.hardware.slots import num_gpus

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec


def control_of(setting: Setting, value: Any) -> Any:
    """Draw the control of one setting, with `value` in it."""
    range_text = "" if setting.choices or setting.kind is bool else setting.range_text
    info = f"{setting.meaning} ({range_text})" if range_text else setting.meaning
    # Gradio would take a component with a value for one that only shows it.
    usual: Any = {"value": value_of(setting, value), "label": setting.label, "info": info, "interactive": True}
    if setting.kind is bool:
        return gr.Checkbox(**usual)
    if setting.choices:
        return gr.Dropdown(choices=list(setting.choices), **usual)
    if setting.kind in (tuple, str):
        return gr.Textbox(**usual, max_lines=1)
    # No limits here: Gradio would clamp a number without a word, the config says what is wrong with it.
    return gr.Number(**usual, precision=0 if setting.kind is int else None)


def value_of(setting: Setting, value: Any) -> Any:
    """What the control of a setting shows for `value`."""
    return ", ".join(map(str, value)) if setting.kind is tuple else value


def start_control(identifiers: Sequence[str]) -> gr.Dropdown:
    """Draw the choice of the weights that a training begins with.

    Args:
        identifiers: The versions that there are.
    """
    choices = [("Random weights", ""), *([("The version in use", IN_USE)] if identifiers else [])]
    return gr.Dropdown(
        [*choices, *((identifier, identifier) for identifier in identifiers)],
        value="",
        label="Start from",
        info="From a version on, a training on your own data needs few examples and minutes (fine-tuning)",
        interactive=True,
        visible=bool(identifiers),
    )


def device_control() -> gr.Dropdown:
    """Draw the choice of the device, with what this machine has."""
    count = num_gpus()
    if count == 0:
        choices, info = [("CPU", "auto")], "There is no NVIDIA GPU on this machine"
    else:
        single = [(f"GPU {index}", f"gpu:{index}") for index in range(count)]
        several = [("The first free GPU", "auto"), *single, ("All GPUs together", "all")]
        choices = [*(several if count > 1 else [("GPU", "auto")]), ("CPU", "cpu")]
        info = "A run waits while another one has its device"
    return gr.Dropdown(choices, value="auto", label="Device", info=info, interactive=True)


def cluster_controls() -> tuple[gr.Textbox, gr.Number]:
    """Draw the choice of a cluster, and of how many of its processes share the work."""
    address = gr.Textbox(
        label="Cluster",
        info="The address of a Ray cluster, or local to start one on this machine; empty trains without one",
        max_lines=1,
        interactive=True,
    )
    workers = gr.Number(
        2, label="Workers", info="Processes of the cluster that share every batch", precision=0, interactive=True
    )
    return address, workers


def ordered_settings(spec: ModelSpec) -> tuple[list[Setting], list[Setting]]:
    """The settings of a model's config: those shown at once, and the advanced ones. The model's own come before
    those that every training has."""
    common = {setting.name for setting in settings_of(TrainingConfig)}
    settings = sorted(offered_settings(spec.config), key=lambda setting: setting.name in common)
    return [item for item in settings if not item.advanced], [item for item in settings if item.advanced]


def read_config(spec: ModelSpec, settings: Sequence[Setting], values: Sequence[Any]) -> TrainingConfig:
    """The config that a form describes.

    Raises:
        SpecError: A value is not valid; an emptied number is named.
    """
    return config_from(spec.config, {item.name: value for item, value in zip(settings, values, strict=True)})
