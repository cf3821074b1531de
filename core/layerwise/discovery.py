"""Discovery: which plugins are installed, by their entry points."""

from __future__ import annotations

import importlib
import re
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from layerwise.errors import PluginError
from layerwise.hookspecs import ENTRY_POINT_GROUP
from layerwise.plugins import Plugin, PluginReport

BUILT_IN = "layerwise"
"""The distribution whose plugins are built in."""

FILE = "entry_points.txt"


def discover() -> list[tuple[EntryPoint, Plugin]]:
    """All entry points of the group, built-ins first, then by distribution and name: the same order at each start.

    A distribution whose entry points cannot be read gives one plugin that has failed, if it names the group.
    """
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
    return ENTRY_POINT_GROUP in text


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Its name and version; what its folder says where its metadata cannot be read."""
    name, _, rest = Path(str(getattr(distribution, "_path", "unknown"))).stem.partition("-")
    try:
        metadata = distribution.metadata
        return str(metadata["Name"] or name), str(metadata["Version"] or "?")
    except Exception:
        return name, rest or "?"
