"""Every way of looking inside works with every model that comes with weights, at the first of its examples, and in
little memory."""

import resource

import pytest
from plugins_sample.samples import is_own

from layerwise.errors import DataError, InputError
from layerwise.inspection import open_inspector
from layerwise.registry import Registry
from layerwise.specs import KERAS, resolve
from layerwise.verification import shipped_models
from layerwise.versions import Reference
from layerwise.workspace import open_workspace

MODELS = [
    (spec.name, variant.name)
    for spec, variant in shipped_models(Registry().snapshot())
    if is_own(spec.name) and spec.framework == KERAS and spec.examples is not None
]


REASONS = ("need examples with their right answers", "is not the one that takes the input")
"""Why a look may have nothing to show: data that are not here, and another network of a model whose windows differ."""
MOST_MEMORY = 6 * 2**20
"""Kilobytes of the whole process, in which other tests may have been, too."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "variant"), MODELS)
def test_every_quick_look_shows_something(workspace, name, variant):
    spec = workspace.registry.snapshot().model(name)
    inputs = next(iter(resolve(spec.examples)())).inputs
    try:
        inspector = open_inspector(workspace, Reference(name, variant))
    except InputError as error:
        pytest.skip(str(error))
    seen = 0
    for network in inspector.networks:
        for look in inspector.looks(network):
            if not look.is_long:
                try:
                    *_, plots = inspector.look(look.name, inputs, {}, network)
                except (DataError, InputError) as error:
                    assert any(reason in str(error) for reason in REASONS), str(error)  # noqa: PT017
                    continue
                assert plots, f"{network}: {look.name}"
                seen += 1
    assert seen
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_MEMORY
