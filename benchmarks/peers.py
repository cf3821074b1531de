"""Ways to train the same network: Layerwise's engine, and what one would use or write instead of it.

    python benchmarks/peers.py SIDE NETWORK

is what benchmarks/training.py and benchmarks/gpu.py start for each side: a process that makes the data and the network,
runs an epoch to compile, writes a line when it is ready, and then, for each line that it is sent, runs an epoch and
writes its seconds and mean loss as JSON. It takes a GPU when it sees one.

Every side does the same work, in float32 unless another precision is asked for: Adam with Keras' defaults, batches of
128 from a new shuffle of all examples in every epoch, the mean loss of the epoch read at its end. What does not fill a
batch is left out, save by Keras' fit and scikit-learn, which train on a last smaller batch.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH, CLASSES = 128, 10
EXAMPLES = {"dense": 60_000, "conv": 6_000, "transformer": 6_000}
"""How many there are unless another number is asked for: about a second's work on two cores."""
PRECISIONS = ("float32", "mixed_bfloat16")
SHAPES = {"dense": (784,), "conv": (28, 28, 1), "transformer": (28, 28)}
WIDTH, HEADS, BLOCKS = 64, 4, 2
"""Of the transformer."""
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7

Epoch = Callable[[], float]
"""Trains for an epoch and returns its mean loss."""


