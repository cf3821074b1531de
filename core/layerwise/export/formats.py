"""The formats in which networks leave Layerwise: how each is written, and how its own runtime reads it back.

Writing and reading happen in a process of their own whose backend is TensorFlow (`layerwise.export.process`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.datasets.batches import map_arrays
from layerwise.errors import SpecError, missing_extra

if TYPE_CHECKING:
    import keras
    import numpy as np

Run = Callable[[Mapping[str, "np.ndarray"]], "dict[str, np.ndarray]"]
"""The exported network: arrays [batch, ...] by the name of the input, to arrays by the name of the output."""

PRECISIONS = ("float32", "float16", "int8")


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format.

    Args:
        name: As the command line and the HTTP API call it.
        title: As people call it.
        summary: What it is for, a few words.
        file: The file or folder that holds the network.
        runtime: The distribution that runs it, with which every export is checked.
        packages: The modules that writing and checking need, each with its distribution.
        precisions: In which numbers its weights can be stored.
        write: `(model, path, precision)`.
        read: `(path) -> Run`, by its own runtime.
        usage: Python that runs it; `{inputs}` stands for a dict of arrays.
    """

    name: str
    title: str
    summary: str
    file: str
    runtime: str
    packages: Mapping[str, str]
    precisions: tuple[str, ...] = ("float32",)
    write: Callable[[keras.Model, Path, str], None]
    read: Callable[[Path], Run]
    usage: str

    def check_packages(self) -> None:
        """Raise MissingDependencyError unless all that it needs is installed."""
        for module, distribution in self.packages.items():
            if importlib.util.find_spec(module) is None:
                raise missing_extra(distribution, "export", f"The export to {self.title}")

    @property
    def runtime_version(self) -> str:
        """The runtime with its version."""
        return f"{self.runtime} {importlib.metadata.version(self.runtime)}"


def inference_model(model: keras.Model, batch: Any) -> keras.Model:
    """`model` as it answers: not in training, taking what `task.encode` gives and naming what it gives back.

    Keras' exporters call a model without saying that it is not training, and layers such as RandomFlip then
    vary what they see and make batch normalisation use the statistics of the batch. Here `training=False` is a part
    of the graph.

    Args:
        model: The network.
        batch: Encoded examples [examples, ...], or a dict of them: dtypes and shapes, of which the first
            dimension and those that the network leaves open stay open.

    Returns:
        A Functional model. An input is called as in `batch`, or as the network's own; an output as the network's
        dict calls it, or "output".
    """
    import keras

    def input_like(name: str, array: np.ndarray, declared: Any) -> Any:
        shape = array.shape[1:]
        if declared is not None and len(declared.shape) == array.ndim:
            shape = tuple(size and length for size, length in zip(declared.shape[1:], shape, strict=True))
        return keras.Input(shape, dtype=str(array.dtype), name=name)

    declared = {item.name: item for item in getattr(model, "inputs", None) or ()}
    if isinstance(batch, Mapping):
        inputs = {name: input_like(name, array, declared.get(name)) for name, array in batch.items()}
    else:
        only = next(iter(declared.values()), None)
        inputs = input_like(only.name if only is not None else "input", batch, only)
    found = keras.Model(inputs, named_outputs(model(inputs, training=False)), name=model.name)
    found(map_arrays(lambda array: array[:1], batch))  # Keras' exporter to ONNX refuses a model that was never called
    return found


