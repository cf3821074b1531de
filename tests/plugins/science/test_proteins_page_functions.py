"""What the page of folding asks for."""

import base64

import numpy as np
import pytest

from layerwise.errors import InputError
from layerwise.registry import Registry
from layerwise_science.proteins.pages import folding

SETTINGS = {"noise": "1", "missing": "0.4", "longest": "60", "steps": "100", "seed": "1"}


def test_the_page_is_registered_again_and_again(home):
    for _ in range(2):
        snapshot = Registry(home).snapshot()
        assert "folding" in snapshot.pages
        assert "science/protein-structure" in snapshot.models


@pytest.fixture(scope="module")
def chain():
    return folding.open_chain({"name": "1EJG"})


def test_a_structure_is_opened(chain):
    assert chain["title"] == "Crambin, from seeds of Crambe hispanica (1EJG)"
    assert len(chain["coordinates"]) == len(chain["sequence"]) == 46
    assert chain["note"] == ""
    with pytest.raises(InputError, match="1EJG, 1UBI, 1A8O"):
        folding.open_chain({"name": "9XYZ"})
    with pytest.raises(InputError, match="no protein"):
        folding.open_chain({"file": "nothing", "title": "a.pdb"})


def test_it_is_folded_again(chain):
    found = folding.fold_again({"chain": chain, "settings": SETTINGS})
    known = np.frombuffer(base64.b64decode(found["known"]), "uint8").reshape(46, 46)
    assert (known == folding.UNKNOWN).mean() == pytest.approx(1 - found["share"], abs=0.03)
    truth = np.linalg.norm(np.subtract.outer(*[np.array(chain["coordinates"])] * 2).diagonal(0, 1, 3), axis=2)
    given = known != folding.UNKNOWN
    np.testing.assert_allclose(known[given] * folding.FINEST, truth[given], atol=6)
    for name in ("found", "other", "scaled"):
        difference = np.array(found[name]) - np.array(chain["coordinates"])
        assert np.sqrt((difference**2).sum(axis=1).mean()) == pytest.approx(found["rmsds"][name], abs=0.02)
    assert found["rmsds"]["found"] < 1 < found["rmsds"]["other"]
    assert found["stresses"][0] > found["stresses"][-1]


def test_curves_are_measured_point_by_point(chain):
    near, far = (
        np.median(folding.measure({"chain": chain, "settings": SETTINGS, "along": "noise", "value": value})["rmsds"])
        for value in (0, 4)
    )
    assert near < 0.1 < 1 < far
    with pytest.raises(InputError, match="cannot be measured"):
        folding.measure({"chain": chain, "along": "seed", "value": 1})


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"coordinates": [[0, 0, 0]] * 4},
        {"sequence": "AA", "coordinates": [[0, 0, 0]] * 2},
        {"sequence": "A", "coordinates": "none"},
        {"sequence": "AAAA", "coordinates": [[0, 0]] * 4},
        {"sequence": "AAAA", "coordinates": [[0, 0, float("inf")]] * 4},
        {"sequence": "A" * 301, "coordinates": [[0, 0, 0]] * 301},
    ],
)
def test_what_is_no_trace_is_refused_in_a_sentence(given):
    answer = folding._answering(folding.fold_again)({"chain": given, "settings": SETTINGS})
    assert "trace" in answer["error"]


def test_settings_out_of_range_and_mistakes_of_ours_are_one_sentence(chain):
    ask = folding._answering(folding.fold_again)
    assert "0 to 8" in ask({"chain": chain, "settings": {**SETTINGS, "noise": "9"}})["error"]
    assert "should not have" in ask(3)["error"]


def test_every_setting_has_a_control():
    template = folding._template()
    assert template.count("data-setting=") == 4
    assert "[" + "sliders]" not in template
    assert template.count("<option value=") == 4
