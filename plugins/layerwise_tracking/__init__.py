"""Tracking: what happens in a training, told to tools that are installed and switched on."""

import importlib.util
import os

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_callbacks(run):
    # Only for who asked for it: the address of a tracking server is MLflow's own way to do so.
    if not os.environ.get("MLFLOW_TRACKING_URI") or importlib.util.find_spec("mlflow") is None:
        return []
    from layerwise_tracking.mlflow import tracker

    return [tracker(run)]
