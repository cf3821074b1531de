"""What of a plugin implements hooks: whether it fits this release, and its pluggy manager."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Collection
from importlib.metadata import Distribution
from typing import Any

import pluggy

from layerwise import __version__, deprecations, hookspecs
from layerwise.errors import PluginError
from layerwise.hookspecs import PROJECT

HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(a for a in inspect.signature(value).parameters if deprecations.find(f"{name}({a})") is None)
    for name, value in vars(hookspecs).items()
    if hasattr(value, f"{PROJECT}_spec")
}
"""All hooks, and the names of their arguments."""


def check_version(module: Any, distribution: Distribution | None) -> None:
    """Check that the hooks are here for which a plugin says that it was written.

    Args:
        module: The plugin.
        distribution: With which it was installed, None for a file.

    Raises:
        PluginError: They are not, or it says it wrongly; the text names the release of Layerwise to use.
    """
    current, ended = hookspecs.HOOKSPEC_VERSION, hookspecs.LAST_RELEASES
    wanted = getattr(module, "LAYERWISE_HOOKS", current)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise PluginError("LAYERWISE_HOOKS cannot be read", expected="a whole number from 1", received=repr(wanted))
    if wanted <= current and wanted not in ended:
        return
    if wanted in ended:
        remedy = f'pip install "layerwise=={ended[wanted]}.*", or install a newer release of the plugin'
    else:
        needed = _requirement(distribution) or f"layerwise>{__version__}"
        remedy = f'pip install "{needed}", or install an older release of the plugin'
    served = [str(version) for version in range(1, current + 1) if version not in ended]
    raise PluginError(
        f"It was written for version {wanted} of the hooks, which Layerwise {__version__} does not have",
        expected=f"version {' or '.join(served)}",
        remedy=remedy,
    )


def _requirement(distribution: Distribution | None) -> str:
    """What a distribution asks for of Layerwise: "layerwise>=0.5"; empty where it says nothing of its releases."""
    for text in (distribution.requires or []) if distribution is not None else []:
        found = re.match(rf"{PROJECT}\s*\(?([<>=!~][^;)]*)", text, re.IGNORECASE)
        if found:
            return PROJECT + found.group(1).strip()
    return ""


class _Manager(pluggy.PluginManager):
    """Calls implementations of a hook's former name under its new one. A plugin that has both is for older releases
    too."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None:
            return None
        entry = deprecations.find(options.get("specname") or name)
        if entry is None or not entry.replacement:
            return options
        if super().parse_hookimpl_opts(plugin, entry.replacement) is not None:
            return None
        _note(entry, getattr(plugin, name))
        return {**options, "specname": entry.replacement}


def _note(entry: deprecations.Deprecated, implementation: Any) -> None:
    function = inspect.unwrap(getattr(implementation, "__func__", implementation))
    code = function.__code__
    deprecations.note(entry, function.__globals__, code.co_filename, code.co_firstlineno)


def manager_of(module: Any, name: str) -> pluggy.PluginManager:
    """A manager of this plugin's own.

    Raises:
        PluginError: It implements a hook that does not exist, or one with other arguments than the hook has.
    """
    manager = _Manager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=name)
    except pluggy.PluginValidationError as error:
        raise PluginError("It does not fit the hooks", **_misfit(error)) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        unknown = [caller.name for caller in manager.get_hookcallers(module) or () if caller.name not in HOOKS]
        raise PluginError(f"There is no hook {' and no hook '.join(unknown)}", remedy=_suggestion(unknown)) from error
    for caller in manager.get_hookcallers(module) or ():
        for implementation in caller.get_hookimpls():
            for name in (caller.name, *(f"{caller.name}({argument})" for argument in implementation.argnames)):
                if entry := deprecations.find(name):
                    _note(entry, implementation.function)
    return manager


def _misfit(error: pluggy.PluginValidationError) -> dict[str, str]:
    """The parts of the message about arguments that a hook does not have, or a wrapper that is none."""
    text = " ".join(str(error).split())
    found = re.search(r"for hook '(\w+)'", text)
    hook = found.group(1) if found else ""
    _, _, received = text.partition("hookimpl definition: ")
    return {
        "expected": f"{hook}({', '.join(HOOKS.get(hook, ()))})",
        "received": received or text,
        "remedy": "docs/hooks.md shows each hook",
    }


def _suggestion(unknown: Collection[str]) -> str:
    close = [match for name in unknown for match in difflib.get_close_matches(name, HOOKS, n=1)]
    return f"did you mean {' and '.join(close)}?" if close else f"the hooks are {', '.join(HOOKS)}"


def check_marks(module: Any, names: Collection[str]) -> None:
    """A function that is named like a hook but not marked would be left out without a word."""
    unmarked = [hook for hook in HOOKS if hook not in names and callable(getattr(module, hook, None))]
    if unmarked:
        raise PluginError(f"{' and '.join(unmarked)} would never be called", remedy="mark it with @layerwise.hookimpl")
    if not names:
        raise PluginError(
            "It implements no hook",
            received=f"an entry point that leads to {module!r}",
            remedy="mark a function of it with @layerwise.hookimpl; docs/hooks.md shows each hook",
        )