def named_outputs(outputs: Any) -> dict[str, Any]:
    """The outputs of a network by name, whatever it gives."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if isinstance(outputs, list | tuple):
        return {f"output_{place}": output for place, output in enumerate(outputs)}
    return {"output": outputs}


def _write_saved_model(model: keras.Model, path: Path, precision: str) -> None:
    from keras.export import ExportArchive

    # `model.export` would write all weights twice: as those of the model, and as those that its function uses.
    archive: Any = ExportArchive()
    archive.add_endpoint("serve", lambda inputs: model(inputs), input_signature=[_specs(model)])
    archive.write_out(path, verbose=False)


def _specs(model: keras.Model) -> Any:
    """The inputs of a Functional model as TensorFlow describes arguments."""
    import keras
    import tensorflow as tf

    return keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name), model.input)


def _read_saved_model(path: Path) -> Run:
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(path)

    def run(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        # A signature does not keep the variables alive that it uses; `loaded` does.
        outputs = loaded.signatures["serving_default"](**{name: tf.constant(array) for name, array in batch.items()})
        return {name: output.numpy() for name, output in outputs.items()}

    return run


def _write_onnx(model: keras.Model, path: Path, precision: str) -> None:
    import onnx

    model.export(path, format="onnx", verbose=False)
    written = onnx.load(path)
    graph = written.graph
    # tf2onnx calls outputs after the operations that give them, in the order of the sorted names of a dict.
    names = dict(zip((value.name for value in graph.output), sorted(model.output), strict=True))
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in graph.output:
        value.name = names[value.name]
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(written)
    onnx.save(written, path)


def _read_onnx(path: Path) -> Run:
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]

    def run(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(names, dict(batch)), strict=True))

    return run


def _write_litert(model: keras.Model, path: Path, precision: str) -> None:
    import tensorflow as tf

    # Without calibration: only weights are stored in fewer bits. Activations stay in floating point, or are
    # quantised while it runs.
    options: dict[str, Any] = {} if precision == "float32" else {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if precision == "float16":
        options["target_spec"] = {"supported_types": [tf.float16]}
    model.export(path, format="litert", verbose=False, **options)


def _read_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    signature = Interpreter(str(path)).get_signature_runner()

    def run(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return signature(**batch)

    return run


FORMATS = {
    item.name: item
    for item in (
        Format(
            name="saved-model",
            title="TensorFlow SavedModel",
            summary="for TensorFlow and TensorFlow Serving",
            file="saved_model",
            runtime="tensorflow",
            packages={"tensorflow": "tensorflow"},
            write=_write_saved_model,
            read=_read_saved_model,
            usage="""\
import numpy as np
import tensorflow as tf

inputs = {inputs}
loaded = tf.saved_model.load("saved_model")
outputs = loaded.signatures["serving_default"](**{{name: tf.constant(array) for name, array in inputs.items()}})
print({{name: output.numpy() for name, output in outputs.items()}})
""",
        ),
        Format(
            name="onnx",
            title="ONNX",
            summary="for ONNX Runtime in any language, on servers and in browsers",
            file="model.onnx",
            runtime="onnxruntime",
            packages={"onnx": "onnx", "tf2onnx": "tf2onnx", "onnxruntime": "onnxruntime"},
            write=_write_onnx,
            read=_read_onnx,
            usage="""\
import numpy as np
import onnxruntime

inputs = {inputs}
network = onnxruntime.InferenceSession("model.onnx")
names = [output.name for output in network.get_outputs()]
print(dict(zip(names, network.run(names, inputs))))
""",
        ),
        Format(
            name="litert",
            title="LiteRT",
            summary="for phones and small devices (formerly TensorFlow Lite)",
            file="model.tflite",
            runtime="ai-edge-litert",
            packages={"ai_edge_litert": "ai-edge-litert"},
            precisions=PRECISIONS,
            write=_write_litert,
            read=_read_litert,
            usage="""\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

inputs = {inputs}
network = Interpreter("model.tflite").get_signature_runner()
print(network(**inputs))
""",
        ),
    )
}
"""The formats by their names."""


def format_named(name: str, precision: str = "float32") -> Format:
    """The format of that name.

    Raises:
        SpecError: There is none, or it does not store weights in that precision.
    """
    if name not in FORMATS:
        raise SpecError("The format is not known", expected=", ".join(FORMATS), received=repr(name))
    found = FORMATS[name]
    if precision not in found.precisions:
        raise SpecError(
            f"{found.title} cannot be written in this precision",
            expected=" or ".join(found.precisions),
            received=repr(precision),
            remedy=None if len(found.precisions) > 1 else "choose litert for smaller weights",
        )
    return found
