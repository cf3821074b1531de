"""A microphone that is heard while somebody speaks: what has been recorded so far is asked about again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from layerwise.tasks.fields import Field

STREAM_EVERY = 0.5
"""Seconds between what the browser sends."""
LONGEST = 120
"""Seconds after which a recording ends by itself."""


def draw_live_audio(field: Field) -> list[Any]:
    """Draw the microphone: its component, and a State with what it has recorded, (samples a second, int16 [samples]),
    or None."""
    microphone = gr.Audio(
        label=field.title, sources=["microphone"], streaming=True, type="filepath", elem_classes="lw-live"
    )
    recorded = gr.State()
    microphone.start_recording(
        lambda: None, None, recorded, show_progress="hidden", api_visibility="private", queue=False
    )
    return [microphone, recorded]


def longer(recorded: tuple[int, np.ndarray] | None, chunk: str | None) -> tuple[int, np.ndarray] | None:
    """What has been recorded with what a browser sent next.

    Args:
        recorded: As `draw_live_audio` has it.
        chunk: The path of a WAV file; None for nothing.

    Raises:
        InputError: It cannot be read.
    """
    import numpy as np
    import soundfile

    if chunk is None:
        return recorded
    try:
        samples, rate = soundfile.read(chunk, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError("The microphone cannot be heard", received=str(error)[-120:]) from None
    before = [recorded[1]] if recorded is not None and recorded[0] == rate else []
    return rate, np.concatenate([*before, samples[:, 0]])


def with_recording(asked: Sequence[Any], values: Sequence[Any], state: gr.State, recorded: Any) -> list[Any]:
    """The values of the components of a request, the recording as it is now.

    Args:
        asked: The components.
        values: What the browser sent of each.
        state: The State of the recording.
        recorded: What it holds now.
    """
    return [recorded if component is state else value for component, value in zip(asked, values, strict=True)]
