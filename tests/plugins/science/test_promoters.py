"""`science/promoters` and its like: their network, shipped weights, examples and motifs."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import layerwise
from layerwise.config import config_from
from layerwise.errors import DataError
from layerwise.inspection import open_inspector
from layerwise.plots import Logo
from layerwise.tasks.sequences.alphabets import DNA
from layerwise.tasks.sequences.fasta import parse
from layerwise.weights import read_record
from layerwise_science.genomics import cnnprom, datasets, models
from layerwise_science.genomics.promoters import PromoterConfig, build
from layerwise_science.genomics.specs import examples

MODELS = models()
ECOLI, TATA, NON_TATA = MODELS
BARS = {"science/promoters": 0.84, "science/promoters-tata": 0.91, "science/promoters-non-tata": 0.86}
"""The least correlation on the test split: what CNNProm has on random ones."""
each_model = pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.name.partition("/")[2])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def record_of(spec):
    return read_record(spec.variant().weights)


@each_model
@pytest.mark.parametrize("frames", [0, 4])
def test_the_network_is_small_and_gives_logits(spec, frames):
    task = spec.task
    config = replace(spec.variant().config, frame_filters=frames)
    network = build(config, task)
    assert network.output_shape == (None, 2)
    assert network.count_params() < 500_000
    assert np.asarray(network(task.warm_input())).shape == (1, 2)


@pytest.mark.slow
def test_the_network_learns_where_a_motif_stands():
    task = replace(ECOLI.task, length=30)
    config = PromoterConfig(filters=8, width=7, later_filters=8, hidden_units=8, frame_filters=4, dropout=0.0)
    random = np.random.default_rng(0)
    inputs = np.eye(4, dtype="float32")[random.integers(0, 4, (400, 30))]
    targets = np.arange(400) % 2
    # In all of them there is the box; only in its place it counts.
    for row, target in zip(inputs, targets, strict=True):
        start = 20 if target else 3
        row[start : start + 6] = DNA.encode("TATAAT")
    keras.utils.set_random_seed(0)
    network = build(config, task)
    network.compile(keras.optimizers.Adam(0.01), task.loss(config))
    network.fit(inputs[:320], targets[:320], batch_size=32, epochs=8, verbose=0)
    assert (np.asarray(network(inputs[320:])).argmax(axis=1) == targets[320:]).mean() > 0.95


def test_reading_frames_are_told_apart():
    task = replace(ECOLI.task, length=31)
    network = build(PromoterConfig(frame_filters=1), task)
    branch = keras.Model(network.input, network.get_layer("frames_found").output)
    kernel = DNA.encode("TAA")[:, :, None] - 0.3
    network.get_layer("codons").set_weights([kernel, np.array([-1.5])])
    none, one, all_three = (
        np.asarray(branch(DNA.encode(letters)[None]))[0]
        for letters in ("C" * 31, "CCC" * 5 + "TAA" + "C" * 13, "CCCTAACTAACTAACCCCCCCCCCCCCCCCC")
    )
    # Greatest of the greatest, least of them, their mean; and likewise of the means of the frames.
    assert not none.any()
    assert one[0] > 0
    assert one[1] == 0, "two frames have none"
    assert all_three[1] > 0
    assert one[2] == pytest.approx(one[0] / 3)
    assert one[5] == pytest.approx(one[3] / 3)


def test_codons_of_the_best_frame_count():
    task = replace(ECOLI.task, length=31)
    network = build(PromoterConfig(codon_usages=1), task)
    branch = keras.Model(network.input, network.get_layer("usages_norm").input)
    usage = np.random.default_rng(0).normal(size=(4, 4, 4)).astype("float32")
    network.get_layer("usages").set_weights([usage.reshape(64, 1)])
    letters = np.random.default_rng(1).integers(0, 4, 31)
    frames = [sum(usage[tuple(letters[start : start + 3])] for start in range(frame, 27, 3)) for frame in range(3)]
    inputs = np.eye(4, dtype="float32")[letters]
    found = np.asarray(branch(inputs[None])).item()
    assert found == pytest.approx(np.log(np.exp(frames).sum()), rel=1e-4)
    # A letter that may be any is as each of the four a quarter of the time: one codon of each frame has it.
    each = []
    for letter in range(4):
        letters[15] = letter
        each.append(
            [sum(usage[tuple(letters[start : start + 3])] for start in range(frame, 27, 3)) for frame in range(3)]
        )
    inputs[15] = 0.25
    assert np.asarray(branch(inputs[None])).item() == pytest.approx(
        np.log(np.exp(np.mean(each, axis=0)).sum()), rel=1e-4
    )


@pytest.mark.slow
def test_a_usage_of_codons_is_learned_in_any_frame():
    """Codons that their letters do not give away: in one class they have an even number of A and C."""
    task = replace(ECOLI.task, length=62)
    config = PromoterConfig(filters=4, width=3, later_filters=4, hidden_units=4, frame_filters=0, codon_usages=8)
    random = np.random.default_rng(0)
    letters = random.integers(0, 4, (600, 66))
    targets = np.arange(600) % 2
    codons = letters.reshape(600, 22, 3)
    is_odd = (codons < 2).sum(axis=2) % 2 == 1
    codons[..., 2] = np.where(is_odd & (targets[:, None] == 1), (codons[..., 2] + 2) % 4, codons[..., 2])
    inputs = np.stack(
        [
            np.eye(4, dtype="float32")[row[start : start + 62]]
            for row, start in zip(letters, random.integers(0, 3, 600), strict=True)
        ]
    )
    keras.utils.set_random_seed(0)
    network = build(config, task)
    network.compile(keras.optimizers.Adam(0.01), task.loss(config))
    network.fit(inputs[:500], targets[:500], batch_size=50, epochs=15, verbose=0)
    assert (np.asarray(network(inputs[500:])).argmax(axis=1) == targets[500:]).mean() > 0.9


@each_model
def test_the_shipped_weights(spec):
    record = record_of(spec)
    measured = record["measured"]
    assert measured["split"] == "test"
    assert measured["metrics"]["correlation"] >= BARS[spec.name]
    assert {"sensitivity", "specificity", "roc_auc"} <= measured["metrics"].keys()
    assert config_from(PromoterConfig, record["config"]) == spec.variant().config
    assert record["command"] == f"layerwise train {spec.name}:convolutional"
    assert record["bytes"] < 500_000
    assert record["num_parameters"] < 500_000


@each_model
def test_the_examples_answer_as_they_say(workspace, spec):
    shown = {example.label: example for example in examples(spec.name.partition("/")[2])}
    assert len(shown) == 5
    for label, example in shown.items():
        answer = workspace.predictor.predict(spec.name, dict(example.inputs))
        if label.startswith("promoter of"):
            assert answer["label"] == "promoter"
        elif label == "piece of a gene":
            assert answer["label"] == "other"
        elif "to scan" in label:
            assert "letters scanned on both strands" in answer["summary"]
            assert answer["hits"][0]["probability"] > 0.9
        else:
            assert len(answer["hits"]) == 4


def test_the_examples_are_of_the_test_split():
    try:
        splits = layerwise.data.load(cnnprom.ECOLI, offline=True).splits
    except DataError as error:
        pytest.skip(f"needs LAYERWISE_DATA: {error}")
    test = {DNA.decode(encoded) for encoded in splits["test"].inputs}
    for example in examples("promoters"):
        for record in parse(example.inputs["text"], DNA):
            pieces = [record.sequence[start : start + 81] for start in range(0, len(record.sequence), 81)]
            assert all(piece in test or DNA.complement(piece) in test for piece in pieces)


def test_one_box_more_is_more_of_a_promoter(workspace):
    other = next(x for x in examples("promoters") if x.label == "piece of a gene").inputs["text"]
    (record,) = parse(other, DNA)
    # -35 and -10 before the start at letter 61, seventeen letters apart.
    with_boxes = f"{record.sequence[:25]}TTGACA{record.sequence[31:48]}TATAAT{record.sequence[54:]}"
    found = [
        workspace.predictor.predict("science/promoters", letters)["probabilities"]["promoter"]
        for letters in (record.sequence, with_boxes)
    ]
    assert found[1] > found[0] + 0.2


@pytest.mark.parametrize(("name", "motif"), [("science/promoters", "-10 box"), ("science/promoters-tata", "TATA box")])
def test_the_motif_that_matters_most_was_learned(workspace, name, motif):
    *_, plots = open_inspector(workspace, name).look("motifs")
    logos = [logo for row in plots[1:-1] for logo in row.plots]
    assert all(isinstance(logo, Logo) for logo in logos)
    assert any(motif in logo.title for logo in logos)
    stored = {row[0]: row for row in plots[-1].rows}
    assert len(stored) > 10


def test_what_is_stored_is_computed_anew(workspace):
    inspector = open_inspector(workspace, "science/promoters")
    inspector._stored = {"motifs": []}
    assert len(inspector.stored()["motifs"]) > 2


def test_registering_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys\nfrom layerwise_science import genomics\n"
        "assert len(genomics.models()) == len(genomics.datasets()) == 3\n"
        "print([name for name in ('numpy', 'keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert [spec.data for spec in MODELS] == [dataset.name for dataset in datasets()]
