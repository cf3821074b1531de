"""Which plugins are off, and which have a Python of their own, from one start to the next.

LAYERWISE_HOME/plugins.json       {"disabled": [names], "quarantined": {name: reason}, "pythons": {name: path}}
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from layerwise.errors import PluginError
from layerwise.paths import write_atomically

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Which plugins are off: by a person (`disabled`), or because they broke a start (`quarantined`, with why). And
    which have a Python of their own (`pythons`, its path)."""

    disabled: frozenset[str] = frozenset()
    quarantined: dict[str, str] = field(default_factory=dict)
    pythons: dict[str, str] = field(default_factory=dict)


class SwitchFile:
    """`plugins.json` of one home folder."""

    def __init__(self, home: Path) -> None:
        self.path = home / "plugins.json"

    def read(self) -> Switches:
        """What it says; nothing is off when there is no file. One that cannot be read is set aside."""
        try:
            return self._read()
        except OSError as error:
            logger.warning("%s cannot be read, so all plugins are on: %s", self.path, error)
            return Switches()

    def _read(self) -> Switches:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            disabled, quarantined = content.get("disabled", []), content.get("quarantined", {})
            pythons = content.get("pythons", {})
            if not isinstance(disabled, list):
                raise TypeError('"disabled" is no list')
            return Switches(
                disabled=frozenset(map(str, disabled)),
                quarantined={str(name): str(why) for name, why in quarantined.items()},
                pythons={str(name): str(path) for name, path in pythons.items()},
            )
        except FileNotFoundError:
            return Switches()
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            aside = self.path.with_suffix(".broken")
            logger.warning("%s is damaged (%s): it is kept as %s, and all plugins are on", self.path, error, aside)
            with suppress(OSError):
                self.path.replace(aside)
            return Switches()

    def set_enabled(self, name: str, enabled: bool) -> None:
        """Switch a plugin on or off; on ends a quarantine too.

        Raises:
            PluginError: The home cannot be written to.
        """
        try:
            with self._changing() as (disabled, quarantined, _):
                quarantined.pop(name, None)
                (disabled.discard if enabled else disabled.add)(name)
        except OSError as error:
            raise _not_remembered(f"whether the plugin {name} is on", error) from error

    def set_python(self, name: str, path: Path | None) -> None:
        """Let a plugin run under another Python, or under that of this process again.

        Raises:
            PluginError: The home cannot be written to.
        """
        try:
            with self._changing() as (_, _, pythons):
                pythons.pop(name, None)
                if path is not None:
                    pythons[name] = str(path)
        except OSError as error:
            raise _not_remembered(f"which Python the plugin {name} has", error) from error

    def quarantine(self, name: str, reason: str) -> None:
        """Keep a plugin from being loaded until a person enables it again.

        Raises:
            OSError: The home cannot be written to.
        """
        with self._changing() as (_, quarantined, _):
            quarantined[name] = reason

    @contextmanager
    def _changing(self) -> Iterator[tuple[set[str], dict[str, str], dict[str, str]]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            switches = self._read()
            disabled, quarantined, pythons = set(switches.disabled), dict(switches.quarantined), dict(switches.pythons)
            yield disabled, quarantined, pythons
            content = {"disabled": sorted(disabled), "quarantined": quarantined}
            if pythons:
                content["pythons"] = pythons
            write_atomically(self.path, json.dumps(content, indent=2) + "\n")


def _not_remembered(what: str, error: OSError) -> PluginError:
    return PluginError(
        f"It cannot be remembered {what}",
        received=str(error),
        remedy="set LAYERWISE_HOME to a folder that you can write to",
    )
