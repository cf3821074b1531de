import json

import numpy as np
import pytest
import sample_models as samples
from scipy import stats

from layerwise.comparing.intervals import percentile_interval, resample
from layerwise.errors import DataError, LayerwiseError, NotFoundError
from layerwise.evaluation import evaluate, evaluate_version
from layerwise.splits import hold_out
from layerwise.versions import VersionStore

CENTROIDS = {"centroids": samples.CENTROIDS}
DATA = {"dataset": "grades", "folder": None, "source": "drawn", "validation_fraction": 0.2, "seed": 7}


@pytest.fixture
def workspace(workspace_of):
    return workspace_of(samples.NUMPY, samples.NETWORK, samples.STREAMING)


@pytest.fixture
def centroids(tmp_path):
    """The run of a version of the model in NumPy, recorded as trained on the data set."""
    return samples.promoted(tmp_path, samples.NUMPY, CENTROIDS, data=DATA)


def distances(inputs):
    return -((inputs[:, None] - CENTROIDS["centroids"][None]) ** 2).sum(axis=2)


def write_folder(folder, labels, inputs, targets):
    folder.mkdir(parents=True)
    for number, label in enumerate(labels):
        np.savetxt(folder / f"{label}.csv", inputs[targets == number], delimiter=",")
    return folder


