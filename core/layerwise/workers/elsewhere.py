"""Plugins with a Python of their own: what they register, told by a process of that Python.

The plugin's dependencies may be others than Layerwise's, so this process never imports it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from layerwise.errors import PluginError
from layerwise.plugins.loading import Plugin, PluginReport
from layerwise.processes import start
from layerwise.workers.descriptions import FORMAT, restored
from layerwise.workers.messages import error_of

_EXPECTED = "the Python of an environment in which this release of Layerwise and the plugin are installed"


def is_this(python: str) -> bool:
    """Whether the path of a Python is that of this process, by whichever of its names."""
    named, this = Path(python).absolute(), Path(sys.executable).absolute()
    # The Pythons of all virtual environments may be the same file, in one folder there may be several.
    return named.parent == this.parent and named.resolve() == this.resolve()


def unknown(name: str, python: str) -> Plugin:
    """A plugin of which nothing is known yet but that it has this Python."""
    return Plugin(report=PluginReport(name=name, distribution="", version="", built_in=False, python=python))


def ask(plugin: Plugin, home: Path, seconds: float) -> Plugin:
    """Let the plugin's own Python tell what it registers. Never raises but for Ctrl-C.

    Args:
        plugin: As `unknown` gives it.
        seconds: How long that may take.
    """
    try:
        text = _output(plugin.report, home, seconds)
        told = json.loads(text)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise PluginError("Its Python has another release of Layerwise", expected=_EXPECTED)
        if "error" in told:
            raise error_of(*told["error"])
        registered = restored(text, plugin.report.python)
    except KeyboardInterrupt:
        raise
    except Exception as error:
        return plugin.failed(error)
    models = tuple(spec.name for spec in registered["layerwise_models"])
    told["report"]["deprecated"] = tuple(told["report"]["deprecated"])
    report = replace(plugin.report, **told["report"], hooks=tuple(registered), models=models)
    return Plugin(report=report, registered=MappingProxyType(registered))


def _output(report: PluginReport, home: Path, seconds: float) -> str:
    name, python = report.name, report.python
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    try:
        process = start("layerwise.workers.describe", name, home=home, python=python, **pipes)
    except OSError as error:
        remedy = f"layerwise plugins --python {name}=PATH names another one"
        raise PluginError(
            "Its Python cannot be started", expected=_EXPECTED, received=str(error), remedy=remedy
        ) from error
    with process:
        try:
            output, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise PluginError(
                f"It did not finish loading within {seconds:g} seconds", remedy="LAYERWISE_PLUGIN_TIMEOUT sets the time"
            ) from None
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = complaint.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        raise PluginError("Its Python could not tell what it registers", expected=_EXPECTED, received=last[0][:300])
    return output
