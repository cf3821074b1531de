"""A look: one way of looking into a network, with its settings and what it shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerwise.config import Settings
from layerwise.plots import Plot

Inputs = Mapping[str, Any] | None
Show = Callable[[Inputs, Any], Sequence[Plot] | Iterator[Sequence[Plot]]]


@dataclass(frozen=True, kw_only=True)
class Look:
    """One way of looking into a network.

    Args:
        name: One word, unique among the looks of a model.
        title: A few words.
        text: A sentence or two: what it shows, and the paper that it comes from.
        show: `(inputs, settings) -> Sequence[Plot]`, or a generator of such sequences, each of which replaces the one
            before, for what takes long. `inputs` has a value for each input field of the task, or is None.
        settings: A subclass of Settings made for this model; its choices are the layers and the classes of the network.
        needs_input: Whether it looks at what the network makes of an input.
        is_long: Whether it takes more than a moment.
    """

    name: str
    title: str
    text: str
    show: Show
    settings: type[Settings] = Settings
    needs_input: bool = True
    is_long: bool = False


def settings_of_look(**fields: tuple[type, Any] | None) -> type[Settings]:
    """A type of settings made for one model.

    Args:
        fields: The type and the `setting(...)` of each; None leaves it out.
    """
    given = [(name, *field) for name, field in fields.items() if field is not None]
    return dataclasses.make_dataclass("LookSettings", given, bases=(Settings,), frozen=True, kw_only=True)
