"""The command line: the same models, runs and versions as in the browser, without one."""

from layerwise_app.cli.app import main

__all__ = ["main"]
