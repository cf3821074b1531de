"""What a plugin registers, told to a process of another Python: `python -m layerwise.workers.describe NAME`.

Prints JSON (`layerwise.workers.descriptions`): the plugin, or {"error": ...} as `layerwise.workers.messages.described`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from layerwise.errors import LayerwiseError, PluginError
from layerwise.paths import home
from layerwise.plugins.discovery import load_one
from layerwise.plugins.loading import Plugin
from layerwise.workers import messages
from layerwise.workers.descriptions import FORMAT, described


def main(name: str) -> None:
    """Print what the plugin of that name registers."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what it prints is no answer
    try:
        told: dict[str, Any] = described(_loaded(name))
    except LayerwiseError as error:
        told = {"format": FORMAT, "error": messages.described(error)}
    with os.fdopen(answer, "w", encoding="utf-8") as file:
        file.write(json.dumps(told))
    sys.stderr.flush()
    os._exit(0)  # whatever threads it has started


def _loaded(name: str) -> Plugin:
    plugin = load_one(name, home())
    if plugin is None:
        raise PluginError(f"Its Python knows no plugin {name}", remedy="install the plugin in its environment")
    if plugin.report.status != "loaded":
        raise PluginError(plugin.report.reason)
    return plugin


if __name__ == "__main__":
    main(sys.argv[1])
