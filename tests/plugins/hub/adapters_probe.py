"""Published networks that learn, in a process in which Keras computes with torch. Prints what was found, as JSON.

python adapters_probe.py FOLDER FAMILY
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "torch", "HF_HUB_OFFLINE": "1"}
sys.path.append(str(Path(__file__).parent))

import hub_samples
import numpy as np
import torch
from hub_samples.own_data import write_pictures, write_texts

from layerwise import training, weights
from layerwise.context import Context
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.versions import VersionStore
from layerwise_hub import library, probed, probes

TEXTS = ["the cat", "music is louder in the evening than all night, longer than whatever it has learned from"]


class Interrupted(Context):
    """Somebody asks for a stop in the middle of the first epoch."""

    def progress(self, **values):
        super().progress(**values)
        if values["step"] == 2:
            self.run.request_stop()


def main(folder: Path, family: str) -> None:
    home = Path(os.environ["LAYERWISE_HOME"])
    is_text = family == "sentence_encoder"
    published = folder / "published"
    published.mkdir()
    hub_samples.write(family, published)
    entry = library.add(library.look(str(published)), lambda *_: None)
    spec = Registry(home).snapshot().model(entry.name + probed.ENDING)
    own = folder / "own"
    own.mkdir()
    (write_texts if is_text else write_pictures)(own)
    config = dataclasses.replace(spec.variant("lora").config, learning_rate=5e-3, num_epochs=5)
    whole, parted = (train(home, spec, config, own, kind) for kind in (Context, Interrupted))
    arrays = weights.read_arrays(whole.folder / "version")
    versions = VersionStore(home)
    version = versions.promote(spec, whole)
    runner = probes.runner(version)
    data = version.task.read_folder(own).splits["test"]
    found = {
        "states": [whole.state, parted.state],
        "names": sorted(arrays),
        "resumed": difference(arrays, weights.read_arrays(parted.folder / "version")),
        "learned": float((runner.outputs(np.asarray(data.inputs[:])).argmax(1) == data.targets).mean()),
        **untrained(config, version.task),
    }
    print(json.dumps(found))


def train(home, spec, config, own, kind):
    """A run, as it ended; one that was stopped goes on."""
    snapshot = Registry(home).snapshot()
    run = RunStore(home).create(spec, "lora", config, data=own)
    training.fit(kind.of(run, snapshot))
    if run.stop_requested:
        run.withdraw_stop()
        training.fit(Context.of(run, snapshot))
    return run


def difference(one, other):
    assert one.keys() == other.keys()
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def untrained(config, task):
    """How far the features are from those of the published network before anything was learned; whether a training step
    leaves all of it as it is that is not kept."""
    model = probes.build(config, task)
    layer = model.get_layer("adapted")
    encoder = probed.load_encoder(task.encoder, task.digest)
    if isinstance(task, probed.ProbedTexts):
        batch, right = task.encode_batch(TEXTS), encoder.vectors(TEXTS)
    else:
        batch = np.random.default_rng(0).integers(0, 256, (2, *task.size, 3), "uint8")
        right = encoder.insides(batch)[:, : layer.dimensions]
    batch = torch.as_tensor(batch)
    features = layer(batch).detach().numpy()
    kept = {name: value.clone() for name, value in layer.encoder.network.state_dict().items()}
    layer(batch, training=True).sum().backward()
    after = layer.encoder.network.state_dict()
    return {
        "features": float(np.abs(features - right).max()),
        "changed": [name for name, value in kept.items() if not torch.equal(value, after[name])],
        "without_gradient": sum(variable.value.grad is None for variable in layer.trainable_variables),
        "learning": sum(parameter.requires_grad for parameter in layer.encoder.network.parameters()),
        "variables": len(layer.trainable_variables),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
