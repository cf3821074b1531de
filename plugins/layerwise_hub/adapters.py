"""A published network that learns by low-rank adaptation: it stays as it is, and beside each of its matrices two small
ones learn, whose product is added (Hu et al. 2021, arXiv:2106.09685). Nothing but these is kept as weights.

peft puts them there. Each is a variable of a Keras layer, so that the core's own loop trains them, keeps them and goes
on with them as with all weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import keras
import torch
from keras import layers
from peft import LoraConfig, inject_adapter_in_model

from layerwise.errors import WeightsError
from layerwise_hub.probed import load_encoder
from layerwise_hub.probes import STANDARDISED
from layerwise_hub.runners.base import in_parts
from layerwise_hub.standardised import Standardised

if TYPE_CHECKING:
    from layerwise_hub.probed import Probed
    from layerwise_hub.probes import ProbeConfig

ADAPTED = "adapted"
"""The layer that has the published network in it."""


def adapted(config: ProbeConfig, task: Probed) -> tuple[Any, Any]:
    """What goes in, and what a published network that learns makes of it, each number of the standard deviation 1 at
    first: the beginning of a network.

    Raises:
        LayerwiseError: The published network was removed, is another one now, or has no matrices of this kind.
    """
    example = task.warm_input()
    # Texts are of any length.
    shape = (None,) if example.ndim == 2 else example.shape[1:]
    given = keras.Input(shape, dtype=example.dtype.name, name="given")
    encoder = load_encoder(task.encoder, task.digest)
    layer = Adapted(encoder, example, rank=config.adapter_rank, scale=config.adapter_scale, dropout=config.dropout)
    x = Standardised(name=STANDARDISED)(layer(given))
    return given, layers.Rescaling(layer.dimensions**0.5, name="of_size_one")(x)


class Adapted(layers.Layer):
    """The features [examples, dimensions] that a published network makes of what it takes, with matrices beside its own
    that learn.

    Args:
        encoder: What answers for the published network (`layerwise_hub.probed.load_encoder`). It is changed.
        example: A batch of one.
        rank: Columns of the first matrix, rows of the second.
        scale: What their product is multiplied by.
        dropout: Share of the numbers given to them that is zeroed in training.
    """

    def __init__(self, encoder: Any, example: Any, *, rank: int, scale: float, dropout: float) -> None:
        super().__init__(name=ADAPTED, autocast=False)
        tensor: Any = keras.ops.zeros(())
        device, alpha = tensor.device, cast("Any", scale * rank)
        network = encoder.network.to(device, torch.float32).requires_grad_(False)
        encoder.device = str(device)
        # Hooks hear what is given to the heads, which stay as they are.
        heads = getattr(encoder, "heads", [])
        names = _adaptable(network, heads)
        if not names:
            raise WeightsError(
                f"{encoder.entry.name} has no matrices beside which others could learn",
                expected="dense layers or convolutions",
                remedy="train the variant linear or dense",
            )
        settings = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=names)
        inject_adapter_in_model(settings, network)
        network.eval()
        self.encoder = encoder
        features = self._features(torch.as_tensor(example, device=device))
        features.sum().backward()
        self.dimensions = features.shape[1]
        averaging = torch.nn.BatchNorm1d, torch.nn.BatchNorm2d
        self._averaging = [part for part in network.modules() if isinstance(part, averaging)]
        for name, matrix in network.named_parameters():
            if not matrix.requires_grad:
                continue
            if matrix.grad is None:  # of a part that the features do not come from
                matrix.requires_grad_(False)
                continue
            matrix.grad = None
            self._track_variable(keras.Variable(matrix, name=name.replace(".default.weight", "").replace(".", "_")))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        self.encoder.network.train(bool(training))
        for part in self._averaging:
            # Its averages are those that it was published with, and are kept nowhere else.
            part.eval()
        if training:
            return self._features(inputs)
        return torch.cat([self._features(part) for part in in_parts(inputs)])

    def _features(self, inputs: Any) -> Any:
        return self.encoder.features(inputs).float()

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0], self.dimensions


def _adaptable(network: Any, heads: list[Any]) -> list[str]:
    """The names of the dense layers of a network; of its convolutions where there are none."""
    left = [(name, part) for name, part in network.named_modules() if not any(part is head for head in heads)]
    dense = [name for name, part in left if isinstance(part, torch.nn.Linear)]
    return dense or [name for name, part in left if isinstance(part, torch.nn.Conv2d) and part.groups == 1]
