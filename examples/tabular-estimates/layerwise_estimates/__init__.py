"""A number with its 90 % interval for a row of a table, by boosted trees beside a network."""

from layerwise import hookimpl
from layerwise_estimates.models import DATA, MODELS
from layerwise_estimates.task import Estimate


@hookimpl
def layerwise_models():
    return MODELS


@hookimpl
def layerwise_tasks():
    return [Estimate]


@hookimpl
def layerwise_datasets():
    return [DATA]
