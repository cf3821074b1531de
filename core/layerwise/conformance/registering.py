"""The checks of a plugin itself: how it is loaded and what it registers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from layerwise.conformance.trial import CheckFailed, CheckWarned
from layerwise.paths import home
from layerwise.plugins.discovery import load_one
from layerwise.plugins.loading import Plugin

HEAVY = ("tensorflow", "keras", "torch", "jax", "transformers", "gradio", "sklearn", "pandas", "matplotlib")
"""What must not be imported before it is used: each start would wait for it."""
MOST_SECONDS = 1.0
"""For which a plugin may load. Most need a hundredth of it."""

REGISTRATION_CHECKS = (
    "it is loaded",
    "registering imports nothing heavy",
    "registering twice gives the same",
    "registering uses nothing that goes",
)


def registration_checks(name: str) -> dict[str, Callable[[], str]]:
    """Those of the plugin of that name, for a fresh process."""
    loaded: list[Plugin] = []

    def it_is_loaded() -> str:
        begin = time.perf_counter()
        loaded.append(_loaded(name))
        seconds = time.perf_counter() - begin
        if seconds > MOST_SECONDS:
            raise CheckFailed(f"It takes {seconds:.1f} seconds to load. Expected: at most {MOST_SECONDS:g}.")
        return f"{1000 * seconds:.0f} ms; models: {', '.join(loaded[0].report.models) or 'none'}"

    def imports_nothing_heavy() -> str:
        if not loaded:
            loaded.append(_loaded(name))
        if heavy := [module for module in HEAVY if module in sys.modules]:
            raise CheckFailed(f"It imports {' and '.join(heavy)}. What to do: import them where they are used.")
        return ""

    def twice_the_same() -> str:
        first, second = loaded[0] if loaded else _loaded(name), _loaded(name)
        different = [hook for hook, items in first.registered.items() if tuple(items) != tuple(second.registered[hook])]
        if different:
            raise CheckFailed(
                f"{' and '.join(different)} gives other objects each time, so every look at the plugins rebuilds all "
                "pages. What to do: make functions and partial functions once, at the top of the module."
            )
        return ""

    def nothing_deprecated() -> str:
        report = (loaded[0] if loaded else _loaded(name)).report
        return no_deprecated_names(report.deprecated)

    checks = (it_is_loaded, imports_nothing_heavy, twice_the_same, nothing_deprecated)
    return dict(zip(REGISTRATION_CHECKS, checks, strict=True))


def no_deprecated_names(used: Sequence[str]) -> str:
    """What a check says of names that a plugin has used and a later release of Layerwise will not have.

    Raises:
        CheckWarned: There are some.
    """
    if used:
        raise CheckWarned(" ".join(used))
    return ""


def _loaded(name: str) -> Plugin:
    """The plugin, loaded by itself.

    Raises:
        CheckFailed: It cannot be.
    """
    plugin = load_one(name, home())
    if plugin is None:
        raise CheckFailed(f"There is no plugin {name!r}.")
    if plugin.report.status != "loaded":
        raise CheckFailed(plugin.report.reason)
    return plugin
