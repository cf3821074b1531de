"""Language: what texts say and how they mean it."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_language.sentiment import SENTIMENT

    return [SENTIMENT]


@hookimpl
def layerwise_datasets():
    from layerwise_language.sst2 import SST_2

    return [SST_2]
