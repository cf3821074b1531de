"""The figures of everything that is shipped: none is wrong, none is stale."""

import os
from collections import Counter

import pytest

from layerwise import open_workspace
from layerwise.data import find_files
from layerwise.verification import BAD, NO_DATA, NOT_MEASURED, RIGHT, Scope, cost, outdated, shipped_models, verify
from layerwise.versions import SHIPPED

UNSIGNED = {"language/translation:transformer", "language/writer:small"}
"""Those whose data are of many servers: the next who has them says what their figures are of
(`python -m layerwise.shipping --measure`)."""
CHEAP_SECONDS = 20.0
"""What is measured again at each change takes no longer of a processor; the rest is, before a release."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_no_record_is_older_than_its_weights_its_config_or_its_data(workspace):
    snapshot = workspace.registry.snapshot()
    unsigned = set()
    for spec, variant in shipped_models(snapshot):
        version = workspace.versions.get(spec, variant.name, SHIPPED)
        if "measured" in version.record:
            assert outdated(snapshot, spec, version) == "", version.reference
            if "of" not in version.record["measured"]:
                unsigned.add(f"{spec.name}:{variant.name}")
    assert unsigned == UNSIGNED


def cheap_models(workspace):
    """The shipped ones that take little, by their records."""
    found = []
    for spec, variant in shipped_models(workspace.registry.snapshot()):
        version = workspace.versions.get(spec, variant.name, SHIPPED)
        if "measured" in version.record and cost(version) <= CHEAP_SECONDS:
            found.append((spec, variant))
    return found


def verdicts(workspace, models=None, **scope):
    snapshot = workspace.registry.snapshot()
    models = shipped_models(snapshot) if models is None else models
    found = list(verify(snapshot, workspace.versions, models, Scope(**scope)))
    assert [(verdict.reference, verdict.reason) for verdict in found if verdict.state in BAD] == []
    for verdict in found:
        data = snapshot.model(verdict.name).data
        if verdict.state == NO_DATA and snapshot.dataset(data).sources[0].files:
            assert find_files(snapshot.dataset(data)) is None, verdict.reason
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cheap_figure_is_right(workspace, fashion_mnist_folder):
    found = verdicts(workspace, cheap_models(workspace))
    assert Counter(verdict.state for verdict in found)[RIGHT] >= (20 if os.environ.get("CI") == "true" else 2)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_cheap_figure_fits_a_sample(workspace, fashion_mnist_folder):
    assert Counter(verdict.state for verdict in verdicts(workspace, quick=True))[RIGHT] >= 2


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_figure_is_right(workspace, fashion_mnist_folder):
    left = {verdict.reference for verdict in verdicts(workspace, costly=True) if verdict.state == NOT_MEASURED}
    assert left == {"vision/faces:default"}, "its figures are of benchmarks/faces.py"
