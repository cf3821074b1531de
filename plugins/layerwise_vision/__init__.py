"""Vision: what is in a picture."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_vision.fashion import FASHION

    return [FASHION]


@hookimpl
def layerwise_datasets():
    from layerwise_vision.fashion_mnist import FASHION_MNIST

    return [FASHION_MNIST]
