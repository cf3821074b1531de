"""The four steps of training a dense network, in plain NumPy and float64: forward, loss, backward, update.

Each step returns its intermediate values by name, in the order in which they are computed. Rows are examples, so
layer l of L computes

    z_l = a_{l-1} W_l + b_l,    a_l = f_l(z_l),    a_0 the inputs, a_L called "output".

The gradients are those that automatic differentiation gives for the same network in Keras, to 1e-6. Source of the
equations: Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.5.

With dropout (`layerwise.from_scratch.regularisation.dropout_masks`) a hidden layer has a_l = factor_l f_l(z_l) +
shift_l.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.activations import ACTIVATIONS
from layerwise.errors import InputError, SpecError
from layerwise.from_scratch.losses import LOSSES, softmax

if TYPE_CHECKING:
    import keras

    from layerwise.from_scratch.regularisation import Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Values(Mapping[str, np.ndarray]):
    """The named values of one step, in the order in which they were computed."""

    named: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.named)

    def __len__(self) -> int:
        return len(self.named)


class Forward(Values):
    """Step 1. "a_0" [batch, inputs], the flattened and scaled inputs; then "z_l" and "a_l" [batch, units of layer l],
    the last a_l as "output". Before an "a_l" with dropout "factor_l" and "shift_l", of its shape.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss(Values):
    """Step 2. "targets" [batch, outputs], "probabilities" [batch, outputs] (cross-entropy only), "losses"
    [batch], one for each example, and "loss", their mean.
    """

    kind: str

    @property
    def value(self) -> float:
        """The loss of the batch."""
        return float(self["loss"])