def test_metrics_and_intervals_are_those_of_an_independent_computation(workspace, centroids):
    inputs, targets = samples.examples(600, seed=11)
    result = evaluate(workspace, "sample/centroids")
    hits = int((distances(inputs).argmax(axis=1) == targets).sum())
    assert 540 < hits < 600  # else the interval would be a special one
    assert result["metrics"]["accuracy"] == pytest.approx(hits / 600)
    expected = stats.binomtest(hits, 600).proportion_ci(0.95, method="wilson")
    assert result["interval"]["accuracy"] == pytest.approx([expected.low, expected.high])
    margins = np.ptp(distances(inputs), axis=1)
    assert result["metrics"]["mean_margin"] == pytest.approx(margins.mean())
    low, high = result["interval"]["mean_margin"]
    half = 1.96 * margins.std() / np.sqrt(600)
    assert low == pytest.approx(margins.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(margins.mean() + half, abs=0.1 * half)


def test_the_result_says_what_was_measured_and_is_json(workspace, centroids):
    result = evaluate(workspace, "sample/centroids")
    assert list(result) == [
        "name",
        "variant",
        "version",
        "dataset",
        "source",
        "split",
        "count",
        "metrics",
        "interval",
        "seconds",
    ]
    named = {name: result[name] for name in ("name", "variant", "version", "dataset", "source", "split", "count")}
    assert named == {
        "name": "sample/centroids",
        "variant": "default",
        "version": centroids.id,
        "dataset": "grades",
        "source": "drawn",
        "split": "test",
        "count": 600,
    }
    assert json.loads(json.dumps(result)) == result
    assert result["interval"] == evaluate(workspace, "sample/centroids")["interval"]


def test_a_network_is_measured_in_batches_with_its_progress(workspace, tmp_path):
    import keras

    keras.utils.set_random_seed(3)
    model = samples.build_grader(samples.NETWORK.variants[0].config, samples.NETWORK.task)
    samples.promoted(tmp_path, samples.NETWORK, model, data=DATA)
    seen = []
    result = evaluate(workspace, "sample/grades:small", progress=lambda done, total: seen.append((done, total)))
    inputs, targets = samples.examples(600, seed=11)
    outputs = keras.ops.convert_to_numpy(model(inputs))
    assert result["metrics"]["accuracy"] == pytest.approx((outputs.argmax(axis=1) == targets).mean())
    assert result["metrics"]["mean_margin"] == pytest.approx(np.ptp(outputs, axis=1).mean(), rel=1e-5)
    assert seen == [(256, 600), (512, 600), (600, 600)]


def test_a_version_is_measured_by_its_id_whichever_is_promoted(workspace, centroids, tmp_path):
    wrong = {"centroids": CENTROIDS["centroids"][::-1]}
    other = samples.promoted(tmp_path, samples.NUMPY, wrong, data=DATA)
    assert evaluate(workspace, "sample/centroids")["version"] == other.id
    assert evaluate(workspace, "sample/centroids")["metrics"]["accuracy"] < 0.5
    assert evaluate(workspace, f"sample/centroids@{centroids.id}")["metrics"]["accuracy"] > 0.9


def test_validation_is_the_part_that_this_version_did_not_train_on(workspace, centroids):
    train, validation = hold_out(samples.read_grades({})["train"], 0.2, 7)
    result = evaluate(workspace, "sample/centroids", split="validation")
    assert (result["split"], result["count"]) == ("validation", len(validation))
    hits = distances(np.asarray(validation.inputs)).argmax(axis=1) == np.asarray(validation.targets)
    assert result["metrics"]["accuracy"] == pytest.approx(hits.mean())
    assert evaluate(workspace, "sample/centroids", split="train")["count"] == len(train) == 400


def test_a_version_trained_without_holding_out_has_no_validation(workspace, tmp_path):
    samples.promoted(tmp_path, samples.NUMPY, CENTROIDS, data={**DATA, "validation_fraction": 0.0})
    with pytest.raises(DataError, match=r"grades has no split 'validation'. Expected: train, test"):
        evaluate(workspace, "sample/centroids", split="validation")


def test_a_record_that_names_no_data_means_the_models_data_set(workspace, tmp_path):
    samples.promoted(tmp_path, samples.NUMPY, CENTROIDS)
    assert evaluate(workspace, "sample/centroids")["dataset"] == "grades"


def test_a_folder_that_was_never_trained_on_is_measured_as_a_whole(workspace, centroids, tmp_path):
    inputs, targets = samples.examples(90, seed=5)
    result = evaluate(
        workspace, "sample/centroids", data=write_folder(tmp_path / "own", samples.LABELS, inputs, targets)
    )
    assert (result["split"], result["count"], result["source"]) == ("all", 90, "folder")
    assert result["dataset"] == str(tmp_path / "own")
    # The folder's labels come in the order of the alphabet, which is not the model's.
    assert result["metrics"]["accuracy"] == pytest.approx((distances(inputs).argmax(axis=1) == targets).mean())
    assert result["metrics"]["accuracy"] > 0.9


def test_a_folder_with_splits_is_measured_on_the_one_asked_for(workspace, centroids, tmp_path):
    for name, count in (("train", 30), ("test", 20)):
        write_folder(tmp_path / "own" / name, samples.LABELS, *samples.examples(count, seed=count))
    assert evaluate(workspace, "sample/centroids", data=tmp_path / "own")["count"] == 20
    assert evaluate(workspace, "sample/centroids", data=tmp_path / "own", split="train")["count"] == 30
    with pytest.raises(DataError, match="no split 'validation'"):
        evaluate(workspace, "sample/centroids", data=tmp_path / "own", split="validation")


def test_a_folder_with_fewer_labels_is_measured_and_one_with_others_is_refused(workspace, centroids, tmp_path):
    inputs, targets = samples.examples(60, seed=6)
    few = write_folder(tmp_path / "few", ("middle", "high"), inputs[targets > 0], targets[targets > 0] - 1)
    assert evaluate(workspace, "sample/centroids", data=few)["metrics"]["accuracy"] > 0.9
    strange = write_folder(tmp_path / "strange", ("low", "odd", "high"), inputs, targets)
    with pytest.raises(DataError, match=r"labels that the model does not know.*low, middle, high.*odd"):
        evaluate(workspace, "sample/centroids", data=strange)


@pytest.mark.parametrize("named", [True, False])
def test_a_version_trained_on_a_folder_is_measured_on_what_it_did_not_train_on(workspace, tmp_path, named):
    own = write_folder(tmp_path / "own", samples.LABELS, *samples.examples(100, seed=8))
    data = {"dataset": None, "folder": str(own), "source": "folder", "validation_fraction": 0.25, "seed": 1}
    samples.promoted(tmp_path, samples.NUMPY, CENTROIDS, data=data)
    given = {"data": tmp_path / "x" / ".." / "own"} if named else {}
    (tmp_path / "x").mkdir()
    result = evaluate(workspace, "sample/centroids", split="validation", **given)
    assert (result["split"], result["count"]) == ("validation", 25)
    with pytest.raises(DataError, match="no split 'test'"):
        evaluate(workspace, "sample/centroids", **given)


def test_what_cannot_be_measured_is_one_sentence(workspace, centroids):
    with pytest.raises(NotFoundError):
        evaluate(workspace, "sample/none")
    with pytest.raises(NotFoundError, match="no weights yet"):
        evaluate(workspace, "sample/grades")
    with pytest.raises(DataError, match=r"no data set.*--data FOLDER"):
        evaluate(workspace, "sample/stream")
    with pytest.raises(LayerwiseError, match="no split 'no-such'"):
        evaluate(workspace, "sample/centroids", split="no-such")


def test_a_balanced_accuracy_is_resampled_also_where_it_is_a_whole_number(workspace, centroids, monkeypatch):
    def balanced(task, outputs, targets):
        hits = outputs.argmax(axis=1) == targets
        shares = [hits[targets == label].mean() for label in range(3) if (targets == label).any()]
        return {"balanced_accuracy": round(float(np.mean(shares)) * 600) / 600}

    monkeypatch.setattr(samples.Grading, "evaluate", balanced)
    inputs, targets = samples.examples(600, seed=11)
    outputs = distances(inputs)
    drawn = resample(lambda rows: balanced(None, outputs[rows], targets[rows]), 600)["balanced_accuracy"]
    expected = percentile_interval(drawn)
    assert evaluate(workspace, "sample/centroids")["interval"]["balanced_accuracy"] == list(expected)


def test_a_result_for_comparing_holds_pairs_and_says_which_examples_it_is_of(workspace, centroids, tmp_path):
    shelf, version = workspace.registry, VersionStore(tmp_path).get(samples.NUMPY, None, centroids.id)
    result = evaluate_version(shelf, version, for_comparing=True)
    drawn = result["resampled"]["accuracy"]
    assert len(drawn) == 1000
    assert np.mean(drawn) == pytest.approx(result["metrics"]["accuracy"], abs=0.003)
    assert np.std(drawn) == pytest.approx(np.sqrt(np.mean(drawn) * (1 - np.mean(drawn)) / 600), rel=0.15)
    assert json.loads(json.dumps(result)) == result
    other = evaluate_version(shelf, version, for_comparing=True, split=("none", "validation"))
    assert other["split"] == "validation"
    assert len({result["examples"], other["examples"]}) == 2
    assert evaluate_version(shelf, version, for_comparing=True, split=("test", "validation")) | {"seconds": 0} == (
        result | {"seconds": 0}
    )
