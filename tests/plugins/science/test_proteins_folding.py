"""Folding from distances: superposition, scaling and descent against independent ways, and files of structures."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from layerwise.errors import InputError, SpecError
from layerwise_science.proteins.folding.chains import Chain, shipped_chains
from layerwise_science.proteins.folding.distances import distance_map, measured
from layerwise_science.proteins.folding.lab import FoldingSettings, fold, rmsds
from layerwise_science.proteins.folding.scaling import classical_scaling, descent, gradient, scalar_products, stress
from layerwise_science.proteins.folding.structure_files import read_chain
from layerwise_science.proteins.folding.superposition import handedness, laid_down, mirrored, superposed

BAR = 1.0
"""The most that a trace may be from the truth when all distances are known, in Å."""


def points(seed, count=12):
    return np.random.default_rng(seed).normal(0, 5, (count, 3))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 5))
def test_a_superposition_is_that_of_scipy(seed, noise):
    random = np.random.default_rng(seed)
    target = random.normal(0, 5, (9, 3))
    turn = Rotation.random(rng=random)
    moved = turn.apply(target) + random.normal(0, 10, 3) + noise * random.normal(size=(9, 3))
    middle = moved.mean(axis=0), target.mean(axis=0)
    best, error = Rotation.align_vectors(target - middle[1], moved - middle[0])
    found = superposed(moved, target)
    assert found.rmsd == pytest.approx(error / np.sqrt(9), abs=1e-6)
    np.testing.assert_allclose(found.coordinates, best.apply(moved - middle[0]) + middle[1], atol=1e-5)


def test_a_superposition_never_mirrors():
    target = points(0)
    assert superposed(target, target).rmsd == pytest.approx(0, abs=1e-6)
    found = superposed(mirrored(target), target)
    assert found.rmsd > 1
    np.testing.assert_allclose(distance_map(found.coordinates), distance_map(target), atol=1e-9)
    with pytest.raises(InputError, match="cannot be compared"):
        superposed(target, target[:5])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(4, 20))
def test_scaling_finds_points_with_the_very_distances(seed, count):
    truth = points(seed, count)
    distances = cdist(truth, truth)
    np.testing.assert_allclose(distance_map(truth), distances, atol=1e-9)
    found = classical_scaling(distances)
    np.testing.assert_allclose(cdist(found, found), distances, atol=1e-6)
    hands = [superposed(each, truth).rmsd for each in (found, mirrored(found))]
    assert min(hands) < 1e-5


def test_scalar_products_by_hand():
    truth = points(3) + 100
    centred = truth - truth.mean(axis=0)
    np.testing.assert_allclose(scalar_products(distance_map(truth)), centred @ centred.T, atol=1e-6)
    assert classical_scaling(np.zeros((2, 2))).tolist() == [[0, 0, 0]] * 2, "fewer dimensions than asked for"


def test_the_gradient_is_that_of_finite_differences():
    random = np.random.default_rng(0)
    at, truth = random.normal(0, 5, (6, 3)), points(1, 6)
    known = measured(distance_map(truth), missing=0.4, noise=0.5, seed=1)
    weights, distances = known.weights, np.nan_to_num(known.distances)

    def total(flat):
        errors = distance_map(flat.reshape(6, 3)) - distances
        return float(np.sum(np.triu(weights * errors**2)))

    wanted = approx_fprime(at.ravel(), total, 1e-6).reshape(6, 3)
    np.testing.assert_allclose(gradient(at, distances, weights), wanted, rtol=1e-3, atol=1e-3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(0, 0.8), st.floats(0, 4))
def test_the_stress_never_rises(seed, missing, noise):
    known = measured(distance_map(points(seed)), missing=missing, noise=noise, seed=seed % 100)
    steps = [*descent(classical_scaling(known.completed()), known, 40)]
    assert steps[0].number == 0
    assert all(b.stress <= a.stress + 1e-9 for a, b in pairwise(steps))
    assert steps[-1].stress == pytest.approx(stress(steps[-1].coordinates, known))


def test_the_descent_finds_what_a_general_search_finds():
    truth = points(5, 7)
    known = measured(distance_map(truth), noise=0.7, missing=0.2, seed=2)
    weights, distances = known.weights, np.nan_to_num(known.distances)
    random = np.random.default_rng(0)
    starts = [random.normal(0, 5, (7, 3)) for _ in range(8)]

    def total(flat):
        return float(np.sum(weights * (distance_map(flat.reshape(7, 3)) - distances) ** 2) / weights.sum())

    searched = min(minimize(total, start.ravel()).fun for start in starts)
    found = min([*descent(start, known, 2000, enough=1e-9)][-1].stress for start in starts)
    assert found == pytest.approx(np.sqrt(searched), rel=1e-2)


def test_what_is_measured():
    truth = distance_map(points(0, 30))
    known = measured(truth, missing=0.5, noise=1.0, longest=15, seed=3)
    np.testing.assert_array_equal(known.distances, known.distances.T)
    assert np.isfinite(np.diag(known.distances, 1)).all(), "neighbours in the chain are known"
    assert np.diag(known.distances).tolist() == [0] * 30
    beyond = np.triu(np.isfinite(known.distances), 2)
    assert truth[beyond].max() <= 15
    assert known.known_share == pytest.approx(np.isfinite(known.distances).sum() / 870 - 30 / 870)
    np.testing.assert_array_equal(measured(truth).distances, truth)
    fewer = measured(truth, missing=0.7, noise=1.0, longest=15, seed=3)
    assert not (fewer.is_known & ~known.is_known).any(), "a greater share leaves out more of the same draw"
    completed = known.completed()
    assert np.isfinite(completed).all()
    without_noise = measured(truth, missing=0.5, seed=3)
    assert (without_noise.completed() >= truth - 1e-9).all(), "no detour is shorter than the straight way"


@pytest.mark.parametrize("name", list(shipped_chains()))
def test_a_true_map_gives_the_structure_in_its_own_hand(name):
    chain = shipped_chains()[name]
    folded = fold(chain, FoldingSettings())
    assert folded.found.rmsd < 1e-3 < BAR
    assert folded.other.rmsd > 5
    assert handedness(chain.coordinates) > 0.3 > 0 > handedness(mirrored(chain.coordinates))
    assert folded.scaled.rmsd < 1e-3


@pytest.mark.parametrize("values", [{"noise": 1.0}, {"missing": 0.5}, {"longest": 12.0}])
def test_noise_and_gaps_are_borne(values):
    chain = shipped_chains()["1UBI"]
    folded = fold(chain, FoldingSettings(**values))
    assert folded.found.rmsd < BAR
    assert folded.found.rmsd < folded.scaled.rmsd, "the descent makes it better"
    assert list(folded.stresses) == sorted(folded.stresses, reverse=True)
    found = rmsds(chain, FoldingSettings(**values), 2)
    assert found.shape == (2,)
    assert found[0] == pytest.approx(min(folded.found.rmsd, folded.other.rmsd))


def test_a_trace_without_helices_has_no_hand():
    strand = np.stack([3.3 * np.arange(12), np.arange(12) % 2, np.zeros(12)], axis=1)
    assert handedness(strand) == 0
    assert handedness(strand[:3]) == 0
    angle = np.deg2rad(100) * np.arange(20)
    helix = np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * np.arange(20)], axis=1)
    assert handedness(helix) > 0.5, "an ideal helix of 100 degrees and 1.5 Å a residue turns to the right"
    down = laid_down(helix)
    np.testing.assert_allclose(distance_map(down), distance_map(helix), atol=1e-9)
    assert handedness(down) == pytest.approx(handedness(helix))
    assert np.ptp(down, axis=0).tolist() == sorted(np.ptp(down, axis=0), reverse=True)


def test_the_shipped_structures():
    assert {name: len(chain) for name, chain in shipped_chains().items()} == {"1EJG": 46, "1UBI": 76, "1A8O": 70}
    for chain in shipped_chains().values():
        assert chain.gaps == []
        steps = np.linalg.norm(np.diff(chain.coordinates, axis=0), axis=1)
        np.testing.assert_allclose(steps, 3.8, atol=0.15)


def pdb_line(serial, residue, chain="A", kind="ATOM", atom=" CA ", number=None, place=(0.0, 0.0, 0.0), alternative=" "):
    x, y, z = place
    return (
        f"{kind:<6}{serial:>5} {atom}{alternative}{residue:>3} {chain}{number or serial:>4}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00"
    )


PDB = "\n".join(
    [
        "HEADER    MADE UP",
        "MODEL        1",
        *(pdb_line(n, name, place=(3.8 * n, 0, 0)) for n, name in enumerate(("MET", "LYS", "VAL"), start=1)),
        pdb_line(4, "SER", alternative="A", place=(15.2, 0, 0)),
        pdb_line(5, "THR", alternative="B", number=4, place=(15.2, 1, 0)),
        pdb_line(6, "ALA", atom=" CB ", number=5),
        pdb_line(7, "MSE", kind="HETATM", number=5, place=(30, 0, 0)),
        "TER",
        pdb_line(8, "GLY", chain="B", number=1),
        pdb_line(9, " CA", kind="HETATM", atom="CA  ", number=90),
        "ENDMDL",
        "MODEL        2",
        pdb_line(1, "TRP", place=(9, 9, 9)),
        "ENDMDL",
    ]
)


def test_a_pdb_file():
    chain = read_chain(PDB)
    assert chain.sequence == "MKVSM"
    np.testing.assert_allclose(chain.coordinates[:, 0], [3.8, 7.6, 11.4, 15.2, 30])
    assert chain.gaps == [4]
    with pytest.raises(InputError, match=r"'B' cannot be taken.*4 to 300 residues.*Received: 1\..*A, B"):
        read_chain(PDB, "B")


def cif(rows, extra=""):
    columns = (
        "group_PDB id label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id auth_asym_id "
        "Cartn_x Cartn_y Cartn_z pdbx_PDB_model_num"
    )
    head = "\n".join(f"_atom_site.{name}" for name in columns.split())
    return f"data_TEST\n{extra}loop_\n{head}\n" + "\n".join(rows) + "\n#\nloop_\n_other.id\n1\n"


ROWS = [
    "ATOM 1 N . MET A 1 X 0 0 0 1",
    "ATOM 2 CA . MET A 1 X 3.8 0 0 1",
    'ATOM 3 "CA" . LYS A 2 X 7.6 0 0 1',
    "ATOM 4 'CA' A SER A 3 X 11.4 0 0 1",
    "ATOM 5 CA B SER A 3 X 11.4 1 0 1",
    'ATOM 6 "C5\'" . DA C 1 Y 0 0 0 1',
    "HETATM 7 CA . MSE A 4 X 15.2 0 0 1",
    "HETATM 8 CA . CA B . X 0 0 0 1",
    "ATOM 9 CA . MET A 1 X 9 9 9 2",
]


def test_an_mmcif_file():
    chain = read_chain(cif(ROWS, extra="_cell.length_a 10\n"), "X")
    assert chain.sequence == "MKSM"
    np.testing.assert_allclose(chain.coordinates, [[3.8, 0, 0], [7.6, 0, 0], [11.4, 0, 0], [15.2, 0, 0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no protein in the file"),
        ("a letter to a friend", "no protein in the file.*a letter"),
        (PDB.replace("   3.800", "     3.x", 1), "coordinates of an atom cannot be read, in line 3"),
        (PDB.replace("   3.800", "     nan", 1), "coordinates of an atom cannot be read"),
        (cif([*ROWS[:2], "ATOM 3 CA"]), "An atom cannot be read, in line 17"),
        (cif([row.replace("7.6", "?") for row in ROWS]), "coordinates of an atom"),
        ("\n".join(pdb_line(n, "ALA", place=(n, 0, 0)) for n in range(1, 302)), "4 to 300.*301"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text, said):
    with pytest.raises(InputError, match=said):
        read_chain(text)


def test_a_chain_that_is_not_there():
    with pytest.raises(InputError, match=r"no chain 'Q'.*A or B"):
        read_chain(PDB, "Q")


def test_settings_have_ranges():
    with pytest.raises(SpecError, match=r"0 to 0\.98"):
        FoldingSettings(missing=1.0)
    loose = Chain("", "AAAA", points(0, 4))
    assert fold(loose, FoldingSettings(missing=0.98)).found.coordinates.shape == (4, 3)
