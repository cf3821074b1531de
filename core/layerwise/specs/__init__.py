"""The registration objects: what a plugin hands to the core. Frozen, keyword-only, checked on creation.

Callables may be given as functions or as text, "module:function": text is imported at first use, which
keeps registration cheap and lets a worker process of its own find the same function.
"""

from layerwise.specs.checks import check_name, check_text
from layerwise.specs.datasets import DatasetSpec, File, Source
from layerwise.specs.models import KERAS, Example, ForeignSpec, ModelCard, ModelSpec, PublishedWeights, Variant
from layerwise.specs.pages import Page
from layerwise.specs.references import Reference, call, check_reference, resolve

__all__ = [
    "KERAS",
    "DatasetSpec",
    "Example",
    "File",
    "ForeignSpec",
    "ModelCard",
    "ModelSpec",
    "Page",
    "PublishedWeights",
    "Reference",
    "Source",
    "Variant",
    "call",
    "check_name",
    "check_reference",
    "check_text",
    "resolve",
]
