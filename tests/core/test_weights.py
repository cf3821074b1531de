"""Weights are data only, verified, and refused before they change anything."""

import json

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_bytes

from layerwise.errors import WeightsError
from layerwise.weights import (
    load_into,
    named_variables,
    read_arrays,
    read_record,
    save,
    save_arrays,
    stored_as,
    weights_file,
)


@pytest.fixture(scope="module")
def make_model():
    import keras

    def make(width=3):
        inputs = keras.Input((4,))
        x = keras.layers.Dense(width)(inputs)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(0.5)(x)
        return keras.Model(inputs, keras.layers.Dense(2)(x))

    return make


def values(model):
    return [np.array(variable) for variable in named_variables(model).values()]


def test_weights_survive_a_round_trip_into_another_object(make_model, tmp_path):
    first, second = make_model(), make_model()
    save(first, tmp_path, {"name": "toy/model"})
    load_into(second, tmp_path)
    for a, b in zip(values(first), values(second), strict=True):
        np.testing.assert_array_equal(a, b)
    assert read_record(tmp_path)["name"] == "toy/model"


def test_names_do_not_depend_on_what_was_built_before(make_model):
    assert list(named_variables(make_model())) == list(named_variables(make_model()))
    assert "000/dense/kernel" in named_variables(make_model())


def test_half_precision_takes_half_the_space_and_rounds(make_model, tmp_path):
    model, other = make_model(64), make_model(64)
    save(model, tmp_path / "full", {})
    save(model, tmp_path / "half", {}, dtype="float16")
    sizes = [next((tmp_path / name).glob("weights-*")).stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.75 * sizes[0]
    load_into(other, tmp_path / "half")
    for a, b in zip(values(model), values(other), strict=True):
        np.testing.assert_array_equal(a.astype("float16").astype("float32"), b)


@pytest.mark.parametrize("moment", ["weights", "record"])
def test_a_save_that_dies_at_any_moment_leaves_the_former_version(make_model, tmp_path, monkeypatch, moment):
    from layerwise import weights

    model = make_model()
    save(model, tmp_path, {"epoch": 1})
    before = read_arrays(tmp_path)
    real = weights.write_atomically

    def die(path, data):
        if path.suffix == (".json" if moment == "record" else ".safetensors"):
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(weights, "write_atomically", die)
    model.trainable_variables[0].assign_add(np.ones(model.trainable_variables[0].shape))
    with pytest.raises(KeyboardInterrupt):
        save(model, tmp_path, {"epoch": 2})
    after = read_arrays(tmp_path)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    monkeypatch.undo()
    save(model, tmp_path, {"epoch": 2})
    assert not np.array_equal(read_arrays(tmp_path)["000/dense/kernel"], before["000/dense/kernel"])
    assert len(list(tmp_path.iterdir())) == 2


def refused(model, folder, words):
    before = values(model)
    with pytest.raises(WeightsError, match=words):
        load_into(model, folder)
    for a, b in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_flipped_bit_is_noticed(make_model, tmp_path):
    model = make_model()
    save(model, tmp_path, {})
    (path,) = tmp_path.glob("weights-*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(model, tmp_path, "corrupted")


def test_another_architecture_is_refused(make_model, tmp_path):
    save(make_model(3), tmp_path, {})
    refused(make_model(5), tmp_path, "another architecture")


def forged(folder, data):
    """A version whose checksum is right but whose weights are foreign."""
    import hashlib

    folder.mkdir(exist_ok=True)
    sha256 = hashlib.sha256(data).hexdigest()
    (folder / weights_file(sha256)).write_bytes(data)
    record = {"format": 1, "sha256": sha256}
    (folder / "version.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not safetensors at all",
        b"\x80\x04\x95pickle",
        (2**62).to_bytes(8, "little") + b"{}",
        (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[9999999],"data_offsets":[0,4]}}',
    ],
    ids=["empty", "text", "pickle", "lying header size", "lying shape"],
)
def test_a_foreign_file_is_refused(make_model, tmp_path, data):
    refused(make_model(), forged(tmp_path / "version", data), "no safetensors file")


def test_missing_and_renamed_arrays_are_refused(make_model, tmp_path):
    model = make_model()
    arrays = {name: np.array(variable) for name, variable in named_variables(model).items()}
    arrays["extra"] = arrays.pop("000/dense/kernel")
    refused(model, forged(tmp_path / "version", safetensors_bytes(arrays)), "another architecture")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', "{", "[" * 100_000])
def test_an_unreadable_record_is_refused(tmp_path, text):
    (tmp_path / "version.json").write_text(text)
    with pytest.raises(WeightsError, match=r"cannot be read|another format"):
        read_record(tmp_path)


def test_no_record_means_no_version(tmp_path):
    with pytest.raises(WeightsError, match="no version"):
        read_record(tmp_path)


def test_a_quarter_of_the_space_is_nearly_as_exact(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "kernel": random.normal(0, 0.1, (3, 3, 32, 64)).astype("float32"),
        "dead": np.zeros((4, 2), "float32"),
        "bias": random.normal(0, 1, 16).astype("float32"),
        "count": np.array(7, "int64"),
    }
    save_arrays(stored_as(arrays, "int8"), tmp_path, {})
    (file,) = tmp_path.glob("*.safetensors")
    assert file.stat().st_size < arrays["kernel"].nbytes / 3.5
    found = read_arrays(tmp_path)
    assert found.keys() == arrays.keys()
    columns = np.abs(arrays["kernel"]).max(axis=(0, 1, 2))
    assert (np.abs(found["kernel"] - arrays["kernel"]) <= columns / 127 * 0.51).all()
    np.testing.assert_array_equal(found["dead"], 0)
    np.testing.assert_allclose(found["bias"], arrays["bias"], rtol=1e-3)
    assert found["count"] == 7


def test_a_milestone_at_the_end_has_the_weights_of_its_version(tmp_path):
    arrays = {"kernel": np.ones((2, 2), "float32")}
    milestone = tmp_path / "milestones" / "00003"
    save_arrays(arrays, tmp_path, {})
    save_arrays(arrays, milestone, {})
    (file,) = milestone.glob("*.safetensors")
    file.unlink()
    np.testing.assert_array_equal(read_arrays(milestone)["kernel"], arrays["kernel"])