def examples(network: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs float32 [examples, 784], [examples, 28, 28, 1] or [examples, 28, 28] and targets int32 [examples]: noise
    around a pattern for each class, so that a side that does not learn is seen, with three labels in ten drawn at
    random, so that gradients stay as large as they are in life."""
    rng, count = np.random.default_rng(0), EXAMPLES[network]
    targets = rng.integers(0, CLASSES, count).astype(np.int32)
    patterns = rng.random((CLASSES, 784), dtype=np.float32)
    inputs = rng.random((count, 784), dtype=np.float32)
    inputs += patterns[targets]
    inputs /= 2
    is_wrong = rng.random(count) < 0.3
    targets[is_wrong] = rng.integers(0, CLASSES, np.sum(is_wrong))
    return inputs.reshape(-1, *SHAPES[network]), targets


def shuffled(rng: np.random.Generator, network: str) -> np.ndarray:
    """Positions of an epoch's examples, int32 [steps, 128]."""
    steps = EXAMPLES[network] // BATCH
    return rng.permutation(EXAMPLES[network])[: steps * BATCH].reshape(steps, BATCH).astype(np.int32)


def keras_model(network: str) -> Any:
    """The network in Keras: 784-512-512-10; 32 and 64 filters of 3x3, each with ReLU and 2x2 pooling, and ten units; or
    two blocks of a transformer over the 28 rows: 669,706, 34,826 and 86,730 parameters."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    if network == "dense":
        hidden = [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu")]
        return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(CLASSES, dtype="float32")])
    if network == "transformer":
        return _keras_transformer()
    blocks = [
        layer for filters in (32, 64) for layer in (layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D())
    ]
    return keras.Sequential(
        [keras.Input((28, 28, 1)), *blocks, layers.Flatten(), layers.Dense(CLASSES, dtype="float32")]
    )


def _keras_transformer() -> Any:
    """Attention and two dense layers a block, each normalised before and added to what came in (Vaswani et al. 2017,
    arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745)."""
    import keras
    from keras import layers

    inputs = keras.Input((28, 28))
    x = layers.Dense(WIDTH)(inputs)
    for _ in range(BLOCKS):
        tokens = layers.LayerNormalization(epsilon=1e-5)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(tokens, tokens)])
        hidden = layers.Dense(2 * WIDTH, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
        x = layers.Add()([x, layers.Dense(WIDTH)(hidden)])
    return keras.Model(inputs, layers.Dense(CLASSES, dtype="float32")(layers.Flatten()(x)))


def layerwise(network: str, precision: str = "float32", compiler: str = "auto") -> Epoch:
    """The engine of the backend that KERAS_BACKEND names, as the training loop uses it."""
    from layerwise import engines
    from layerwise.compilation import compile_fastest, is_known, uses_xla
    from layerwise.devices import prepare

    prepare(precision)
    import keras

    model = keras_model(network)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer = engines.current().Trainer(model, keras.optimizers.Adam(RATE), loss, {}, xla=uses_xla(model, compiler))
    data, rng = trainer.place(*examples(network)), np.random.default_rng(0)
    if not is_known(model, compiler):
        compile_fastest(trainer, data, shuffled(rng, network))

    def epoch() -> float:
        order = shuffled(rng, network)
        return trainer.train(data, order, 0, len(order))["loss"]

    return epoch


def keras_fit(network: str, precision: str = "float32") -> Epoch:
    """`Model.fit` as it comes."""
    import keras

    keras.config.set_dtype_policy(precision)
    inputs, targets = examples(network)
    model = _compiled(network)
    return lambda: model.fit(inputs, targets, batch_size=BATCH, verbose=0).history["loss"][0]


def keras_fit_tuned(network: str) -> Epoch:
    """`Model.fit` with sixteen steps a call and a pipeline of batches gathered from memory."""
    import tensorflow as tf

    inputs, targets = map(tf.constant, examples(network))
    positions = tf.data.Dataset.range(len(targets)).shuffle(len(targets)).batch(BATCH, drop_remainder=True)
    batches = positions.map(lambda at: (tf.gather(inputs, at), tf.gather(targets, at))).prefetch(4)
    model = _compiled(network, steps_per_execution=16)
    return lambda: model.fit(batches, verbose=0).history["loss"][0]


def _compiled(network: str, **options: Any) -> Any:
    import keras

    model = keras_model(network)
    model.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True), **options)
    return model


def tensorflow_loop(network: str, *, xla: bool = False) -> Epoch:
    """A training step of one's own in a `tf.function`, called for each batch."""
    import tensorflow as tf

    inputs, targets = map(tf.constant, examples(network))
    model, rng = keras_model(network), np.random.default_rng(0)
    variables = [variable.value for variable in model.trainable_variables]
    first, second = ([tf.Variable(tf.zeros_like(value)) for value in variables] for _ in range(2))
    count = tf.Variable(0.0)

    @tf.function(jit_compile=xla)
    def step(at: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model(tf.gather(inputs, at), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(targets, at), logits)
            loss = tf.reduce_mean(losses)
        count.assign_add(1.0)
        rate = RATE * tf.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        for variable, m, v, g in zip(variables, first, second, tape.gradient(loss, variables), strict=True):
            m.assign_add((1 - BETA_1) * (g - m))
            v.assign_add((1 - BETA_2) * (g * g - v))
            variable.assign_sub(rate * m / (tf.sqrt(v) + EPSILON))
        return loss

    def epoch() -> float:
        losses = [step(tf.constant(at)) for at in shuffled(rng, network)]
        return float(tf.add_n(losses)) / len(losses)

    return epoch


def tensorflow_xla_loop(network: str) -> Epoch:
    """The same with `jit_compile=True`."""
    return tensorflow_loop(network, xla=True)


def torch_loop(network: str, precision: str = "float32") -> Epoch:
    """A PyTorch loop: fused Adam, convolutions with channels last, examples in the device's memory."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, which the others take by themselves
    inputs, targets = (torch.from_numpy(array).to(device) for array in examples(network))
    targets = targets.long()
    if network == "transformer":
        blocks = (
            nn.TransformerEncoderLayer(
                *(WIDTH, HEADS, 2 * WIDTH), dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(BLOCKS)
        )
        model = nn.Sequential(nn.Linear(28, WIDTH), *blocks, nn.Flatten(), nn.Linear(28 * WIDTH, CLASSES))
    elif network == "dense":
        model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, CLASSES))
    else:
        model = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(1600, CLASSES)),
        ).to(memory_format=torch.channels_last)
        inputs = inputs.permute(0, 3, 1, 2)
    model, rng = model.to(device), np.random.default_rng(0)
    optimizer = torch.optim.Adam(model.parameters(), RATE, (BETA_1, BETA_2), EPSILON, fused=True)

    def epoch() -> float:
        total, order = torch.zeros((), device=device), torch.from_numpy(shuffled(rng, network)).to(device)
        for at in order:
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=precision == "mixed_bfloat16"):
                logits = model(inputs[at])
            loss = nn.functional.cross_entropy(logits.float(), targets[at])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total.item() / len(order)

    return epoch


def jax_optax(network: str, precision: str = "float32") -> Epoch:
    """JAX with optax, the state donated: an epoch in one `lax.scan`, or, for convolutions, which XLA makes slow in
    loops on CPUs, a call a step."""
    import jax
    import optax
    from jax import numpy as jnp

    inputs, targets = map(jnp.asarray, examples(network))
    forward, parameters = _jax_network(network)
    optimizer, rng = optax.adam(RATE, BETA_1, BETA_2, EPSILON), np.random.default_rng(0)
    compute_type = jnp.bfloat16 if precision == "mixed_bfloat16" else jnp.float32
    in_one_call = network != "conv" or jax.default_backend() != "cpu"

    def loss_of(parameters: Any, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        narrow = jax.tree.map(lambda array: array.astype(compute_type), (parameters, inputs))
        logits = forward(*narrow).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()

    def step(state: Any, inputs: jax.Array, targets: jax.Array, at: jax.Array) -> Any:
        parameters, moments = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, inputs[at], targets[at])
        changes, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(parameters, changes), moments), loss

    def scan(state: Any, inputs: jax.Array, targets: jax.Array, order: jax.Array) -> Any:
        return jax.lax.scan(lambda state, at: step(state, inputs, targets, at), state, order)

    compiled = jax.jit(scan if in_one_call else step, donate_argnums=0)
    state = parameters, optimizer.init(parameters)

    def epoch() -> float:
        nonlocal state
        order = shuffled(rng, network)
        if in_one_call:
            state, losses = compiled(state, inputs, targets, jnp.asarray(order))
            return float(losses.mean())
        losses = []
        for at in order:
            state, loss = compiled(state, inputs, targets, at)
            losses.append(loss)
        return float(sum(losses)) / len(losses)

    return epoch


def _jax_network(network: str) -> tuple[Callable[[Any, Any], Any], Any]:
    import jax
    from jax import lax
    from jax import numpy as jnp

    def initial(key: Any, *shape: int) -> dict[str, Any]:
        return {"w": jax.nn.initializers.glorot_uniform()(key, shape), "b": jnp.zeros(shape[-1])}

    if network == "transformer":
        return _jax_transformer(initial)
    keys = jax.random.split(jax.random.key(0), 3)
    if network == "dense":
        sizes = ((784, 512), (512, 512), (512, CLASSES))

        def dense(parameters: Any, x: Any) -> Any:
            *hidden, last = parameters
            for layer in hidden:
                x = jax.nn.relu(x @ layer["w"] + layer["b"])
            return x @ last["w"] + last["b"]

        return dense, [initial(key, *size) for key, size in zip(keys, sizes, strict=True)]
    sizes = ((3, 3, 1, 32), (3, 3, 32, 64), (1600, CLASSES))

    def convolutional(parameters: Any, x: Any) -> Any:
        *blocks, last = parameters
        for layer in blocks:
            x = lax.conv_general_dilated(x, layer["w"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.nn.relu(x + layer["b"])
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return x.reshape(len(x), -1) @ last["w"] + last["b"]

    return convolutional, [initial(key, *size) for key, size in zip(keys, sizes, strict=True)]


def _jax_transformer(initial: Callable[..., dict[str, Any]]) -> tuple[Callable[[Any, Any], Any], Any]:
    import jax
    from jax import numpy as jnp

    def linear(layer: Any, x: Any) -> Any:
        return x @ layer["w"] + layer["b"]

    def normal(layer: Any, x: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * layer["w"] + layer["b"]

    def transformer(parameters: Any, x: Any) -> Any:
        first, *blocks, last = parameters
        x = linear(first, x)
        for norm, inwards, outwards, second_norm, wide, narrow in blocks:
            tokens = linear(inwards, normal(norm, x)).reshape(*x.shape[:2], 3, HEADS, WIDTH // HEADS)
            attended = jax.nn.dot_product_attention(*(tokens[:, :, index] for index in range(3)))
            x = x + linear(outwards, attended.reshape(x.shape))
            x = x + linear(narrow, jax.nn.gelu(linear(wide, normal(second_norm, x)), approximate=False))
        return linear(last, x.reshape(len(x), -1))

    keys = iter(jax.random.split(jax.random.key(0), 2 + 4 * BLOCKS))
    norm = {"w": jnp.ones(WIDTH), "b": jnp.zeros(WIDTH)}
    sizes = ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 2 * WIDTH), (2 * WIDTH, WIDTH))
    blocks = []
    for _ in range(BLOCKS):
        inwards, outwards, wide, narrow = (initial(next(keys), *size) for size in sizes)
        blocks.append((norm, inwards, outwards, norm, wide, narrow))
    return transformer, [initial(next(keys), 28, WIDTH), *blocks, initial(next(keys), 28 * WIDTH, CLASSES)]


def scikit_learn(network: str) -> Epoch:
    """`MLPClassifier`, an epoch a call."""
    from sklearn.neural_network import MLPClassifier

    inputs, targets = examples(network)
    model: Any = MLPClassifier((512, 512), alpha=0, batch_size=BATCH, learning_rate_init=RATE, epsilon=EPSILON)

    def epoch() -> float:
        model.partial_fit(inputs, targets, classes=range(CLASSES))
        return model.loss_

    return epoch


def products(network: str, *, update: bool = False) -> Epoch:
    """No training but what it cannot do without: an epoch's matrix products of the dense network, forward and
    backward, in one XLA loop; with `update` also Adam's traffic, which reads weights, gradients and two moments and
    writes all but the gradients. Returns no loss."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    sizes = ((784, 512), (512, 512), (512, CLASSES))
    batch, *kernels = (tf.constant(rng.normal(0, 0.05, size).astype(np.float32)) for size in ((BATCH, 784), *sizes))
    zeros = [tf.zeros(size) for size in sizes]

    def step(x: tf.Tensor, kernels: list, first: list, second: list, gradients: list) -> tuple:
        activations = [x]
        for kernel in kernels:
            activations.append(activations[-1] @ kernel)
        delta, found = activations[-1], []
        for x_of_layer, kernel in zip(activations[-2::-1], kernels[::-1], strict=True):
            found.insert(0, tf.matmul(x_of_layer, delta, transpose_a=True))
            if x_of_layer is not x:
                delta = tf.matmul(delta, kernel, transpose_b=True)
        if update:
            first = [m + g for m, g in zip(first, found, strict=True)]
            second = [v + g for v, g in zip(second, found, strict=True)]
            kernels = [w - 1e-9 * m * v for w, m, v in zip(kernels, first, second, strict=True)]
        # The next step depends on this one by a single number, or the compiler would do one step only.
        x = tf.tensor_scatter_nd_update(x, [[0, 0]], [1e-9 * found[0][0, 0]])
        return x, kernels, first, second, found

    @tf.function(jit_compile=True)
    def loop(steps: tf.Tensor) -> tf.Tensor:
        state = (batch, kernels, zeros, zeros, zeros)
        _, state = tf.while_loop(
            lambda number, _: number < steps, lambda number, state: (number + 1, step(*state)), (0, state)
        )
        return tf.add_n([tf.reduce_sum(part) for part in tf.nest.flatten(state)])

    def epoch() -> float:
        loop(tf.constant(EXAMPLES[network] // BATCH)).numpy()
        return float("nan")

    return epoch


def products_and_update(network: str) -> Epoch:
    """The same with Adam's memory traffic."""
    return products(network, update=True)


@dataclass(frozen=True, kw_only=True)
class Side:
    """A way to train.

    Args:
        build: `(network, **options) -> epoch`; makes the data and the network.
        packages: The modules that must be installed.
        backend: KERAS_BACKEND of its process.
        networks: Those that it can train.
    """

    build: Callable[..., Epoch]
    packages: tuple[str, ...]
    backend: str = "tensorflow"
    networks: tuple[str, ...] = tuple(EXAMPLES)

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [package for package in self.packages if importlib.util.find_spec(package) is None]


SIDES = {
    "layerwise": Side(build=layerwise, packages=("tensorflow",)),
    "layerwise on JAX": Side(build=layerwise, packages=("jax",), backend="jax"),
    "keras fit": Side(build=keras_fit, packages=("tensorflow",)),
    "keras fit, tuned": Side(build=keras_fit_tuned, packages=("tensorflow",)),
    "tf.function": Side(build=tensorflow_loop, packages=("tensorflow",)),
    "tf.function with XLA": Side(build=tensorflow_xla_loop, packages=("tensorflow",)),
    "PyTorch": Side(build=torch_loop, packages=("torch",)),
    "JAX with optax": Side(build=jax_optax, packages=("jax", "optax")),
    "scikit-learn": Side(build=scikit_learn, packages=("sklearn",), networks=("dense",)),
    "matrix products only": Side(build=products, packages=("tensorflow",), networks=("dense",)),
    "products and update only": Side(build=products_and_update, packages=("tensorflow",), networks=("dense",)),
}


def main() -> None:
    """Serve one side over standard input and output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side", choices=tuple(SIDES))
    parser.add_argument("network", choices=tuple(EXAMPLES))
    parser.add_argument("--examples", type=int, help="how many there are")
    parser.add_argument("--precision", choices=PRECISIONS, help="of Layerwise, Keras' fit, PyTorch and JAX")
    parser.add_argument("--compiler", choices=("auto", "xla", "graph"), help="of Layerwise on TensorFlow")
    options = parser.parse_args()
    EXAMPLES[options.network] = options.examples or EXAMPLES[options.network]
    chosen = {name: value for name in ("precision", "compiler") if (value := getattr(options, name)) is not None}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    epoch = SIDES[options.side].build(options.network, **chosen)
    epoch()
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        loss = epoch()
        print(json.dumps({"seconds": time.perf_counter() - begin, "loss": loss}), file=answers, flush=True)


if __name__ == "__main__":
    main()
