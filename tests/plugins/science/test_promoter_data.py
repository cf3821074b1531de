"""The promoters of CNNProm: clusters of near-duplicates, folds, files good and bad."""

import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data import load
from layerwise.errors import DataError
from layerwise.tasks.sequences.alphabets import DNA
from layerwise_science.genomics import cnnprom
from layerwise_science.genomics.folds import MOST_REPEATED, SHARED, WORD, clusters_of, near_duplicates, shares_of

ALL = (cnnprom.ECOLI, cnnprom.ARABIDOPSIS_TATA, cnnprom.ARABIDOPSIS_NON_TATA)


def random_dna(count, length, seed=0):
    letters = np.random.default_rng(seed).integers(0, 4, (count, length))
    return ["".join("ACGT"[number] for number in row) for row in letters]


def is_repeat(word):
    return any(sum(word[place] == word[place - lag] for place in range(lag, WORD)) > MOST_REPEATED for lag in (1, 2, 3))


def words_by_hand(sequence):
    windows = {sequence[start : start + WORD] for start in range(len(sequence) - WORD + 1)}
    return {min(word, DNA.complement(word)) for word in windows if "N" not in word and not is_repeat(word)}


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_near_duplicates_by_brute_force(seed):
    random = np.random.default_rng(seed)
    genome = random_dna(1, 120, seed)[0]
    pieces = [genome[start : start + 40] for start in random.integers(0, 80, 8)]
    pieces += [DNA.complement(piece) for piece in pieces[:3]] + ["A" * 40, "AT" * 20, genome[:20] + "N" + genome[20:39]]
    known = [words_by_hand(piece) for piece in pieces]
    expected = {
        (one, other) for other in range(len(pieces)) for one in range(other) if len(known[one] & known[other]) >= SHARED
    }
    assert {tuple(sorted(pair)) for pair in near_duplicates(pieces).tolist()} == expected


def test_overlaps_are_followed_from_one_to_the_next():
    genome, others = random_dna(1, 300)[0], random_dna(3, 81, seed=5)
    chain = [genome[start : start + 81] for start in (0, 50, 100, 150)]
    assert clusters_of([others[0], *chain, others[1], DNA.complement(chain[3]), others[2]]).tolist() == [
        *(0, 1, 1, 1, 1),
        *(5, 1, 7),
    ]
    assert len(clusters_of([])) == 0
    assert clusters_of(["ACGT", "ACGT"]).tolist() == [0, 1], "too short to say"


def test_the_fold_of_a_cluster_does_not_depend_on_what_else_there_is():
    sequences = random_dna(20, 81)
    sequences.append(sequences[3][10:] + "ACGTACGTAC")
    shares = shares_of(sequences)
    assert shares[3] == shares[20]
    assert len(set(shares.tolist())) == 20
    assert ((shares >= 0) & (shares < 1)).all()
    np.testing.assert_array_equal(shares_of(sequences[::-1]), shares[::-1])
    np.testing.assert_array_equal(shares_of(sequences[:10])[4:], shares[4:10])


def test_folds_are_of_about_the_same_size():
    counts = np.bincount((5 * shares_of(random_dna(2000, 40))).astype(int))
    assert counts.min() > 340
    assert counts.max() < 460


def test_splits_hold_everything_once_and_keep_clusters_together():
    sequences = random_dna(300, 60)
    sequences += [sequence[5:] + "ACGTA" for sequence in sequences[:100]]
    targets = np.arange(400, dtype="int32") % 2
    seen = np.zeros(400, int)
    for fold in range(5):
        splits = cnnprom.splits_of(sequences, targets, fold)
        texts = {name: [DNA.decode(x) for x in split.inputs] for name, split in splits.items()}
        assert sum(map(len, splits.values())) == 400
        assert 15 < len(splits["validation"]) < 60
        for text in texts["test"]:
            seen[sequences.index(text)] += 1
        for name in ("train", "validation"):
            clusters = clusters_of([*texts["test"], *texts[name]])
            assert not set(clusters[: len(texts["test"])].tolist()) & set(clusters[len(texts["test"]) :].tolist())
    assert (seen == 1).all()


@pytest.mark.parametrize("packed", [False, True])
def test_both_sources_give_the_same_records(tmp_path, packed):
    files = {}
    sequences = random_dna(40, 81)
    for file, part in zip(cnnprom.ECOLI_FILES.files, (sequences[:30], sequences[30:]), strict=True):
        text = "".join(f">name {n}\n{x[:60]}\n{x[60:]}\n" for n, x in enumerate(part)).encode()
        path = tmp_path / (f"{file.name}.xz" if packed else file.name)
        path.write_bytes(lzma.compress(text) if packed else text)
        files[path.name] = path
    splits = cnnprom.read_ecoli(files)
    found = {
        DNA.decode(x): int(y) for split in splits.values() for x, y in zip(split.inputs, split.targets, strict=True)
    }
    assert found == {x: int(number >= 30) for number, x in enumerate(sequences)}


@pytest.mark.parametrize("content", [b"not compressed", lzma.compress(b">a\nACGT\n"), lzma.compress(b">a\nMKV\n")])
def test_files_that_are_something_else_are_named(tmp_path, content):
    files = {file.name: tmp_path / file.name for file in cnnprom.ECOLI_FILES.packed}
    for path in files.values():
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"Ecoli_non_prom\.fa"):
        cnnprom.read_ecoli(files)


def test_all_sets_are_in_one_folder_and_each_file_has_an_address():
    for dataset in ALL:
        assert dataset.folder == "promoters"
        canonical, packed = dataset.sources
        assert all(file.url.startswith("https://raw.githubusercontent.com/solovictor/") for file in canonical.files)
        assert [file.name for file in packed.files] == [f"{file.name}.xz" for file in canonical.files]


@pytest.mark.parametrize(
    ("dataset", "counts"),
    [
        (cnnprom.ECOLI, (3000, 839)),
        pytest.param(cnnprom.ARABIDOPSIS_TATA, (2879, 1497), marks=pytest.mark.slow),
        pytest.param(cnnprom.ARABIDOPSIS_NON_TATA, (11459, 5905), marks=pytest.mark.slow),
    ],
    ids=lambda item: getattr(item, "name", ""),
)
def test_the_real_data_sets(dataset, counts):
    try:
        splits = load(dataset, offline=True).splits
    except DataError as error:
        pytest.skip(f"needs LAYERWISE_DATA: {error}")
    targets = np.concatenate([split.targets for split in splits.values()])
    assert tuple(np.bincount(targets)) == counts, "as in table 1 of the paper"
    sizes = {name: len(split) / len(targets) for name, split in splits.items()}
    assert sizes["test"] == pytest.approx(0.2, abs=0.02)
    assert sizes["validation"] == pytest.approx(0.08, abs=0.01)
