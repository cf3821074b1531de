"""Weights are data only, verified, and refused before they change anything."""

import json

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_bytes

from layerwise.errors import WeightsError
from layerwise.weights import load_into, named_variables, read_record, save


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
    sizes = [(tmp_path / name / "weights.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.75 * sizes[0]
    load_into(other, tmp_path / "half")
    for a, b in zip(values(model), values(other), strict=True):
        np.testing.assert_array_equal(a.astype("float16").astype("float32"), b)


def refused(model, folder, words):
    before = values(model)
    with pytest.raises(WeightsError, match=words):
        load_into(model, folder)
    for a, b in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_flipped_bit_is_noticed(make_model, tmp_path):
    model = make_model()
    save(model, tmp_path, {})
    path = tmp_path / "weights.safetensors"
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
    (folder / "weights.safetensors").write_bytes(data)
    record = {"format": 1, "sha256": hashlib.sha256(data).hexdigest()}
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