class Backward(Values):
    """Step 3. From the last layer to the first: "dL/da_l" ("dL/doutput", absent for cross-entropy), "dL/dz_l",
    "dL/dW_l", "dL/db_l", each of the shape of what it is the gradient of; at last "dL/da_0".
    """

    @property
    def gradient(self) -> np.ndarray:
        """The gradient of all parameters as one vector, in the order of `DenseNetwork.parameters`."""
        layers = range(1, sum(name.startswith("dL/dW") for name in self) + 1)
        return np.concatenate([self[f"dL/d{letter}_{layer}"].ravel() for layer in layers for letter in "Wb"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Update(Values):
    """Step 4. For each layer: "W_l before", "W_l change", "W_l after", and the same of "b_l". `network` is the network
    after the update.
    """

    network: DenseNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """All four steps for one batch."""

    forward: Forward
    loss: Loss
    backward: Backward
    update: Update

    def values(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """(step, name, value) of every value, in the order in which they were computed."""
        for step in ("forward", "loss", "backward", "update"):
            for name, value in getattr(self, step).items():
                yield step, name, value


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseNetwork:
    """A dense network in NumPy. It never changes: `update` returns another one.

    Args:
        weights: The matrix of each layer, `[inputs, units]`, the last one of the output layer.
        biases: The vector of each layer, `[units]`.
        activations: The activation of each hidden layer, names from `layerwise.activations.ACTIVATIONS`.
        output_activation: "linear" for logits or plain values, "softmax", "sigmoid", or a name as above.
        scale: What the inputs are multiplied with before the first layer.

    Raises:
        SpecError: The shapes do not fit each other, or an activation is not known.

    Example:
        >>> network = DenseNetwork(weights=[[[2.0], [-1.0]]], biases=[[0.5]])
        >>> step = network.step([[1.0, 3.0]], [[1.0]], loss="squared_error", learning_rate=0.1)
        >>> step.forward["output"].tolist(), step.loss.value
        ([[-0.5]], 2.25)
        >>> step.backward["dL/dW_1"].tolist()
        [[-3.0], [-9.0]]
        >>> float(step.update["b_1 after"][0])
        0.8
    """

    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    activations: Sequence[str] = ()
    output_activation: str = "linear"
    scale: float = 1.0

    def __post_init__(self) -> None:
        weights, biases = (tuple(_frozen(array) for array in arrays) for arrays in (self.weights, self.biases))
        _check_shapes(weights, biases)
        if len(self.activations) != len(weights) - 1:
            raise SpecError(
                "activations does not fit weights",
                expected=f"a name for each of the {len(weights) - 1} hidden layers",
                received=repr(tuple(self.activations)),
            )
        for name in self.activations:
            _check_name("activation", name, ACTIVATIONS)
        _check_name("output_activation", self.output_activation, ("softmax", *ACTIVATIONS))
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)
        object.__setattr__(self, "activations", tuple(self.activations))

    @classmethod
    def from_keras(cls, model: keras.Model) -> DenseNetwork:
        """The same network as a Keras model that is a plain chain of dense layers and activations.

        Dropout is passed over, as Keras does outside training. Penalties (L1, L2) are no part of this network; see
        `layerwise.from_scratch.regularisation`.

        Args:
            model: Such as `dense_network` builds without normalization and skip connections.

        Raises:
            SpecError: It has other layers, or is not a chain.
        """
        weights, biases, activations = [], [], []
        scale = 1.0
        for layer in _chain(model):
            kind = type(layer).__name__
            if kind == "Dense" and layer.use_bias and len(layer.input.shape) == 2:
                kernel, bias = layer.get_weights()
                weights.append(kernel)
                biases.append(bias)
                activations.append(layer.activation.__name__)
            elif kind == "Activation" and activations and activations[-1] == "linear":
                activations[-1] = layer.activation.__name__
            elif kind == "Rescaling" and not activations and layer.offset == 0:
                scale *= float(layer.scale)
            elif kind not in ("Flatten", "Dropout", "AlphaDropout"):
                raise SpecError(
                    f"The layer {layer.name!r} has no twin in NumPy",
                    expected="dense layers with biases on flat inputs, each followed by at most one activation",
                    received=kind,
                    remedy='build the network with normalization="none" and without skip connections',
                )
        return cls(
            weights=weights,
            biases=biases,
            activations=activations[:-1],
            output_activation=activations[-1] if activations else "linear",
            scale=scale,
        )

    @property
    def parameters(self) -> np.ndarray:
        """All parameters as one vector: W_1 row by row, b_1, W_2, and so on."""
        pairs = zip(self.weights, self.biases, strict=True)
        return np.concatenate([array.ravel() for pair in pairs for array in pair])

    def with_parameters(self, vector: np.ndarray) -> DenseNetwork:
        """The network of the same shapes whose `parameters` are `vector`.

        Raises:
            SpecError: It is longer or shorter than this network needs.
        """
        sizes = [array.size for pair in zip(self.weights, self.biases, strict=True) for array in pair]
        if np.shape(vector) != (sum(sizes),):
            raise SpecError(
                "The parameters do not fit the network",
                expected=f"a vector of {sum(sizes)} numbers",
                received=f"an array of shape {np.shape(vector)}",
            )
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return dataclasses.replace(
            self,
            weights=[part.reshape(weight.shape) for part, weight in zip(parts[::2], self.weights, strict=True)],
            biases=parts[1::2],
        )

    def forward(self, inputs: Any, masks: Sequence[Mask] = ()) -> Forward:
        """Step 1: from the inputs to the output.

        Args:
            inputs: `[batch, ...]`, numbers; each example is flattened.
            masks: What dropout does to each hidden layer in this step; empty, as it is outside training, does nothing.

        Raises:
            InputError: The examples are not of the network's size.
        """
        x = np.asarray(inputs, dtype=np.float64)
        if x.ndim < 2 or not x.size or x.size != len(x) * len(self.weights[0]):
            raise InputError(
                "The inputs do not fit the network",
                expected=f"at least one example of {len(self.weights[0])} numbers each",
                received=f"an array of shape {np.shape(inputs)}",
            )
        a = self.scale * x.reshape(len(x), -1)
        named = {"a_0": a}
        for layer in range(1, self.depth + 1):
            z = named[f"z_{layer}"] = a @ self.weights[layer - 1] + self.biases[layer - 1]
            a = self._activate(z, layer)
            if masks and layer < self.depth:
                mask = masks[layer - 1]
                named[f"factor_{layer}"], named[f"shift_{layer}"] = mask.factor, mask.shift
                a = mask.factor * a + mask.shift
            named["output" if layer == self.depth else f"a_{layer}"] = a
        return Forward(named=named)

    def loss(self, forward: Forward, targets: Any, kind: str) -> Loss:
        """Step 2: how far the output is from the targets, by one of the losses of `layerwise.from_scratch.losses`.

        Args:
            forward: What `forward` returned.
            targets: `[batch, outputs]`, numbers; for one output also `[batch]`; for classes also their numbers,
                `[batch]`.
            kind: "cross_entropy" or "squared_error".

        Raises:
            SpecError: The loss is not known, or is not defined for this output.
            InputError: The targets do not fit the output.
        """
        _check_name("loss", kind, LOSSES)
        named = LOSSES[kind](forward[f"z_{self.depth}"], forward["output"], targets, self.output_activation)
        return Loss(named={**named, "loss": np.asarray(named["losses"].mean())}, kind=kind)

    def backward(self, forward: Forward, loss: Loss) -> Backward:
        """Step 3: the gradient of the loss with respect to every value before it, by the chain rule."""
        named: dict[str, np.ndarray] = {}
        for layer in range(self.depth, 0, -1):
            if layer < self.depth:
                function = ACTIVATIONS[self.activations[layer - 1]]
                dz = named[f"dL/da_{layer}"] * function.derivative(forward[f"z_{layer}"])
                if f"factor_{layer}" in forward:
                    dz = dz * forward[f"factor_{layer}"]
            elif loss.kind == "cross_entropy":
                # The derivatives of logarithm and softmax (or sigmoid) cancel; their product alone would overflow.
                dz = (loss["probabilities"] - loss["targets"]) / len(loss["targets"])
            else:
                da = named["dL/doutput"] = 2 * (forward["output"] - loss["targets"]) / loss["targets"].size
                dz = self._through_output(forward, da)
            named[f"dL/dz_{layer}"] = dz
            named[f"dL/dW_{layer}"] = forward[f"a_{layer - 1}"].T @ dz
            named[f"dL/db_{layer}"] = dz.sum(axis=0)
            named[f"dL/da_{layer - 1}"] = dz @ self.weights[layer - 1].T
        return Backward(named=named)

    def update(self, backward: Backward, learning_rate: float) -> Update:
        """Step 4: gradient descent, W_l after = W_l before - learning_rate * dL/dW_l, and so for b_l."""
        named: dict[str, np.ndarray] = {}
        for layer in range(1, self.depth + 1):
            for letter, arrays in (("W", self.weights), ("b", self.biases)):
                name, before = f"{letter}_{layer}", arrays[layer - 1]
                change = -learning_rate * backward[f"dL/d{name}"]
                named |= {f"{name} before": before, f"{name} change": change, f"{name} after": before + change}
        network = dataclasses.replace(
            self,
            weights=[named[f"W_{layer} after"] for layer in range(1, self.depth + 1)],
            biases=[named[f"b_{layer} after"] for layer in range(1, self.depth + 1)],
        )
        return Update(named=named, network=network)

    def step(self, inputs: Any, targets: Any, *, loss: str, learning_rate: float) -> Step:
        """All four steps for one batch; the arguments are those of the single steps."""
        forward = self.forward(inputs)
        measured = self.loss(forward, targets, loss)
        backward = self.backward(forward, measured)
        update = self.update(backward, learning_rate)
        return Step(forward=forward, loss=measured, backward=backward, update=update)

    @property
    def depth(self) -> int:
        """The number of layers with weights, L."""
        return len(self.weights)

    def _activate(self, z: np.ndarray, layer: int) -> np.ndarray:
        name = (*self.activations, self.output_activation)[layer - 1]
        return softmax(z) if name == "softmax" else ACTIVATIONS[name].function(z)

    def _through_output(self, forward: Forward, da: np.ndarray) -> np.ndarray:
        """dL/dz of the last layer from dL/doutput."""
        if self.output_activation == "softmax":
            # Each output depends on every z: the Jacobian is diag(p) - p p^T.
            p = forward["output"]
            return p * (da - np.sum(p * da, axis=1, keepdims=True))
        return da * ACTIVATIONS[self.output_activation].derivative(forward[f"z_{self.depth}"])


def _frozen(array: Any) -> np.ndarray:
    """A copy in float64 that nobody can write to."""
    copy = np.array(array, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def _check_shapes(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> None:
    fits = len(weights) == len(biases) > 0 and all(
        w.ndim == 2 and b.shape == w.shape[1:] for w, b in zip(weights, biases, strict=True)
    )
    if not fits or any(w.shape[1] != following.shape[0] for w, following in pairwise(weights)):
        raise SpecError(
            "The weights and biases are no dense network",
            expected="for each layer a matrix [inputs, units] and a vector [units], its units the inputs of the next",
            received=f"shapes {[w.shape for w in weights]} and {[b.shape for b in biases]}",
        )


def _check_name(what: str, name: Any, allowed: Iterable[str]) -> None:
    names = tuple(allowed)
    if name not in names:
        raise SpecError(f"{what} is not known", expected=f"one of {', '.join(names)}", received=repr(name))


def _chain(model: keras.Model) -> list[Any]:
    """The layers of a model, each of which has the result of the one before as its only input."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    try:
        ends = [*model.inputs, *(layer.output for layer in layers)]
        starts = [*(layer.input for layer in layers), *model.outputs]
    except (AttributeError, TypeError, ValueError):  # Keras: never built, or not a graph of layers
        starts, ends = [], []
    if not ends or len(ends) != len(starts) or any(x is not y for x, y in zip(starts, ends, strict=True)):
        raise SpecError(
            f"The layers of {model.name!r} are no chain",
            expected="a functional or built sequential model in which each layer takes the result of the one before",
            remedy="build the network without skip connections",
        )
    return layers
