"""Science: molecules, proteins and genomes."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_science import genomics, molecules, proteins

    return [*molecules.models(), *proteins.models(), *genomics.models()]


@hookimpl
def layerwise_datasets():
    from layerwise_science import genomics, molecules, proteins

    return [*molecules.datasets(), *proteins.datasets(), *genomics.datasets()]


@hookimpl
def layerwise_pages():
    from layerwise_science.proteins.pages import PAGES

    return PAGES
