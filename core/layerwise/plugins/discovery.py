"""Discovery: which plugins there are, by the entry points of what is installed, and as files."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from layerwise.errors import PluginError
from layerwise.hookspecs import ENTRY_POINT_GROUP
from layerwise.plugins.files import PluginFile, plugin_files
from layerwise.plugins.loading import Plugin, PluginReport, load

BUILT_IN = "layerwise"
"""The distribution whose plugins are built in."""

FILE = "entry_points.txt"


def discover(home: Path) -> list[tuple[EntryPoint | PluginFile, Plugin]]:
    """All entry points of the group, built-ins first, then by distribution and name, then the plugins that are files:
    the same order at each start.

    A distribution whose entry points cannot be read gives one plugin that has failed, if it names the group.

    Args:
        home: The folder below which the user's own files are.
    """
    return [*_installed(), *((file, Plugin(report=_report_of(file))) for file in plugin_files(home))]


def load_one(name: str, home: Path) -> Plugin | None:
    """The plugin of that name as `load` gives it, without the others, which cost time and may have faults of their own;
    None for none.

    Args:
        home: As `discover` takes it.
    """
    for point, plugin in discover(home):
        if plugin.report.name == name:
            return plugin if plugin.report.status == "failed" else load(point, plugin)
    return None


def _report_of(file: PluginFile) -> PluginReport:
    return PluginReport(name=file.name, distribution=str(file.path), version="", built_in=False)


def _installed() -> list[tuple[EntryPoint, Plugin]]:
    # An installation may be younger than what the import system remembers of the folders.
    importlib.invalidate_caches()
    found: dict[tuple[bool, str, str], tuple[EntryPoint, Plugin]] = {}
    for distribution in distributions():
        for point, plugin in _found(distribution):
            report = plugin.report
            # Names that differ in case and separators only are the same to installers.
            key = not report.built_in, re.sub(r"[-_.]+", "-", report.distribution).lower(), report.name
            # The first of two copies of a distribution on the path is the one that Python imports.
            found.setdefault(key, (point, plugin))
    return [found[key] for key in sorted(found)]


def _found(distribution: Distribution) -> list[tuple[EntryPoint, Plugin]]:
    try:
        points = [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]
    except Exception as error:  # one broken file among all that is installed must not hide every plugin
        if not _names_the_group(distribution):
            return []
        name, _ = _identity(distribution)
        broken = PluginError(f"Its {FILE} cannot be read", received=str(error), remedy="reinstall the plugin")
        point = EntryPoint(name=name, value="", group=ENTRY_POINT_GROUP)
        return [(point, Plugin(report=_report(name, distribution)).failed(broken))]
    return [(point, Plugin(report=_report(point.name, distribution))) for point in points]


def _report(name: str, distribution: Distribution) -> PluginReport:
    owner, version = _identity(distribution)
    return PluginReport(name=name, distribution=owner, version=version, built_in=owner == BUILT_IN)


def _names_the_group(distribution: Distribution) -> bool:
    try:
        text = distribution.read_text(FILE) or ""
    except UnicodeDecodeError as error:
        text = error.object.decode("latin-1")
    except Exception:  # nothing in it can be read, so nobody misses a plugin of that name
        return False
    return ENTRY_POINT_GROUP in text


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Its name and version; what its folder says where its metadata does not."""
    name, _, version = Path(str(getattr(distribution, "_path", "unknown"))).stem.partition("-")
    try:
        metadata = distribution.metadata
        known = {key: str(metadata[key] or "") for key in ("Name", "Version") if key in metadata}
        return known.get("Name") or name, known.get("Version") or version or "?"
    except Exception:
        return name, version or "?"
