"""Vision: what is in a picture."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_vision.faces import FACES
    from layerwise_vision.fashion import FASHION
    from layerwise_vision.garments import GARMENTS
    from layerwise_vision.objects import OBJECTS
    from layerwise_vision.segmentation import SEGMENTATION

    return [OBJECTS, FACES, SEGMENTATION, FASHION, GARMENTS]


@hookimpl
def layerwise_datasets():
    from layerwise_vision.cifar10 import CIFAR_10
    from layerwise_vision.fashion_mnist import FASHION_MNIST
    from layerwise_vision.garment_scenes import GARMENT_SCENES
    from layerwise_vision.nuclei import NUCLEI

    return [CIFAR_10, FASHION_MNIST, GARMENT_SCENES, NUCLEI]
