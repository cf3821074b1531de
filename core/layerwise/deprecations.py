"""Names that go: hooks, arguments and public names that plugins may still use, what replaces each, and when it is gone.

A line of `DEPRECATED` is all that a renaming takes:

- a hook, "layerwise_models": an implementation of the former name is called under the new one. A hook that goes without
  a replacement stays in hookspecs.py, and is called, until then;
- an argument of a hook, "layerwise_callbacks(folder)": it stays in hookspecs.py, and is given, until then;
- a public name, "layerwise.Model" or "layerwise.tasks.Tagging": it leads to its replacement (by `former_names`, which
  another module than these two has to take for its `__getattr__`);
- an argument of a public name, "layerwise.ModelSpec(dataset)": what is given for it becomes its replacement's
  (`keep_former_arguments`).

Whoever uses one is told once, by a DeprecationWarning at the place of the use. Its users cannot do anything about it,
so Python shows it to authors alone: in tests, by `python -W`, and here in the report of their plugin.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

PUBLIC = (
    "layerwise",
    "layerwise.beside",
    "layerwise.client",
    "layerwise.context",
    "layerwise.data",
    "layerwise.errors",
    "layerwise.evaluation",
    "layerwise.export",
    "layerwise.fetching",
    "layerwise.inspection",
    "layerwise.jobs",
    "layerwise.leaderboard",
    "layerwise.networks",
    "layerwise.own_data",
    "layerwise.plots",
    "layerwise.runner",
    "layerwise.runs",
    "layerwise.tasks",
    "layerwise.tasks.audio_folder",
    "layerwise.tasks.sounds",
    "layerwise.testing",
    "layerwise.training",
    "layerwise.weights",
    "layerwise.workspace",
)
"""The modules whose names, but for those with an underscore, plugins may use: they go only by way of the table."""
RELEASES = 2
"""For so many minor releases after the one that deprecates it, a name stays."""
_NOTED = "__layerwise_deprecated__"
"""In the globals of a module: what it has used. A module that is run anew begins with nothing, like
`__warningregistry__`."""


@dataclass(frozen=True, kw_only=True)
class Deprecated:
    """A name that goes.

    Args:
        name: As the text above writes it.
        replacement: Likewise; empty for none.
        since: The release that deprecated it: "0.2".
        gone_in: The release without it, at least `RELEASES` minor releases after that, or the next major one: "0.5".

    Raises:
        ValueError: It would be gone too early.
    """

    name: str
    replacement: str
    since: str
    gone_in: str

    def __post_init__(self) -> None:
        since, gone_in = minor_release(self.since), minor_release(self.gone_in)
        if gone_in[0] == since[0] and gone_in[1] <= since[1] + RELEASES:
            raise ValueError(f"{self.name} has to stay for {RELEASES} releases after {self.since}")

    def __str__(self) -> str:
        """A sentence for the author of a plugin that uses it."""
        remedy = f" What to do: use {self.replacement}." if self.replacement else ""
        return f"{self.name} is deprecated since Layerwise {self.since} and gone in {self.gone_in}.{remedy}"

    @property
    def owner(self) -> str:
        """The hook or public name, without the argument."""
        return self.name.partition("(")[0]

    @property
    def argument(self) -> str:
        """The name of the argument; empty for a hook or a public name."""
        return self.name.partition("(")[2].rstrip(")")


DEPRECATED: tuple[Deprecated, ...] = ()
"""All of them."""


def minor_release(version: str) -> tuple[int, int]:
    """The first two numbers of a version: (0, 2) of "0.2.1"."""
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def find(name: str) -> Deprecated | None:
    """The entry of a name, None for one that stays."""
    return next((entry for entry in DEPRECATED if entry.name == name), None)


def former_names(module: str) -> Callable[[str], Any]:
    """A `__getattr__` for a module, under which its former names lead to their replacements."""

    def __getattr__(name: str) -> Any:  # noqa: N807
        entry = find(f"{module}.{name}")
        if entry is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("importlib."):
            frame = frame.f_back  # "from layerwise import NAME" asks here first, and then the module that says so
        note(entry, frame.f_globals, frame.f_code.co_filename, frame.f_lineno)
        place, _, replacement = entry.replacement.rpartition(".")
        return getattr(import_module(place), replacement)

    return __getattr__


def keep_former_arguments(module: dict[str, Any]) -> None:
    """Let the classes and functions of a module, given as its globals, go on taking arguments by their former names."""
    for entry in DEPRECATED:
        place, _, name = entry.owner.rpartition(".")
        if entry.argument and place == module["__name__"]:
            kept = module[name]
            if isinstance(kept, type):
                kept.__init__ = _taking(entry, kept.__init__)
            else:
                module[name] = _taking(entry, kept)


def _taking(entry: Deprecated, function: Callable[..., Any]) -> Callable[..., Any]:
    replacement = entry.replacement.partition("(")[2].rstrip(")")

    @functools.wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        if entry.argument in named and replacement not in named:
            frame = sys._getframe(1)
            note(entry, frame.f_globals, frame.f_code.co_filename, frame.f_lineno)
            named[replacement] = named.pop(entry.argument)
        return function(*values, **named)

    return call


def note(entry: Deprecated, module: dict[str, Any], file: str, line: int) -> None:
    """Warn a module, given as its globals, that it uses a name that goes: the first time that it does."""
    noted = module.setdefault(_NOTED, {})
    if entry.name not in noted:
        noted[entry.name] = entry
        registry = module.setdefault("__warningregistry__", {})
        warnings.warn_explicit(str(entry), DeprecationWarning, file, line, module.get("__name__"), registry)


def used_by(module: str) -> tuple[str, ...]:
    """What a plugin has used so far in this process that goes, a sentence each.

    Args:
        module: The name of its module; those of the same package count too.
    """
    if not DEPRECATED:
        return ()
    root = module.partition(".")[0]
    noted: dict[str, Deprecated] = {}
    for name, found in list(sys.modules.items()):
        if name.partition(".")[0] == root:
            noted |= getattr(found, "__dict__", {}).get(_NOTED, {})
    return tuple(str(entry) for entry in DEPRECATED if entry.name in noted)
