"""Exports, read back by the runtime of each format and compared with the predictor's own network."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise import weights
from layerwise.devices import quiet_import
from layerwise.errors import ExportError, MissingDependencyError, NotFoundError, SpecError
from layerwise.export import FORMATS, Exported, export, exporting
from layerwise.export.formats import inference_model, named_outputs
from layerwise.runner import NetworkRunner
from layerwise.specs import resolve
from layerwise.workspace import Workspace, open_workspace

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture
def packages() -> None:
    """The extra "export". Without it the test is skipped, and fails where CI=true."""
    modules = [module for item in FORMATS.values() for module in item.packages]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"needs {', '.join(missing)}")
    if missing:
        pytest.skip(f'needs {", ".join(missing)}: pip install "layerwise[export]"')


@pytest.fixture
def workspace(site: Path, home: Path) -> Iterator[Workspace]:
    """A workspace with the toy plugin."""
    with open_workspace(home) as opened:
        yield opened


@pytest.fixture
def toy(workspace: Workspace) -> Callable[..., str]:
    """`toy(dtype)`: a version of toy/bars with random weights, built under a dtype policy; its reference."""

    def make(policy: str = "float32") -> str:
        keras = quiet_import()
        spec = workspace.registry.snapshot().model("toy/bars")
        config = spec.variant("small").config
        run = workspace.runs.create(spec, "small", config)
        keras.utils.set_random_seed(1)
        former = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            model = resolve(spec.build)(config, spec.task)
        finally:
            keras.config.set_dtype_policy(former)
        record = {"name": spec.name, "variant": "small", "task": spec.task.parameters(), "config": {}}
        weights.save(model, run.folder / "version", record)
        return f"toy/bars:small@{run.id}"

    return make


def read_saved_model(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    loaded = tf.saved_model.load(folder / "saved_model")
    return lambda batch: loaded.serve(batch)["output"].numpy()


def read_onnx(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.shape[0], session.get_outputs()[0].shape[0]) == ("batch", "batch")
    return lambda batch: session.run(["output"], {given.name: batch})[0]


def read_litert(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"))
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given["index"], batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    return run


READERS = {"saved-model": read_saved_model, "onnx": read_onnx, "litert": read_litert}


def check(workspace: Workspace, reference: str, name: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Export, unpack, and compare with the core for batches of 1 and 7; the metadata."""
    exported = export(workspace, reference, name, to=folder, **options)
    assert [path.name for path in folder.iterdir()] == [exported.path.name]
    content = folder / "content"
    with zipfile.ZipFile(exported.path) as archive:
        archive.extractall(content)
    metadata = json.loads((content / "metadata.json").read_text(encoding="utf-8"))
    assert metadata == exported.metadata
    version = workspace.predictor.version(reference)
    core = NetworkRunner(version, workspace.registry.snapshot().model(version.name))
    run = READERS[name](content)
    pixels = np.random.default_rng(0).integers(0, 256, (7, *version.task.size, 1), dtype=np.uint8)
    for batch in (pixels[:1], pixels):
        np.testing.assert_allclose(run(batch), core.outputs(batch), **TOLERANCE)
    assert metadata["weights_sha256"] == version.record["sha256"]
    assert metadata["task"]["labels"] == list(version.task.labels)
    assert metadata["inputs"][0]["dtype"] == "uint8"
    assert metadata["inputs"][0]["shape"] == [None, *version.task.size, 1]
    assert "Logits" in metadata["output_meaning"]
    return metadata


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_dense_network_answers_the_same_elsewhere(packages, workspace, toy, tmp_path: Path, name, policy) -> None:
    metadata = check(workspace, toy(policy), name, tmp_path / "out")
    assert metadata["check"]["examples"] == 2
    assert metadata["check"]["largest_difference"] <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["conv", "dense"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_shipped_networks_answer_the_same_elsewhere(packages, workspace, tmp_path: Path, name, variant) -> None:
    # Both have layers that vary pictures in training, which must not act in what is exported.
    metadata = check(workspace, f"vision/fashion:{variant}", name, tmp_path / "out")
    assert metadata["check"]["origin"] == "the model's examples"
    assert metadata["licence"] == "Apache-2.0"


@pytest.mark.slow
def test_the_readme_of_an_export_runs(packages, workspace, toy, tmp_path: Path, monkeypatch, capsys) -> None:
    exported = export(workspace, toy(), "onnx", to=tmp_path / "bars.zip")
    with zipfile.ZipFile(exported.path) as archive:
        archive.extractall(tmp_path)
    code = (tmp_path / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert "'output': array(" in capsys.readouterr().out


@pytest.mark.slow
def test_fewer_bits_state_what_they_cost(packages, workspace, toy, tmp_path: Path) -> None:
    exported = export(workspace, toy(), "litert", to=tmp_path, precision="float16")
    checked = exported.metadata["check"]
    assert exported.path.name.endswith("-litert-float16.zip")
    assert 0 < checked["largest_difference"] < 0.1
    assert "tolerance" not in checked
    assert checked["measured"]["count"] == 200
    assert set(checked["measured"]["exported"]) == set(checked["measured"]["layerwise"])


@pytest.mark.slow
def test_another_backend_of_this_process_changes_nothing(packages, workspace, toy, tmp_path, monkeypatch) -> None:
    reference = toy()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    check(workspace, reference, "saved-model", tmp_path / "out")


def test_a_network_of_several_inputs_and_outputs_keeps_their_names() -> None:
    keras = quiet_import()
    left, right = keras.Input((None, 2), name="left"), keras.Input((3,), name="right")
    sums = {"b": keras.ops.sum(left, axis=(1, 2)), "a": right * 2}
    model = keras.Model({"left": left, "right": right}, sums)
    batch = {"left": np.ones((1, 4, 2), "float32"), "right": np.ones((1, 3), "int32")}
    found = inference_model(model, batch)
    assert {item.name: (item.shape, item.dtype) for item in found.inputs} == {
        "left": ((None, None, 2), "float32"),
        "right": ((None, 3), "int32"),
    }
    outputs = {name: np.asarray(value) for name, value in found(batch).items()}
    assert outputs["b"].tolist() == [8]
    assert outputs["a"].tolist() == [[2, 2, 2]]
    assert list(named_outputs([1, 2])) == ["output_0", "output_1"]


def test_what_answers_differently_is_discarded() -> None:
    from layerwise.export.process import _largest_difference

    class Constant:
        def __init__(self, value: float) -> None:
            self.value = value

        def outputs(self, batch: np.ndarray) -> np.ndarray:
            return np.full((len(batch), 2), self.value, "float32")

    batch = np.zeros((3, 1))
    assert _largest_difference(Constant(1), Constant(1), batch, exact=True) == 0
    assert _largest_difference(Constant(2), Constant(1), batch, exact=False) == 1
    for wrong, exact in ((1.0001, True), (np.nan, True), (np.nan, False), (np.inf, False)):
        with pytest.raises(ExportError, match="answers differently"):
            _largest_difference(Constant(wrong), Constant(1), batch, exact=exact)


def test_what_cannot_be_exported_is_said_and_leaves_nothing(workspace, toy, tmp_path: Path, monkeypatch) -> None:
    reference = toy()
    for name, error, options in (
        ("onyx", SpecError, {}),
        ("onnx", SpecError, {"precision": "int8"}),
        ("litert", SpecError, {"precision": "int1"}),
    ):
        with pytest.raises(error):
            export(workspace, reference, name, to=tmp_path, **options)
    with pytest.raises(NotFoundError):
        export(workspace, "toy/bars@nobody", "saved-model", to=tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else find(name))
    with pytest.raises(MissingDependencyError, match=r"layerwise\[export\]"):
        export(workspace, reference, "onnx", to=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written to"):
        export(workspace, reference, "saved-model", to=tmp_path / "file" / "bars.zip")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == []


@pytest.mark.slow
def test_corrupted_weights_a_late_end_and_giving_up_leave_nothing(workspace, toy, tmp_path: Path) -> None:
    reference, out = toy(), tmp_path / "out"
    out.mkdir()
    with pytest.raises(ExportError, match=r"longer than 0\.01 seconds"):
        export(workspace, reference, "saved-model", to=out, seconds=0.01)
    steps = exporting(workspace, reference, "saved-model", to=out)
    assert [next(steps), next(steps)] == ["starting TensorFlow", "building the network"]
    steps.close()
    folder = workspace.predictor.version(reference).folder
    next(folder.glob("*.safetensors")).write_bytes(b"rubbish")
    with pytest.raises(Exception, match="corrupted"):
        export(workspace, reference, "saved-model", to=out)
    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_the_file_that_was_there_stays_until_the_new_one_is_whole(packages, workspace, toy, tmp_path: Path) -> None:
    path = tmp_path / "bars.zip"
    path.write_text("former")
    with pytest.raises(ExportError):
        export(workspace, toy(), "saved-model", to=path, seconds=0.01)
    assert path.read_text() == "former"
    doing: list[str] = []
    exported = export(workspace, toy(), "saved-model", to=path, progress=doing.append)
    assert isinstance(exported, Exported)
    assert zipfile.is_zipfile(path)
    assert doing[0] == "starting TensorFlow"
    assert "writing TensorFlow SavedModel" in doing
