"""The name of a new plugin: usable by pip, by Python and by the registry at once, and not taken in any of them."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from layerwise.errors import InputError, PluginError

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot

LONGEST = 40
"""Letters of the longest name."""
OF_ITS_OWN = ("build", "dist", "tests")
"""Folders that the distribution has beside its package, or gets when it is built."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def check_name(name: str) -> None:
    """Check that a name can be one of a distribution and, with underscores, of a module.

    Raises:
        InputError: It cannot.
    """
    if not _is_usable(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        raise InputError(
            "This is no usable name for a plugin",
            expected=f"lower-case words, joined by single hyphens; digits may follow, {LONGEST} characters at most",
            received=repr(name),
            remedy=f"choose a name such as {near if _is_usable(near) else 'bird-songs'}",
        )
    if keyword.iskeyword(name) or name in OF_ITS_OWN:
        why = "a word of Python itself" if keyword.iskeyword(name) else f"the folder {name} of every plugin"
        raise InputError(f"The name {name!r} is {why}", remedy=f"choose a longer name, such as my-{name}")


def _is_usable(name: str) -> bool:
    return len(name) <= LONGEST and _NAME.fullmatch(name) is not None


def check_free(name: str, model: str, snapshot: Snapshot) -> None:
    """Check that nothing has the name yet: no module, no distribution, no plugin, no data set; and no model the one
    that its model gets.

    Raises:
        PluginError: Something has.
    """
    module = name.replace("-", "_")
    taken = {
        f"the plugin {name}": any(report.name == name for report in snapshot.plugins),
        f"the model {model}": model in snapshot.models,
        f"the data set {name}": name in snapshot.datasets,
        f"the distribution {name}": _is_distribution(name),
        # Also one that is no plugin: whichever of the two comes first on the path would hide the other.
        f"the module {module}": module in sys.modules or importlib.util.find_spec(module) is not None,
    }
    found = [what for what, is_taken in taken.items() if is_taken]
    if found:
        raise PluginError(
            f"The name {name!r} is taken",
            received=f"{' and '.join(found)}, installed here",
            remedy="choose another name",
        )


def _is_distribution(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
