"""Run in a process of its own by test_gpu.py, with KERAS_BACKEND set: `main(NAME, DEVICE)` prints what the function
of that name found on the device "cpu" or "gpu", as JSON."""

import json
import sys

import numpy as np

from layerwise.devices import prepare


def overflow(device):
    """Two steps in float16; the gradients of the first overflow."""
    prepare("mixed_float16", device)
    import keras
    from engine_probe import BATCH, network, trainer_of, weights

    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**15)
    model = network()
    trainer = trainer_of(model, optimizer)
    inputs, targets, order = examples(2 * BATCH)
    inputs[order[0, 0]] = 6e4  # the largest number of float16 is 65,504
    data = trainer.place(inputs, targets)
    changed, scales = [], [float(optimizer.dynamic_scale)]
    for step in range(2):
        before = weights(model)
        trainer.train(data, order, step, step + 1)
        changed.append(max(float(np.abs(a - b).max()) for a, b in zip(before, weights(model), strict=True)))
        scales.append(float(optimizer.dynamic_scale))
    return {"changed": changed, "scales": scales}


def sharing(device):
    """Keras trains, PyTorch takes a gradient on the same device, and Keras trains on."""
    prepare(device=device)
    import keras
    from engine_probe import BATCH, STEPS, network, trainer_of

    trainer = trainer_of(network(), keras.optimizers.Adam(0.01))
    inputs, targets, order = examples(BATCH * STEPS)
    data = trainer.place(inputs, targets)
    losses = [trainer.train(data, order, 0, STEPS)["loss"]]

    import torch

    place = torch.device("cuda" if device == "gpu" else "cpu")
    layer = torch.nn.Linear(6, 3).to(place)
    logits = layer(torch.from_numpy(inputs).to(place))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets).long().to(place)).backward()
    losses.append(trainer.train(data, order, 0, STEPS)["loss"])
    free, total = torch.cuda.mem_get_info() if device == "gpu" else (1, 1)
    return {
        "losses": losses,
        "gradient": float(layer.weight.grad.abs().max()),
        "place": layer.weight.device.type,
        "free": free / total,
    }


def examples(count):
    """Points with one of three labels, and an order of them."""
    from engine_probe import BATCH

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(count, 6)).astype("float32")
    targets = (inputs[:, 0] + inputs[:, 1] > 0).astype("int32") + (inputs[:, 2] > 1)
    return inputs, targets, rng.permutation(count).reshape(-1, BATCH).astype("int32")


def main(name, device):
    found = {"overflow": overflow, "sharing": sharing}[name](device)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
